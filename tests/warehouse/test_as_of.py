"""`unified_as_of` against a journal that is kept beside the store, unification by unification."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pytest
from code_matcher import by_code
from publish_parts import KEY

from mappings.compile import compile_mapping
from mappings.load import parse_mapping
from warehouse import as_of, reader
from warehouse.home import Home
from warehouse.identity import golden_id_sql
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.matching.rulings import Rulings
from warehouse.model.plan import StreamPlan
from warehouse.project import project
from warehouse.rebuild import rebuild
from warehouse.store import Store, open_store
from warehouse.unify import unify

TABLES = ("orders", "order_lines", "stock_levels", "parties")
PRIORITY = {"party": ["erp"], "party.city": ["crm", "shop"]}
HEAD = "key: id\nversion: at\ndeleted: gone = 'true'\n"
MAPPINGS = {
    "parties": f"entity: party\n{HEAD}fields: {{source_updated_at: at, code: code, name: name, "
    "city: city, phone: phone}\n",
    "orders": f"entity: order\n{HEAD}fields: {{source_updated_at: at, number: number, "
    "total: total, shop_name: shop, customer_key: customer, currency: currency}\n"
    "children: {lines: {each: lines, key: id, fields: {sku: sku, quantity: quantity}}}\n",
    "stock": f"entity: stock_level\n{HEAD}fields: {{source_updated_at: at, sku: sku, "
    "on_hand: on_hand}\n",
}


@cache
def plan(connection: str, stream: str) -> StreamPlan:
    return compile_mapping(
        parse_mapping(MAPPINGS[stream]),
        connection=connection,
        stream=stream,
        zone="UTC",
        settings={},
    )


def by_number(con: duckdb.DuckDBPyConnection, rulings: Rulings, changed: str | None) -> None:
    """Join orders of one number; the shop's leads, and tells which documents carry it out."""
    by_code("order", "number")(con, rulings, changed)
    con.execute("DELETE FROM identity.order_documents")
    con.execute(
        f"INSERT INTO identity.order_documents SELECT p.id, d.id, if(p.id = d.id, 'placed', "
        "'billed'), 1 FROM (SELECT golden_id, first(l.id ORDER BY s.connection DESC, s.source_key) "
        f"AS id FROM identity.links l JOIN source.orders s ON l.id = {golden_id_sql('order', 's')} "
        "WHERE l.entity = 'order' AND NOT s.is_deleted GROUP BY ALL) p "
        "JOIN identity.links d ON d.entity = 'order' AND d.golden_id = p.golden_id"
    )


class Story:
    """A company's life under a clock that ticks: what lands, is loaded, unified, written down."""

    def __init__(self, home: Home, seed: int) -> None:
        self.home, self.chance = home, random.Random(seed)
        self.time = datetime(2026, 3, 1, tzinfo=UTC)
        self.landing = Landing(home.landing, now=self.tick)
        self.journal: list[tuple[datetime, dict[str, list[Any]]]] = []
        self.waiting: list[tuple[str, str]] = []

    def tick(self) -> datetime:
        self.time += timedelta(seconds=self.chance.randrange(1, 90), microseconds=17)
        return self.time

    def land(self) -> None:
        """Land a batch of one stream; it may wait for its load."""
        connection = self.chance.choice(["shop", "erp", "crm"])
        stream = self.chance.choice(list(MAPPINGS))
        records = {r["id"]: r for r in (self.record(stream) for _ in range(2))}.values()
        with self.landing.writer(
            connection, stream, mode="changed", read=str(self.time), connector="t@1",
            started=self.tick(),
        ) as writer:  # fmt: skip
            lines = [json.dumps(r).encode() for r in records]
            writer.add(lines, [r["id"] for r in records], {"n": 1}, complete=False)
        if (connection, stream) not in self.waiting:
            self.waiting.append((connection, stream))

    def record(self, stream: str) -> dict[str, Any]:
        draw, key = self.chance.randrange, f"k{self.chance.randrange(4)}"
        lines = [{"id": str(n), "sku": f"S{draw(9)}", "quantity": draw(9)} for n in range(draw(3))]
        said = {
            "code": f"C{draw(3)}", "name": f"N{draw(9)}", "city": f"city{draw(9)}",
            "number": f"R{draw(3)}", "total": draw(99), "shop": f"shop{draw(9)}",
            "customer": f"k{draw(4)}", "currency": self.chance.choice(["CNY", "USD"]),
            "phone": str(draw(99)), "sku": f"S{draw(9)}", "on_hand": draw(99), "lines": lines,
        }  # fmt: skip
        known = {n: v for n, v in said.items() if self.chance.random() < 0.8 or n == "lines"}
        gone = {"gone": "true"} if draw(5) == 0 else {}
        return {"id": key, "at": self.time.isoformat(), **gone, **known}

    def load(self, store: Store) -> None:
        while self.waiting and self.chance.random() < 0.8:
            load_pending(store, self.landing, plan(*self.waiting.pop(0)), now=self.tick)

    def unify(self, store: Store) -> None:
        now = self.tick()
        unify(store, now=now, priority=PRIORITY)
        self.journal.append((now, tables_of(store.con, "unified.{}")))

    def project(self, store: Store) -> Path:
        project(store, self.home, privacy="clear", key=KEY, priority=PRIORITY, now=self.time)
        return self.home.public

    def moments(self, count: int) -> list[datetime]:
        begun = self.journal[0][0]
        span = (self.time - begun).total_seconds()
        drawn = [begun + timedelta(seconds=self.chance.uniform(0, span)) for _ in range(count)]
        return [*drawn, *(at for at, _ in self.chance.sample(self.journal, 4))]

    def told(self, moment: datetime) -> dict[str, list[Any]]:
        return [rows for at, rows in self.journal if at <= moment][-1]


def tables_of(con: duckdb.DuckDBPyConnection, what: str) -> dict[str, list[Any]]:
    fields = {t.name: ", ".join(t.names) for t in as_of.tables()}
    return {
        t: con.execute(f"SELECT {fields[t]} FROM {what.format(t)} ORDER BY ALL").fetchall()
        for t in TABLES
    }


@pytest.fixture
def _matchers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.unify.MATCHERS", {"party": by_code("party"), "order": by_number})
    monkeypatch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
    monkeypatch.setattr(Store, "checkpoint", lambda store: None)


@pytest.mark.usefixtures("_matchers")
@pytest.mark.parametrize(
    ("seed", "steps"), [(1, 14), *(pytest.param(n, 50, marks=pytest.mark.slow) for n in (2, 3))]
)
def test_the_macros_tell_what_the_journal_tells(home: Home, seed: int, steps: int) -> None:
    story = Story(home, seed)
    with open_store(home, clock=story.tick) as store:
        story.unify(store)
        for step in range(steps):
            story.land()
            if story.chance.random() < 0.6:
                story.load(store)
            if story.chance.random() < 0.5:
                story.unify(store)
            if step == steps // 2:
                story.project(store)
        published = story.project(store)
    groups = [len(rows["parties"]) for _, rows in story.journal]
    assert max(groups) > 1
    with duckdb.connect(str(published), read_only=True) as con:
        assert con.execute("SELECT count(*) > 0 FROM history.xref").fetchall() == [(True,)]
        for moment in story.moments(20):
            said = tables_of(con, f"unified_as_of.{{}}('{moment.isoformat()}')")
            assert said == story.told(moment), moment
        assert tables_of(con, "unified_as_of.{}(now())") == story.journal[-1][1]


@pytest.mark.usefixtures("_matchers")
def test_after_a_rebuild_the_past_is_what_had_landed_with_the_identity_of_now(home: Home) -> None:
    story = Story(home, 5)
    with open_store(home, clock=story.tick) as store:
        for _ in range(5):
            story.land()
            story.waiting, names = [], story.waiting
            for name in names:
                load_pending(store, story.landing, plan(*name), now=story.tick)
        unify(store, now=story.tick(), priority=PRIORITY)
        landed = story.time
        before = store.con.execute("SELECT count(*) FROM history.orders").fetchall()
    rebuild(home, story.landing, plan, story.tick)
    with open_store(home, clock=story.tick) as store:
        story.unify(store)
        published = story.project(store)
        assert store.con.execute("SELECT count(*) FROM history.orders").fetchall() == before
    ask = "SELECT count(*), count(DISTINCT source_key) FROM unified_as_of.xref('{}')"
    with duckdb.connect(str(published), read_only=True) as con:
        assert (
            tables_of(con, f"unified_as_of.{{}}('{landed.isoformat()}')") == (story.journal[-1][1])
        )
        early = "2026-03-01 00:10+00"
        versions = con.execute(
            "SELECT count(*) FROM (SELECT *, synced_at AS valid_from, NULL AS valid_to FROM "
            "source.stock_levels UNION ALL BY NAME SELECT * FROM history.stock_levels) WHERE "
            f"valid_from <= '{early}:00' AND NOT is_deleted AND (valid_to IS NULL "
            f"OR valid_to > '{early}:00')".replace("+00:00", ":00+00")
        ).fetchall()
        said = con.execute(f"SELECT count(*) FROM unified_as_of.stock_levels('{early}')").fetchall()
        assert said == versions
        assert con.execute(ask.format(early)).fetchone() > (0, 0)


@pytest.mark.usefixtures("_matchers")
def test_the_locked_reader_answers_the_macros_and_knows_them_all(home: Home) -> None:
    story = Story(home, 3)
    with open_store(home, clock=story.tick) as store:
        for _ in range(6):
            story.land()
        story.waiting, names = [], story.waiting
        for name in names:
            load_pending(store, story.landing, plan(*name), now=story.tick)
        story.unify(store)
        published = story.project(store)
        project(store, home, privacy="masked", key=KEY, priority=PRIORITY, now=story.time)
    assert {t.name for t in as_of.tables()} == reader.AS_OF
    with duckdb.connect(str(published), read_only=True) as con:
        assert tables_of(con, "unified_as_of.{}(now())") == tables_of(con, "main.{}")
    for table in as_of.tables():
        found = reader.run_query(published, f"FROM unified_as_of.{table.name}('2027-01-01')")
        assert found.columns == list(table.names)
        assert list(found.rows)
    with pytest.raises(reader.QueryRefused):
        reader.run_query(published, "FROM unified_as_of.read_csv('/etc/passwd')")
    with pytest.raises(reader.QueryRefused):
        reader.run_query(published, "FROM other.orders('2027-01-01')")
    told = "SELECT function_name, comment FROM duckdb_functions() WHERE schema_name = '{}'"
    with duckdb.connect(str(published), read_only=True) as con:
        comments = dict(con.execute(told.format(as_of.SCHEMA)).fetchall())
    assert set(comments) == reader.AS_OF
    assert all(" · " in text for text in comments.values())


@pytest.mark.usefixtures("_matchers")
def test_a_file_under_any_name_and_attached_with_use(home: Home, tmp_path: Path) -> None:
    story = Story(home, 4)
    with open_store(home, clock=story.tick) as store:
        story.land()
        story.unify(store)
        published = story.project(store)
    named = tmp_path / "unified.duckdb"
    named.write_bytes(published.read_bytes())
    ask = "SELECT count(*) FROM unified_as_of.orders('2026-03-01 12:00+08')"
    with duckdb.connect(str(named), read_only=True) as con:
        assert con.execute(ask).fetchall() == [(0,)]
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{named}' AS company (READ_ONLY)")
        con.execute("USE company")
        assert con.execute(ask).fetchall() == [(0,)]
