"""Plays changes of source rows through a matcher, incrementally and whole, and reads its groups."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pytest
from source_rows import MOMENT, Loader

from warehouse import ddl, lazy
from warehouse.home import Home
from warehouse.identity import golden_id
from warehouse.matching import keyed, results
from warehouse.store import open_store

Matcher = Callable[..., None]


@dataclass
class Play:
    """One store, one entity: what is put or deleted is matched by `run`."""

    con: duckdb.DuckDBPyConnection
    entity: str
    matcher: Matcher
    touched: set[tuple[str, str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.load = Loader(self.con)

    def put(self, connection: str, *rows: dict[str, Any], stream: str | None = None) -> None:
        stream = stream or ddl.source_table(self.entity).name
        self.load.put(self.entity, rows, connection=connection, stream=stream)
        self.touched |= {(connection, stream, str(r["key"])) for r in rows}

    def bulk(self, connection: str, rows: list[dict[str, Any]]) -> None:
        """Put new orders by one statement a table: for companies of some size."""
        self.load.load += 1
        lines = [
            {"parent_key": r["key"], "source_key": str(n), "line": n, **line}
            for r in rows for n, line in enumerate(r["lines"], 1)
        ]  # fmt: skip
        heads = [{"source_key": r["key"], **r} for r in rows]
        for entity, given in (("order", heads), ("order_line", lines)):
            table = ddl.source_table(entity)
            names = sorted({n for row in given for n in row} & set(table.names))
            lazy.make_room(self.con, table, names)
            types = {f.name: f.sql_type for f in table.fields}
            shape = json.dumps([{n: types[n] for n in names}])
            frame = {"connection": connection, "stream": "orders", "load_id": self.load.load}
            if entity == "order":
                frame |= {"is_deleted": False, "first_seen_at": MOMENT}
            marks = ", ".join("?" for _ in frame)
            self.con.execute(
                f"INSERT INTO {table.full} ({', '.join([*frame, *names])}) "
                f"SELECT {marks}, {', '.join(f's.{n}' for n in names)} "
                "FROM (SELECT unnest(from_json(?::json, ?)) AS s)",
                [*frame.values(), json.dumps(given), shape],
            )
        self.touched |= {(connection, "orders", str(r["key"])) for r in rows}

    def delete(self, connection: str, key: str) -> None:
        self.load.delete(self.entity, key, connection=connection)
        self.touched.add((connection, ddl.source_table(self.entity).name, key))

    def run(self, *, whole: bool = False) -> None:
        """Match what was touched since the last run."""
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE changed_rows (connection VARCHAR, stream VARCHAR, "
            "source_key VARCHAR, id UUID, is_alive BOOLEAN)"
        )
        if self.touched:
            self.con.execute(
                "INSERT INTO changed_rows SELECT p[1], p[2], p[3], p[4]::uuid, true "
                "FROM (SELECT unnest(?::varchar[][]) AS p)",
                [[[*p, str(golden_id(self.entity, *p))] for p in sorted(self.touched)]],
            )
        results.forget(self.con)
        self.matcher(self.con, changed=None if whole else "changed_rows")
        self.touched.clear()

    def links(self) -> list[tuple[Any, ...]]:
        """Return every link, its rows by connection and key."""
        return self.con.execute(
            f"SELECT r.connection, r.source_key, l.golden_id, l.method, l.rule, l.evidence "
            f"FROM identity.links l JOIN identity.{self.entity}_rows r ON r.id = l.id "
            f"WHERE l.entity = '{self.entity}' ORDER BY ALL"
        ).fetchall()

    def groups(self) -> set[frozenset[str]]:
        """Return the groups of two and more, each row as connection/key."""
        found: dict[Any, set[str]] = {}
        for connection, key, golden, _method, rule, _evidence in self.links():
            if rule != "merged document":
                found.setdefault(golden, set()).add(f"{connection}/{key}")
        return {frozenset(g) for g in found.values()}

    def documents(self) -> list[tuple[str, str, str, float]]:
        """Return (placed order, document, role, share) of identity.order_documents."""
        return self.con.execute(
            "SELECT o.connection || '/' || o.source_key, d.connection || '/' || d.source_key, "
            "x.role, x.share::double FROM identity.order_documents x "
            "JOIN identity.order_rows o ON o.id = x.order_id "
            "JOIN identity.order_rows d ON d.id = x.id ORDER BY ALL"
        ).fetchall()


def playing(entity: str, matcher: Matcher) -> Any:
    """Return the fixture of a store in which `matcher` groups `entity`."""

    @pytest.fixture
    def play(home: Home) -> Iterator[Play]:
        with open_store(home) as store:
            yield Play(store.con, entity, matcher)

    return play


def group(*names: str) -> frozenset[str]:
    return frozenset(names)


def seeds(quick: int, all_of_them: int) -> list[Any]:
    """Return seeds, those behind the first few slow."""
    slow = (pytest.param(n, marks=pytest.mark.slow) for n in range(quick, all_of_them))
    return [*range(quick), *slow]


def step_by_step(
    play: Play,
    seed: int,
    places: Sequence[str],
    keys: int,
    row: Callable[[random.Random, str], dict[str, Any]],
    patch: pytest.MonkeyPatch,
) -> None:
    """Put `row` under random keys and delete some: each step leaves what a whole run does.

    With every second seed a value that more than three rows bear is none.
    """
    patch.setattr(keyed, "HEAVY", 3 + 47 * (seed % 2))
    dice = random.Random(seed)
    for _round in range(10):
        for _ in range(dice.randrange(1, 6)):
            place, key = dice.choice(places), str(dice.randrange(keys))
            if dice.random() < 0.2:
                play.delete(place, key)
            else:
                play.put(place, row(dice, key))
        play.run()
        found = play.links()
        play.run(whole=True)
        assert play.links() == found
