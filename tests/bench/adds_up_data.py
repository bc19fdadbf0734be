# ruff: noqa: E501 - statements that make records read better with a record on one line
"""A company of a shop, an ERP, a gateway and a carrier, landed record by record and loaded.

Records are made by SQL, handed to the landing as pages of JSON, loaded by compiled mappings: what
the store then holds came the way of any other record. Little is wrong between the systems, as in
a company that works: a few in ten thousand of each kind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from mappings.compile import compile_mapping
from mappings.load import parse_mapping
from pipelines.workspace import Workspace
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import open_store

PAGE = 25_000
DEFS = """\
type: pipelines.Connection
attributes:
  system: rest
  role: {role}
  config:
    base_url: http://127.0.0.1:9
    allow_private: true
    streams:
{streams}"""
STREAM = "      {name}: {{path: /{name}, records: data, key: id}}\n"
COMPANY = "type: pipelines.Company\nattributes: {timezone: Asia/Shanghai}\n"
_PLACED = "timestamptz '2024-01-01 00:00:00+00' + to_seconds(i * 63)"
_MOMENT = "strftime(({0}) at time zone 'UTC', '%Y-%m-%dT%H:%M:%SZ')"


@dataclass(frozen=True)
class Stream:
    """One stream: its mapping, and the record number `i` as the source says it at `version`.

    `many` of an order's number says which orders have such a record, as SQL over `i`.
    """

    connection: str
    name: str
    mapping: str
    record: str
    among: str = "true"
    of: int = 1
    """One in so many orders' numbers counts the things (SKUs, customers)."""


def _at(text: str) -> str:
    return _MOMENT.format(text)


_TOTAL = "100 + i % 900 + $version"
STREAMS = (
    Stream("shop", "customers",
           "entity: party\nkey: id\nversion: v\nfields: {kind: \"'person'\", name: name, email: email}\n",
           "{id: 'c' || i, v: $version, name: 'Customer ' || i, email: 'c' || i || '@example.com'}", of=10),
    Stream("shop", "products",
           "entity: product\nkey: id\nversion: v\nfields: {sku: sku, name: name, cost: cost, currency: \"'CNY'\"}\n",
           "{id: 'p' || i, v: $version, sku: 'S' || i, name: 'Item ' || i, cost: 20 + i % 50}", of=50),
    Stream("shop", "orders",
           """\
entity: order
key: id
version: v
fields:
  number: number
  kind: "'sale'"
  placed_at: placed_at
  source_updated_at: placed_at
  currency: "'CNY'"
  channel: channel
  customer_key: customer
  total: total
  status: status
  payment_status: payment_status
  payment_method: "'alipay'"
  fulfillment_status: fulfillment_status
children:
  lines: {each: lines, entity: order_line, key: id, fields: {sku: sku, name: name, quantity: quantity, gross: gross, product_key: product, kind: "'product'"}}
""",
           f"""{{id: 'o' || i, v: $version, number: 'SO' || (100000000 + i), placed_at: {_at(_PLACED)},
            channel: 'web' || i % 3, customer: 'c' || (i * 7919 % $orders) // 10, total: {_TOTAL}, status: 'confirmed',
            payment_status: if(i % 5000 = 1, 'pending', 'paid'), fulfillment_status: if(i % 10 = 0, 'unfulfilled', 'fulfilled'),
            lines: list_transform(range(2 + i % 2), lambda x: {{
                id: 'l' || x, sku: 'S' || (i * 31 + x) % ($orders // 50), product: 'p' || (i * 31 + x) % ($orders // 50), name: 'Item', quantity: 1 + x,
                gross: if(x = 0, {_TOTAL} - 10 * (1 + i % 2), 10)}})}}"""),
    Stream("erp", "orders",
           """\
entity: order
key: id
version: v
fields: {number: number, platform_order_no: shop_number, kind: "'sale'", placed_at: placed_at, source_updated_at: placed_at, currency: "'CNY'", total: total, status: "'confirmed'"}
""",
           f"{{id: 'x' || i, v: $version, number: 'XS' || i, shop_number: 'SO' || (100000000 + i), placed_at: {_at(_PLACED)}, total: {_TOTAL} + if(i % 10000 = 3, 5, 0)}}",
           "i % 10000 <> 2"),
    Stream("erp", "receivables",
           """\
entity: invoice
key: id
version: v
fields: {number: number, direction: "'receivable'", status: "'issued'", order_number: order_number, issue_date: day, due_date: day, gross: gross, currency: "'CNY'"}
""",
           f"{{id: 'v' || i, v: $version, number: 'FP' || i, order_number: 'SO' || (100000000 + i), day: (({_PLACED}) at time zone 'UTC')::date, gross: {_TOTAL}}}",
           "i % 5 = 0"),
    Stream("erp", "stock", "entity: stock_level\nkey: id\nversion: v\nfields: {sku: sku, on_hand: on_hand, reserved: reserved, as_of: moment}\n",
           f"{{id: 'k' || i, v: $version, sku: 'S' || i, on_hand: 500, reserved: 10, moment: {_at(_PLACED)}}}", of=50),
    Stream("shop", "stock", "entity: stock_level\nkey: id\nversion: v\nfields: {sku: sku, available: available, as_of: moment}\n",
           f"{{id: 'k' || i, v: $version, sku: 'S' || i, available: if(i % 1000 = 5, 600, 480), moment: {_at(_PLACED)}}}", of=50),
    Stream("pay", "charges",
           """\
entity: payment
key: id
version: v
fields: {number: number, kind: kind, provider: "'alipay'", method: "'alipay'", provider_transaction_id: number, amount: amount, currency: "'CNY'", status: "'succeeded'", merchant_order_no: order_number, paid_at: moment}
""",
           f"{{id: 'y' || i, v: $version, number: 'T' || (700000000 + i), kind: 'payment', amount: {_TOTAL} + if(i % 10000 = 4, 1, 0), order_number: 'SO' || (100000000 + i + if(i % 10000 = 5, $orders * 2, 0)), moment: {_at(_PLACED + ' + interval 3 minute')}}}",
           "i % 5000 <> 6"),
    Stream("pay", "refunds",
           """\
entity: payment
key: id
version: v
fields: {number: number, kind: "'refund'", provider: "'alipay'", method: "'alipay'", provider_transaction_id: number, amount: amount, currency: "'CNY'", status: "'succeeded'", merchant_order_no: order_number, paid_at: moment}
""",
           f"{{id: 'z' || i, v: $version, number: 'R' || i, amount: 10, order_number: 'SO' || (100000000 + i), moment: {_at(_PLACED + ' + interval 9 day')}}}",
           "i % 40 = 7"),
    Stream("shop", "returns",
           """\
entity: return
key: id
version: v
fields: {number: number, order_key: order_id, status: "'received'", kind: "'return_refund'", reason_code: reason, requested_at: moment, received_at: moment, refund_amount: amount}
""",
           f"{{id: 'r' || i, v: $version, number: 'RT' || i, order_id: 'o' || i, reason: ['quality', 'missing', 'changed_mind'][1 + i // 40 % 3], moment: {_at(_PLACED + ' + interval 8 day')}, amount: 10}}",
           "i % 40 = 7 and i % 4000 <> 7"),
    Stream("carrier", "parcels",
           """\
entity: shipment
key: id
version: v
fields: {number: number, tracking_number: number, carrier_name: "'SF'", order_number: order_number, status: "'delivered'", shipped_at: shipped, delivered_at: delivered}
""",
           f"{{id: 's' || i, v: $version, number: 'SF' || (3000000000 + i), order_number: 'SO' || (100000000 + i), shipped: {_at(_PLACED + ' + to_hours(3 + i % 40 + $version)')}, delivered: {_at(_PLACED + ' + to_hours(60 + i % 50)')}}}",
           "i % 10 <> 0"),
)  # fmt: skip
ROLES = {"shop": "shop", "erp": "erp", "pay": "gateway", "carrier": "carrier"}
OF_ORDERS = ("orders", "charges", "parcels")


def workspace(folder: Path) -> Workspace:
    """Return the company's workspace in `folder`, its definitions written."""
    for connection, role in ROLES.items():
        own = [s for s in STREAMS if s.connection == connection]
        _write(folder / f"defs/{connection}/defs.yaml", DEFS.format(
            role=role, streams="".join(STREAM.format(name=s.name) for s in own)))  # fmt: skip
        for stream in own:
            _write(folder / f"maps/{connection}/{stream.name}.yaml", stream.mapping)
    _write(folder / "defs/company/defs.yaml", COMPANY)
    return Workspace.discover(
        {
            "ISTHMUS_HOME": str(folder / "home"),
            "ISTHMUS_DEFS": str(folder / "defs"),
            "ISTHMUS_MAPPINGS": str(folder / "maps"),
        }
    )


def land_and_load(space: Workspace, orders: int, version: int = 0, changed: int = 0) -> int:
    """Land the records of `orders` orders and load them; returns how many records.

    `changed` orders of them, spread over all, say something else at each `version`, and so do the
    ERP's document, the money and the parcel of each.
    """
    home, records = space.home.make(), 0
    landing = Landing(home.landing)
    for stream in STREAMS:
        if changed and stream.name not in OF_ORDERS:
            continue
        among = f"{stream.among} and i % {orders // changed} = 11" if changed else stream.among
        moment = datetime.now(UTC)
        with landing.writer(stream.connection, stream.name, mode="changed", read=f"bench-{version}",
                            connector="rest", started=moment) as writer:  # fmt: skip
            for keys, page in _pages(stream, orders, among, version):
                records += len(page)
                writer.add(page, keys, {"version": version})
    with open_store(home) as store:
        for stream in STREAMS:
            plan = compile_mapping(
                parse_mapping(stream.mapping, f"{stream.name}.yaml"), connection=stream.connection,
                stream=stream.name, zone="Asia/Shanghai", settings={},
            )  # fmt: skip
            load_pending(store, landing, plan, now=lambda: datetime.now(UTC))
    return records


def _pages(
    stream: Stream, orders: int, among: str, version: int
) -> Iterator[tuple[list[str | None], list[bytes]]]:
    sql = (
        f"select record ->> 'id', record::varchar from (select to_json({stream.record}) as record "
        f"from range({orders // stream.of}) r(i) where {among})"
    )
    with duckdb.connect() as con:
        con.execute(sql.replace("$version", str(version)).replace("$orders", str(orders)))
        while rows := con.fetchmany(PAGE):
            yield [key for key, _ in rows], [text.encode() for _, text in rows]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
