"""The matcher's own tables in the schema `identity`; none of them is published."""

from __future__ import annotations

import duckdb

from warehouse.matching import results

# One row a source row: what is compared. All texts are plain (`text.plain`) or identifiers in one
# form (`normal.py`); lists are never null.
ROW_COLUMNS = {
    "id": "UUID",
    "connection": "VARCHAR",
    "stream": "VARCHAR",
    "source_key": "VARCHAR",
    "first_seen_at": "TIMESTAMPTZ",
    "alive": "BOOLEAN",
    "kind": "VARCHAR",
    "uscc": "VARCHAR",
    "orgcode": "VARCHAR",
    "citizen": "VARCHAR",
    "foreign_id": "VARCHAR",
    "phones": "VARCHAR[]",
    "tails": "VARCHAR[]",
    "emails": "VARCHAR[]",
    "accounts": "VARCHAR[]",
    "core": "VARCHAR",
    "trade": "VARCHAR",
    "form": "VARCHAR",
    "branch": "VARCHAR",
    "said_city": "VARCHAR",
    "said_province": "VARCHAR",
    "region_place": "VARCHAR",
    "formal": "BOOLEAN",
    "sound": "VARCHAR",
    "look": "VARCHAR",
    "pattern": "VARCHAR",
    "alias": "VARCHAR",
    "han": "VARCHAR",
    "by_contact": "BOOLEAN",
    "keys": "VARCHAR[]",
    "surname": "VARCHAR",
    "given": "VARCHAR",
    "person_look": "VARCHAR",
    "person_soft": "VARCHAR",
    "person_text": "VARCHAR",
    "contact": "VARCHAR",
    "contact_keys": "VARCHAR[]",
    "city": "VARCHAR",
    "province": "VARCHAR",
    # Null without a number: a village, or 自提, is nobody's door.
    "address": "VARCHAR",
    "places": "VARCHAR[]",
    "numbers": "VARCHAR[]",
    "postal": "VARCHAR",
    "birth": "DATE",
    "loose_person": "VARCHAR",
    "loose_trade": "VARCHAR",
    "firm": "VARCHAR",
    "called": "VARCHAR[]",
    "guessed": "BOOLEAN",
    "created": "DATE",
}

_TABLES = {
    "party_rows": ", ".join(f'"{n}" {t}' for n, t in ROW_COLUMNS.items()),
    # The values by which rows meet, as numbers of their hash (`keys.py`); with what tells how many
    # different people and companies use a value; of a name `person` is its bearer's number.
    "party_values": "id UUID, alive BOOLEAN, scheme UTINYINT, value UBIGINT, person VARCHAR, "
    "trade VARCHAR, firm VARCHAR, uscc VARCHAR, said_city VARCHAR",
    # Of the values that more than one row holds; counts in steps, so that they seldom move.
    "party_stats": "scheme UTINYINT, value UBIGINT, crowded BOOLEAN, people UTINYINT, "
    "trades UTINYINT, firms UTINYINT, size UTINYINT",
    # a < b. `auto`: joins by itself; else a person is asked.
    "party_pairs": "a UUID, b UUID, auto BOOLEAN, method VARCHAR, score DOUBLE, rule VARCHAR, "
    "evidence VARCHAR",
    "party_rulings": "a UUID, b UUID, same BOOLEAN",
    # Rows that pairs connect, before conflicts cut: what has to be looked at together.
    "party_components": "id UUID, component UUID",
}


def create(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables that are missing."""
    results.create(con)
    for name, body in _TABLES.items():
        con.execute(f"create table if not exists identity.{name} ({body})")
