"""The control database: history of runs, numbered schema, two processes at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, make_url, text
from tenacity import stop_after_delay

from connectors.errors import ConfigError, Unavailable
from pipelines import control as module
from pipelines.alerts.causes import Cause
from pipelines.alerts.ledger import Address, Ledger
from pipelines.alerts.messages import Voice
from pipelines.control import Control
from pipelines.pauses import pause, resume
from pipelines.workspace import PROJECT

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


@pytest.fixture
def control(control_url: str):
    made = Control(control_url)
    yield made
    made.close()


@pytest.fixture
def on_file(tmp_path: Path):
    made = Control(f"sqlite:///{tmp_path / 'home' / 'control.db'}")
    yield made
    made.close()


def run(stream: str, status: str, minutes: int, run_id: str = "r") -> dict[str, Any]:
    return {
        "run_id": run_id,
        "connection": "shop",
        "stream": stream,
        "mode": "changed",
        "status": status,
        "started_at": START + timedelta(minutes=minutes),
        "ended_at": START + timedelta(minutes=minutes, seconds=5),
        "counts": {"read": minutes},
        "error": None if status == "ok" else {"what": "down"},
        "bookmark_before": None,
        "bookmark_after": {"stamp": "x"},
    }


def publish(status: str, minutes: int, mark: str = "m") -> dict[str, Any]:
    moment = START + timedelta(minutes=minutes)
    return {
        "run_id": "p", "status": status, "started_at": moment, "ended_at": moment,
        "changed": 1, "mark": mark, "version": "v", "error": None,
    }  # fmt: skip


def test_the_last_run_and_the_last_good_one_are_told_apart(control: Control):
    for values in (run("orders", "ok", 0), run("orders", "failed", 15), run("stock", "ok", 5)):
        control.record_run(values)
    last, good = control.last_runs(), control.last_successes()
    assert last["shop", "orders"]["status"] == "failed"
    assert good["shop", "orders"]["started_at"] == START
    assert good["shop", "orders"]["counts"] == {"read": 0}
    assert set(last) == {("shop", "orders"), ("shop", "stock")}
    assert [r["stream"] for r in control.runs_of("shop")] == ["stock", "orders", "orders"]
    assert [r["status"] for r in control.runs_of("shop", "orders")] == ["failed", "ok"]


def test_instants_come_back_aware_whatever_zone_they_were_written_in(control: Control):
    from zoneinfo import ZoneInfo

    shanghai = START.astimezone(ZoneInfo("Asia/Shanghai"))
    control.record_run(run("orders", "ok", 0) | {"started_at": shanghai})
    found = control.last_runs()["shop", "orders"]["started_at"]
    assert found == START
    assert found.utcoffset() == timedelta(0)


def test_old_history_goes_but_the_last_success_of_each_stream_stays(control: Control):
    for minutes in range(5):
        control.record_run(run("orders", "ok", minutes))
    control.record_run(run("orders", "failed", 6))
    assert control.forget_runs(START + timedelta(days=1)) == 5
    assert control.last_successes()["shop", "orders"]["counts"] == {"read": 4}


def test_failures_are_counted_from_the_last_good_publish(control: Control):
    for status, minutes in (("failed", 0), ("ok", 1), ("failed", 2), ("failed", 3)):
        control.record_publish(publish(status, minutes, mark=f"m{minutes}"))
    assert control.failures_since_publish() == 2
    good, last = control.last_publish(), control.last_publish(good=False)
    assert good is not None
    assert last is not None
    assert (good["mark"], last["mark"]) == ("m1", "m3")


def test_a_schema_of_a_newer_release_is_refused(control: Control):
    with control.engine.begin() as con:
        con.execute(insert(module.schema).values(number=99))
    again = Control(control.url)
    with pytest.raises(ConfigError, match="newer release"):
        _ = again.engine


def test_an_upgrade_runs_once_and_keeps_the_rows(control: Control, monkeypatch: pytest.MonkeyPatch):
    control.record_run(run("orders", "ok", 0))
    control.close()
    added = "alter table runs add column note varchar"
    upgrades = [*module.UPGRADES, lambda con: con.execute(text(added))]
    monkeypatch.setattr(module, "UPGRADES", upgrades)
    for _ in range(2):
        again = Control(control.url)
        with again.engine.connect() as con:
            assert con.execute(text("select count(*), max(note) from runs")).one() == (1, None)
            done = con.execute(text("select max(number) from schema_version")).scalar()
            assert done == len(upgrades)
        again.close()


def test_a_server_that_is_not_there_is_told_without_the_password():
    control = Control("postgresql+psycopg2://isthmus:hunter2@127.0.0.1:1/control")
    with pytest.raises((Unavailable, ConfigError)) as caught:
        _ = control.engine
    assert "hunter2" not in str(caught.value)


def test_a_file_that_another_process_begins_is_waited_for(on_file: Control):
    """SQLite answers at once here, whatever its busy timeout: the case of first runs at once."""
    with sqlite3.connect(_file_of(on_file), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(1) as pool:
            opened = pool.submit(on_file.recent_runs)
            with pytest.raises(TimeoutError):
                opened.result(timeout=0.3)
            other.execute("COMMIT")
            assert opened.result(timeout=10) == []
    other.close()


def test_a_file_that_stays_locked_is_told(on_file: Control, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module._write_ahead.retry, "stop", stop_after_delay(0.1))
    with sqlite3.connect(_file_of(on_file), isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="does not open"):
            on_file.recent_runs()
    other.close()


def _file_of(control: Control) -> Path:
    file = Path(str(make_url(control.url).database))
    file.parent.mkdir()
    return file


def test_first_runs_at_once_make_one_schema(control_url: str):
    script = (
        f"from pipelines.control import Control; print(len(Control({control_url!r}).recent_runs()))"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=PROJECT
        )
        for _ in range(4)
    ]
    assert [racer.communicate(timeout=60)[0].strip() for racer in racers] == ["0"] * 4


def test_what_writes_at_once_writes_one_after_the_other(control: Control):
    """Rows that are not there yet cannot be locked: two of these would insert the same one."""
    shape, now = {"records": 1, "fields": {}}, START
    cause = Cause("failed", "error", "shop")
    ledger = Ledger(control)
    teller = [Address("env:URL", "error", Voice("en", "UTC", False))]

    def work(number: int) -> None:
        control.keep_shape("shop", "orders", shape | {"records": number})
        pause(control, "shop", until=None, who="a", why=str(number), now=now)
        ledger.settle([cause], teller, now)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))
        claimed = list(pool.map(lambda _: len(ledger.claim("env:URL", now)), range(4)))
    assert sorted(claimed) == [0, 0, 0, 1]
    assert control.shape("shop", "orders") is not None
    assert len(control.held_pauses()) == 1
    assert resume(control, "shop")
