"""The rules of loading, one by one: which version stands, what is owned, what is put aside."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hand_plan import land, order, order_plan, unversioned
from load_parts import V1, V2, V3, Load, counts, rows

from warehouse.landing import Landing
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]


def test_a_record_becomes_a_row_with_its_lineage(store: Store, load: Load) -> None:
    report = load(order(1))
    assert counts(report) == {"inserted": 1}
    found = store.con.execute(
        "select connection, stream, source_key, number, total, customer_key, record_key, version,"
        " batch, position, mapping, load_id, is_deleted, newer_in_quarantine, first_seen_at,"
        " synced_at from source.orders"
    ).fetchone()
    assert found is not None
    assert found[:14] == (
        "shop", "orders", "1", "#1", Decimal("10.5"), "c1", "1", V1, 1, 1, "m1", 1, False, False,
    )  # fmt: skip
    assert found[14] == found[15], "both are when the batch was landed"
    assert rows(store, "parent_key, source_key, line, sku, load_id", "source.order_lines") == [
        ("1", "1", 1, "A", 1), ("1", "2", 2, "B", 1),
    ]  # fmt: skip
    assert rows(store, "load_id, batch, rows, loaded, mode, bookmark::varchar", "ops.batches") == [
        (1, 1, 1, 1, "changed", '{"n":1}')
    ]
    assert rows(store, "entity, field, target_entity, target_stream", "ops.refs") == [
        ("order", "customer_key", "party", None)
    ]


def test_what_is_applied_is_not_applied_again(store: Store, load: Load) -> None:
    load(order(1))
    assert load().batches == 0
    assert len(rows(store, "batch", "ops.batches")) == 1


@pytest.mark.parametrize(
    ("stored", "older"),
    [
        (V2, V1), (V2, "2026-01-01 23:00:00+00"), ("2026-01-02T00:00:00+08:00", V1),
        ("10", "9"), ("10", "9.5"), ("7", "6"), ("b", "a"), ("b", "B"),
    ],
)  # fmt: skip
def test_only_a_strictly_older_version_is_refused(
    store: Store, load: Load, stored: str, older: str
) -> None:
    load(order(1, stored))
    assert counts(load(order(1, older, name="old"))) == {"refused": 1}
    assert rows(store, "number") == [("#1",)]
    assert rows(store, "*", "history.orders") == []


def test_versions_are_read_as_the_mapping_says(store: Store, load: Load) -> None:
    plan = order_plan()
    text = replace(plan, targets=(replace(plan.targets[0], version_as="text"),))
    load(order(1, "9"), plan=text)
    assert counts(load(order(1, "10", name="new"), plan=text)) == {"refused": 1}
    assert counts(load(order(1, "10", name="new2"), plan=plan)) == {"updated": 1}


def test_versions_without_zone_are_read_in_the_plans_zone(store: Store, load: Load) -> None:
    load(order(1, "2026-01-01T00:30:00Z"))
    # 08:00 in Shanghai is 00:00 in UTC
    assert counts(load(order(1, "2026-01-01 08:00:00", name="old"))) == {"refused": 1}
    assert counts(load(order(1, "2026-01-01 09:00:00", name="new"))) == {"updated": 1}
    assert rows(store, "current_setting('TimeZone')", "range(1)") == [("UTC",)]


def test_an_equal_version_with_other_content_wins_when_landed_later(
    store: Store, load: Load
) -> None:
    load(order(1))
    assert counts(load(order(1, name="new"))) == {"updated": 1}
    assert rows(store, "number") == [("new",)]
    same_instant = "2026-01-01 08:00:00+08:00"
    assert counts(load(order(1, same_instant, name="newer"))) == {"updated": 1}


def test_a_missing_version_never_beats_a_known_one(store: Store, load: Load) -> None:
    load(order(1))
    assert counts(load(order(1, None, name="x"))) == {"refused": 1}
    load(order(2, None))
    assert counts(load(order(2, None, name="x"))) == {"updated": 1}
    assert counts(load(order(2, V1, name="y"))) == {"updated": 1}


def test_without_versions_the_landing_decides(store: Store, load: Load) -> None:
    plan = unversioned(order_plan())
    load(order(1, V2), plan=plan)
    assert counts(load(order(1, V1, name="later"), plan=plan)) == {"updated": 1}
    assert rows(store, "number") == [("later",)]


def test_the_same_again_writes_nothing(store: Store, load: Load) -> None:
    load(order(1), order(2))
    before = rows(store, "*")
    # Landed again because its key stands twice in the page.
    assert counts(load(order(1), order(1), order(2), order(2))) == {"unchanged": 4}
    assert rows(store, "*") == before
    assert rows(store, "*", "history.orders") == []


def test_a_newer_version_of_equal_content_moves_the_version_only(store: Store, load: Load) -> None:
    load(order(1, V1))
    assert counts(load(order(1, V3))) == {"unchanged": 1}
    assert rows(store, "*", "history.orders") == []
    assert rows(store, "version, batch") == [(V3, 2)]
    assert counts(load(order(1, V2, name="in between"))) == {"refused": 1}


def test_of_two_versions_in_a_batch_the_newer_is_taken(store: Store, load: Load) -> None:
    assert counts(load(order(1, V2, name="new"), order(1, V1, name="old"))) == {
        "inserted": 1, "refused": 1,
    }  # fmt: skip
    assert rows(store, "number") == [("new",)]
    load(order(2, V1, name="first"), order(2, V1, name="second"))
    assert rows(store, "number", "source.orders where source_key = '2'") == [("second",)]
    load(order(3, V1, name="known"), order(3, None, name="unknown"))
    assert rows(store, "number", "source.orders where source_key = '3'") == [("known",)]


def test_history_keeps_what_stood_and_when(store: Store, load: Load) -> None:
    load(order(1, V1))
    load(order(1, V2, name="two", lines=[{"id": "1", "sku": "A"}]))
    ((first_seen, synced),) = rows(store, "first_seen_at, synced_at")
    assert rows(store, "number, valid_from, valid_to", "history.orders") == [
        ("#1", first_seen, synced)
    ]
    assert rows(store, "source_key, valid_from, valid_to", "history.order_lines order by 1") == [
        ("1", first_seen, synced),
        ("2", first_seen, synced),
    ]


def test_history_does_not_depend_on_how_many_batches_a_transaction_took(
    store: Store, landing: Landing, load: Load
) -> None:
    for n, version in enumerate((V1, V2, V3)):
        land(landing, order(1, version, name=f"v{n}"))
    report = load()
    assert (report.batches, report.load_ids) == (3, [1])
    assert counts(report) == {"inserted": 1, "updated": 2}
    assert rows(store, "number", "history.orders order by valid_from") == [("v0",), ("v1",)]
    assert rows(store, "inserted, updated", "ops.batches order by batch") == [
        (1, 0), (0, 1), (0, 1),
    ]  # fmt: skip


def test_children_are_a_set_owned_by_their_parent(store: Store, load: Load) -> None:
    load(order(1, V1), order(2, V1))
    load(order(1, V2, lines=[{"id": "2", "sku": "B", "quantity": 5}]))
    assert rows(store, "parent_key, source_key, quantity", "source.order_lines order by all") == [
        ("1", "2", 5), ("2", "1", 1), ("2", "2", 2),
    ]  # fmt: skip
    load(order(1, V3, lines=[]))
    assert rows(store, "parent_key", "source.order_lines") == [("2",), ("2",)]


def test_a_change_in_a_child_alone_is_a_change(store: Store, load: Load) -> None:
    load(order(1))
    lines = [{"id": "1", "sku": "A", "quantity": 1}, {"id": "2", "sku": "B", "quantity": 3}]
    assert counts(load(order(1, lines=lines))) == {"updated": 1}
    assert counts(load(order(1, lines=lines[::-1]))) == {"updated": 1}, "their order is content"


def test_a_broken_record_goes_to_quarantine_and_the_rest_loads(store: Store, load: Load) -> None:
    report = load(order(1), order(2, total="n/a"), order(None), order(3))
    assert counts(report) == {"inserted": 2, "quarantined": 2}
    assert rows(
        store,
        "id, position, entity, source_key, field, rule, reason, status",
        "ops.quarantine order by position",
    ) == [
        ("shop/orders/1/2/order", 2, "order", "2", "total", "check", "is not a number", "open"),
        ("shop/orders/1/3/order", 3, "order", None, "key", "key", "is missing", "open"),
    ]
    assert "n/a" not in str(rows(store, "*", "ops.quarantine")), "never the content"


def test_a_broken_child_puts_its_record_aside(store: Store, load: Load) -> None:
    bad = [{"id": "1", "quantity": 1}, {"id": "2", "quantity": "many"}]
    twice = [{"id": "1"}, {"id": "1"}]
    assert counts(load(order(1, lines=bad), order(2, lines=twice), order(3, lines=[{}]))) == {
        "quarantined": 3
    }
    assert rows(store, "field, rule, reason", "ops.quarantine order by position") == [
        ("lines[1].quantity", "check", "is not a number"),
        (
            "lines[0].key", "unique",
            "stands twice in the record; lines[1].key: stands twice in the record",
        ),
        ("lines[0].key", "check", "is missing"),
    ]  # fmt: skip
    assert rows(store, "*", "source.order_lines") == []


def test_a_broken_newer_version_is_not_passed_over_for_an_older_good_one(
    store: Store, load: Load
) -> None:
    assert counts(load(order(1, V1), order(1, V2, total="x"))) == {
        "quarantined": 1, "refused": 1,
    }  # fmt: skip
    assert rows(store, "*") == []
    load(order(2, V1))
    load(order(2, V2, total="x"), order(2, V1, name="older"))
    assert rows(store, "number, newer_in_quarantine, load_id") == [("#2", True, 3)]


def test_a_broken_older_version_is_put_aside_as_superseded(store: Store, load: Load) -> None:
    load(order(1, V2))
    assert counts(load(order(1, V1, total="x"))) == {"quarantined": 1}
    assert rows(store, "status", "ops.quarantine") == [("superseded",)]
    assert rows(store, "newer_in_quarantine") == [(False,)]


@pytest.mark.parametrize("mended", [{"name": "mended"}, {}], ids=["other", "equal"])
def test_a_newer_good_version_closes_the_quarantine(store: Store, load: Load, mended: dict) -> None:
    load(order(1, V1))
    load(order(1, V2, total="x"))
    load(order(1, V2, total="y"))
    assert rows(store, "status", "ops.quarantine order by batch") == [("superseded",), ("open",)]
    load(order(1, V3, **mended))
    assert rows(store, "status", "ops.quarantine order by batch") == [("superseded",)] * 2
    assert rows(store, "newer_in_quarantine") == [(False,)]
