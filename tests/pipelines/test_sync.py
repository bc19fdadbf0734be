"""What a step of a run does: lease, read, land, load, and honest outcomes."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import small_shop
from small_shop import START, TOKEN, at_the_source, in_the_store, order

from connectors.base import utc_now
from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.leases import lease
from pipelines.listen import Progress
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.landing import Landing


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop()


@pytest.fixture
def space(server: RestSimulator, tmp_path: Path) -> Iterator[Workspace]:
    with serve(server) as url:
        made = small_shop.workspace(tmp_path, url)
        yield made
        made.control.close()


def test_a_first_load_brings_everything_and_is_recorded(space: Workspace, server: RestSimulator):
    seen: list[Progress] = []
    done = sync_stream(space, "shop", "orders", progress=seen.append, run_id="run-1")
    assert (done.status, done.error, done.exit_code) == ("ok", None, 0)
    assert (done.read, done.landed, done.inserted, done.requests) == (60, 60, 60, 3)
    assert in_the_store(space) == at_the_source(server)
    row = space.control.last_successes()["shop", "orders"]
    assert (row["run_id"], row["status"], row["counts"]["read"]) == ("run-1", "ok", 60)
    assert row["bookmark_after"] == done.bookmark_after != done.bookmark_before
    assert [p.phase for p in seen] == ["read", "read", "read", "load", "done"]
    assert (seen[2].read, seen[2].requests, seen[2].total) == (60, 3, 60)
    assert space.control.held_leases() == []


def test_with_nothing_new_only_the_lookback_is_read(space: Workspace, server: RestSimulator):
    sync_stream(space, "shop", "orders")
    before = len(server.sent("orders"))
    again = sync_stream(space, "shop", "orders")
    # Orders are a minute apart: the newest, and those of the ten minutes before it.
    assert (again.read, again.unchanged, again.landed) == (11, 11, 0)
    assert (again.inserted, again.updated, again.deleted) == (0, 0, 0)
    assert len(server.sent("orders")) == before + 1


def test_a_changed_order_is_replaced_with_its_lines(space: Workspace, server: RestSimulator):
    sync_stream(space, "shop", "orders")
    server.put("orders", order(7, at=START + timedelta(hours=3), seed=5))
    done = sync_stream(space, "shop", "orders")
    assert (done.updated, done.inserted) == (1, 0)
    assert in_the_store(space) == at_the_source(server)


def test_a_full_read_changes_nothing_and_finds_what_was_deleted(
    space: Workspace, server: RestSimulator
):
    sync_stream(space, "shop", "orders")
    full = sync_stream(space, "shop", "orders", full=True)
    assert (full.read, full.unchanged, full.landed) == (60, 60, 0)
    assert (full.inserted, full.updated, full.deleted) == (0, 0, 0)
    server.delete("orders", "11")
    assert sync_stream(space, "shop", "orders").deleted == 0
    assert "11" in in_the_store(space)
    gone = sync_stream(space, "shop", "orders", full=True)
    assert (gone.deleted, gone.held) == (1, 0)
    assert in_the_store(space) == at_the_source(server)


def test_a_full_read_after_an_interrupted_one_begins_anew_and_finds_what_was_deleted(
    space: Workspace, server: RestSimulator
):
    sync_stream(space, "shop", "orders")
    for number in range(20, 60):
        server.put("orders", order(number, at=START + timedelta(hours=3, minutes=number), seed=5))
    server.fault("html", request=2, times=20)
    broken = sync_stream(space, "shop", "orders")
    assert broken.status == "failed"
    assert broken.bookmark_after is not None
    assert "resume" in broken.bookmark_after
    server.faults.clear()
    server.delete("orders", "11")
    full = sync_stream(space, "shop", "orders", full=True)
    assert (full.status, full.deleted, full.warnings) == ("ok", 1, {})
    assert in_the_store(space) == at_the_source(server)


def test_a_sweep_looks_for_keys_alone(space: Workspace, server: RestSimulator):
    sync_stream(space, "shop", "orders")
    server.delete("orders", "11")
    swept = sync_stream(space, "shop", "orders", sweep=True)
    assert (swept.status, swept.deleted, swept.landed) == ("ok", 1, 0)
    assert swept.bookmark_after == swept.bookmark_before
    assert in_the_store(space) == at_the_source(server)


def test_a_snapshot_stream_finds_deletions_at_every_read(space: Workspace, server: RestSimulator):
    assert sync_stream(space, "shop", "customers").inserted == 7
    server.delete("customers", "3")
    done = sync_stream(space, "shop", "customers")
    assert (done.read, done.deleted) == (6, 1)


def test_too_many_deletions_wait_for_a_person(tmp_path: Path):
    server = small_shop.shop(orders=80)
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url)
        sync_stream(space, "shop", "orders")
        for number in range(1, 61):
            server.delete("orders", str(number))
        done = sync_stream(space, "shop", "orders", full=True)
        assert (done.status, done.held, done.deleted) == ("ok", 60, 0)
        assert len(in_the_store(space)) == 80


def test_pages_before_an_error_are_loaded_and_the_status_is_honest(
    space: Workspace, server: RestSimulator
):
    server.fault("html", request=3, times=20)
    done = sync_stream(space, "shop", "orders")
    assert (done.status, done.exit_code) == ("failed", 1)
    assert done.error is not None
    assert done.error.kind == "ContractBroken"
    assert done.error.do
    assert (done.read, done.landed, done.inserted) == (40, 40, 40)
    assert len(in_the_store(space)) == 40
    assert space.control.last_runs()["shop", "orders"]["error"]["kind"] == "ContractBroken"
    server.faults.clear()
    assert sync_stream(space, "shop", "orders").status == "ok"
    assert in_the_store(space) == at_the_source(server)


def test_a_refused_token_is_told_and_never_shown(space: Workspace, server: RestSimulator):
    server.token = "another"
    done = sync_stream(space, "shop", "orders")
    assert done.error is not None
    assert done.error.kind == "AuthError"
    assert not done.error.retriable
    for path in space.home.root.rglob("*"):
        if path.is_file():
            assert TOKEN.encode() not in path.read_bytes(), path


def test_a_quota_that_is_used_up_ends_the_run_early_and_resumable(
    space: Workspace, server: RestSimulator
):
    server.fault("throttle", request=2, times=50, retry_after=86_400)
    done = sync_stream(space, "shop", "orders")
    assert (done.status, done.error, done.exit_code) == ("partial", None, 3)
    assert done.quota_until is not None
    assert done.inserted == 20
    server.faults.clear()
    assert sync_stream(space, "shop", "orders").exit_code == 0
    assert in_the_store(space) == at_the_source(server)


def test_a_first_load_yields_after_its_slice_and_goes_on(space: Workspace, server: RestSimulator):
    clock = Ticking(timedelta(minutes=6))
    first = sync_stream(space, "shop", "orders", now=clock)
    assert (first.status, first.exit_code) == ("partial", 3)
    assert 0 < first.read < 60
    assert len(in_the_store(space)) == first.read
    rounds = 1
    while (last := sync_stream(space, "shop", "orders", now=clock)).status == "partial":
        rounds += 1
        assert rounds < 10
    assert last.status == "ok"
    assert in_the_store(space) == at_the_source(server)
    # From now on a read is not cut: it would lose the proof that it is complete.
    assert sync_stream(space, "shop", "orders", full=True, now=clock).status == "ok"
    assert sync_stream(space, "shop", "orders", now=clock).status == "ok"


class Ticking:
    """A clock that goes on by a step whenever it is looked at."""

    def __init__(self, step: timedelta) -> None:
        self.at, self.step = utc_now(), step

    def __call__(self) -> datetime:
        self.at += self.step
        return self.at


def test_a_stream_that_another_run_holds_is_not_read(space: Workspace, server: RestSimulator):
    with lease(space.control, "shop", "orders", "run-1", utc_now):
        busy = sync_stream(space, "shop", "orders")
        assert busy.error is not None
        assert "already running in run run-1" in busy.error.what
        assert busy.error.retriable
        assert sync_stream(space, "shop", "customers").status == "ok"
    assert server.sent("orders") == []
    assert ("shop", "orders") not in space.control.last_runs()


@pytest.mark.parametrize(
    ("file", "text", "kind"),
    [
        ("defs/shop/defs.yaml", "type: pipelines.Connection\n", "ConfigError"),
        ("mappings/shop/orders.yaml", "entity: order\nkey: id\nfeilds: {}\n", "MappingError"),
        ("mappings/shop/orders.yaml", None, "ConfigError"),
    ],
    ids=["settings", "mapping", "no mapping"],
)
def test_a_wrong_file_is_told_before_anything_is_asked(
    space: Workspace, server: RestSimulator, file: str, text: str | None, kind: str
):
    path = space.defs.parent / file
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    done = sync_stream(space, "shop", "orders")
    assert done.error is not None
    assert done.error.kind == kind
    assert server.requests == 0


def test_a_disk_that_is_nearly_full_is_left_alone(tmp_path: Path, server: RestSimulator):
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url)
        path = space.company_path
        path.write_text(path.read_text("utf-8").replace("1MB", "999999TB"), encoding="utf-8")
        done = sync_stream(space, "shop", "orders")
        assert done.error is not None
        assert done.error.kind == "DiskFull"
        published = unify_publish(space)
        assert published.error is not None
        assert published.error.kind == "DiskFull"
    assert server.requests == 0


def test_what_nobody_foresaw_is_an_outcome_and_its_trace_stands_in_a_private_file(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError(f"disk controller said {TOKEN}")

    space.secrets.resolve("env:SHOP_TOKEN")
    monkeypatch.setattr("pipelines.catch_up.extract", broken)
    done = sync_stream(space, "shop", "orders")
    assert done.error is not None
    assert done.error.kind == "RuntimeError"
    assert TOKEN not in str(done.error)
    log = space.home.root / "logs" / "run.log"
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "Traceback" in log.read_text("utf-8")
    assert TOKEN not in log.read_text("utf-8")


def test_an_interrupt_is_recorded_and_passed_on(space: Workspace, monkeypatch: pytest.MonkeyPatch):
    def stop(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.catch_up.extract", stop)
    with pytest.raises(KeyboardInterrupt):
        sync_stream(space, "shop", "orders")
    assert space.control.last_runs()["shop", "orders"]["error"]["kind"] == "Interrupted"
    assert space.control.held_leases() == []


def test_an_interrupt_within_a_statement_is_no_failure_of_the_program(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def stop(*_args: object, **_named: object) -> None:
        try:
            raise KeyboardInterrupt
        finally:  # as DuckDB does with what a signal's handler raised while a statement ran
            raise RuntimeError("Query interrupted")

    monkeypatch.setattr("pipelines.catch_up.extract", stop)
    with pytest.raises(KeyboardInterrupt):
        sync_stream(space, "shop", "orders")
    assert space.control.last_runs()["shop", "orders"]["error"]["kind"] == "Interrupted"


def test_many_bad_records_raise_the_alarm_and_the_good_ones_are_there(
    space: Workspace, server: RestSimulator
):
    for number in range(1, 31):
        server.put("orders", order(number) | {"total_price": "no number"})
    done = sync_stream(space, "shop", "orders")
    assert (done.status, done.quarantined, done.inserted) == ("ok", 30, 30)
    assert done.is_over_limit
    assert done.exit_code == 1
    path = space.defs / "shop" / "defs.yaml"
    path.write_text(path.read_text("utf-8") + "  quarantine_limit: 60%\n", encoding="utf-8")
    assert sync_stream(space, "shop", "orders", full=True).exit_code == 0


def test_a_share_above_the_limit_is_an_exit_code_though_the_good_are_loaded(
    space: Workspace, server: RestSimulator
):
    sync_stream(space, "shop", "orders")
    for number in (61, 62):
        server.put("orders", order(number))
    server.put("orders", order(63) | {"total_price": "no number"})
    done = sync_stream(space, "shop", "orders")
    assert (done.quarantined, done.inserted, done.exit_code) == (1, 2, 1)


def test_older_versions_are_taken_only_when_the_source_is_trusted(
    space: Workspace, server: RestSimulator
):
    sync_stream(space, "shop", "orders")
    server.put("orders", order(9, at=START - timedelta(days=1), seed=3))
    refused = sync_stream(space, "shop", "orders", full=True)
    assert (refused.refused, refused.updated) == (1, 0)
    taken = sync_stream(space, "shop", "orders", full=True, trust_source=True)
    assert taken.updated == 1
    assert in_the_store(space) == at_the_source(server)


def test_batches_that_were_landed_and_not_loaded_are_loaded_by_the_next_run(
    space: Workspace, server: RestSimulator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("pipelines.sync._load", lambda *_: None)
    sync_stream(space, "shop", "orders")
    assert Landing(space.home.landing).last("shop", "orders") is not None
    monkeypatch.undo()
    assert sync_stream(space, "shop", "orders").inserted == 60
    assert in_the_store(space) == at_the_source(server)


def test_a_record_without_a_key_is_quarantined_once(space: Workspace, server: RestSimulator):
    server.put_raw("customers", "null", b'{"id":null,"name":"nobody"}')
    server.put_raw("customers", "odd", b"17")
    quarantined = [sync_stream(space, "shop", "customers").quarantined for _ in range(3)]
    assert quarantined == [2, 0, 0]
    server.delete("customers", "3")
    done = sync_stream(space, "shop", "customers")
    assert (done.deleted, done.warnings) == (1, {})


def test_the_body_of_an_error_does_not_empty_a_stream(space: Workspace, server: RestSimulator):
    sync_stream(space, "shop", "orders")
    server.fault("body", body=b'{"errcode":40001,"data":null}')
    done = sync_stream(space, "shop", "orders", full=True)
    assert done.error is not None
    assert "errcode is 40001" in done.error.what
    assert (done.status, done.deleted, done.held) == ("failed", 0, 0)
    server.fault("body", body=b'{"code":"E17","data":null}')
    done = sync_stream(space, "shop", "orders", full=True)
    assert (done.deleted, done.held) == (0, 0)
    assert any("nothing is deleted" in line for line in done.warnings)
    assert len(in_the_store(space)) == 60
