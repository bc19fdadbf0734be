"""Keeps the marts of orders as tables of the published file, by what changed.

As views they take seconds over a million orders. Their text is that of a mart like any other; here
the same text runs over the rows of what was touched (`ties.py`). When too much was, or what counts
for all of them changed, it runs over everything.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

import duckdb

from warehouse import marts, ties, unmade
from warehouse.among import THINGS, Among
from warehouse.ddl import quote


@dataclass(frozen=True, slots=True)
class Kept:
    """A mart that is a table: the thing of a row, how it is sorted, and what it reads whole."""

    of: str
    order: str
    whole: frozenset[str] = frozenset()


NAMES = {
    "order_service": Kept("order order_id", "placed_on", frozenset({"source.returns"})),
    "orders": Kept("order order_id", "party_id"),
    "order_to_cash": Kept("order order_id", "placed_at"),
    "receivable_moves": Kept("order order_id, invoice invoice_id", "day"),
}
_PLACE = re.compile(r"\b(main|source|mart)\.(\w+)")
_NAMED = "orders"
"""The mart that tells of an order's customer what `order_to_cash` tells too."""


class KeptMarts:
    """The tables in the attached file `database`; `whole` and `run` as for `Tables`.

    `before` is called before the file's rows are brought up to date; then `begin`, `write` for each
    of NAMES, and `end`. Those of `anew` could not be made the last time and are written whole;
    nothing is made for those of `without`. `begin` raises MartFailed where what a mart stands on
    cannot be made.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        database: str,
        *,
        whole: bool,
        run: int,
        since: int,
        anew: Collection[str] = (),
        without: Collection[str] = (),
    ) -> None:
        self.con, self.there = con, quote(database)
        self.whole = whole or run < since
        self.run = run
        self.anew = anew
        self.names = [name for name in NAMES if name not in without]
        needed = _below(set(NAMES))
        texts = [mart.sql for mart in marts.in_order() if mart.name in needed]
        self.among = Among(con, f"{self.there}.main", f"{self.there}.source", texts)
        self.models: dict[str, str] = {}
        self.globals: object = None

    def before(self) -> None:
        """Note what counts for all rows, as the file has it still."""
        if not self.whole:
            self.globals = self._globals()

    def begin(self, *, is_last: bool = False) -> None:
        """Find out whose rows are other than before, and make what several marts stand on.

        `is_last` as of `unmade.tried`.
        """
        if not self.whole:
            self.whole = not self._touched() or self._globals() != self.globals
        if self._nothing():
            return
        below = {name: _below({name}) for name in self.names}
        for mart in marts.in_order():
            above = [name for name in self.names if mart.name in below[name]]
            if above and mart.name not in NAMES:
                unmade.tried(above[0], partial(self._make, mart), is_last=is_last)

    def _make(self, mart: marts.Mart) -> int:
        table = f"kept_{mart.name}"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {self._text(mart)}")
        self.models[f"mart.{mart.name}"] = f"temp.{table}"
        return 0

    def write(self, name: str) -> int:
        """Write a mart anew, as far as it changed; returns how many rows were written."""
        if self._nothing() and name not in self.anew:
            return 0
        mart = next(m for m in marts.in_order() if m.name == name)
        table, of = f"{self.there}.mart.{quote(name)}", ties.things(NAMES[name].of)
        if self.whole or name not in self.anew:
            mine = "" if self.whole else f" WHERE {of} IN (SELECT thing FROM {THINGS})"
            text = self._text(mart)
        else:
            mine, text = "", _PLACE.sub(rf"{self.there}.\g<0>", mart.sql)
        self.con.execute(f"DELETE FROM {table}{mine}")
        # What is asked for together stands together, but for what changed since.
        order = "" if mine else f" ORDER BY {NAMES[name].order}"
        # What is joined is laid down before it is sorted and written: all three at once keep so
        # much in hand that a million orders do not fit into what such work has.
        row = self.con.execute(
            f"INSERT INTO {table} BY NAME WITH made AS MATERIALIZED (SELECT * FROM ({text}){mine}) "
            f"SELECT * FROM made{order}"
        ).fetchall()
        return int(row[0][0])

    def end(self) -> None:
        """Drop what was made on the way."""
        for table in self.models.values():
            self.con.execute(f"DROP TABLE IF EXISTS {table}")
        self.among.drop()

    def _nothing(self) -> bool:
        return not self.whole and not self._any(THINGS)

    def _text(self, mart: marts.Mart) -> str:
        if self.whole:
            return _PLACE.sub(lambda m: self.models.get(m[0], f"{self.there}.{m[0]}"), mart.sql)
        whole = NAMES[mart.name].whole if mart.name in NAMES else frozenset[str]()
        return self.among.text(mart.sql, self.models, whole)

    def _touched(self) -> bool:
        """Make the things whose rows may be others; False where that is much."""
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE {THINGS} AS SELECT DISTINCT thing FROM identity.touched "
            f"WHERE run > {self.run}"
        )
        if self._any(f"{THINGS} WHERE thing IS NULL") or self._count(THINGS) > ties.MOST:
            return False
        renamed = self._renamed()
        return not self._count(renamed) or ties.add(self.con, THINGS, renamed)

    def _renamed(self) -> str:
        """Return a SELECT of the orders whose customer has another name or kind."""
        said = f"SELECT id FROM ops.changes WHERE entity = 'party' AND run > {self.run}"
        if not self._any(f"({said})"):
            return "(SELECT NULL::UBIGINT AS thing WHERE false)"
        return (
            f"(SELECT {ties.id_of('order', 't.order_id')} AS thing "
            f"FROM {self.there}.mart.{_NAMED} t LEFT JOIN {self.there}.main.parties p "
            "ON t.party_id = p.party_id WHERE t.party_id IS NOT NULL AND (t.party_name IS DISTINCT "
            "FROM p.name OR t.party_kind IS DISTINCT FROM p.kind))"
        )

    def _globals(self) -> object:
        """Return what counts for all orders: who tells of returns, and what systems are."""
        return self.con.execute(
            f"SELECT DISTINCT connection, NULL AS stream, NULL AS role FROM {self.there}.source."
            "returns WHERE is_deleted IS NOT TRUE UNION ALL "
            f"SELECT connection, stream, role FROM {self.there}.recon.roles ORDER BY ALL"
        ).fetchall()

    def _any(self, source: str) -> bool:
        return bool(self.con.execute(f"SELECT 1 FROM {source} LIMIT 1").fetchall())

    def _count(self, source: str) -> int:
        return int(self.con.execute(f"SELECT count(*) FROM {source}").fetchall()[0][0])


def _below(names: set[str]) -> set[str]:
    """Return the marts that these stand on, at any depth."""
    needs = {mart.name: set(mart.needs) for mart in marts.in_order()}
    found: set[str] = set()
    look = set(names)
    while look:
        found |= look
        look = set().union(*(needs[name] for name in look)) - found
    return found
