"""`unified.<table>_from`: which connection's value stands, against what the golden rows say."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from code_matcher import store_by_code
from publish_parts import KEY, shown
from source_rows import MOMENT, Loader

from warehouse import public, winners
from warehouse.home import Home
from warehouse.mask import PrivacyMode
from warehouse.model import ENTITIES, HEADERS
from warehouse.project import Projected, project
from warehouse.store import Store
from warehouse.survive import ANY, Priority
from warehouse.unify import unify

store = store_by_code("party", "product")


def bring(
    store: Store, home: Home, priority: Priority, privacy: PrivacyMode = "masked"
) -> Projected:
    unify(store, now=MOMENT, priority=priority)
    return project(store, home, privacy=privacy, key=KEY, priority=priority, now=MOMENT)


def test_each_field_names_the_connection_whose_value_stands(store: Store, home: Home) -> None:
    load = Loader(store.con)
    old, new = MOMENT.replace(year=2024), MOMENT.replace(year=2025)
    load.put(
        "party",
        [{"key": "1", "code": "A", "name": "甲", "phone": "1", "is_customer": False,
          "source_updated_at": new}],
        connection="crm",
    )  # fmt: skip
    load.put(
        "party",
        [{"key": "9", "code": "A", "name": "乙", "email": "a@b.cn", "is_customer": True,
          "status": "unknown", "source_updated_at": old}],
        connection="erp",
    )  # fmt: skip
    bring(store, home, {})
    told = (
        "SELECT name_from, phone_from, email_from, is_customer_from, status_from, city_from "
        "FROM unified.parties_from"
    )
    assert shown(home.public, told) == [("crm", "crm", "erp", "erp", None, None)]


def test_another_priority_makes_the_projection_anew(store: Store, home: Home) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1", "code": "A", "name": "甲", "phone": "1"}], connection="a")
    load.put("party", [{"key": "1", "code": "A", "name": "乙", "phone": "2"}], connection="b")
    told = "SELECT name_from, phone_from FROM unified.parties_from"
    assert bring(store, home, {"party": ["b"]}).whole
    assert shown(home.public, told) == [("b", "b")]
    assert not bring(store, home, {"party": ["b"]}).changed
    assert bring(store, home, {"party": ["b"], "party.phone": ["a"]}).whole
    assert shown(home.public, told) == [("b", "a")]


@pytest.mark.parametrize("privacy", ["masked", "clear"])
@pytest.mark.parametrize("seed", range(2))
def test_the_value_that_stands_is_that_of_the_connection_named(
    store: Store, home: Home, seed: int, privacy: PrivacyMode
) -> None:
    """Keys and notes that masks hide, equal stamps and equal keys: the same winners as unify's."""
    chance = random.Random(seed)
    load = Loader(store.con)
    for _ in range(60):
        row: dict[str, Any] = {
            "key": f"张三{chance.randrange(6)}", "code": f"C{chance.randrange(4)}",
            "kind": "organization",
        }  # fmt: skip
        for field in ("name", "city", "country", "note", "level", "tags"):
            if chance.random() < 0.6:
                row[field] = "CN" if field == "country" else f"{field}-{chance.randrange(90)}"
                if field == "tags":
                    row[field] = f'["{row[field]}"]'
        row = {k: v for k, v in row.items() if k in ENTITIES["party"].columns() or k == "key"}
        if chance.random() < 0.5:
            row["source_updated_at"] = MOMENT - timedelta(days=chance.randrange(3))
        load.put("party", [row], connection=chance.choice(["shop", "erp", "crm"]))
    bring(store, home, {"party": ["erp"], "party.city": ["crm"]}, privacy)
    said = shown(home.public, "SELECT party_id, COLUMNS('.*_from$') FROM unified.parties_from")
    named = [n.removesuffix("_from") for n in winners_of("party")]
    with duckdb.connect(str(home.public), read_only=True) as con:
        golden = con.execute(f"SELECT party_id, {', '.join(named)} FROM main.parties")
        values = {row[0]: dict(zip(named, row[1:], strict=True)) for row in golden.fetchall()}
        members = con.execute(
            f"SELECT x.golden_id, s.connection, {', '.join(f's.{n}' for n in named)} "
            "FROM main.xref x JOIN source.parties s USING (connection, stream, source_key)"
        ).fetchall()
    assert {row[0] for row in said} == set(values)
    assert len(values) < len(members), "some things have several records"
    for one, *froms in said:
        for field, winner in zip(named, froms, strict=True):
            value = values[one][field]
            assert (winner is None) == (value in (None, "unknown")), field
            mine = [m[2 + named.index(field)] for m in members if m[:2] == (one, winner)]
            assert winner is None or field in ANY or value in mine, field


def winners_of(entity: str) -> list[str]:
    (view,) = [v for v in winners.tables() if v.entity == entity]
    return [n for n in view.names if n.endswith("_from")]


def test_a_document_of_several_orders_is_a_part_of_none(store: Store, home: Home) -> None:
    load = Loader(store.con)
    load.put("order", [{"key": "1", "number": "N1", "currency": "CNY", "total": Decimal(3)}])
    unify(store, now=MOMENT)
    load.put("order", [{"key": "9", "number": "M9", "po_number": "P"}], connection="erp")
    bring(store, home, {})
    with duckdb.connect(str(home.public)) as con:
        con.execute(
            "UPDATE main.xref SET rule = 'merged document', golden_id = "
            "(SELECT own_id FROM main.xref WHERE connection = 'shop') WHERE connection = 'erp'"
        )
    told = "SELECT number_from, total_from, po_number_from FROM unified.orders_from"
    assert shown(home.public, told) == [("shop", "shop", None)]


def test_every_view_and_column_is_explained_in_both_languages(store: Store, home: Home) -> None:
    bring(store, home, {})
    told = (
        "SELECT view_name, comment FROM duckdb_views() WHERE view_name LIKE '%\\_from' ESCAPE '\\'"
    )
    views = dict(shown(home.public, told))
    assert set(views) == {f"{ENTITIES[e].table}_from" for e in HEADERS}
    told = (
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE schema_name = "
        "'unified' AND table_name LIKE '%\\_from' ESCAPE '\\'"
    )
    columns = shown(home.public, told)
    assert {name for view, name, _ in columns if view == "orders_from"} == {
        "order_id", *(f"{n}_from" for n in ENTITIES["order"].columns())
    }  # fmt: skip
    assert all(" · " in (text or "") for text in (*views.values(), *(c for *_, c in columns)))
    explained = "SELECT count(*) FROM ops.dictionary WHERE table_name LIKE '%\\_from' ESCAPE '\\'"
    assert shown(home.public, explained) == [(len(views) + len(columns),)]


@pytest.mark.slow
def test_one_thing_of_a_million_is_found_at_once(home: Home) -> None:
    home.public.write_bytes(public.empty_file({}))
    with duckdb.connect(str(home.public)) as con:
        con.execute(
            "INSERT INTO source.orders (connection, stream, source_key, number, is_deleted) "
            "SELECT 'shop', 'orders', i::varchar, 'N' || i, false FROM range(1000000) t(i)"
        )
        con.execute(
            "INSERT INTO main.xref (entity, connection, stream, source_key, golden_id, own_id) "
            "SELECT 'order', 'shop', 'orders', i::varchar, md5(i::varchar)::uuid, "
            "md5(i::varchar)::uuid FROM range(1000000) t(i)"
        )
    began = time.perf_counter()
    told = "SELECT number_from FROM unified.orders_from WHERE order_id = md5('654321')::uuid"
    assert shown(home.public, told) == [("shop",)]
    assert time.perf_counter() - began < 1
