"""The proof in Dagster: the job reports to the checks, a check runs by itself, a sync runs none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest
import small_shop

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.definitions import build
from pipelines.sync import sync_stream
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
