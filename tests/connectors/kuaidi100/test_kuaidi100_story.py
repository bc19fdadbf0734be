"""A shop's parcels from the road to the door: asked for until they arrive, and then no more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from kuaidi100_world import World

from tests.support.cut_off import killed_at

STATES = (
    "select s.connection || ' ' || s.tracking_number || ' ' || s.status"
    " from source.shipments s where s.tracking_number is not null and not s.is_deleted order by all"
)


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    assert made.post.hurried == []  # no number was asked for too often, whatever the test did
    made.close()


def test_what_a_shop_ships_is_followed_until_it_arrives(world: World):
    assert world.sync().read == 0  # nothing is published
    world.ship("s1", "YT0001")
    world.ship("s2", " yt0002 ")
    world.ship("s3", "YT0003", state="delivered")
    world.ship("s4", None)
    world.move("YT0001", "1", "0")
    world.move("YT0002", "1")
    world.sync_shop()
    first = world.sync()
    assert (first.status, first.landed, first.inserted) == ("ok", 2, 2)
    assert first.tally == {"asked": 2, "found": 2}
    world.publish()
    assert world.ask(STATES) == [
        ("post YT0001 in_transit",), ("post YT0002 shipped",), ("shop  yt0002  shipped",),
        ("shop YT0001 shipped",), ("shop YT0003 delivered",),
    ]  # fmt: skip
    world.time.wait(minutes=59)
    assert world.sync().tally == {"not due": 2}

    world.time.wait(hours=3)
    world.move("YT0001", "1", "0", "5", "3")
    second = world.sync()
    assert (second.read, second.landed, second.unchanged) == (2, 1, 1)
    world.publish()
    # The shop's own row still says shipped, and is not asked for: what arrived, arrived.
    world.time.wait(hours=3)
    began = world.time.now()
    third = world.sync()
    assert world.asked(began) == ["YT0002"]
    assert (third.read, third.landed, third.updated) == (1, 0, 0)
    codes = world.ask(
        "select e.code, e.status, e.place, e.occurred_at, s.delivered_at, s.shipped_at"
        " from unified.shipment_events e join unified.shipments s using (shipment_id)"
        " where s.tracking_number = 'YT0001' order by e.occurred_at"
    )
    arrived = began - timedelta(hours=3)
    assert [row[:3] for row in codes] == [
        ("1", "shipped", "上海"), ("0", "in_transit", "上海"),
        ("5", "out_for_delivery", "上海"), ("3", "delivered", "上海"),
    ]  # fmt: skip
    assert [row[3] for row in codes] == [arrived - timedelta(hours=age) for age in (3, 2, 1, 0)]
    assert {row[4:] for row in codes} == {(arrived, arrived - timedelta(hours=3))}


def test_what_a_killed_run_asked_for_counts(world: World):
    """The vendor was asked, whether the answer was landed or not."""
    place = 4
    for number in range(7):
        world.ship(f"s{number}", f"YT000{number}")
        world.move(f"YT000{number}", "0")
    world.sync_shop()
    assert killed_at(world.post, place, world.sync)
    world.time.wait(minutes=5)
    began = world.time.now()
    done = world.sync()
    assert done.tally == {"not due": place, "asked": 7 - place, "found": 7 - place}
    assert len(set(world.asked(began))) == 7 - place
    world.time.wait(minutes=61)
    world.sync()
    world.publish()
    assert len(world.ask("select 1 from source.shipments where connection = 'post'")) == 7


def test_a_day_bound_goes_on_with_those_that_were_not_asked_yet(tmp_path: Path):
    """Eight parcels, three a day: each is asked for once before any is asked for again."""
    world = World(tmp_path, daily_quota="3", page="5")
    for number in range(8):
        world.ship(f"s{number}", f"YT000{number}")
        world.move(f"YT000{number}", "0")
    world.sync_shop()
    days = []
    for _ in range(3):
        began = world.time.now()
        done = world.sync()
        days.append(world.asked(began))
        assert (done.status, done.exit_code, done.error) == ("partial", 3, None)
        assert (done.tally["asked"], done.landed) == (3, 3 if len(days) < 3 else 2)
        assert done.tally["left for the next run"] == 8 - 3
        assert world.sync().requests == 0
        world.time.wait(hours=24, minutes=2)
    assert [number for day in days for number in day] == [
        *(f"YT000{number}" for number in range(8)), "YT0000"
    ]  # fmt: skip
    world.close()


def test_a_quota_that_the_system_tells_ends_the_run_and_loses_nothing(world: World):
    for number in range(6):
        world.ship(f"s{number}", f"YT000{number}")
        world.move(f"YT000{number}", "0")
    world.sync_shop()
    world.post.quota = 4
    done = world.sync()
    assert (done.status, done.exit_code, done.landed) == ("partial", 3, 4)
    assert done.tally == {"asked": 4, "found": 4, "left for the next run": 2}
    assert "601" not in str(done.error)
    assert "可用单量不足" in str(done.quota)
    world.post.quota = None
    world.time.wait(minutes=5)
    done = world.sync()  # the one that was refused is not put off
    assert (done.status, done.landed) == ("ok", 2)
    assert done.tally == {"not due": 4, "asked": 2, "found": 2}
