"""Keeps `mart.order_service` as a table of the published file, by the orders that changed.

As a view it takes seconds over a million orders, and every KPI of orders reads it. Its text is that
of a mart like any other; here the same text runs over the rows of the orders that changed. When too
many did, or what counts for all of them changed, it runs over everything.
"""

from __future__ import annotations

import re

import duckdb

from warehouse import marts
from warehouse.ddl import literal, quote

NAME = "order_service"
MOST = 50_000
"""Changed orders up to which they alone are written anew."""
_PLACE = re.compile(r"\b(main|source|ops|mart)\.(\w+)")
_HELD = ("shipment", "return")
"""Entities whose rows tell of an order: one that leaves an order changes two."""


class OrderService:
    """The table in the attached file `database`; `whole`, `load` and `run` as for `Tables`."""

    def __init__(
        self, con: duckdb.DuckDBPyConnection, database: str, *, whole: bool, load: int, run: int
    ) -> None:
        self.con, self.there = con, quote(database)
        self.whole, self.load, self.run = whole, load, run
        self.tellers: object = None

    def before(self) -> None:
        """Note the orders of what changed, as the file has it still."""
        self.con.execute("CREATE OR REPLACE TEMP TABLE kept_ids (order_id UUID)")
        if self.whole:
            return
        self.tellers = self._tellers()
        changed = (
            f"ops.changes WHERE run > {self.run} AND entity IN ('order', 'shipment', 'return')"
        )
        if self._any(f"{changed} AND id IS NULL"):
            self.whole = True
            return
        self._orders_of_held()
        self.con.execute(
            f"INSERT INTO kept_ids SELECT id FROM ops.changes WHERE run > {self.run} "
            "AND entity = 'order'"
        )

    def after(self) -> int:
        """Write the table anew, as far as it changed; returns how many rows were written."""
        if not self.whole:
            self._orders_of_held()
            # What a document says counts, also where it says nothing new of the order itself.
            self.con.execute(
                f"INSERT INTO kept_ids SELECT x.golden_id FROM {self.there}.source.orders s "
                f"JOIN {self.there}.main.xref x ON x.entity = 'order' "
                "AND x.connection = s.connection AND x.stream = s.stream "
                f"AND x.source_key = s.source_key WHERE s.load_id > {self.load}"
            )
            self.con.execute(
                "CREATE OR REPLACE TEMP TABLE kept_ids AS SELECT DISTINCT order_id FROM kept_ids "
                "WHERE order_id IS NOT NULL"
            )
            many = self._count("kept_ids")
            self.whole = many > MOST or self._tellers() != self.tellers
            if not many and not self.whole:
                return self._done(0)
        table = f"{self.there}.mart.{quote(NAME)}"
        mart = next(m for m in marts.in_order() if m.name == NAME)
        if self.whole:
            self.con.execute(f"DELETE FROM {table}")
            select = _PLACE.sub(rf"{self.there}.\1.\2", mart.sql)
        else:
            self.con.execute(
                f"DELETE FROM {table} WHERE order_id IN (SELECT order_id FROM kept_ids)"
            )
            among = self._among()
            select = _PLACE.sub(lambda m: among.get(m[0], f"{self.there}.{m[0]}"), mart.sql)
        row = self.con.execute(f"INSERT INTO {table} BY NAME {select}").fetchall()
        return self._done(int(row[0][0]))

    def _among(self) -> dict[str, str]:
        """Make the rows of the changed orders temp tables; returns them by what they stand for."""
        mine = "order_id IN (SELECT order_id FROM kept_ids)"
        of_lines = f"SELECT shipment_id FROM {self.there}.main.shipment_lines WHERE {mine}"
        chosen = {
            "main.orders": mine,
            "main.order_lines": mine,
            "main.order_documents": mine,
            "main.returns": mine,
            "main.shipments": f"{mine} OR shipment_id IN ({of_lines})",
            "main.shipment_lines": f"{mine} OR shipment_id IN (SELECT shipment_id FROM "
            f"{self.there}.main.shipments WHERE {mine})",
            "source.orders": "(connection, stream, source_key) IN (SELECT (connection, stream, "
            f"source_key) FROM {self.there}.main.order_documents WHERE {mine})",
        }
        found = {}
        for name, where in chosen.items():
            temp = f"kept_{name.replace('.', '_')}"
            self.con.execute(
                f"CREATE OR REPLACE TEMP TABLE {temp} AS "
                f"SELECT * FROM {self.there}.{name} WHERE {where}"
            )
            found[name] = f"temp.{temp}"
        return found

    def _orders_of_held(self) -> None:
        for entity in _HELD:
            changed = (
                f"SELECT id FROM ops.changes WHERE run > {self.run} AND entity = {literal(entity)}"
            )
            tables = [f"{entity}s", *(["shipment_lines"] if entity == "shipment" else [])]
            for table in tables:
                self.con.execute(
                    f"INSERT INTO kept_ids SELECT order_id FROM {self.there}.main.{table} "
                    f"WHERE {entity}_id IN ({changed})"
                )

    def _tellers(self) -> object:
        """Return which connections tell of returns: it counts for all their orders."""
        return self.con.execute(
            f"SELECT DISTINCT connection FROM {self.there}.source.returns "
            "WHERE is_deleted IS NOT TRUE ORDER BY ALL"
        ).fetchall()

    def _done(self, rows: int) -> int:
        for (name,) in self.con.execute(
            "SELECT table_name FROM duckdb_tables() WHERE temporary AND table_name LIKE 'kept\\_%' "
            "ESCAPE '\\'"
        ).fetchall():
            self.con.execute(f"DROP TABLE temp.{quote(name)}")
        return rows

    def _any(self, source: str) -> bool:
        return bool(self.con.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchall())

    def _count(self, source: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])
