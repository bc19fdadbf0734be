"""The Dagster UI's own calls: a failed run of the command line, re-executed from failure."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import small_shop
from dagster_ui import WAIT_SECONDS, dagster
from small_shop import at_the_source, in_the_store

from connectors.rest.serve import serve
from pipelines.dagster_home import prepare
from pipelines.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def never_due(file: Path) -> None:
    """Let no schedule add a run of its own, as it did where the test met a quarter of an hour."""
    text = file.read_text("utf-8")
    assert text.count('"*/15 * * * *"') == 1
    rare = text.replace('"*/15 * * * *"', '"0 3 29 2 *"') + "  verify: never\n"
    file.write_text(rare, encoding="utf-8")


def test_a_failed_sync_is_run_again_from_the_ui_and_one_is_launched_there(
    tmp_path: Path, environment: dict[str, str]
):
    server = small_shop.shop(orders=30)
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url)
        never_due(space.defs / "shop" / "defs.yaml")
        env = environment | small_shop.environment(tmp_path)
        prepare(Workspace.discover(env), env)
        server.fault("html", request=2, times=50)
        script = "from pipelines.cli import main; raise SystemExit(main(['sync', 'shop']))"
        sync = subprocess.run(
            [sys.executable, "-c", script],
            env=env, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert sync.returncode == 1, sync.stderr
        assert "Traceback" not in sync.stderr + sync.stdout
        server.faults.clear()
        with dagster(env, tmp_path / "dagster.log") as ui:
            # Listed under its job: without its origin it would only be among all runs.
            (failed,) = ui.jobs()["shop_sync"]
            assert failed["status"] == "FAILURE"
            again = ui.ended(ui.again(failed["runId"]))
            assert again["status"] == "SUCCESS"
            assert [step["stepKey"] for step in again["stepStats"]] == ["shop__orders"]
            assert in_the_store(space) == at_the_source(server)
            server.put("orders", small_shop.order(31))
            config = {"ops": {"shop__orders": {"config": {"full": True}}}}
            assert ui.ended(ui.launch("shop_sync", config))["status"] == "SUCCESS"
            assert in_the_store(space) == at_the_source(server)
            # Nobody asked for it: the sensor saw that something was loaded.
            until = time.monotonic() + WAIT_SECONDS
            while not any(run["status"] == "SUCCESS" for run in ui.jobs()["unify_publish"]):
                assert time.monotonic() < until
                time.sleep(1)
        space.control.close()
    assert space.home.current.exists()
