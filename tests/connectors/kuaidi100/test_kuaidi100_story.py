"""A shop's parcels from the road to the door: asked for until they arrive, and then no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from kuaidi100_world import World


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_one(world: World):
    for n in (1, 2, 3):
        world.ship(f"s{n}", f"YT000{n}")
        world.move(f"YT000{n}", "1", "0")
    world.sync_shop()
    done = world.sync()
    print(done)
    world.publish()
    print(
        world.ask(
            "select connection, status, tracking_number, shipped_at, carrier_code, carrier_name, source_updated_at from unified.shipments"
        )
    )
    world.move("YT0001", "1", "0", "3")
    world.time.wait(hours=2)
    print(world.sync())
    world.publish()
    world.time.wait(hours=2)
    at = world.time.now()
    print(world.sync())
    print(world.asked(at))
    assert 0
