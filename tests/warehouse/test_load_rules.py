"""The rules of loading, one by one (which version stands, what is owned, what is put aside)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from hand_plan import ORDER, PAYMENT, empty, land, order, order_plan, unversioned

from warehouse.checks import check_store
from warehouse.errors import LandingDamaged, LoadError, MappingMismatch
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import LoadReport, load_pending
from warehouse.model.plan import StreamPlan
from warehouse.store import Store, open_store

NOW = datetime(2026, 3, 2, tzinfo=UTC)
V1, V2, V3 = (f"2026-01-0{n}T00:00:00Z" for n in (1, 2, 3))


@pytest.fixture
def landing(home: Home) -> Landing:
    ticks = iter(range(10_000))
    return Landing(home.landing, now=lambda: NOW + timedelta(seconds=next(ticks)))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


@pytest.fixture
def store(shared: Store) -> Iterator[Store]:
    """Making a store takes a second: one serves all, emptied."""
    empty(shared)
    yield shared
    assert check_store(shared.con) == []


@pytest.fixture(autouse=True)
def _no_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of a small load is its checkpoint; test_load_kills has them."""
    monkeypatch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
    monkeypatch.setattr(Store, "checkpoint", lambda store: None)


Load = Callable[..., LoadReport]


@pytest.fixture
def load(landing: Landing, store: Store) -> Load:
    def run(*records: dict | bytes, plan: StreamPlan | None = None, **more) -> LoadReport:
        trust = more.pop("trust_source", False)
        if records:
            land(landing, *records, **more)
        return load_pending(store, landing, plan or order_plan(), now=NOW, trust_source=trust)

    return run


def rows(store: Store, what: str, sql: str = "") -> list[tuple]:
    return store.con.execute(f"select {what} from {sql or 'source.orders order by 1'}").fetchall()


def counts(report: LoadReport) -> dict[str, int]:
    names = ("inserted", "updated", "unchanged", "quarantined", "deleted", "refused")
    return {n: getattr(report, n) for n in names if getattr(report, n)}


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
