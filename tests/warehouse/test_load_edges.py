"""The rules of loading, one by one: deletions, several rows of a record, what is refused."""

from __future__ import annotations

from dataclasses import replace

import duckdb
import pytest
from hand_plan import ORDER, PAYMENT, land, order, order_plan
from load_parts import NOW, V1, V2, V3, Load, counts, rows

from warehouse.errors import LandingDamaged, LoadError, MappingMismatch
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]


def test_a_deleted_record_is_a_tombstone_without_children(store: Store, load: Load) -> None:
    load(order(1, V1))
    assert counts(load(order(1, V2, deleted=True, total="broken, but gone"))) == {"deleted": 1}
    assert rows(store, "is_deleted, delete_reason, deleted_at::varchar, load_id") == [
        (True, "source_flag", "2026-01-02 00:00:00+00", 2)
    ]
    assert rows(store, "*", "source.order_lines") == []
    assert len(rows(store, "*", "history.order_lines")) == 2
    assert counts(load(order(1, V1, name="late"))) == {"refused": 1}
    assert counts(load(order(1, V3))) == {"updated": 1}
    assert rows(store, "is_deleted, deleted_at, delete_reason") == [(False, None, None)]
    assert len(rows(store, "*", "source.order_lines")) == 2


def test_absence_in_a_full_scan_is_a_tombstone(store: Store, landing: Landing, load: Load) -> None:
    load(order(1), order(2), mode="full", complete=True)
    report = load(order(1), mode="full", complete=True)
    assert counts(report) == {"deleted": 1}
    assert rows(
        store, "is_deleted, delete_reason, deleted_at::varchar, number, batch",
        "source.orders where source_key = '2'",
    ) == [(True, "absent_in_full_scan", "2026-03-01 00:00:00+00", "#2", 3)]  # fmt: skip
    assert rows(store, "parent_key", "source.order_lines") == [("1",), ("1",)]
    assert rows(store, "source_key, is_deleted", "history.orders") == [("2", False)]
    # Back at the source as it was, its stamp not moved: seen later, so it is there again.
    assert counts(load(order(2))) == {"updated": 1}
    assert rows(store, "is_deleted") == [(False,), (False,)]
    assert counts(load(order(2, "2025-01-01T00:00:00Z", name="old"))) == {"refused": 1}


def test_a_record_that_was_gone_comes_back_as_it_once_was(store: Store, load: Load) -> None:
    load(order(1), order(2, V2, name="new"), mode="full", complete=True)
    load(order(1), mode="full", complete=True)
    # From a wastebasket or an older backup: the stamp is older than the one that was deleted.
    assert counts(load(order(1), order(2, V1, name="old"), mode="full")) == {"updated": 1}
    assert rows(store, "is_deleted, number, version", "source.orders where source_key = '2'") == [
        (False, "old", V1)
    ]


def test_held_deletions_wait_for_a_decision(store: Store, landing: Landing, load: Load) -> None:
    from warehouse.holds import accept, list_holds

    load(*(order(n) for n in range(100)), mode="full", complete=True)
    report = load(*(order(n) for n in range(10)), mode="full", complete=True)
    assert (report.held, report.deleted) == (90, 0)
    load(order(20, V2, name="back"))
    accept(landing, "shop", "orders", list_holds(landing)[0].batch, why="moved to shop b", now=NOW)
    report = load()
    assert (report.held, report.deleted) == (0, 89)
    assert rows(store, "count(*)", "source.orders where not is_deleted") == [(11,)]


def test_a_restored_source_needs_trust(store: Store, landing: Landing, load: Load) -> None:
    load(order(1, V2))
    load(order(1, V1, name="restored"))
    assert rows(store, "number") == [("#1",)]
    assert counts(load(order(1, V1, name="restored"), trust_source=True)) == {}, "not landed"
    land(landing, order(1, V1, name="restored"), trust_source=True)
    assert counts(load()) == {"updated": 1}
    assert rows(store, "number, version") == [("restored", V1)]


def test_a_restored_record_of_equal_content_has_its_older_stamp_again(
    store: Store, load: Load
) -> None:
    load(order(1, V3))
    assert counts(load(order(1, V1), trust_source=True)) == {"unchanged": 1}
    assert rows(store, "version, batch") == [(V1, 2)]
    assert counts(load(order(1, V2, name="changed"))) == {"updated": 1}


def test_trust_of_a_load_is_a_decision(store: Store, landing: Landing, load: Load) -> None:
    load(order(1, V2))
    assert counts(load(order(1, V1, name="restored"), trust_source=True)) == {"updated": 1}
    (decision,) = landing.decisions.all("trust_source")
    assert decision.about["batches"] == [2]


def test_a_record_may_make_rows_of_several_entities(store: Store, load: Load) -> None:
    plan = order_plan(payments=True)
    assert counts(load(order(1, paid="5"), order(2), plan=plan)) == {"inserted": 3}
    assert rows(store, "order_key, amount", "source.payments") == [("1", 5)]
    load(order(1, V2, paid="x"), plan=plan)
    assert rows(store, "entity, status", "ops.quarantine") == [("payment", "open")]
    assert rows(store, "newer_in_quarantine", "source.payments") == [(True,)]
    assert rows(store, "version", "source.orders where source_key = '1'") == [(V2,)]


def test_a_row_that_its_record_does_not_make_any_more_is_gone(store: Store, load: Load) -> None:
    plan = order_plan(payments=True)
    load(order(1, V1, paid="5"), order(2, V1, paid="7"), plan=plan)
    assert counts(load(order(1, V2), plan=plan)) == {"deleted": 1, "unchanged": 1}
    assert rows(store, "source_key, is_deleted", "source.payments order by 1") == [
        ("1", True), ("2", False),
    ]  # fmt: skip
    assert counts(load(order(1, V3, paid="6"), plan=plan)) == {"updated": 1, "unchanged": 1}
    assert rows(store, "is_deleted", "source.payments") == [(False,), (False,)]


def test_deletions_reach_every_row_that_the_record_made(store: Store, load: Load) -> None:
    plan = order_plan(payments=True)
    keyed = replace(
        plan.targets[1], select=PAYMENT.replace("c0 as source_key", "'p' || c0 as source_key")
    )
    plan = replace(plan, targets=(plan.targets[0], keyed))
    load(order(1, paid="5"), order(2, paid="5"), plan=plan, mode="full", complete=True)
    report = load(order(2, paid="5"), plan=plan, mode="full", complete=True)
    assert counts(report) == {"deleted": 2}
    assert rows(store, "source_key, is_deleted", "source.payments order by 1") == [
        ("p1", True), ("p2", False),
    ]  # fmt: skip


def test_warnings_are_counted(load: Load) -> None:
    assert load(order(1, name="odd"), order(2, name="odd"), order(3)).warnings == {
        "number: unknown word: odd": 2
    }


def test_references_are_replaced_when_the_mapping_changes(store: Store, load: Load) -> None:
    load(order(1))
    plan = order_plan()
    changed = replace(plan, targets=(replace(plan.targets[0], references=()),))
    load(plan=changed)
    assert rows(store, "*", "ops.refs") == []


def test_a_name_in_other_case_is_an_error_with_the_spelling_meant(store: Store, load: Load) -> None:
    plan = order_plan(order_sql=ORDER)
    paths = tuple(
        replace(p, members=("Customer", "Id"), spelled="Customer.Id") if p.column == "c5" else p
        for p in plan.paths
    )
    wrong = replace(
        plan,
        paths=paths,
        paths_sql=lambda *a: f"select * replace (null::varchar as c5) from ({plan.paths_sql(*a)})",
    )
    with pytest.raises(MappingMismatch) as caught:
        load(order(1), plan=wrong)
    assert "`Customer.Id` is in no record, but `customer.id` is" in str(caught.value)
    assert "shop/orders.yaml:3" in caught.value.do
    assert rows(store, "*", "ops.batches") == []
    assert rows(store, "*") == []
    assert counts(load(plan=plan)) == {"inserted": 1}


def test_a_path_that_is_null_everywhere_is_no_error(load: Load) -> None:
    assert counts(load(order(1, customer={"id": None}, paid=None))) == {"inserted": 1}


def test_a_damaged_batch_is_not_loaded(store: Store, landing: Landing, load: Load) -> None:
    land(landing, order(1))
    (batch,) = landing.batches("shop", "orders")
    batch.data.write_bytes(batch.data.read_bytes()[:-3])
    with pytest.raises(LandingDamaged):
        load()
    assert rows(store, "*", "ops.batches") == []


def test_an_unknown_zone_is_named(load: Load) -> None:
    with pytest.raises(LoadError, match="Mars/Base"):
        load(order(1), plan=replace(order_plan(), zone="Mars/Base"))


def test_tables_load_like_records(store: Store, landing: Landing, load: Load) -> None:
    import pyarrow as pa

    names = ("id", "name", "total", "updated_at", "deleted", "lines", "paid")
    table = pa.table({n: pa.array([None, None], pa.string()) for n in names} | {
        "id": ["1", "2"], "total": ["3.5", "x"], "customer": ["a", "b"],
    })  # fmt: skip
    with landing.writer(
        "shop", "orders", mode="full", read="r", connector="files@1", started=NOW
    ) as writer:
        writer.add(table, ["1", "2"], {})
    assert counts(load()) == {"inserted": 1, "quarantined": 1}
    wrong = table.rename_columns([n.upper() if n == "total" else n for n in table.column_names])
    with landing.writer(
        "shop", "orders", mode="full", read="r", connector="files@1", started=NOW
    ) as writer:
        writer.add(wrong, ["1", "2"], {})
    with pytest.raises(MappingMismatch, match="`TOTAL` is"):
        load()


def test_a_load_that_fails_leaves_session_and_store_as_they_were(
    store: Store, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from warehouse import load as module

    land(landing, order(1))

    def fail(*_: object) -> None:
        raise duckdb.IOException("disk full")

    monkeypatch.setattr(module, "_enter", fail)
    with pytest.raises(duckdb.IOException):
        load_pending(store, landing, order_plan(), now=NOW)
    monkeypatch.undo()
    assert rows(store, "*") == []
    assert rows(store, "count(*)", "duckdb_tables() where temporary") == [(0,)]
    assert load_pending(store, landing, order_plan(), now=NOW).inserted == 1
