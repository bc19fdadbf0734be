"""The rows of some things, and of all that belongs to them, in the place of whole tables.

The text of a mart or rule that runs over them says of these things what it would say over
everything, as long as all that hangs together is among them (`ties.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import duckdb

from warehouse import ties
from warehouse.ddl import literal, quote

THINGS = "among_things"
"""Temp table of the things' hashes, made by the caller."""
_PLACE = re.compile(r"\b(main|source|mart|step)\.(\w+)")
_WORD = re.compile(r"\w+")
_KEYS = frozenset({
    "connection", "stream", "source_key", "golden_id", "own_id", "entity", "party_id",
    *(f"{e}_id" for e in ties.ENTITIES),
})  # fmt: skip
_OWNED = {
    "main.order_lines": ("order", "order_id"),
    "main.order_documents": ("order", "order_id"),
    "main.payment_evidence": ("payment", "payment_id"),
    "main.payment_allocations": ("payment", "payment_id"),
    "main.shipment_lines": ("shipment", "shipment_id"),
    "main.invoice_lines": ("invoice", "invoice_id"),
    "main.refund_lines": ("refund", "refund_id"),
}


class Among:
    """Makes the temp tables at need; `golden` and `source` say where the whole ones stand.

    `texts` is all that will run over them: columns whose names do not occur in it are left out.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, golden: str, source: str, texts: Iterable[str]
    ) -> None:
        self.con, self.where = con, {"main": golden, "source": source}
        self.words = _KEYS.union(*(_WORD.findall(text) for text in texts))
        self.made: dict[str, str] = {}

    def text(self, sql: str, models: dict[str, str], whole: frozenset[str] = frozenset()) -> str:
        """Return `sql` over the rows of the things.

        `models` says where marts and steps stand, by `schema.name`; tables of `whole` stay whole.
        """

        def put(found: re.Match[str]) -> str:
            name, (schema, table) = found[0], found.groups()
            if schema in ("mart", "step"):
                return models[name]
            if name in whole or not self._knows(name):
                return f"{self.where[schema]}.{table}"
            return self.table(name)

        return _PLACE.sub(put, sql)

    def table(self, name: str) -> str:
        """Return the temp table that has of `name` what belongs to the things."""
        if name not in self.made:
            self.made[name] = f"temp.among_{name.replace('.', '_')}"
            schema, table = name.split(".")
            whole = f"{self.where[schema]}.{table}"
            there = self.con.execute(f"DESCRIBE SELECT * FROM {whole}").fetchall()
            columns = ", ".join(f"t.{quote(row[0])}" for row in there if row[0] in self.words)
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE among_{name.replace('.', '_')} AS "
                f"SELECT {columns} FROM {whole} t WHERE {self._condition(name)}"
            )
        return self.made[name]

    def drop(self) -> None:
        """Drop what was made, and the things."""
        for name in [*self.made.values(), f"temp.{THINGS}"]:
            self.con.execute(f"DROP TABLE IF EXISTS {name}")
        self.made.clear()

    def _knows(self, name: str) -> bool:
        return name in _OWNED or name in ("main.xref", "main.parties") or bool(_entity(name))

    def _condition(self, name: str) -> str:
        things = f"(SELECT thing FROM {THINGS})"
        if name == "main.xref":
            every = " UNION ALL ".join(
                f"SELECT {e}_id FROM {self.table(f'main.{e}s')}" for e in ties.ENTITIES
            )
            return f"t.golden_id IN ({every})"
        if name == "main.parties":
            return f"t.party_id IN (SELECT party_id FROM {self.table('main.orders')})"
        if name in _OWNED:
            entity, column = _OWNED[name]
            return f"t.{column} IN (SELECT {column} FROM {self.table(f'main.{entity}s')})"
        entity = _entity(name)
        if name.startswith("main."):
            return f"{ties.id_of(entity, f't.{entity}_id')} IN {things}"
        records = f"{self.table('main.xref')} WHERE entity = {literal(entity)}"
        # A key alone is looked for first: it is one text where the whole are three.
        return (
            f"t.source_key IN (SELECT source_key FROM {records}) AND (t.connection, t.stream, "
            f"t.source_key) IN (SELECT (connection, stream, source_key) FROM {records})"
        )


def _entity(name: str) -> str:
    """Return the entity whose records the table has one row each of, "" for any other table."""
    table = name.split(".")[1]
    return next((e for e in ties.ENTITIES if table == f"{e}s"), "")
