"""The proof in Dagster: the job reports to the checks, a check runs by itself, a sync runs none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import small_shop

from connectors.base import utc_now
from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.definitions import build
from pipelines.leases import lease
from pipelines.pauses import pause
from pipelines.sync import sync_stream
from pipelines.verify import verify_stream
from pipelines.verify_job import complete_key
from pipelines.workspace import Workspace

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
KEY = complete_key("shop", "orders")


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop(orders=30)


@pytest.fixture
def space(
    server: RestSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    for name in ("ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("SHOP_TOKEN", small_shop.TOKEN)
    with serve(server) as url:
        made = small_shop.workspace(tmp_path, url)
        assert sync_stream(made, "shop", "orders").error is None
        made.export()
        yield made
        made.control.close()


def lose(space: Workspace) -> None:
    with duckdb.connect(str(space.home.store)) as con:
        con.execute("delete from source.orders where source_key = '7'")


def newest(instance: dg.DagsterInstance) -> dg.AssetCheckEvaluation:
    storage = instance.event_log_storage
    record = storage.get_latest_asset_check_execution_by_key([KEY])[KEY]
    evaluation = record.event.dagster_event.asset_check_evaluation_data
    assert evaluation is not None
    return evaluation


def test_the_job_reports_to_the_checks_and_heals(space: Workspace):
    lose(space)
    job = build(space).resolve_job_def("verify")
    with dg.DagsterInstance.ephemeral() as instance:
        config = {"ops": {"prove": {"config": {"connection": "shop", "streams": ["orders"],
                                               "heal": False}}}}  # fmt: skip
        assert job.execute_in_process(run_config=config, instance=instance).success
        said = newest(instance)
        assert (said.passed, said.severity) == (False, dg.AssetCheckSeverity.ERROR)
        assert "1 of" in (said.description or "")
        assert said.metadata["status"].value == "missing"
        config["ops"]["prove"]["config"]["heal"] = True
        assert job.execute_in_process(run_config=config, instance=instance).success
        said = newest(instance)
        assert (said.passed, said.metadata["rows put back"].value) == (True, 1)
        assert said.description.startswith("30 at the source = 30 here")


def test_a_check_is_run_from_its_page_and_left_out_of_a_sync(space: Workspace):
    defs = build(space)
    checks = defs.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        alone = checks.get_subset(asset_check_selection={KEY}, asset_selection=set())
        assert alone.execute_in_process(instance=instance).success
        assert newest(instance).passed
    sync = defs.resolve_job_def("shop_sync")
    with dg.DagsterInstance.ephemeral() as instance:
        done = sync.execute_in_process(instance=instance, raise_on_error=True)
        assert done.success
        names = {e.check_name for e in done.get_asset_check_evaluations()}
        assert names >= {"rows", "quarantine_share", "freshness"}
        assert "complete" not in names
    with dg.DagsterInstance.ephemeral() as instance:
        whole = checks.get_subset(asset_selection={dg.AssetKey(["shop", "orders"])})
        done = whole.execute_in_process(instance=instance)
        assert done.success
        names = {e.check_name for e in done.get_asset_check_evaluations()}
        assert "complete" not in names, "a proof asks far more than a sync"


def test_a_source_that_does_not_answer_ends_the_job_red(space: Workspace):
    path = space.defs / "shop" / "defs.yaml"
    text = path.read_text().replace("http://127.0.0.1:", "http://127.0.0.2:")
    path.write_text(text.replace("allow_private: true", "allow_private: true\n    attempts: 1"))
    os.environ["SHOP_TOKEN"] = small_shop.TOKEN
    job = build(space).resolve_job_def("verify")
    with dg.DagsterInstance.ephemeral() as instance:
        config = {"ops": {"prove": {"config": {"connection": "shop", "streams": ["orders"]}}}}
        done = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
        assert not done.success


def schedules(space: Workspace) -> dict[str, dg.ScheduleDefinition]:
    found = build(space).get_repository_def().schedule_defs
    return {s.name: s for s in found if "_verify_" in s.name}


@contextmanager
def ticking(space: Workspace) -> Iterator[dg.ScheduleEvaluationContext]:
    """Give what a tick knows: it refers to an instance that is on disk."""
    space.home.make()
    with (
        dg.DagsterInstance.from_config(str(space.home.dagster)) as instance,
        dg.build_schedule_context(instance=instance) as context,
    ):
        yield context


def set_in_file(path: Path, line: str, streams: str = "[customers, orders]") -> None:
    text = path.read_text("utf-8").replace(
        "  streams: [customers, orders]", f"  streams: {streams}"
    )
    path.write_text(f"{text}  {line}\n", "utf-8")


def test_by_night_the_last_month_of_what_is_counted_by_time_is_proved(space: Workspace):
    """A row that the store lost comes back; the customers are one list, nothing is asked of it."""
    lose(space)
    (nightly,) = schedules(space).values()
    assert (nightly.execution_timezone, nightly.default_status) == (
        "Asia/Shanghai", dg.DefaultScheduleStatus.RUNNING,
    )  # fmt: skip
    minute, hour, *rest = str(nightly.cron_schedule).split()
    assert int(hour) in (2, 3, 4)
    assert int(minute) < 60
    assert rest == ["*", "*", "*"]
    with ticking(space) as context:
        (asked,) = nightly.evaluate_tick(context).run_requests
    assert asked.run_config["ops"]["prove"]["config"]["streams"] == ["customers", "orders"]
    job = build(space).resolve_job_def("verify")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(run_config=asked.run_config, instance=instance).success
        assert newest(instance).metadata["rows put back"].value == 1
        none = complete_key("shop", "customers")
        storage = instance.event_log_storage
        assert storage.get_latest_asset_check_execution_by_key([none]) == {}
    with duckdb.connect(str(space.home.store), read_only=True) as con:
        told = con.execute(
            "select stream, min(window_from), max(window_to) from ops.completeness group by all"
        ).fetchall()
    ((stream, since, until),) = told
    assert stream == "orders"
    assert 31 <= (until - since).days <= 32, "no window is open below"


def test_when_proofs_are_made_stands_in_the_files(space: Workspace):
    shop, company = space.defs / "shop" / "defs.yaml", space.company_path
    plain = shop.read_text("utf-8")
    set_in_file(company, "verify: never")
    (nightly,) = schedules(space).values()
    with ticking(space) as context:
        said = nightly.evaluate_tick(context)
        assert said.run_requests == []
        assert "verify: never" in (said.skip_message or "")
        set_in_file(shop, "verify: '5 1 * * 6'", "{customers: {verify: '0 5 * * 0'}, orders: }")
        found = schedules(space)
        assert set(found) == {"shop_verify_5_1_x_x_6", "shop_verify_all_0_5_x_x_0"}
        asked = [s.evaluate_tick(context).run_requests for s in found.values()]
        configs = [one[0].run_config["ops"]["prove"]["config"] for one in asked]
        assert {(tuple(c["streams"]), c["recent"]) for c in configs} == {
            (("customers", "orders"), True), (("customers",), False),
        }  # fmt: skip
        pause(space.control, "shop", until=None, who="me", why="stocktaking", now=utc_now())
        for schedule in found.values():
            assert "stocktaking" in (schedule.evaluate_tick(context).skip_message or "")
    shop.write_text(plain, "utf-8")
    set_in_file(shop, "verify: never")
    assert schedules(space) == {}
    shop.write_text(plain.replace('  schedule: "*/15 * * * *"', ""), "utf-8")
    assert schedules(space) == {}, "what no schedule reads is proved by hand"
    set_in_file(shop, "verify: nighly")
    (found,) = build(space).get_repository_def().schedule_defs
    assert found.name == "housekeeping_schedule"


def test_a_scheduled_proof_waits_for_the_run_that_reads_the_stream(
    space: Workspace, server: RestSimulator
):
    """Where nobody waits, it says who reads."""
    lose(space)
    server.put("orders", small_shop.order(99))
    busy = ExitStack()
    busy.enter_context(lease(space.control, "shop", "orders", "another-run", utc_now))
    proof = verify_stream(space, "shop", "orders")
    assert "another-run" in str(proof.error)
    waited = []

    def pause_until_it_ends(seconds: float) -> None:
        waited.append(seconds)
        busy.close()

    proof = verify_stream(
        space, "shop", "orders", patience=timedelta(minutes=1), pause=pause_until_it_ends
    )
    assert (proof.error, proof.is_proved, len(waited)) == (None, True, 1)
