"""A used quota ends a run early: what came is kept, nothing is red, a run after it goes on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest
import small_shop
from rest_parts import SimulatorTransport
from small_shop import at_the_source, in_the_store
from still_clock import StillClock

from connectors.rest.faults import Reply
from connectors.rest.simulator import RestSimulator
from pipelines.cli import main
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace

ZONE = ZoneInfo("Asia/Shanghai")


class Metered(SimulatorTransport):
    """Answers so many requests a day of China, and then that the quota is used up."""

    def __init__(self, simulator: RestSimulator, clock: StillClock, quota: int) -> None:
        super().__init__(simulator)
        self.clock, self.quota = clock, quota
        self.days: dict[object, int] = {}
        self.simulator_answer = simulator.answer
        simulator.answer = self.answer

    def answer(self, *request: object) -> Reply:
        day = self.clock.now().astimezone(ZONE).date()
        self.days[day] = self.days.get(day, 0) + 1
        if self.days[day] > self.quota:
            return Reply(200, msgspec.json.encode({"code": 7, "msg": "canary: 100 calls a day"}))
        return self.simulator_answer(*request)


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop(orders=100)


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    made = small_shop.workspace(tmp_path, "http://127.0.0.1:9")
    yield made
    made.control.close()


def settings(space: Workspace, more: str) -> None:
    """Write more settings of the connection."""
    path = space.defs / "shop" / "defs.yaml"
    path.write_text(path.read_text().replace("    streams:\n", f"    {more}\n    streams:\n", 1))


def run(space: Workspace, clock: StillClock, transport: object):
    return sync_stream(
        space, "shop", "orders", now=clock.now, pause=clock.pause, transport=transport
    )


def test_a_quota_that_the_system_tells_ends_the_run_until_it_is_there_again(
    space: Workspace, server: RestSimulator
):
    settings(space, 'answers: [{when: "code = 7", is: quota, resets: "00:00"}]')
    clock = StillClock()
    metered = Metered(server, clock, quota=2)
    first = run(space, clock, metered)
    midnight = datetime(2026, 3, 2, tzinfo=ZONE)
    assert (first.status, first.error, first.exit_code) == ("partial", None, 3)
    assert datetime.fromisoformat(first.quota_until) == midnight
    assert "canary: 100 calls a day" in first.quota
    assert (first.landed, first.inserted) == (40, 40)
    assert len(in_the_store(space)) == 40
    again = run(space, clock, metered)  # within the same day nobody is asked
    assert (again.status, again.exit_code, again.requests) == ("partial", 3, 0)
    assert datetime.fromisoformat(again.quota_until) - midnight < timedelta(seconds=1)
    assert sum(metered.days.values()) == 3
    clock.at = midnight
    assert run(space, clock, metered).status == "partial"
    clock.at += timedelta(days=1)
    last = run(space, clock, metered)
    assert (last.status, last.exit_code) == ("ok", 0)
    assert in_the_store(space) == at_the_source(server)
    assert space.control.last_successes()["shop", "orders"]["run_id"] == last.run_id


def test_a_quota_of_the_settings_ends_the_run_before_it_is_exceeded(
    space: Workspace, server: RestSimulator
):
    settings(space, "rate: [3/d, 2/s]")
    clock = StillClock()
    metered = Metered(server, clock, quota=99)
    first = run(space, clock, metered)
    assert (first.status, first.exit_code, first.requests, first.landed) == ("partial", 3, 3, 60)
    until = datetime.fromisoformat(first.quota_until)
    assert timedelta(hours=23, minutes=59) < until - clock.now() < timedelta(hours=24.1)
    clock.at = until + timedelta(seconds=1)
    assert run(space, clock, metered).status == "ok"
    assert in_the_store(space) == at_the_source(server)


def test_a_quota_is_told_by_command_and_status_and_is_no_failure_in_dagster(
    tmp_path: Path, server: RestSimulator, capsys, monkeypatch
):
    from dagster import DagsterInstance, DagsterRunStatus

    from connectors.rest.serve import serve

    for name in ("DAGSTER_HOME", "ISTHMUS_MAPPINGS", "SHOP_TOKEN", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url)
        settings(space, "rate: 3/d")
        for name, value in small_shop.environment(tmp_path).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("ISTHMUS_LANG", "en")
        assert main(["sync", "shop", "orders"]) == 3
        said = capsys.readouterr()
        assert "ended early, a quota is used up; goes on at the first run after 20" in said.err
        assert "failed" not in said.out + said.err
        assert main(["status", "shop", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)["streams"]
        orders = next(s for s in told if s["stream"] == "orders")
        assert "budget is used up" in orders["quota"]
        assert orders["error"] is None
        with DagsterInstance.get() as instance:
            states = {run.status for run in instance.get_runs()}
        assert states == {DagsterRunStatus.SUCCESS}
        space.control.close()


class Shelf(httpx.BaseTransport):
    """Lists nine orders by key alone, four a page; each is whole behind a call of its own."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/orders":
            begin = int(request.url.params.get("after", "0"))
            data = [{"id": n} for n in range(begin + 1, 10)][:4]
            body = {"data": data, "more": begin + 4 < 9}
        else:
            self.asked.append(path)
            body = {"id": int(path.rpartition("/")[2]), "name": "x"}
        reply = httpx.ByteStream(msgspec.json.encode(body))
        return httpx.Response(200, headers={"content-type": "application/json"}, stream=reply)


@pytest.mark.parametrize("full", [False, True])
def test_a_quota_smaller_than_a_page_of_details_ends_no_read_for_ever(tmp_path: Path, full: bool):
    """Runs of three requests a day land what they asked for, and the whole is one proved scan."""
    defs = tmp_path / "defs" / "shop" / "defs.yaml"
    defs.parent.mkdir(parents=True)
    defs.write_text(
        "type: pipelines.Connection\nattributes:\n  system: rest\n"
        "  config: {base_url: 'http://shop.example', allow_plain_http: true, rate: 3/d, streams: "
        "{orders: {path: /orders, records: data, key: id, detail: {path: '/orders/{key}'}, "
        "paging: {last: id, param: after, more: more}}}}\n"
    )
    mapping = tmp_path / "mappings" / "shop" / "orders.yaml"
    mapping.parent.mkdir(parents=True)
    mapping.write_text("entity: order\nkey: id\nfields: {number: name}\n")
    space = Workspace.discover(
        {"ISTHMUS_HOME": str(tmp_path / "home"), "ISTHMUS_DEFS": str(tmp_path / "defs"),
         "ISTHMUS_MAPPINGS": str(tmp_path / "mappings")}
    )  # fmt: skip
    clock, shelf, landed = StillClock(), Shelf(), []
    while (done := sync_stream(
        space, "shop", "orders", full=full, now=clock.now, pause=clock.pause, transport=shelf
    )).status == "partial":  # fmt: skip
        landed.append(done.landed)
        clock.wait(hours=25)
        assert len(landed) < 9
    assert (done.error, done.deleted, done.held) == (None, 0, 0)
    assert [*landed, done.landed] == [2, 2, 2, 2, 1]
    assert len(shelf.asked) == 9
    space.control.close()
