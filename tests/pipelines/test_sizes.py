"""What takes the disk is told connection by connection, with a forecast that adds up."""

from __future__ import annotations

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import small_shop

from pipelines.cli import main
from pipelines.sizes import room
from warehouse.home import Home

NOW = datetime(2026, 3, 31, tzinfo=UTC)


def put(path: Path, size: int, days_ago: float = 0.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    moment = (NOW - timedelta(days=days_ago)).timestamp()
    os.utime(path, (moment, moment))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    usage = type("Usage", (), {"free": 11_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    return Home(tmp_path / "home").make()


def test_old_landing_counts_as_taken_and_the_last_month_as_pace(home: Home) -> None:
    put(home.landing / "shop/orders/1.ndjson.zst", 5_000, days_ago=90)
    put(home.landing / "shop/orders/2.ndjson.zst", 1_000, days_ago=20)
    put(home.landing / "erp/parties/1.ndjson.zst", 400, days_ago=40)
    put(home.landing / "_decisions/1.json", 30)
    put(home.store, 6_400)
    os.link(home.store, home.store.with_name("linked"))
    found = room(home, 1_000, NOW)
    assert [(s.name, s.files, s.bytes, s.a_day) for s in found.connections] == [
        ("erp", 1, 400, 0.0), ("shop", 2, 6_000, 50.0),
    ]  # fmt: skip
    others = {s.name: s.bytes for s in found.others}
    assert (others["store"], others["decisions"]) == (6_400, 30)
    assert found.days == 100.0  # (11,000 - 1,000) / (50 a day, and as much again in the store)


def test_what_does_not_grow_has_no_forecast(home: Home) -> None:
    assert room(home, 0, NOW).days is None
    put(home.landing / "shop/orders/1.ndjson.zst", 100, days_ago=31)
    assert room(home, 0, NOW).days is None


def test_a_first_read_of_today_is_not_taken_for_every_hour(home: Home) -> None:
    put(home.landing / "shop/orders/1.ndjson.zst", 900, days_ago=0.01)
    (shop,) = room(home, 0, NOW).connections
    assert shop.a_day == 900.0


def test_a_disk_that_is_full_is_full_today(home: Home) -> None:
    put(home.landing / "shop/orders/1.ndjson.zst", 900, days_ago=2)
    assert room(home, 20_000, NOW).days == 0.0


def test_the_command_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small_shop.workspace(tmp_path, "http://127.0.0.1:1")
    for name, value in small_shop.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    put(tmp_path / "home/landing/shop/orders/1.ndjson.zst", 2_000_000)
    assert main(["space"]) == 0
    said = capsys.readouterr().out
    assert "landing/shop" in said
    assert "2.0 MB" in said
    assert main(["space", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["connections"][0]["bytes"] == 2_000_000
