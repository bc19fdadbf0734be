"""Runs of the command line as Dagster records them, and their re-execution from failure."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest
import small_shop
from dagster._core.definitions.reconstruct import ReconstructableRepository
from small_shop import at_the_source, in_the_store

from connectors.errors import ConfigError
from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.dagster_home import prepare
from pipelines.listen import Progress
from pipelines.process import this_process
from pipelines.runs import MODULE, quiet, run_publish, run_sync
from pipelines.stretches import Days
from pipelines.workspace import PROJECT, Workspace
from warehouse.home import Home

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
VARIABLES = ("DAGSTER_HOME", "ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS", "SHOP_TOKEN",
             "DAGSTER_DISABLE_TELEMETRY")  # fmt: skip


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop(orders=30)


@pytest.fixture
def space(
    server: RestSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that what a run sets is gone at the end
        monkeypatch.delenv(name)
    with serve(server) as url:
        made = small_shop.workspace(tmp_path, url)
        yield made
        made.control.close()


def events(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    found = [line.dagster_event for line in instance.all_logs(run_id)]
    return [f"{e.event_type_value} {e.step_key or ''}".strip() for e in found if e is not None]


def test_a_run_is_recorded_with_all_that_the_ui_needs(
    space: Workspace, server: RestSimulator, capfd: pytest.CaptureFixture[str]
):
    seen: list[Progress] = []
    done = run_sync(space, "shop", progress=seen.append)
    assert capfd.readouterr() == ("", "")
    assert done.exit_code == 0
    assert {o.stream: o.inserted for o in done.streams} == {"customers": 7, "orders": 30}
    assert {o.run_id for o in done.streams} == {done.run_id}
    assert done.published is not None
    assert done.published.published
    assert space.home.current.exists()
    assert {p.stream for p in seen} == {"customers", "orders"}
    assert in_the_store(space) == at_the_source(server)
    with dg.DagsterInstance.get() as instance:
        assert Path(instance.root_directory) == space.home.dagster
        runs = {r.dagster_run.job_name: r.dagster_run for r in instance.get_run_records()}
        assert set(runs) == {"shop_sync", "unify_publish"}
        assert runs["unify_publish"].status == dg.DagsterRunStatus.SUCCESS
        run = runs["shop_sync"]
        assert run.run_id == done.run_id
        assert run.status == dg.DagsterRunStatus.SUCCESS
        assert run.tags["isthmus/connection"] == "shop"
        assert run.tags.items() >= this_process().tags(run.run_id).items()
        # Without the origin a run is missing from its job's list and cannot be re-executed there.
        origin = run.remote_job_origin
        assert origin is not None
        location = origin.repository_origin.code_location_origin
        assert (location.location_name, origin.job_name) == ("isthmus", "shop_sync")
        assert location.loadable_target_origin.module_name == MODULE
        made = instance.get_latest_materialization_event(dg.AssetKey(["shop", "orders"]))
        assert made is not None
        assert made.asset_materialization is not None
        figures = {k: v.value for k, v in made.asset_materialization.metadata.items()}
        assert (figures["rows read"], figures["rows inserted"]) == (30, 30)
        assert figures["bookmark after"] == done.streams[-1].bookmark_after
        assert {"throttled seconds", "requests", "lag seconds"} <= set(figures)
        logged = events(instance, run.run_id)
        assert logged.count("ASSET_CHECK_EVALUATION shop__orders") == 6
        assert instance.get_latest_materialization_event(dg.AssetKey(["published"])) is not None


def test_one_stream_fails_its_sibling_finishes_and_only_it_is_run_again(
    space: Workspace, server: RestSimulator
):
    server.fault("html", request=2, times=50)  # customers is read first, with one request
    failed = run_sync(space, "shop")
    status = {o.stream: o.status for o in failed.streams}
    assert status == {"customers": "ok", "orders": "failed"}
    assert failed.exit_code == 1
    assert failed.published is not None
    assert failed.published.published
    server.faults.clear()
    with quiet(), dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(failed.run_id)
        assert run is not None
        assert run.status == dg.DagsterRunStatus.FAILURE
        event = next(
            line.dagster_event
            for line in instance.all_logs(run.run_id)
            if line.dagster_event is not None and line.dagster_event.is_step_failure
        )
        error = event.step_failure_data.error
        assert error is not None
        told = failed.streams[-1].error
        assert told is not None
        assert error.message.strip() == f"ContractBroken: shop/orders: {told}"
        assert error.cause is None
        shown = event.step_failure_data.user_failure_data.metadata
        assert {"what happened", "what to do", "bookmark kept", "rows landed"} <= set(shown)
        before = len(server.sent("customers"))
        job = ReconstructableRepository.for_module(MODULE, "defs").get_reconstructable_job(
            "shop_sync"
        )
        again = dg.execute_job(
            job,
            instance,
            reexecution_options=dg.ReexecutionOptions.from_failure(failed.run_id, instance),
        )
        assert again.success
        steps = [e for e in events(instance, again.run_id) if e.startswith("STEP_START")]
        assert steps == ["STEP_START shop__orders"]
    assert len(server.sent("customers")) == before
    assert in_the_store(space) == at_the_source(server)


def test_streams_are_chosen_and_a_full_read_is_asked_for(space: Workspace, server: RestSimulator):
    first = run_sync(space, "shop", ["orders"], publish=False)
    assert [o.stream for o in first.streams] == ["orders"]
    assert first.published is None
    assert server.sent("customers") == []
    full = run_sync(space, "shop", ["orders"], full=True, publish=False)
    assert [(o.read, o.unchanged) for o in full.streams] == [(30, 30)]
    with dg.DagsterInstance.get() as instance:
        run = instance.get_run_by_id(full.run_id)
        assert run is not None
        assert run.run_config["ops"]["shop__orders"]["config"]["full"] is True
        assert run.asset_selection == {dg.AssetKey(["shop", "orders"])}


def test_days_are_read_again_and_the_other_stream_is_told_why_not(
    space: Workspace, server: RestSimulator
):
    run_sync(space, "shop", publish=False)
    silent = small_shop.order(7, seed=5)  # its stamp does not move
    server.put("orders", silent)
    server.put("orders", silent | {"id": 99})
    days = Days(small_shop.START.date())
    done = run_sync(space, "shop", days=days, publish=False)
    customers, orders = done.streams
    assert (orders.landed, orders.error) == (2, None)
    assert customers.error is not None
    assert customers.error.kind == "NoStretch"
    assert in_the_store(space) == at_the_source(server)


def test_what_is_not_there_is_refused_before_a_run_is_made(space: Workspace):
    with pytest.raises(ConfigError, match="shop"):
        run_sync(space, "shpo")
    with pytest.raises(ConfigError, match="customers, orders"):
        run_sync(space, "shop", ["ordres"])


def test_publishing_again_says_that_nothing_changed(space: Workspace):
    run_sync(space, "shop")
    again = run_publish(space)
    assert (again.status, again.changed, again.published) == ("ok", 0, False)
    assert again.path == str(space.home.readable)


def test_a_failed_publish_is_a_failed_run_that_says_why(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ISTHMUS_KEY", "short")
    done = run_sync(space, "shop")
    assert [o.status for o in done.streams] == ["ok", "ok"]
    assert done.exit_code == 1
    assert done.published is not None
    assert done.published.error is not None
    assert "ISTHMUS_KEY" in done.published.error.what
    assert space.control.failures_since_publish() == 1
    with dg.DagsterInstance.get() as instance:
        records = instance.get_run_records(dg.RunsFilter(job_name="unify_publish"))
        assert [r.dagster_run.status for r in records] == [dg.DagsterRunStatus.FAILURE]


@pytest.mark.parametrize("call", [run_publish, lambda space: run_sync(space, "shop")])
def test_a_signal_while_publishing_is_no_failure(
    call: Callable[[Workspace], object], space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipelines.jobs.unify_publish", stopped)
    with pytest.raises(KeyboardInterrupt):
        call(space)


def test_what_goes_wrong_around_publishing_is_a_failure_not_a_signal(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipelines.jobs.unify_publish", full)
    assert run_publish(space).status == "failed"


def test_dagster_home_is_of_the_home_and_links_the_projects_settings(home: Home, tmp_path: Path):
    env = {"ISTHMUS_HOME": str(home.root), "ISTHMUS_DEFS": str(tmp_path)}
    folder = prepare(Workspace.discover(env), env)
    assert env["DAGSTER_HOME"] == str(folder) == str(home.dagster)
    assert (folder / "dagster.yaml").resolve() == PROJECT / "dagster.yaml"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "dagster.yaml").unlink()
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    prepare(Workspace.discover(env), env)
    assert not (folder / "dagster.yaml").is_symlink(), "an own file of the home holds"
    given = {**env, "DAGSTER_HOME": str(tmp_path / "own")}
    assert prepare(Workspace.discover(given), given) == tmp_path / "own"
    assert not (tmp_path / "own").exists()


def test_the_projects_settings_are_ones_that_dagster_takes(home: Home):
    prepare(Workspace.discover({"ISTHMUS_HOME": str(home.root)}), {})
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        assert not instance.telemetry_enabled
        pools = instance.get_concurrency_config().pool_config
        assert (str(pools.pool_granularity.value), pools.default_pool_limit) == ("op", 1)
        assert instance.run_monitoring_enabled
    assert not [n for n in os.listdir(PROJECT) if n == "history"]
