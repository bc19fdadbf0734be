"""A read killed in its midst goes on where it stopped; memory is bounded by the partition."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest
from sql_world import TABLE, Database, World, connector, ids, pages, sqlite_database, world

from connectors.sql.reading import Reading
from connectors.sql.statements import Column, Source, table_clause
from connectors.sql.types import TEXT, Shape
from pipelines.workspace import PROJECT
from warehouse.landing import Landing

ROWS = 3000
KILL = "extract.page:7"  # of 300 rows; a batch of more than 1,000 was landed by then
RUN = """
import sys
from datetime import datetime
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace
from warehouse import writer
writer.MAX_RECORDS = 1000
now = datetime.fromisoformat(sys.argv[1])
done = sync_stream(Workspace.discover(), "erp", "payments", full=sys.argv[2] == "full",
                   now=lambda: now)
print(done.error, done.read)
"""
READ = """
import json, resource, sys
import pyarrow, pyarrow.compute, sqlalchemy
from sql_world import connector
from connectors.base import ReadRequest
source = connector(json.loads(sys.argv[1]))
pages = source.read(ReadRequest("payments"))
next(pages)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = size = 0
for page in pages:
    rows += len(page.keys)
    size += getattr(page.records, "nbytes", 0)
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps({"rows": rows, "bytes": size, "grown": grown * 1024}))
"""


def child(script: str, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(PROJECT), str(PROJECT / "tests" / "support")])
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], check=False, capture_output=True, text=True,
        timeout=240, cwd=PROJECT, env={**os.environ, "PYTHONPATH": paths, **env},
    )  # fmt: skip


def fill(database: Database, rows: int, payer: str) -> None:
    if database.name == "sqlite":
        database.execute(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < "
            f"{rows}) insert into payments select i, i || '.25', '{payer}' || i, "
            "'2026-05-01 10:00:00' from n"
        )
    elif database.name == "mysql":
        database.execute(
            "set session sql_mode = ''",
            f"insert into payments select seq, seq + 0.25, concat('{payer}', seq), "
            f"'2026-05-01 10:00:00' from seq_1_to_{rows}",
        )
    else:
        database.execute(
            f"insert into payments select i, i + 0.25, '{payer}' || i, '2026-05-01 10:00:00+08' "
            f"from generate_series(1, {rows}) i"
        )


@pytest.fixture
def erp(database: Database, tmp_path: Path) -> Iterator[World]:
    fill(database, ROWS, "p")
    config = database.settings(changes={"since": "updated_at"}) | {"rows": 300}
    with world(tmp_path / "world", database, config) as made:
        yield made


def environment(erp: World) -> dict[str, str]:
    root = erp.root
    return {
        "ISTHMUS_HOME": str(root / "home"),
        "ISTHMUS_DEFS": str(root / "defs"),
        "ISTHMUS_MAPPINGS": str(root / "maps"),
    }


def sums(erp: World) -> tuple[Any, ...]:
    found = erp.stored(
        "select count(*), count(distinct source_key), sum(amount)::varchar from source.payments"
        " where not is_deleted"
    )
    return found[0]


@pytest.mark.parametrize("mode", [pytest.param("first", marks=pytest.mark.slow), "full"])
def test_killed_in_mid_read_it_goes_on_after_the_last_batch(erp: World, mode: str) -> None:
    if mode == "full":
        assert erp.sync().error is None
        erp.database.execute(
            "delete from payments where id = 7", "update payments set payer = 'new'"
        )
    left = Landing(erp.space.home.landing)
    killed = child(RUN, erp.now.isoformat(), mode, ISTHMUS_CRASH_AT=KILL, **environment(erp))
    assert killed.returncode == -9
    bookmark = left.bookmark("erp", "payments") or {}
    assert bookmark["resume"]["mode"] == ("full" if mode == "full" else "changed")
    gone = 0 if mode == "first" else 1
    landed = bookmark["resume"]["count"]
    assert 0 < landed < ROWS
    done = erp.sync(full=mode == "full")
    assert (done.error, done.read) == (None, ROWS - gone - landed), "the rest, nothing twice"
    assert done.deleted == gone, "both parts together are one proved scan"
    total = sum(range(1, ROWS + 1)) + ROWS / 4 - (7.25 if gone else 0)
    assert sums(erp) == (ROWS - gone, ROWS - gone, f"{total:.4f}")
    assert "resume" not in (done.bookmark_after or {})


def test_killed_inside_equal_stamps_it_goes_on_inside_them(erp: World) -> None:
    """All rows carry one stamp, so only the key says how far the read had come."""
    assert erp.sync().error is None
    new = "2026-05-31 10:00:00" + ("+08" if erp.database.name == "postgresql" else "")
    erp.database.execute(f"update payments set updated_at = '{new}', payer = 'new'")
    killed = child(RUN, erp.now.isoformat(), "changed", ISTHMUS_CRASH_AT=KILL, **environment(erp))
    assert killed.returncode == -9
    resume = (Landing(erp.space.home.landing).bookmark("erp", "payments") or {})["resume"]
    assert (resume["by_move"], len(resume["after"])) == (True, 2)
    done = erp.sync()
    assert (done.error, done.read) == (None, ROWS - resume["count"])
    assert erp.stored("select count(*) from source.payments where payer_name = 'new'") == [(ROWS,)]


@pytest.mark.parametrize(
    "other",
    [{"changes": {"since": "updated_at", "lookback": "1h"}}, {"key": ["id", "payer"]},
     {"schema": "main"}, {"query": "select * from payments", "table": None}],
)  # fmt: skip
def test_settings_that_change_the_order_begin_anew(tmp_path: Path, other: dict[str, Any]) -> None:
    database = sqlite_database(tmp_path)
    database.execute(TABLE["sqlite"])
    fill(database, 10, "p")
    config = database.settings(changes={"since": "updated_at"}) | {"rows": 4}
    left = pages(connector(config))[0].bookmark
    assert len(ids(pages(connector(config), left))) == 6
    config["streams"]["payments"] |= other
    assert len(ids(pages(connector(config), left))) == 10


@pytest.mark.parametrize(
    ("column", "goes_on"),
    [
        (Column("c", TEXT), True),
        (Column("c", Shape("text", narrow=True)), False),
        (Column("c", TEXT, "gb18030"), False),
    ],
)
def test_no_read_goes_on_where_the_database_compares_otherwise_than_it_sorts(
    column: Column, goes_on: bool
) -> None:
    source = Source("mssql", table_clause("t", None, ["c"]), (column,), ("c",))
    reading: Any = SimpleNamespace(
        source=source, session=SimpleNamespace(database="mssql"), _raw=("A-1",)
    )
    place = Reading._place_of(reading, pa.table({"c": ["A-1"]}), ["c"], False)
    assert place == (("A-1",) if goes_on else ())


def test_memory_is_bounded_by_the_partition(database: Database) -> None:
    """40,000 rows of about 5 kB are read within a few partitions' size."""
    widen = {
        "postgresql": "alter table payments alter column payer type text",
        "mysql": "alter table payments modify payer text",
    }
    if database.name in widen:
        database.execute(widen[database.name])
    fill(database, 40_000, "x" * 5000)
    config = database.settings() | {"bytes": "8MB"}
    done = child(READ, json.dumps(config))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["bytes"] > 190_000_000
    assert found["grown"] < 120_000_000, found
