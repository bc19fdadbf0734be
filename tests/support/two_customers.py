"""A workspace whose shop and CRM know one customer twice, and a matcher that obeys people."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb
from file_connections import connection, write_all

from warehouse import ddl
from warehouse.identity import golden_id, golden_id_sql
from warehouse.matching.rulings import Rulings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PARTIES = """entity: party
key: id
fields: {code: code, kind: kind, name: name, phone: phone, email: email, uscc: uscc}
"""
ORDERS = "entity: order\nkey: id\nfields: {number: id, customer_key: customer}\n"
HEAD = "id,code,kind,name,phone,email,uscc\n"
CRM = HEAD + (
    "1,A,organization,杭州星河贸易有限公司,0571-88001234,,91330100MA27XF4P06\n"
    "2,B,person,王小明,13800001111,ming@example.cn,\n"
)
SHOP = HEAD + (
    "zhang.wei@example.cn,C,organization,星河贸易,,buy@xinghe.cn,\n"
    "8,B,person,王小明,13800001111,,\n"
    "9,D,person,李雷,13900002222,,\n"
)
PLACED = "id,customer\nSO1,zhang.wei@example.cn\nSO2,zhang.wei@example.cn\nSO3,9\n"


def write(root: Path, *, crm: str = CRM, shop: str = SHOP, placed: str = PLACED) -> None:
    """Write connections, mappings and files of the workspace under `root`."""
    write_all(root, {
        "defs/crm/defs.yaml": connection("crm", customers="id"),
        "defs/shop/defs.yaml": connection("shop", customers="id", orders="id"),
        "mappings/crm/customers.yaml": PARTIES,
        "mappings/shop/customers.yaml": PARTIES,
        "mappings/shop/orders.yaml": ORDERS,
        "inbox/crm/customers.csv": crm,
        "inbox/shop/customers.csv": shop,
        "inbox/shop/orders.csv": placed,
    })  # fmt: skip


def own(connection: str, key: str) -> str:
    """Return the id that a customer's record founds."""
    return str(golden_id("party", connection, "customers", key))


def obedient(con: duckdb.DuckDBPyConnection, rulings: Rulings, changed: str | None) -> None:
    """Join the parties of one `code`, unless people part them, and those that people join.

    Leaves pairs of one first sign of the name as suggestions.
    """
    rows = con.execute(
        f"SELECT {golden_id_sql('party', 's')} AS id, s.code, s.name "
        f"FROM {ddl.source_table('party').full} s "
        "ORDER BY s.first_seen_at, s.connection, s.stream, s.source_key"
    ).fetchall()
    group: dict[UUID, list[UUID]] = {id: [id] for id, _, _ in rows}

    def join(a: UUID, b: UUID) -> None:
        both = [*group.get(a, []), *group.get(b, [])]
        parted = any(x in both and y in both for x, y in rulings.apart)
        if a in group and b in group and group[a] is not group[b] and not parted:
            group.update(dict.fromkeys(both, both))

    for pair in rulings.same:
        join(*pair)
    for a, code, _ in rows:
        for b, other, _ in rows:
            if code is not None and code == other:
                join(a, b)
    order = [id for id, _, _ in rows]
    _write(con, {id: min(group[id], key=order.index) for id in order}, rulings)
    con.execute("DELETE FROM ops.suggestions WHERE entity = 'party'")
    for a, _, name in rows:
        for b, _, other in rows:
            alike = name and other and set(name) & set(other)
            parted = (a, b) in rulings.apart or group[a] is group[b]
            if a < b and alike and not parted:
                con.execute(
                    "INSERT INTO ops.suggestions VALUES "
                    "('party', ?, ?, 0.9, 'names', 'name, in part')", [a, b],
                )  # fmt: skip


def _write(con: duckdb.DuckDBPyConnection, golden: dict[UUID, UUID], rulings: Rulings) -> None:
    was = dict(
        con.execute("SELECT id, golden_id FROM identity.links WHERE entity = 'party'").fetchall()
    )
    con.execute("DELETE FROM identity.links WHERE entity = 'party'")
    manual = {id for pair in rulings.same for id in pair}
    for id, to in golden.items():
        how = "founder" if id == to else "manual" if id in manual else "deterministic"
        values: list[Any] = ["party", id, to, how, 1.0, how, "code"]
        con.execute("INSERT INTO identity.links VALUES (?, ?, ?, ?, ?, ?, ?)", values)
    for id in was.keys() | golden.keys():
        if was.get(id) != golden.get(id):
            con.execute(
                "INSERT INTO matching_moved VALUES ('party', ?, ?, ?)",
                [id, was.get(id), golden.get(id)],
            )


MATCHERS = {"party": obedient}
