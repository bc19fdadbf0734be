"""What docs/deploy.md says, with its own files: units, PostgreSQL, and who may do what."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import deployed
import pytest
import small_shop
import yaml
from dagster_ui import AGAIN, LAUNCH, WAIT_SECONDS, Ui
from deployed import FILES, NGINX, PASSWORDS, UNITS, Place
from postgres import fresh_database
from small_shop import at_the_source, in_the_store

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.workspace import PROJECT, Workspace

PAGE = (PROJECT / "docs" / "deploy.md").read_text("utf-8")
SELECTOR = {
    "repositoryLocationName": "isthmus",
    "repositoryName": "__repository__",
    "jobName": "shop_sync",
}
PUBLISHED = """{ runsOrError(filter: {pipelineName: "unify_publish", statuses: [SUCCESS]}) {
  ... on Runs { results { tags { key value } } } } }"""
slow = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", UNITS)
def test_units_and_compose_file_start_the_same(name: str):
    unit, compose = deployed.unit(name), yaml.safe_load((FILES / "compose.yaml").read_text("utf-8"))
    service = compose["services"][name]
    command = unit["Service"]["ExecStart"].replace("/opt/isthmus/.venv/bin/", "")
    assert " ".join(service["command"]).replace("0.0.0.0", "127.0.0.1") == command
    said = dict(
        line.split("=", 1)
        for line in (FILES / "isthmus.env").read_text("utf-8").splitlines()
        if line and not line.startswith("#")
    )
    assert set(service["environment"]) == set(said)
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), "Dagster's webserver knows no users"


def test_every_file_is_spoken_of():
    assert {path.name for path in FILES.iterdir() if path.name not in PAGE} == {
        "Dockerfile.dockerignore"
    }


def test_systemd_takes_the_units(tmp_path: Path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd here")
    place = Place(tmp_path)
    place.srv.mkdir()
    for name in UNITS:
        text = place.text(f"isthmus-{name}.service")
        # The user of the services need not be on this machine.
        (tmp_path / f"isthmus-{name}.service").write_text(text.replace("=isthmus\n", "=root\n"))
    names = [f"isthmus-{name}.service" for name in UNITS]
    done = subprocess.run(
        [program, "verify", "--man=no", *names], cwd=tmp_path, capture_output=True, text=True,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:"}, check=False,
    )  # fmt: skip
    told = [line for line in done.stderr.splitlines() if "isthmus" in line]
    assert (done.returncode, told) == (0, [])


@pytest.mark.parametrize("with_postgres", [True, False])
def test_dagsters_settings_are_the_releases_own(tmp_path: Path, with_postgres: bool):
    place = Place(tmp_path, {"dagster": "url-1", "control": "url-2"} if with_postgres else {})
    settings = yaml.safe_load((place.prepare() / "dagster.yaml").read_text())
    own = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    storage = {"storage": {"postgres": {"postgres_url": {"env": "ISTHMUS_DAGSTER_URL"}}}}
    assert settings == own | (storage if with_postgres else {})


@dataclass
class Installation:
    place: Place
    shop: RestSimulator
    space: Workspace
    ui: Ui
    control: str


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: str
) -> Iterator[Installation]:
    folder = tmp_path_factory.mktemp("deployed")
    with ExitStack() as stack:
        urls = {
            name: f"postgresql+psycopg2://postgres@/{database}?host={postgres_server}"
            for name in ("dagster", "control")
            for database in [stack.enter_context(fresh_database(postgres_server))]
        }
        place, server = Place(folder, urls), small_shop.shop(orders=30)
        small_shop.workspace(place.srv, stack.enter_context(serve(server)))
        file = place.srv / "defs" / "shop" / "defs.yaml"
        file.write_text(file.read_text().replace('"*/15 * * * *"', '"0 3 29 2 *"'))
        place.prepare()
        ui = stack.enter_context(deployed.running(place, *UNITS))
        space = Workspace.discover(place.env)
        stack.callback(space.control.close)
        yield Installation(place, server, space, ui, urls["control"])


@pytest.fixture(scope="module")
def proxy(installation: Installation) -> Iterator[str]:
    if NGINX is None:
        pytest.skip("no nginx here")
    with deployed.proxy(installation.place) as url:
        yield url


def as_user(installation: Installation, url: str, name: str, **headers: str) -> Ui:
    tls = ssl.create_default_context(cafile=installation.place.folder / "cert.pem")
    word = base64.b64encode(f"{name}:{PASSWORDS[name]}".encode()).decode()
    return Ui(url, {"authorization": f"Basic {word}", **headers}, tls)


def status(ui: Ui, path: str, body: bytes | None = None, **headers: str) -> int:
    """Return the status that the proxy or the webserver answers with."""
    request = urllib.request.Request(ui.url + path, body, ui.headers | headers)
    try:
        with ui._open(request, timeout=60) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code


def published(ui: Ui) -> list[dict[str, Any]]:
    """Return the runs that published, with the values of their tags."""
    found = ui.ask(PUBLISHED)["runsOrError"]["results"]
    return [{"tags": {tag["value"] for tag in run["tags"]}} for run in found]


def launch(ui: Ui) -> dict[str, Any]:
    params = {"selector": SELECTOR, "runConfigData": {}, "mode": "default"}
    found: dict[str, Any] = ui.ask(LAUNCH, p=params)["launchRun"]
    return found


class TestDeployed:
    """In the order of a first day."""

    pytestmark = slow

    def test_a_sync_of_the_command_line_is_listed_and_run_again_from_the_ui(
        self, installation: Installation
    ):
        place, ui = installation.place, installation.ui
        installation.shop.fault("html", request=2, times=50)
        sync = subprocess.run(
            [deployed.BIN / "isthmus", "sync", "shop"],
            env=place.env | {"ISTHMUS_LANG": "en"}, cwd=place.srv, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert sync.returncode == 1, sync.stderr
        installation.shop.faults.clear()
        (failed,) = ui.jobs()["shop_sync"]
        assert failed["status"] == "FAILURE"
        again = ui.ended(ui.again(failed["runId"]))
        assert again["status"] == "SUCCESS"
        assert [step["stepKey"] for step in again["stepStats"]] == ["shop__orders"]
        assert in_the_store(installation.space) == at_the_source(installation.shop)

    def test_a_job_of_the_ui_runs_and_all_of_it_stands_in_postgres(
        self, installation: Installation
    ):
        place, ui = installation.place, installation.ui
        installation.shop.put("orders", small_shop.order(31))
        assert ui.ended(ui.launch("shop_sync"))["status"] == "SUCCESS"
        assert in_the_store(installation.space) == at_the_source(installation.shop)
        home = place.srv / "var"
        assert not (home / "control.db").exists()
        assert not list((home / "dagster").rglob("*.db"))
        last = installation.space.control.last_successes()
        assert set(last) == {("shop", "customers"), ("shop", "orders")}
        told = subprocess.run(
            [deployed.BIN / "isthmus", "status", "--json"],
            env=place.env, cwd=place.srv, capture_output=True, text=True, check=True,
        )  # fmt: skip
        seen = {one["stream"]: one["last_success"] for one in json.loads(told.stdout)["streams"]}
        assert None not in seen.values()
        assert set(seen) == {"customers", "orders"}
        # Nobody asked for it: the sensor saw that something was loaded.
        until = time.monotonic() + WAIT_SECONDS
        while all("cli" in run["tags"] for run in published(ui)):
            assert time.monotonic() < until
            time.sleep(1)

    @pytest.mark.parametrize("path", ["/", "/graphql", "/logs/x", "/report_asset_check/x"])
    def test_nobody_gets_in_without_a_name(self, installation: Installation, proxy: str, path: str):
        ui = as_user(installation, proxy, "bob")
        for name in ("", "bob:wrong", "alice:", "carol:x"):
            word = base64.b64encode(name.encode()).decode()
            wrong = {"authorization": f"Basic {word}"} if name else {"authorization": ""}
            assert status(ui, path, **wrong) == 401
        assert status(ui, "/") == 200

    def test_a_viewer_sees_and_starts_nothing(self, installation: Installation, proxy: str):
        viewer = as_user(installation, proxy, "bob")
        runs = viewer.jobs()["shop_sync"]
        assert runs
        assert launch(viewer)["__typename"] == "UnauthorizedError"
        params = {"parentRunId": runs[0]["runId"], "strategy": "ALL_STEPS"}
        made = viewer.ask(AGAIN, p=params)["launchRunReexecution"]
        assert made["__typename"] == "UnauthorizedError"
        body = json.dumps({"asset_key": "shop/orders"}).encode()
        assert status(viewer, "/report_asset_materialization/shop/orders", body) in (401, 403)
        assert viewer.jobs()["shop_sync"] == runs

    def test_an_operator_may_launch(self, installation: Installation, proxy: str):
        operator = as_user(installation, proxy, "alice", origin=proxy)
        made = launch(operator)
        assert made["__typename"] == "LaunchRunSuccess", made
        assert operator.ended(made["run"]["runId"])["status"] == "SUCCESS"

    def test_what_another_site_makes_a_browser_ask_for_is_refused(
        self, installation: Installation, proxy: str
    ):
        operator = as_user(installation, proxy, "alice")
        body = json.dumps({"query": "{ version }"}).encode()
        assert status(operator, "/graphql", body) == 200
        assert status(operator, "/graphql?op=Version", body, origin=proxy) == 200
        for origin in ("https://evil.example", "null", proxy + ".evil.example", f"x{proxy}"):
            assert status(operator, "/graphql", body, origin=origin) == 403
            assert status(operator, "/report_asset_check/x", body, origin=origin) == 403
        for path in ("/graphql?query={version}", "/graphql?%71uery={version}",
                     "/graphql/?op=A&query={version}", "/%67raphql?query={version}"):  # fmt: skip
            assert status(operator, path) == 403
            assert status(operator, path, b"") == 403
        assert status(operator, "/notebook?path=/etc/passwd&repoLocName=isthmus") == 404

    @pytest.mark.parametrize(("origin", "expected"), [("", b"101"), ("https://evil", b"403")])
    def test_the_page_of_a_run_follows_it_through_the_proxy(
        self, installation: Installation, proxy: str, origin: str, expected: bytes
    ):
        ui = as_user(installation, proxy, "alice")
        host = proxy.removeprefix("https://")
        head = (
            f"GET /graphql HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin or proxy}\r\n"
            f"Authorization: {ui.headers['authorization']}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
            "Sec-WebSocket-Protocol: graphql-ws\r\n\r\n"
        )
        tls = ssl.create_default_context(cafile=installation.place.folder / "cert.pem")
        address = ("127.0.0.1", installation.place.ports["443"])
        with (
            socket.create_connection(address, 30) as plain,
            tls.wrap_socket(plain, server_hostname="127.0.0.1") as line,
        ):
            line.sendall(head.encode())
            assert line.recv(64).split()[1] == expected
