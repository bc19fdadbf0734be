"""A company that knows one person in three systems, among others that must not be touched."""

from __future__ import annotations

import json
import multiprocessing
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from file_connections import write_all

from connectors.base import utc_now
from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.erase import Erasure
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import ruled
from warehouse.decisions import Decisions
from warehouse.ruled import Record

NAME, PHONE, MAIL, ID = "欧阳若澜", "13987654321", "ruolan.ouyang@example.cn", "110101199003078515"
ADDRESS = "杭州市西湖区文三路478号华星时代广场12楼1203室"
CANARIES = (NAME, PHONE, MAIL, ID, ADDRESS)
SEEN = "2026-03-01T08:00:00Z"
LATER = "2026-03-02T08:00:00Z"

REST = """type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {url}
    allow_private: true
    streams:
{streams}
"""
STREAM = """      {name}:
        path: /{name}
        records: data
        key: id
        paging: {{cursor: next_cursor, param: cursor}}
        total: total
"""
CHANGES = "        changes: {since: updated_at, param: updated_since, lookback: 10m}\n"
FILES = """type: pipelines.Connection
attributes:
  system: files
  config:
    folder: inbox/erp
    settle: 0
    streams:
      clients: {pattern: 'clients*.csv', key: code}
      sales: {pattern: 'sales*.csv', key: no}
"""
MAPPINGS = {
    "shop/customers": """entity: party
key: id
version: updated_at
fields: {kind: "'person'", name: "concat(last, first)", phone: phone, email: email, note: note}
""",
    "shop/orders": """entity: order
key: id
version: updated_at
fields:
  number: name
  placed_at: created_at
  currency: currency
  total: total
  customer_key: customer.id
  ship_to_name: ship.name
  ship_to_phone: ship.phone
  ship_to_address: "concat(ship.city, ship.line)"
children:
  lines:
    each: lines
    entity: order_line
    key: id
    fields: {sku: sku, quantity: quantity, unit_price: price}
""",
    "crm/contacts": """entity: party
key: id
version: updated_at
fields: {kind: "'person'", name: name, phone: mobile, email: mail, id_number: id_card}
""",
    "crm/tickets": """entity: ticket
key: id
version: updated_at
fields: {customer_key: contact, subject: subject, description: body, opened_at: created_at}
""",
    "erp/clients": """entity: party
key: code
fields: {kind: "'person'", name: name, phone: tel, id_number: idno, address: addr}
""",
    "erp/sales": """entity: order
key: no
fields: {number: no, customer_key: client, total: amount, currency: "'CNY'", ship_to_name: receiver,
  ship_to_phone: receiver_tel, ship_to_address: receiver_addr}
""",
}


def customer(number: int, **also: Any) -> dict[str, Any]:
    """Return one of the shop's customers who is nobody in particular."""
    return {
        "id": number, "last": "赵钱孙李周吴郑王冯陈"[number % 10], "first": f"某{number}",
        "phone": f"136{number:08d}", "email": f"c{number}@example.org", "note": None,
        "updated_at": SEEN,
    } | also  # fmt: skip


def order(number: int, owner: int, **also: Any) -> dict[str, Any]:
    """Return an order of the customer `owner`."""
    return {
        "id": 9000 + number, "name": f"SO{number:04d}", "created_at": SEEN, "updated_at": SEEN,
        "currency": "CNY", "total": f"{number}.10", "customer": {"id": owner},
        "ship": {"name": f"收件{owner}", "phone": f"136{owner:08d}", "city": "上海市",
                 "line": f"世纪大道{owner}号"},
        "lines": [{"id": 1, "sku": f"S{number}", "quantity": 2, "price": "1.50"}],
    } | also  # fmt: skip


CANARY = customer(
    77, last="欧阳", first="若澜", phone="+86 139-8765-4321", email=MAIL.upper(),
    note=f"朋友叫{NAME}",
)  # fmt: skip
CANARY_SHIP = {"name": NAME, "phone": PHONE, "city": "杭州市", "line": ADDRESS[3:]}
CANARY_ORDERS = [
    order(500, 77, ship=CANARY_SHIP, extra={"contact": {"mail": MAIL}, "rate": 1.10}),
    order(501, 77, ship=CANARY_SHIP, total="not a number"),
    order(503, 8, ship={"name": NAME, "phone": PHONE, "city": "苏州市", "line": "干将路1号"}),
    order(502, 77, ship={"name": NAME, "phone": None, "city": "杭州市", "line": ADDRESS[3:]}),
]
CONTACT = {"id": 31, "name": NAME, "mobile": PHONE, "mail": MAIL, "id_card": ID,
           "updated_at": SEEN}  # fmt: skip
TICKETS = [
    {"id": 1, "contact": 31, "subject": f"{NAME}来电", "body": f"请回电{PHONE}，地址{ADDRESS}",
     "created_at": SEEN, "updated_at": SEEN},
    {"id": 2, "contact": 4, "subject": "发票", "body": "转告 139 8765 4321 的客户",
     "created_at": SEEN, "updated_at": SEEN},
    {"id": 3, "contact": 4, "subject": "退货", "body": "一切照旧", "created_at": SEEN,
     "updated_at": SEEN},
]  # fmt: skip
CLIENTS = ["code,name,tel,idno,addr", f"K0007,{NAME},{PHONE},{ID},{ADDRESS}",
           *(f"K{n:04d},客户{n},137{n:08d},," for n in range(100, 130))]  # fmt: skip
SALES = [
    "no,client,amount,receiver,receiver_tel,receiver_addr",
    f"XS001,K0007,88.80,{NAME},{PHONE},{ADDRESS}",
    *(f"XS{n},K{n:04d},{n}.50,客户{n},137{n:08d},某路{n}" for n in range(100, 130)),
]


@dataclass
class Company:
    """The server of shop and CRM, and the workspace that reads them and the ERP's files."""

    server: RestSimulator
    space: Workspace
    root: Path

    def sync(self, *, full: bool = False) -> dict[str, Any]:
        """Read every stream and publish; returns the outcomes of the streams by name."""
        done = {}
        for connection, stream in STREAMS:
            outcome = sync_stream(self.space, connection, stream, full=full)
            assert outcome.error is None, outcome.error
            done[f"{connection}/{stream}"] = outcome
        published = unify_publish(self.space)
        assert published.error is None, published.error
        return done


STREAMS = (("shop", "customers"), ("shop", "orders"), ("crm", "contacts"), ("crm", "tickets"),
           ("erp", "clients"), ("erp", "sales"))  # fmt: skip


def files(url: str) -> Mapping[str, str]:
    """Return the workspace's files."""

    def rest(*names: str) -> str:
        return REST.format(
            url=url,
            streams="".join(STREAM.format(name=n) + (CHANGES if n == "orders" else "")
                            for n in names),
        )  # fmt: skip

    return {
        "defs/shop/defs.yaml": rest("customers", "orders"),
        "defs/crm/defs.yaml": rest("contacts", "tickets"),
        "defs/erp/defs.yaml": FILES,
        "defs/company/defs.yaml": "type: pipelines.Company\nattributes:\n  min_free: 1MB\n",
        **{f"mappings/{name}.yaml": text for name, text in MAPPINGS.items()},
        "inbox/erp/clients.csv": "\n".join(CLIENTS) + "\n",
        "inbox/erp/sales.csv": "\n".join(SALES) + "\n",
    }


def server() -> RestSimulator:
    """Return the shop's and the CRM's server, the canary among others."""
    return RestSimulator(
        {
            "customers": Collection([*(customer(n) for n in range(1, 40)), CANARY]),
            "orders": Collection(
                [*(order(n, n % 39 + 1) for n in range(1, 80)), *CANARY_ORDERS]
            ),
            "contacts": Collection(
                [CONTACT, *({**CONTACT, "id": n, "name": f"联系{n}", "mobile": f"135{n:08d}",
                             "mail": f"x{n}@example.org", "id_card": None} for n in range(1, 9))]
            ),
            "tickets": Collection(TICKETS),
        }
    )  # fmt: skip


@contextmanager
def running(root: Path) -> Iterator[Company]:
    """Serve the systems, write the workspace under `root`, sync, change, merge, sync again.

    A merge whose reason names the person is decided, and logs and run history quote what they say.
    """
    app = server()
    with serve(app) as url:
        write_all(root, files(url))
        made = Company(app, Workspace.discover({}, start=root), root)
        made.sync()
        app.put("customers", CANARY | {"note": f"{NAME}搬家了", "updated_at": LATER})
        app.put("orders", CANARY_ORDERS[0] | {"total": "501.00", "updated_at": LATER})
        app.put("orders", order(5, 6, total="5.55", updated_at=LATER))
        ruled.decide(
            Decisions(made.space.home.landing), "merge",
            [Record("crm", "contacts", "31"), Record("shop", "customers", "77")],
            why=f"同一人：{NAME} {PHONE}", at=utc_now(),
        )  # fmt: skip
        made.sync()
        _plant(made.space)
        try:
            yield made
        finally:
            made.space.control.close()


def _plant(space: Workspace) -> None:
    """Write values where errors of libraries and systems may quote them."""
    at = utc_now()
    space.control.record_run(
        {
            "run_id": "r-1", "connection": "shop", "stream": "customers", "mode": "full",
            "status": "failed", "started_at": at, "ended_at": at, "counts": {},
            "error": {"kind": "Odd", "what": f"bad value {NAME}", "do": "", "place": ""},
            "bookmark_before": None, "bookmark_after": {"last": MAIL},
        }
    )  # fmt: skip
    logs = space.home.root / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "access.jsonl").write_text(f'{{"id": "shop/customers/{PHONE}"}}\n{{"id": "x"}}\n')
    (logs / "cli.log").write_text(f"--- isthmus explain\n  ValueError: {NAME}\n")
    with closing(sqlite3.connect(space.home.dagster / "events.db")) as db:
        db.execute("create table event_logs (id integer, event text)")
        long = "x" * 5000
        db.execute("insert into event_logs values (1, ?)", (json.dumps({"m": long + NAME}),))
        db.execute("insert into event_logs values (2, ?)", ('{"m": "all is well"}',))
        db.commit()


def homes_texts(root: Path, values: tuple[str, ...] = CANARIES) -> dict[str, set[str]]:
    """Return the files under `root` that hold a value, plain or unpacked, read on its own."""
    import pyarrow.parquet as pq
    import zstandard

    found: dict[str, set[str]] = {}
    for path in sorted(p for p in root.rglob("*") if p.is_file() and not p.is_symlink()):
        content = path.read_bytes()
        if path.suffix == ".zst":
            content += zstandard.ZstdDecompressor().stream_reader(content).read()
        elif path.suffix == ".parquet":
            content += str(pq.read_table(path).to_pylist()).encode()
        elif path.suffix == ".duckdb":
            content += _tables(path)
        hits = {
            v for v in values if v.encode() in content or json.dumps(v)[1:-1].encode() in content
        }
        if hits:
            found[str(path.relative_to(root))] = hits
    return found


def _tables(path: Path) -> bytes:
    import duckdb

    with duckdb.connect(str(path), read_only=True) as con:
        names = con.execute(
            "select schema_name, table_name from duckdb_tables() where not temporary"
        ).fetchall()
        return b"".join(
            str(con.execute(f'from "{schema}"."{name}"').fetchall()).encode()
            for schema, name in names
        )


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["canary_company"])


def erase_killed_at(root: Path, point: str) -> int:
    """Erase the person in a process that is killed at a point; returns its exit code."""
    child = CONTEXT.Process(target=_erase, args=(root, point))
    child.start()
    child.join(120)
    return child.exitcode if child.exitcode is not None else 0


def _erase(root: Path, point: str) -> None:
    os.environ["ISTHMUS_CRASH_AT"] = point
    Erasure(Workspace.discover({}, start=root), utc_now).erase(MAIL, why="request", who="dpo")
