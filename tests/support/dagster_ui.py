"""Dagster's webserver and daemon as processes, and what the UI asks of them."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.workspace import PROJECT

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
EVENTS = """query($id: ID!) { runOrError(runId: $id) { ... on Run {
  eventConnection(limit: 1000) { events { __typename
    ... on MessageEvent { message stepKey }
    ... on ExecutionStepFailureEvent { error { className message }
      failureMetadata { metadataEntries { ...entry } } }
    ... on MaterializationEvent { assetKey { path } metadataEntries { ...entry } }
    ... on AssetCheckEvaluationEvent { evaluation { checkName success severity description
      assetKey { path } metadataEntries { ...entry } } }
  } } } } }
fragment entry on MetadataEntry { label
  ... on TextMetadataEntry { text } ... on IntMetadataEntry { intValue }
  ... on JsonMetadataEntry { jsonString } ... on TableMetadataEntry { table { records } } }"""


class Ui:
    """The webserver's GraphQL; `headers` go with each question, `tls` proves the server."""

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        self.headers = {"content-type": "application/json", **(headers or {})}
        secure = urllib.request.HTTPSHandler(context=tls)
        self._open = urllib.request.build_opener(urllib.request.ProxyHandler({}), secure).open

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, self.headers)
        with self._open(request, timeout=60) as reply:
            answer = json.load(reply)
        assert "errors" not in answer, answer
        return answer["data"]

    def jobs(self) -> dict[str, list[dict[str, str]]]:
        nodes = self.ask(JOBS)["repositoriesOrError"].get("nodes", [])
        return {job["name"]: job["runs"] for node in nodes for job in node["jobs"]}

    def launch(self, job: str, config: dict[str, Any] | None = None) -> str:
        """Start a job as the launchpad does; the run's id."""
        selector = {
            "repositoryLocationName": "isthmus",
            "repositoryName": "__repository__",
            "jobName": job,
        }
        params = {"selector": selector, "runConfigData": config or {}, "mode": "default"}
        return _run_id(self.ask(LAUNCH, p=params)["launchRun"])

    def again(self, run_id: str, strategy: str = "FROM_FAILURE") -> str:
        """Re-execute a run as the button does; the new run's id."""
        params = {"parentRunId": run_id, "strategy": strategy}
        return _run_id(self.ask(AGAIN, p=params)["launchRunReexecution"])

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """Return what the run's page shows."""
        run = self.ask(EVENTS, id=run_id)["runOrError"]
        found: list[dict[str, Any]] = run["eventConnection"]["events"]
        return found

    def failures(self, run_id: str) -> dict[str, dict[str, Any]]:
        """Return the failed steps' events by step."""
        return {
            event["stepKey"]: event for event in self.events(run_id)
            if event["__typename"] == "ExecutionStepFailureEvent"
        }  # fmt: skip

    def checks(self, run_id: str, *asset: str) -> dict[str, dict[str, Any]]:
        """Return the checks of an asset that the run reported, by name."""
        found = [e["evaluation"] for e in self.events(run_id) if "evaluation" in e]
        return {one["checkName"]: one for one in found if one["assetKey"]["path"] == [*asset]}

    def ended(self, run_id: str, seconds: float = WAIT_SECONDS) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while True:
            run: dict[str, Any] = self.ask(RUN, id=run_id)["runOrError"]
            if run["status"] in ENDED:
                return run
            assert time.monotonic() < until, run
            time.sleep(0.5)


def until_listed(ui: Ui, log: Path | None) -> None:
    """Wait until the webserver answers and lists jobs."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            if ui.jobs():
                return
        except (urllib.error.URLError, ConnectionError):
            pass
        assert time.monotonic() < until, log.read_text("utf-8")[-3000:] if log else ui.url
        time.sleep(0.5)


def _run_id(made: dict[str, Any]) -> str:
    assert made["__typename"] == "LaunchRunSuccess", made
    return str(made["run"]["runId"])


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
            until_listed(ui, log)
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
