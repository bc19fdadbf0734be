"""Things that several records tell of: ids, survivorship, links, references, step by step."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import publish_parts
import pytest
from code_matcher import store_by_code
from publish_parts import bring
from source_rows import MOMENT, Loader
from unified_rows import unified_rows

from warehouse.home import Home
from warehouse.identity import child_id, golden_id
from warehouse.matching.rulings import Rulings
from warehouse.store import Store
from warehouse.unify import unify

SLOW = pytest.mark.slow


store = store_by_code("party", "product")


def ask(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return store.con.execute(sql).fetchall()


def party(connection: str, key: str) -> Any:
    return golden_id("party", connection, "parties", key)


def test_two_records_of_one_customer_are_one_party(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1", "code": "A", "name": "甲", "phone": "1"}], connection="erp")
    load.put("party", [{"key": "7", "code": "A", "name": "甲公司", "email": "a@b.cn"}])
    unify(store, now=MOMENT)
    assert ask(store, "SELECT party_id, connection, phone, email FROM unified.parties") == [
        (party("erp", "1"), "erp", "1", "a@b.cn")
    ]
    assert ask(
        store, "SELECT connection, golden_id, own_id, method FROM unified.xref ORDER BY 1"
    ) == [
        ("erp", party("erp", "1"), party("erp", "1"), "founder"),
        ("shop", party("erp", "1"), party("shop", "7"), "deterministic"),
    ]
    assert ask(store, "SELECT * FROM unified.forwardings") == [
        ("party", party("shop", "7"), party("erp", "1"))
    ]


def test_the_company_file_decides_and_then_the_sources_own_stamp(store: Store) -> None:
    load = Loader(store.con)
    early, late = MOMENT.replace(year=2024), MOMENT.replace(year=2025)
    old = {"key": "1", "code": "A", "name": "旧", "phone": "1", "source_updated_at": early}
    new = {"key": "2", "code": "A", "name": "新", "phone": "2", "source_updated_at": late}
    load.put("party", [new], connection="crm")
    load.put("party", [old], connection="erp")
    told = "SELECT name, phone FROM unified.parties"
    unify(store, now=MOMENT)
    assert ask(store, told) == [("新", "2")]
    unify(store, now=MOMENT, priority={"party": ["erp"], "party.phone": ["crm", "erp"]})
    assert ask(store, told) == [("旧", "2")]
    unify(store, now=MOMENT, priority={"party.phone": ["erp"]})
    assert ask(store, told) == [("新", "1")]


def test_an_amount_in_another_currency_fills_no_gap(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1", "code": "A", "currency": "USD", "name": "a"}], connection="a")
    load.put(
        "party",
        [{"key": "1", "code": "A", "currency": "CNY", "balance": Decimal(5)}],
        connection="b",
    )
    unify(store, now=MOMENT, priority={"party": ["a", "b"]})
    assert ask(store, "SELECT currency, balance FROM unified.parties") == [("USD", None)]


def test_a_word_comes_with_the_word_of_its_record_and_unknown_knows_nothing(store: Store) -> None:
    load = Loader(store.con)
    a = {"key": "1", "code": "A", "status": "unknown", "status_raw": "?", "is_customer": True}
    b = {"key": "1", "code": "A", "status": "active", "status_raw": "正常", "is_customer": False}
    load.put("party", [a], connection="a")
    load.put("party", [b], connection="b")
    unify(store, now=MOMENT, priority={"party": ["a", "b"]})
    assert ask(store, "SELECT status, status_raw, is_customer FROM unified.parties") == [
        ("active", "正常", True)
    ]


def test_what_a_person_tells_is_not_told_of_an_organisation(store: Store, home: Home) -> None:
    """The mask goes by the thing's kind: a person's name would be published in clear."""
    load = Loader(store.con)
    firm = {"key": "1", "code": "A", "kind": "organization", "name": "甲公司"}
    account = {"key": "2", "code": "A", "kind": "person", "name": "王小明", "address": "某路1号"}
    kids = [{"key": "1", "scheme": "tax_number", "value": "110101199001011234"},
            {"key": "2", "scheme": "email", "value": "ming@example.cn"}]  # fmt: skip
    unknown = {"key": "3", "code": "A", "name": "李雷", "bank_account": "6222021234567890"}
    load.put("party", [firm], connection="erp")
    load.put("party", [{**account, "identifiers": kids}, unknown])
    for priority in ({"party": ["erp"]}, {"party": ["erp"], "party.name": ["shop"]}):
        unify(store, now=MOMENT, priority=priority)
        told = "SELECT kind, name, address, bank_account FROM unified.parties"
        assert ask(store, told) == [("organization", "甲公司", None, None)]
        assert ask(store, "SELECT scheme FROM unified.party_identifiers") == [("email",)]
    unify(store, now=MOMENT, priority={"party": ["shop"]})
    assert ask(store, "SELECT kind, address FROM unified.parties") == [("person", "某路1号")]
    unify(store, now=MOMENT, priority={"party.kind": ["shop"], "party": ["erp"]})
    assert ask(store, "SELECT kind, name FROM unified.parties") == [("person", "甲公司")]


def test_identifiers_are_those_of_all_records_each_once(store: Store) -> None:
    load = Loader(store.con)
    phone = {"key": "p", "scheme": "phone", "value": "1"}
    mail = {"key": "m", "scheme": "email", "value": "a@b.cn"}
    load.put("party", [{"key": "1", "code": "A", "identifiers": [phone]}], connection="a")
    load.put("party", [{"key": "1", "code": "A", "identifiers": [phone, mail]}], connection="b")
    unify(store, now=MOMENT)
    told = "SELECT party_identifier_id, party_id, scheme FROM unified.party_identifiers ORDER BY 3"
    assert ask(store, told) == [
        (child_id("party_identifier", party("b", "1"), "m"), party("a", "1"), "email"),
        (child_id("party_identifier", party("a", "1"), "p"), party("a", "1"), "phone"),
    ]


def test_what_refers_to_any_record_refers_to_the_thing(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [{"key": "1", "customer_key": "7", "lines": []}])
    load.put("party", [{"key": "7", "code": "B"}])
    load.put("party", [{"key": "1", "code": "A"}], connection="erp")
    unify(store, now=MOMENT)
    told = "SELECT party_id FROM unified.orders"
    assert ask(store, told) == [(party("shop", "7"),)]
    load.put("party", [{"key": "7", "code": "A"}])
    report = unify(store, now=MOMENT)
    assert ask(store, told) == [(party("erp", "1"),)]
    assert report.rebound["order"] == 1
    load.delete("party", "1", connection="erp")
    unify(store, now=MOMENT)
    assert ask(store, told) == [(party("erp", "1"),)], "the dead founder gives the thing its id"
    load.put("party", [{"key": "7", "code": "C"}])
    unify(store, now=MOMENT)
    assert ask(store, told) == [(party("shop", "7"),)]


def test_a_ruling_about_two_that_stand_alone_changes_nothing(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1", "code": "A"}, {"key": "2", "code": "B"}])
    load.put("order", [{"key": "1", "customer_key": "2", "lines": []}])
    unify(store, now=MOMENT)
    before = unified_rows(store)
    pair = (party("shop", "1"), party("shop", "2"))
    unify(store, now=MOMENT, rulings={"party": Rulings(apart=(pair,))})
    assert unified_rows(store) == before
    unify(store, now=MOMENT)
    assert unified_rows(store) == before


def test_a_store_of_an_older_release_has_no_second_past(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1", "code": "A"}, {"key": "2", "code": "B"}])
    unify(store, now=MOMENT)
    store.con.execute("UPDATE unified.xref SET own_id = NULL, is_lead = NULL")
    unify(store, now=MOMENT, whole=True)
    assert ask(store, "SELECT count(*) FROM history.xref") == [(0,)]


def test_what_was_is_kept_with_its_time(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1", "code": "A"}], connection="erp")
    load.put("party", [{"key": "7", "code": "B"}])
    unify(store, now=MOMENT)
    later = MOMENT.replace(hour=9)
    load.put("party", [{"key": "7", "code": "A"}])
    unify(store, now=later)
    assert ask(store, "SELECT own_id, golden_id, valid_from, valid_to FROM history.xref") == [
        (party("shop", "7"), party("shop", "7"), MOMENT, later)
    ]
    assert ask(store, "SELECT valid_from FROM unified.xref ORDER BY connection") == [
        (MOMENT,), (later,),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", [1, *(pytest.param(n, marks=SLOW) for n in range(2, 9))])
def test_steps_end_where_one_whole_run_ends(store: Store, home: Home, seed: int) -> None:
    """What random loads leave, each unified and projected at once, is what a whole run makes."""
    chance = random.Random(seed)
    load = Loader(store.con)
    load.refer("shop", "orders", "order", "customer_key", "party", None, "code")
    for _ in range(16):
        key, connection = str(chance.randrange(4)), chance.choice(["shop", "erp", "crm"])
        match chance.randrange(7):
            case 0:
                load.delete("party", key, connection=connection)
            case 1 | 2 | 3:
                row = {"key": key, "code": f"C{chance.randrange(4)}", "name": f"N{chance.random()}"}
                kids = [{"key": str(n), "scheme": "phone", "value": str(chance.randrange(3))}
                        for n in range(chance.randrange(3))]  # fmt: skip
                refers = {"parent_party_key": str(chance.randrange(4))}
                load.put("party", [{**row, **refers, "identifiers": kids}], connection=connection)
            case 4:
                load.put("product", [{"key": key, "code": f"C{chance.randrange(3)}"}],
                         connection=connection)  # fmt: skip
            case _:
                wanted = chance.choice([key, f"C{key}"])
                lines = [{"key": "1", "product_key": str(chance.randrange(4))}]
                load.put("order", [{"key": key, "customer_key": wanted, "lines": lines}],
                         connection=connection)  # fmt: skip
        if chance.random() < 0.6:
            bring(store, home)
    bring(store, home)
    stepwise, shown = unified_rows(store), publish_parts.everything(home.public)
    unify(store, now=MOMENT, whole=True)
    assert unified_rows(store) == stepwise
    home.public.unlink()
    bring(store, home)
    again = publish_parts.everything(home.public)
    assert [n for n in shown if shown[n] != again[n]] == ["ops.unifications"]
    assert stepwise["xref"]
