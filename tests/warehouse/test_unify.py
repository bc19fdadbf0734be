from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from source_rows import MOMENT, Loader

from warehouse import bounds, ddl, golden
from warehouse.home import Home
from warehouse.identity import child_id, golden_id
from warehouse.model import ENTITIES, HEADERS
from warehouse.store import Store, open_store
from warehouse.unify import unify


@pytest.fixture
def store(home: Home) -> Iterator[Store]:
    with open_store(home) as opened:
        yield opened


def ask(store: Store, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    return store.con.execute(sql, list(values)).fetchall()


def order(key: str, **more: Any) -> dict[str, Any]:
    lines = [{"key": f"{key}-1", "sku": "A1", "quantity": Decimal(2), "product_key": "p1"}]
    return {"key": key, "number": f"N{key}", "currency": "CNY", "lines": lines, **more}


def test_a_golden_row_has_the_id_of_its_source_row(store: Store) -> None:
    Loader(store.con).put("order", [order("键/1", total=Decimal("12.3400"))])
    report = unify(store, now=MOMENT)
    assert report.changed
    assert report.rewritten == {"order": 1, "order_line": 1}
    wanted = golden_id("order", "shop", "orders", "键/1")
    assert ask(store, "SELECT order_id, total FROM unified.orders") == [(wanted, Decimal("12.34"))]
    line = child_id("order_line", wanted, "键/1-1")
    assert ask(store, "SELECT order_line_id, order_id FROM unified.order_lines") == [(line, wanted)]
    assert ask(store, "SELECT entity, golden_id, method FROM unified.xref") == [
        ("order", wanted, "founder")
    ]
    assert ask(store, "SELECT order_id, role, share FROM unified.order_documents") == [
        (wanted, "placed", Decimal(1))
    ]


def test_nothing_new_does_nothing(store: Store) -> None:
    Loader(store.con).put("order", [order("1")])
    unify(store, now=MOMENT)
    again = unify(store, now=MOMENT)
    assert not again.changed
    assert again.run == 1


def test_a_payment_before_its_order_is_bound_when_the_order_comes(store: Store) -> None:
    load = Loader(store.con)
    load.put("payment", [{"key": "pay1", "order_key": "1", "amount": 5}])
    unify(store, now=MOMENT)
    assert ask(store, "SELECT order_key, order_id FROM unified.payments") == [("1", None)]
    load.put("order", [order("1", customer_key="c1")])
    report = unify(store, now=MOMENT)
    assert report.rebound["payment"] == 1
    wanted = golden_id("order", "shop", "orders", "1")
    assert ask(store, "SELECT order_id FROM unified.payments") == [(wanted,)]
    load.put("party", [{"key": "c1"}])
    load.put("product", [{"key": "p1"}])
    unify(store, now=MOMENT)
    assert ask(store, "SELECT party_id FROM unified.orders") == [
        (golden_id("party", "shop", "parties", "c1"),)
    ]
    assert ask(store, "SELECT product_id, order_id FROM unified.order_lines") == [
        (golden_id("product", "shop", "products", "p1"), wanted)
    ]
    assert ask(store, "SELECT sku, quantity FROM unified.order_lines") == [("A1", Decimal(2))]


def test_a_tombstone_leaves_and_unbinds_what_referred_to_it(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [order("1"), order("2")])
    load.put("payment", [{"key": "pay1", "order_key": "1"}])
    unify(store, now=MOMENT)
    load.delete("order", "1")
    report = unify(store, now=MOMENT)
    assert report.removed == {"order": 1, "order_line": 1, "payment": 0}
    assert ask(store, "SELECT source_key FROM unified.orders") == [("2",)]
    assert ask(store, "SELECT parent_key FROM unified.order_lines") == [("2",)]
    assert ask(store, "SELECT order_key, order_id FROM unified.payments") == [("1", None)]
    assert ask(store, "SELECT source_key FROM unified.xref WHERE entity = 'order'") == [("2",)]
    assert ask(store, "SELECT count(*) FROM unified.order_documents") == [(1,)]
    load.put("order", [order("1")])
    unify(store, now=MOMENT)
    assert ask(store, "SELECT order_id FROM unified.payments") == [
        (golden_id("order", "shop", "orders", "1"),)
    ]


def test_a_line_that_is_gone_leaves(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [order("1", lines=[{"key": "a"}, {"key": "b"}])])
    unify(store, now=MOMENT)
    load.put("order", [order("1", lines=[{"key": "b"}])])
    unify(store, now=MOMENT)
    assert ask(store, "SELECT source_key FROM unified.order_lines") == [("b",)]


def test_a_row_whose_version_alone_moved_keeps_its_lines(store: Store) -> None:
    load = Loader(store.con)
    load.put("order", [order("1"), order("2", lines=[])])
    unify(store, now=MOMENT)
    load.touch("order", "1")
    load.touch("order", "2")
    unify(store, now=MOMENT)
    assert ask(store, "SELECT parent_key, sku FROM unified.order_lines") == [("1", "A1")]


def test_references_follow_the_rules_of_the_mapping(store: Store) -> None:
    load = Loader(store.con)
    load.refer("shop", "orders", "order", "customer_key", "party", "customers", "code")
    load.put("party", [{"key": "1", "code": "C1"}], stream="customers")
    load.put("party", [{"key": "1", "code": "C1"}], stream="suppliers")
    load.put("order", [order("1", customer_key="C1"), order("2", customer_key="1")])
    unify(store, now=MOMENT)
    customer = golden_id("party", "shop", "customers", "1")
    rows = "SELECT source_key, party_id FROM unified.orders ORDER BY source_key"
    assert ask(store, rows) == [("1", customer), ("2", None)]
    # The customer's code changes: the old reference finds nothing, the new one does.
    load.put("party", [{"key": "1", "code": "C2"}], stream="customers")
    unify(store, now=MOMENT)
    assert ask(store, rows) == [("1", None), ("2", None)]
    load.put("party", [{"key": "1", "code": "C1"}], stream="customers")
    unify(store, now=MOMENT)
    assert ask(store, rows) == [("1", customer), ("2", None)]


def test_a_changed_rule_resolves_its_stream_anew(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "7", "code": "1"}], stream="customers")
    load.put("order", [order("1", customer_key="1")])
    unify(store, now=MOMENT)
    assert ask(store, "SELECT party_id FROM unified.orders") == [(None,)]
    load.refer("shop", "orders", "order", "customer_key", "party", None, "code")
    assert unify(store, now=MOMENT).rebound == {"order": 1}
    assert ask(store, "SELECT party_id FROM unified.orders") == [
        (golden_id("party", "shop", "customers", "7"),)
    ]


def test_a_key_that_two_streams_have_is_not_guessed(store: Store) -> None:
    load = Loader(store.con)
    load.put("party", [{"key": "1"}], stream="customers")
    load.put("party", [{"key": "1"}], stream="suppliers")
    load.put("party", [{"key": "1"}], connection="crm", stream="accounts")
    load.put("order", [order("1", customer_key="1")])
    load.put("order", [order("1", customer_key="1")], connection="crm")
    unify(store, now=MOMENT)
    assert ask(store, "SELECT connection, party_id FROM unified.orders ORDER BY ALL") == [
        ("crm", golden_id("party", "crm", "accounts", "1")),
        ("shop", None),
    ]
    load.delete("party", "1", stream="suppliers")
    unify(store, now=MOMENT)
    assert ask(store, "SELECT party_id FROM unified.orders WHERE connection = 'shop'") == [
        (golden_id("party", "shop", "customers", "1"),)
    ]


@pytest.mark.parametrize(
    ("seed", "size"),
    [
        pytest.param(0, 1, marks=pytest.mark.slow),
        (1, 2),
        pytest.param(2, 7, marks=pytest.mark.slow),
        (3, golden.SLICE),
    ],
)
def test_steps_end_where_one_whole_run_ends(
    store: Store, seed: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random loads, each unified at once, leave what unifying all at the end would make.

    `make test` plays slices of two and the product's; `make test-all` other sizes too.
    """
    monkeypatch.setattr(golden, "SLICE", size)
    chance = random.Random(seed)
    load = Loader(store.con)
    load.refer("shop", "orders", "order", "customer_key", "party", None, "code")
    for _ in range(16):
        key = str(chance.randrange(6))
        match chance.randrange(8):
            case 0:
                load.delete("order", key)
            case 1:
                load.delete("party", key)
            case 2 | 3:
                lines = [{"key": str(n), "product_key": "5"} for n in range(chance.randrange(3))]
                load.put("order", [order(key, customer_key=f"C{key}", lines=lines)])
            case 4:
                load.put("party", [{"key": key, "code": f"C{chance.randrange(6)}"}])
            case 7:
                load.touch("order", key)
            case 5:
                load.put("product", [{"key": key, "sku": key}])
            case _:
                load.put("payment", [{"key": key, "order_key": key, "customer_key": key}])
        if chance.random() < 0.7:
            unify(store, now=MOMENT)
    unify(store, now=MOMENT)
    tables = [*ddl.families(*HEADERS)]
    names = [ENTITIES[e].table for e in tables] + ["xref", "order_documents", "payment_evidence"]
    rows = "SELECT COLUMNS(lambda c: c <> 'unify_run') FROM unified.{} ORDER BY ALL"
    stepwise = {n: ask(store, rows.format(n)) for n in names}
    unify(store, now=MOMENT, whole=True)
    assert {n: ask(store, rows.format(n)) for n in names} == stepwise
    assert sum(len(rows) for rows in stepwise.values()) > 10


def test_a_rebound_row_goes_through_slices_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "SLICE", 2)
    load = Loader(store.con)
    load.put("payment", [{"key": f"p{n}", "order_key": str(n % 3)} for n in range(7)])
    unify(store, now=MOMENT)
    load.put("order", [order(str(n)) for n in range(5)])
    report = unify(store, now=MOMENT)
    assert report.rewritten == {"order": 5, "order_line": 5, "payment": 7}
    assert report.rebound["payment"] == 7
    assert report.removed == {"order": 0, "order_line": 0, "payment": 0}
    assert ask(store, "SELECT count(*), count(order_id) FROM unified.payments") == [(7, 7)]
    ids = "SELECT entity, count(*), count(DISTINCT id) FROM ops.changes WHERE run = 2 GROUP BY 1"
    assert ask(store, f"{ids} ORDER BY 1") == [
        ("order", 5, 5), ("order_line", 5, 5), ("payment", 7, 7),
    ]  # fmt: skip


def test_work_that_does_not_fit_is_done_with_more_then_with_the_stores_own_limit(
    store: Store,
) -> None:
    asked = "SELECT current_setting('memory_limit')"
    before = ask(store, asked)
    tried: list[list[tuple[Any, ...]]] = []

    def work() -> int:
        tried.append(ask(store, asked))
        if len(tried) < 3:
            raise duckdb.OutOfMemoryException("too much")
        return 7

    assert bounds.sparingly(store, work) == 7
    assert tried == [[("128.0 MiB",)], [("512.0 MiB",)], before]
    assert ask(store, asked) == before
    tried.clear()
    store.con.execute("SET memory_limit = '400MiB'")
    store.memory = "400MiB"
    with pytest.raises(duckdb.OutOfMemoryException):
        bounds.sparingly(store, work)
    assert tried == [[("128.0 MiB",)], [("400.0 MiB",)]], "there is no more than all"


def test_a_commit_of_work_that_was_short_has_all_memory(store: Store) -> None:
    """It cannot be tried again, so it is not to be short in its turn."""
    asked, limits = "SELECT current_setting('memory_limit')", list[Any]()
    before = ask(store, asked)

    def work() -> None:
        limits.append(ask(store, asked))
        if len(limits) == 1:
            raise duckdb.OutOfMemoryException("too much")
        with bounds.raised(store):
            limits.append(ask(store, asked))
        limits.append(ask(store, asked))

    bounds.sparingly(store, work)
    assert limits == [[("128.0 MiB",)], [("512.0 MiB",)], before, [("512.0 MiB",)]]


def test_a_unification_too_big_for_the_limit_leaves_the_whole_of_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "ROWS", 3 << 20)
    Loader(store.con).put("order", [order(str(n)) for n in range(20)])
    assert unify(store, now=MOMENT).rewritten == {"order": 20, "order_line": 20}
    assert ask(store, "SELECT count(*) FROM unified.order_lines") == [(20,)]


def test_unification_loads_the_library_that_weighs_parties_only_when_it_weighs() -> None:
    code = "import sys, warehouse.unify; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert {"warehouse.matching.orders", "warehouse.matching.payments"} <= loaded
    assert not loaded & {"splink", "pandas", "warehouse.matching.parties"}
