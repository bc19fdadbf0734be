"""When the sensor asks for unify and publish, and which runs it reports dead."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipelines.dead_runs import report_dead_runs
from pipelines.housekeeping import delete_old_runs
from pipelines.process import this_process
from pipelines.sensor import LONGEST_WAIT, QUIET, Waiting, decide, tick
from pipelines.unify_job import store_mark
from pipelines.workspace import Workspace
from warehouse.decisions import Decisions
from warehouse.home import Home

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)


def decision(**given: Any):
    usual: dict[str, Any] = {
        "mark": "new",
        "published": "old",
        "last_publish": LONG_AGO,
        "failures": 0,
        "is_running": False,
        "waiting": Waiting("new", NOW - QUIET, NOW - QUIET),
        "publish_every": timedelta(seconds=60),
        "now": NOW,
    }
    return decide(**(usual | given))


def test_news_that_lie_still_are_published():
    assert decision().run_key == "new#0"
    assert decision(last_publish=None, published="").run_key == "new#0"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"mark": ""}, "nothing is loaded yet"),
        ({"published": "new"}, "nothing new since the last publish"),
        ({"is_running": True}, "a unify run is in progress"),
        ({"last_publish": NOW - timedelta(seconds=59)}, "at most one publish each 60 s"),
        ({"waiting": None}, "waiting for a quiet moment"),
        ({"waiting": Waiting("older", NOW - QUIET, NOW - QUIET)}, "waiting for a quiet moment"),
    ],
)
def test_otherwise_the_tick_says_why_not(given: dict[str, Any], reason: str):
    found = decision(**given)
    assert (found.run_key, found.reason) == (None, reason)


def test_a_break_that_time_alone_opens_is_published():
    """What is published says until when it is right."""
    over, still = (f"new@{(NOW + timedelta(hours=h)).isoformat()}" for h in (-1, 1))
    waiting = Waiting(over, NOW - QUIET, NOW - QUIET)
    assert decision(published=over, waiting=waiting).run_key == f"{over}#0"
    assert decision(published=over, waiting=None).reason == "waiting for a quiet moment"
    assert decision(published=still).reason == "nothing new since the last publish"
    assert decision(published=f"old@{LONG_AGO.isoformat()}").run_key == "new#0"


def test_a_stream_that_loads_without_pause_does_not_starve_publishing():
    waiting, now, asked = None, NOW, None
    while asked is None:
        found = decision(mark=f"m{now.timestamp()}", waiting=waiting, now=now)
        waiting, asked = found.waiting, found.run_key
        now += timedelta(seconds=5)
    assert now - NOW == LONGEST_WAIT + timedelta(seconds=5)


def test_a_failed_attempt_is_tried_again_under_another_key_and_ever_later():
    last = NOW - timedelta(seconds=100)
    assert decision(failures=1, last_publish=last).run_key is None
    again = decision(failures=1, last_publish=NOW - timedelta(seconds=121))
    assert again.run_key == "new#1"
    hours = decision(failures=40, last_publish=NOW - timedelta(minutes=65))
    assert hours.run_key == "new#40"


def test_a_run_that_died_unrecorded_is_asked_for_again_ever_later():
    assert decision(deaths=1).run_key == "new#0.1"
    assert decision(deaths=2, failures=1).run_key == "new#1.2"
    soon = NOW - timedelta(seconds=100)
    assert decision(deaths=1, last_publish=soon).run_key is None
    assert decision(deaths=9999, last_publish=NOW - timedelta(minutes=65)).run_key == "new#0.9999"


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_the_sensor_sees_unify_runs_that_were_killed(tmp_path: Path):
    """Such a run writes no line into the control database; only Dagster knows it failed."""
    space = Workspace.discover(
        {"ISTHMUS_DEFS": str(tmp_path / "defs"), "ISTHMUS_HOME": str(tmp_path / "home")}
    )
    space.home.make().store.write_bytes(b"news")
    mark, keys = store_mark(space.home), []
    later = datetime.now(UTC) + timedelta(hours=12)
    waiting = Waiting(mark, LONG_AGO, LONG_AGO).text()
    with dg.DagsterInstance.ephemeral() as instance:
        for _ in range(3):
            found = tick(space, instance, waiting, lambda: later)
            keys.append(found.run_key)
            run = instance.create_run_for_job(unify_publish, status=dg.DagsterRunStatus.STARTED)
            assert tick(space, instance, waiting, lambda: later).run_key is None
            instance.report_run_failed(run, "killed")
        assert keys == [f"{mark}#0", f"{mark}#0.1", f"{mark}#0.2"]
        at_once = tick(space, instance, waiting, lambda: datetime.now(UTC))
        assert at_once.reason.startswith("at most one publish each 480 s")
        # A good publish of an older state: what failed before it counts no longer.
        when = datetime.now(UTC) + timedelta(seconds=1)
        space.control.record_publish(
            {"run_id": "1", "status": "ok", "started_at": when, "ended_at": when, "changed": 1,
             "mark": "older", "version": "v", "error": None}
        )  # fmt: skip
        assert tick(space, instance, waiting, lambda: later).run_key == f"{mark}#0"
    space.control.close()


def test_the_cursor_survives_and_a_strange_one_counts_as_none():
    waiting = Waiting("m", LONG_AGO, NOW)
    assert Waiting.of(waiting.text()) == waiting
    for strange in (None, "", "{}", "[1]", '["m", "x", "y"]', "12"):
        assert Waiting.of(strange) is None


def test_the_mark_of_the_store_moves_with_what_is_written(home: Home):
    assert store_mark(home) == ""
    home.store.write_bytes(b"one")
    first = store_mark(home)
    assert store_mark(home) == first
    home.store.with_name("store.duckdb.wal").write_bytes(b"committed, not checkpointed")
    assert store_mark(home) != first
    home.store.with_name("store.duckdb.wal").unlink()
    about = {"entity": "party", "rows": [["a", "b", "1"], ["a", "b", "2"]]}
    Decisions(home.landing).append("merge", why="x", at=NOW, about=about)
    assert store_mark(home) != first, "nobody has acted on the decision"
    assert store_mark(home, 0) == first


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_runs_of_dead_processes_are_reported_failed_and_living_ones_are_left():
    me = this_process()
    dead = dataclasses.replace(me, started=me.started - 1000)
    far = dataclasses.replace(dead, host="elsewhere")
    with dg.DagsterInstance.ephemeral() as instance:
        ids = {}
        for name, process in (("me", me), ("dead", dead), ("far", far)):
            ids[name] = str(uuid.uuid4())
            instance.create_run_for_job(
                a_job,
                run_id=ids[name],
                tags=process.tags(ids[name]),
                status=dg.DagsterRunStatus.STARTED,
            )
        # A re-execution of a dead run inherits its tags, and is run by another process.
        again = instance.create_run_for_job(
            a_job, tags=dead.tags(ids["dead"]), status=dg.DagsterRunStatus.STARTING
        )
        daemons = instance.create_run_for_job(a_job, status=dg.DagsterRunStatus.STARTED)
        assert report_dead_runs(instance) == [ids["dead"]]
        status = {name: instance.get_run_by_id(i).status for name, i in ids.items()}
        assert status == {
            "me": dg.DagsterRunStatus.STARTED,
            "dead": dg.DagsterRunStatus.FAILURE,
            "far": dg.DagsterRunStatus.STARTED,
        }
        assert instance.get_run_by_id(daemons.run_id).status == dg.DagsterRunStatus.STARTED
        assert instance.get_run_by_id(again.run_id).status == dg.DagsterRunStatus.STARTING
        assert report_dead_runs(instance) == []


@pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20")
def test_a_killed_run_gives_its_pool_slot_back(tmp_path: Path):
    """Without it the next `isthmus sync` waited for the slot of `unify` for ever."""
    me = this_process()
    dead = dataclasses.replace(me, started=me.started - 1000)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        storage = instance.event_log_storage
        storage.set_concurrency_slots("unify", 1)
        runs = {}
        for name, process in (("dead", dead), ("me", me)):
            run_id = runs[name] = str(uuid.uuid4())
            instance.create_run_for_job(
                a_job,
                run_id=run_id,
                tags=process.tags(run_id),
                status=dg.DagsterRunStatus.STARTED,
            )
        assert storage.claim_concurrency_slot("unify", runs["dead"], "step").is_claimed
        assert not storage.claim_concurrency_slot("unify", runs["me"], "step").is_claimed
        assert report_dead_runs(instance) == [runs["dead"]]
        assert storage.claim_concurrency_slot("unify", runs["me"], "step").is_claimed
        report_dead_runs(instance)
        assert storage.claim_concurrency_slot("unify", runs["me"], "step").is_claimed


def test_old_runs_are_deleted_young_and_unfinished_ones_stay(tmp_path: Path):
    space = Workspace.discover({"ISTHMUS_DEFS": str(tmp_path / "defs")})
    keep = space.company().keep.runs
    with dg.DagsterInstance.ephemeral() as instance:
        for status in (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.STARTED):
            instance.create_run_for_job(a_job, status=status)
        today = datetime.now(UTC)
        assert delete_old_runs(instance, space, lambda: today) == 0
        assert delete_old_runs(instance, space, lambda: today + keep + timedelta(days=1)) == 1
        left = [record.dagster_run.status for record in instance.get_run_records()]
        assert left == [dg.DagsterRunStatus.STARTED]
    space.control.close()


@dg.op
def nothing():
    """Do nothing."""


@dg.job
def a_job():
    """Do nothing."""
    nothing()


@dg.job(name="unify_publish")
def unify_publish():
    """Do nothing, under the name of the job that the sensor asks for."""
    nothing()
