"""Rows of parties for tests of the matcher, as the relation that it is given."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import duckdb

from warehouse.identity import golden_id
from warehouse.matching.parties import group_parties
from warehouse.matching.rulings import Rulings
from warehouse.temptables import fill

COLUMNS = {
    "id": "UUID",
    "connection": "VARCHAR",
    "stream": "VARCHAR",
    "source_key": "VARCHAR",
    "is_alive": "BOOLEAN",
    "first_seen_at": "TIMESTAMPTZ",
    **dict.fromkeys(
        (
            *("kind", "name", "legal_name", "contact_name", "uscc", "tax_number", "id_number"),
            *("email", "phone", "contact_phone"),
        ),
        "VARCHAR",
    ),
    "birth_date": "DATE",
    **dict.fromkeys(("country", "region", "city", "district", "postal_code", "address"), "VARCHAR"),
    "created_at": "TIMESTAMPTZ",
    "identifiers": "STRUCT(scheme VARCHAR, value VARCHAR)[]",
}
SEEN = "2026-01-01 00:00:00+00"


def own_id(connection: str, key: str) -> UUID:
    return golden_id("party", connection, "parties", key)


def put(con: duckdb.DuckDBPyConnection, rows: Iterable[dict[str, Any]]) -> None:
    """Make the temp table `parties`; a row needs `at` = (connection, key), all else may miss."""
    values = []
    for row in rows:
        connection, key = row["at"]
        full: dict[str, Any] = dict.fromkeys(COLUMNS)
        full |= {k: v for k, v in row.items() if k not in ("at", "identifiers")}
        full |= {
            "id": str(own_id(connection, key)),
            "connection": connection,
            "stream": "parties",
            "source_key": key,
            "is_alive": "false" if row.get("is_alive") is False else "true",
            "first_seen_at": row.get("first_seen_at", SEEN),
            "identifiers": None,
        }
        values.append(tuple(full.values()))
    fill(con, "parties", COLUMNS, values)


def groups(con: duckdb.DuckDBPyConnection) -> set[frozenset[str]]:
    """Return the groups as sets of `connection/key`."""
    return {
        frozenset(members)
        for (members,) in con.execute(
            "select list(p.connection || '/' || p.source_key) from identity.links l "
            "join parties p on p.id = l.id where l.entity = 'party' group by l.golden_id"
        ).fetchall()
    }


def matched(
    con: duckdb.DuckDBPyConnection, *rows: dict[str, Any], rulings: Rulings | None = None
) -> set[frozenset[str]]:
    """Put the rows, match them anew and return the groups of more than one row."""
    put(con, rows)
    group_parties(con, "parties", rulings or Rulings())
    return {g for g in groups(con) if len(g) > 1}


def together(con: duckdb.DuckDBPyConnection, a: dict[str, Any], b: dict[str, Any]) -> str:
    """Return what the matcher says of two rows alone: joined, asked or apart."""
    if matched(con, {"at": ("a", "1"), **a}, {"at": ("b", "1"), **b}):
        return "joined"
    return "asked" if con.execute("select * from ops.suggestions").fetchall() else "apart"


def code(body: str) -> str:
    """Return a valid 统一社会信用代码 for 17 signs."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(signs.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + signs[(31 - total % 31) % 31]


def citizen(body: str) -> str:
    """Return a valid identity number for 17 digits."""
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(int(c) * w for c, w in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]
