"""A3 for every connector: its secrets, searched for after runs that go well and runs that fail.

The systems are those of the conformance suite, served on loopback; the runs are the command line
and Dagster. When they are let loose, they repeat every secret of the connection in every string of
their answers: as a refusal, as a failure under HTTP 200, as a page.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml

from connectors.testing import Bench
from connectors.testing.bench import Unsupported
from connectors.testing.wire import App
from tests.attacks.a03_secrets import isthmus, searched, workspace_env
from tests.attacks.attempt import Attempt, Task
from tests.attacks.canaries import ENCODINGS, distinct, files_below
from tests.conformance.page import SUITES

ID, TITLE = "A3 all", "secrets of every connector, in any output of a run"
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+\.(?:example|invalid|test)(?::\d+)?")
MODES = ("refused", "failure", "page", "empty")


class Today(Bench):
    """Boots a bench at the real time: a system that is read by days has no long past to send."""

    def boot(self) -> App | httpx.BaseTransport | None:
        self.clock.at = datetime.now(UTC)
        return super().boot()  # type: ignore[safe-super]


class Door:
    """A system on a port of its own; `modes` say what it answers, in turn, instead of the truth.

    `asked` counts the requests, `told` those that were answered with the secrets; `wants` are
    settings of a stream that must be told what to ask for.
    """

    def __init__(self, bench: Bench) -> None:
        self.bench, self.modes = bench, tuple[str, ...]()
        self.asked = self.told = 0
        self.wants = _query(bench)
        self._lock = threading.Lock()

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Return the true answer, or the one of the mode."""
        with self._lock:
            self.asked += 1
            if self.modes:
                self.told += 1
                return self._loose(self.modes[self.told % len(self.modes)])
            self.bench.clock.at = datetime.now(UTC)
            assert self.bench.wire is not None
            return self.bench.wire.handle_request(request)

    def _loose(self, mode: str) -> httpx.Response:
        spelt = [code(s) for s in self.bench.secrets.values() for code in ENCODINGS.values()]
        words = " ".join(spelt)
        if mode == "page":
            return httpx.Response(200, headers={"Content-Type": "text/html"}, text=words)
        if mode == "refused":
            said = {"message": words, "error": {"message": words}, "errors": [{"message": words}]}
            return httpx.Response(403, json=said)
        if mode == "failure":
            with suppress(Unsupported, ValueError):
                return httpx.Response(200, json=_spoken(json.loads(self.bench.error_body()), words))
        plain = [*self.bench.secrets.values()]
        return httpx.Response(500, headers={"X-Request-Id": plain[0][:99]}, json={"id": plain})


def _query(bench: Bench) -> dict[str, str]:
    """Return the setting that gives the bench's stream its rows, {} for one that needs none."""
    rows = list(bench.wanted(bench.stream))
    if not rows:
        return {}
    values = ", ".join(f"({', '.join(_literal(value) for value in row.values())})" for row in rows)
    return {"wants": f"select * from (values {values}) as wanted ({', '.join(rows[0])})"}


def _literal(value: str | None) -> str:
    return "null" if value is None else "'" + value.replace("'", "''") + "'"


def _spoken(value: Any, words: str) -> Any:
    """Return `value` with the secrets behind each text that is longer than a code."""
    if isinstance(value, dict):
        return {name: _spoken(inner, words) for name, inner in value.items()}
    if isinstance(value, list):
        return [_spoken(inner, words) for inner in value]
    return f"{value} {words}" if isinstance(value, str) and len(value) > 6 else value


def attempts(task: Task) -> Iterator[Attempt]:
    """Sync all connectors once as they should and once in every mode; search all that is left."""
    with ExitStack() as stack:
        doors = dict(_doors(task, stack))
        env = _workspace(task.folder, doors, stack, quick=task.quick)
        runs = [["--all"]] if task.quick else [[name] for name in doors]
        outputs = [_run(task, env, "sync", *run) for run in runs]
        if not task.quick:  # what must be told what to ask for is told by what is published
            outputs += [_run(task, env, "sync", name) for name, door in doors.items() if door.wants]
        asked = {name: door.asked for name, door in doors.items()}
        for modes in (MODES,) if task.quick else [(mode,) for mode in MODES]:
            for door in doors.values():
                door.modes = modes
            outputs += [_run(task, env, "sync", *run, "--full") for run in runs]
            if not task.quick:
                outputs += [_run(task, env, "check", name) for name in doors]
                outputs.append(_run(task, env, "status", "--json"))
    outputs = distinct([*outputs, *files_below(task.folder / "home")])
    for name, door in doors.items():
        used = door.told and (asked[name] or (task.quick and door.wants))
        yield Attempt(
            f"A3.{name}", "the system is asked, and repeats", "refused" if used else "succeeded",
            f"{asked[name]} true answers, {door.told} with secrets",
        )  # fmt: skip
        for reference, secret in door.bench.secrets.items():
            yield searched(f"A3.{name}", f"canary {reference}", secret, outputs)


def _doors(task: Task, stack: ExitStack) -> Iterator[tuple[str, Door]]:
    """Yield a system a connector that has secrets and is asked over HTTP; in full, one a suite."""
    done = set()
    for number, suite in enumerate(SUITES):
        name = suite.bench.connector.name
        if not suite.bench.secrets or (task.quick and name in done):
            continue
        done.add(name)
        today: type[Bench] = type(suite.bench.__name__, (Today, suite.bench), {})
        bench = today(task.inner(f"bench_{number}"))
        stack.callback(bench.close)
        for record in (1, 2, 3):
            bench.put(record, 1, bench.clock.now())
        bench.fill_others()
        yield f"{name}_{number}", Door(bench)


def _workspace(
    folder: Path, doors: Mapping[str, Door], stack: ExitStack, *, quick: bool
) -> dict[str, str]:
    """Write a connection a system; return the environment of the runs, secrets in it."""
    env = workspace_env(folder)
    for name, door in doors.items():
        url = stack.enter_context(serving(door))
        config = _ORIGIN.sub(url, json.dumps(door.bench.settings(), ensure_ascii=False))
        secrets = {}
        for reference, secret in door.bench.secrets.items():
            kind, _, what = reference.partition(":")
            own = f"{name}_{re.sub('[^A-Za-z0-9]', '_', what)}".upper()
            config = config.replace(f'"{reference}"', f'"env:{own}"')
            assert kind == "env", reference
            secrets[own] = secret
        env |= secrets
        more = {"allow_private": "true", "attempts": "1", "timeout": "10s"}
        attributes = {
            "system": door.bench.connector.name,
            "config": {**json.loads(config), **more},
            "timezone": "Asia/Shanghai",
        }
        if quick or door.wants:
            attributes["streams"] = {door.bench.stream: door.wants}
        file = folder / "defs" / name / "defs.yaml"
        file.parent.mkdir(parents=True)
        said = {"type": "pipelines.Connection", "attributes": attributes}
        file.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
        if door.bench.connector.name == "rest":
            mapping = folder / "mappings" / name / f"{door.bench.stream}.yaml"
            mapping.parent.mkdir(parents=True)
            mapping.write_text("entity: party\nkey: id\nfields: {name: name}\n")
    return env | {"ISTHMUS_MAPPINGS": str(folder / "mappings"), "ISTHMUS_KEY": "k" * 40}


def _run(task: Task, env: dict[str, str], *words: str) -> tuple[str, bytes]:
    task.inner("cwd")
    return isthmus(task.folder, env, *words)


@contextmanager
def serving(door: Door) -> Iterator[str]:
    """Serve a system on loopback; yields its origin."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            request = httpx.Request(
                self.command, f"http://{self.headers['host']}{self.path}",
                headers=[*self.headers.items()], content=self.rfile.read(length),
            )  # fmt: skip
            reply = door.answer(request)
            body = reply.read()
            self.send_response(reply.status_code)
            for name, value in reply.headers.items():
                if name not in ("content-length", "transfer-encoding", "content-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            with suppress(OSError):
                self.end_headers()
                self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
