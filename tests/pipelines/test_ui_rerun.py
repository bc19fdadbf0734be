"""The Dagster UI's own calls: a failed run of the command line, re-executed from failure."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import small_shop
from small_shop import at_the_source, in_the_store

from connectors.rest.serve import serve
from pipelines.dagster_home import prepare
from pipelines.workspace import PROJECT, Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
WAIT_SECONDS = 240
ENDED = ("SUCCESS", "FAILURE", "CANCELED")

JOBS = """{ repositoriesOrError { ... on RepositoryConnection { nodes {
  location { name } jobs { name runs(limit: 5) { runId status } } } } } }"""
LAUNCH = """mutation($p: ExecutionParams!) { launchRun(executionParams: $p) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
AGAIN = """mutation($p: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $p) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
RUN = """query($id: ID!) { runOrError(runId: $id) { ... on Run { status
  stepStats { stepKey status } tags { key value } } } }"""


class Ui:
    """The webserver's GraphQL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"content-type": "application/json"}
        )
        with self._open(request, timeout=60) as reply:
            answer = json.load(reply)
        assert "errors" not in answer, answer
        return answer["data"]

    def jobs(self) -> dict[str, list[dict[str, str]]]:
        nodes = self.ask(JOBS)["repositoriesOrError"].get("nodes", [])
        return {job["name"]: job["runs"] for node in nodes for job in node["jobs"]}

    def ended(self, run_id: str) -> dict[str, Any]:
        until = time.monotonic() + WAIT_SECONDS
        while True:
            run: dict[str, Any] = self.ask(RUN, id=run_id)["runOrError"]
            if run["status"] in ENDED:
                return run
            assert time.monotonic() < until, run
            time.sleep(0.5)


@contextmanager
def dagster(env: dict[str, str], log: Path) -> Iterator[Ui]:
    """Run webserver and daemon while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools = Path(sys.executable).parent
    commands = (
        [tools / "dagster-webserver", "-h", "127.0.0.1", "-p", str(port)],
        [tools / "dagster-daemon", "run"],
    )
    with log.open("w") as out:
        started = [
            subprocess.Popen(
                command, env=env, cwd=PROJECT, stdout=out, stderr=out, start_new_session=True
            )
            for command in commands
        ]
        try:
            ui = Ui(f"http://127.0.0.1:{port}")
            until = time.monotonic() + WAIT_SECONDS
            while True:
                try:
                    if ui.jobs():
                        break
                except (urllib.error.URLError, ConnectionError):
                    pass
                assert time.monotonic() < until, log.read_text("utf-8")[-3000:]
                time.sleep(0.5)
            yield ui
        finally:
            for process in started:
                os.killpg(process.pid, signal.SIGTERM)
            for process in started:
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait(20)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}


def never_due(file: Path) -> None:
    """Let no schedule add a run of its own, as it did where the test met a quarter of an hour."""
    text = file.read_text("utf-8")
    assert text.count('"*/15 * * * *"') == 1
    file.write_text(text.replace('"*/15 * * * *"', '"0 3 29 2 *"'), encoding="utf-8")


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
            params = {"parentRunId": failed["runId"], "strategy": "FROM_FAILURE"}
            made = ui.ask(AGAIN, p=params)["launchRunReexecution"]
            assert made["__typename"] == "LaunchRunSuccess", made
            again = ui.ended(made["run"]["runId"])
            assert again["status"] == "SUCCESS"
            assert [step["stepKey"] for step in again["stepStats"]] == ["shop__orders"]
            assert in_the_store(space) == at_the_source(server)
            server.put("orders", small_shop.order(31))
            selector = {
                "repositoryLocationName": "isthmus",
                "repositoryName": "__repository__",
                "jobName": "shop_sync",
            }
            config = {"ops": {"shop__orders": {"config": {"full": True}}}}
            params = {"selector": selector, "runConfigData": config, "mode": "default"}
            made = ui.ask(LAUNCH, p=params)["launchRun"]
            assert made["__typename"] == "LaunchRunSuccess", made
            assert ui.ended(made["run"]["runId"])["status"] == "SUCCESS"
            assert in_the_store(space) == at_the_source(server)
            # Nobody asked for it: the sensor saw that something was loaded.
            until = time.monotonic() + WAIT_SECONDS
            while not any(run["status"] == "SUCCESS" for run in ui.jobs()["unify_publish"]):
                assert time.monotonic() < until
                time.sleep(1)
        space.control.close()
    assert space.home.current.exists()
