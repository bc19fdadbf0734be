"""Nothing is lost and nothing stands twice: the account against what was landed, run after run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from stripe_world import World

from connectors.errors import ConfigError
from connectors.stripe import sample
from connectors.stripe.simulator import StripeSimulator
from pipelines.workspace import Workspace


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.stripe.lists.Lists.size", 10)
    monkeypatch.setattr("os.fsync", lambda handle: None)  # nobody pulls the plug here


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def fill(world: World, charges: int = 45, customers: int = 12) -> list[str]:
    """Make an account whose objects share seconds, also over the edges of pages."""
    for _ in range(customers):
        world.customer()
    made = []
    for number in range(charges):
        made.append(world.charge(100 + number))
        if number % 17 == 16:
            world.time.wait(seconds=1)
    world.time.wait(hours=1)
    return made


def fetched(world: World) -> list[str]:
    """Return the ids that were asked for one by one."""
    return sorted(line.key for line in world.stripe.journal if line.key and line.path)


def test_a_first_load_and_quiet_runs(world: World) -> None:
    charges = fill(world)
    world.refund(charges[0], 30)
    assert world.read_all()["charges"].landed == len(charges)
    assert world.judge() == []
    for _ in range(2):
        world.time.wait(minutes=4)
        again = world.read_all()
        assert sum(one.landed for one in again.values()) == 0
        assert max(one.requests for one in again.values()) <= 3
    # Once: the event may have been told before the first read came to its charge.
    assert fetched(world) == [charges[0]]


def test_only_what_changed_moves_and_the_deleted_are_gone(world: World) -> None:
    charges = fill(world, 60)
    world.sync_all()
    world.time.wait(days=3)
    world.refund(charges[5], 30)
    world.refund(charges[5], 20)
    world.stripe.change("customers", "cus_000003", "customer.updated", name="Renamed")
    world.stripe.delete("customers", "cus_000004", "customer.deleted")
    new = world.customer()
    done = world.sync_all()
    assert world.judge() == []
    moved = {name: (one.inserted, one.updated, one.deleted) for name, one in done.items()}
    assert moved["charges"] == (0, 1, 0)
    assert moved["customers"] == (1, 1, 1)
    assert moved["refunds"] == (4, 0, 0)  # two documents, two movements of money
    assert new in world.landed("customers")
    world.publish()
    assert world.ask("select count(*), count(distinct payment_id) from unified.payments") == [
        (len(charges) + 2, len(charges) + 2)
    ]
    assert world.ask("select count(*) from unified.parties") == [(12,)]


def test_an_object_is_taken_as_it_is_and_not_as_its_event_had_it(world: World) -> None:
    charge = world.charge(1000)
    world.read_all()
    world.time.wait(hours=1)
    record = world.stripe.change("charges", charge, "charge.updated", description="first")
    world.stripe.change("charges", charge, description="second")
    assert record["description"] == "first"
    world.read("charges")
    assert world.judge("charges") == []


def test_events_out_of_order_and_twice(world: World) -> None:
    charges = fill(world, 20)
    world.read_all()
    world.time.wait(hours=2)
    for number in (3, 1, 2):
        record = world.stripe.change("charges", charges[number], description=f"new {number}")
        for ago in (5, 90, 5):
            world.stripe.tell("charge.updated", record, at=world.second - ago)
    done = world.read("charges")
    assert world.judge("charges") == []
    assert (done.read, done.landed) == (3, 3)
    assert fetched(world) == sorted(charges[1:4])


def test_what_shows_late_is_found_within_the_lookback(world: World) -> None:
    fill(world, 5)
    world.read_all()
    world.time.wait(minutes=30)
    late = world.charge(700, late=300)
    old = world.stripe.living("charges")
    first = sorted(old)[0]
    record = world.stripe.change("charges", first, description="told late")
    world.stripe.tell("charge.updated", record, late=300)
    for _ in range(4):
        world.read_all()
        world.time.wait(minutes=4)
    world.read_all()
    assert late in world.landed("charges")
    assert world.judge() == []


@pytest.mark.parametrize("apart", [timedelta(hours=-3), timedelta(minutes=40)])
def test_a_clock_that_differs_from_stripes_loses_nothing(tmp_path: Path, apart: Any) -> None:
    world = World(tmp_path, apart=apart)
    charges = fill(world, 10)
    for number in range(6):
        world.read_all()
        world.time.wait(minutes=7)
        world.charge(50 + number)
        world.refund(charges[number], 10)
    world.read_all()
    assert world.judge() == []
    world.close()


def test_objects_that_appear_while_one_walks(world: World) -> None:
    fill(world, 35)

    def appear(number: int) -> None:
        if number % 2 == 0 and number < 12:
            world.charge(5)

    world.stripe.before = appear
    world.read_all()
    world.stripe.before = lambda number: None
    world.read_all()
    assert world.judge() == []


@pytest.mark.parametrize("ties", [True, False])
def test_objects_deleted_while_one_walks(world: World, ties: bool) -> None:
    """The member behind which the walk goes on is gone: it goes on from that member's second."""
    keys = []
    for _ in range(33):
        keys.append(world.customer())
        if not ties:
            world.time.wait(seconds=1)
    world.time.wait(hours=1)  # the next read's lookback will not make up for it
    page_edges = {23: 2, 13: 4, 3: 6}  # newest first; each is asked for twice

    def delete(number: int) -> None:
        for at, request in page_edges.items():
            if number == request:
                world.stripe.delete("customers", keys[at], "customer.deleted")

    world.stripe.before = delete
    world.read("customers")
    missing = [line for line in world.stripe.journal if line.status == 400]
    assert len(missing) == (1 if ties else 3)
    world.stripe.before = lambda number: None
    world.time.wait(minutes=1)
    world.read("customers")
    assert world.judge("customers") == []


def test_deletions_without_an_event_are_found_by_the_sweep(world: World) -> None:
    fill(world, 0, 30)
    world.read("customers")
    world.time.wait(days=40)  # their events are gone
    for number in (7, 17):
        world.stripe.delete("customers", f"cus_{number:06d}")
    done = world.read("customers")
    assert any("Deletions of that time are found by a sweep" in text for text in done.warnings)
    assert len(world.judge("customers")) == 2
    world.read("customers", "sweep")
    assert world.judge("customers") == []


def test_a_gap_longer_than_events_are_kept_reads_the_whole_list(world: World) -> None:
    charges = fill(world, 35)
    world.read_all()
    world.time.wait(days=5)
    world.refund(charges[2], 25)
    world.time.wait(days=31)  # its events are gone
    new = world.charge(77)
    done = world.read_all()
    assert any("longer ago than Stripe keeps events" in text for text in done["charges"].warnings)
    assert done["charges"].landed == 2
    assert new in world.landed("charges")
    assert world.judge() == []


def test_a_gap_of_weeks_is_worked_off_day_by_day(world: World) -> None:
    charges = fill(world, 40)
    world.read_all()
    for day in range(20):
        world.time.wait(days=1)
        world.refund(charges[day], 10)
        world.charge(20 + day)
    reads = len(world.network.requests)
    world.read_all()
    assert world.judge() == []
    lists = [r for r in world.network.requests[reads:] if r.url.path == "/v1/events"]
    assert sum("created[lt]" in str(r.url.params) or "created%5Blt%5D" in str(r.url)
               for r in lists) > 15  # fmt: skip


def test_entries_that_settle_without_an_event_are_read_again(world: World) -> None:
    fill(world, 35)
    world.read_all()
    for _ in range(5):
        world.time.wait(hours=12)
        world.charge(9)
        world.settle()
        world.read("balance_transactions")
    world.time.wait(hours=1, minutes=1)
    world.read("balance_transactions")
    assert world.judge("balance_transactions") == []
    world.time.wait(days=4)
    world.settle()
    last = world.read("balance_transactions")
    assert "pending" not in (last.bookmark_after or {})
    assert world.judge("balance_transactions") == []
    # Nothing is pending: the next run reads the lookback alone.
    world.time.wait(hours=1)
    assert world.read("balance_transactions").requests == 1


def test_without_the_right_to_events_the_last_days_are_read_again(world: World) -> None:
    charges = fill(world, 35)
    world.read_all()
    world.stripe.denied.add("events")
    world.time.wait(days=2)
    world.refund(charges[3], 5)
    new = world.charge(66)
    done = world.read("charges")
    assert done.landed == 2
    assert any("may not read events" in text for text in done.warnings)
    assert new in world.landed("charges")
    assert world.judge("charges") == []


@pytest.mark.parametrize("how", ["windows", "full"])
def test_other_ways_to_find_changes(tmp_path: Path, how: str) -> None:
    world = World(tmp_path, changes=how)
    charges = fill(world, 35)
    world.read_all()
    world.time.wait(days=2)
    world.refund(charges[0], 7)
    world.stripe.delete("customers", "cus_000002")
    done = world.read_all()
    if how == "windows":
        assert world.judge() == ["ghost: customers cus_000002"]
        world.read("customers", "sweep")
    assert done["charges"].landed == 1
    assert world.judge() == []
    asked = {line.name for line in world.stripe.journal if line.kind == "request"}
    assert "events" not in asked
    world.close()


def test_the_stream_of_events_keeps_what_stripe_forgets(world: World) -> None:
    fill(world, 35)
    assert world.read("events").landed == 47
    world.time.wait(days=20)
    world.charge(5)
    assert world.read("events").landed == 1
    world.time.wait(days=15)
    world.charge(6)
    # Those of the first days are gone there, whatever is asked for: none of them is deleted here.
    for how in ("changed", "full", "sweep"):
        assert world.read("events", how).held == 0
    assert len(world.landed("events")) == 49


def test_a_full_read_finds_what_nothing_told_of(world: World) -> None:
    charges = fill(world, 30)
    world.read_all()
    world.time.wait(days=1)
    world.stripe.change("charges", charges[0], description="silent")
    world.stripe.put("payment_intents", sample.payment_intent("pi_1", world.second, 10, "usd"))
    world.stripe.delete("customers", "cus_000001")
    world.read_all()
    assert world.judge("charges") == [f"stale: charges {charges[0]}"]
    world.read_all("full")
    assert world.judge() == []


def a_few_days(world: World, charges: list[str]) -> None:
    for day in range(3):
        world.time.wait(days=1)
        world.refund(charges.pop(), 3)
        customers = sorted(world.stripe.living("customers"))
        world.stripe.delete("customers", customers[1], "customer.deleted")
        world.stripe.change("customers", customers[0], "customer.updated", name=f"{world.second}")
        for _ in range(12 * (day == 1)):
            world.charge(44)
            world.customer()


@pytest.mark.parametrize(
    ("stream", "mode"),
    [
        ("customers", "changed"),
        ("charges", "full"),
        ("balance_transactions", "changed"),
    ],
)
def test_a_read_that_is_killed_at_any_request_goes_on(
    tmp_path: Path, stream: str, mode: Any
) -> None:
    """Every page is landed with its bookmark, so each request is a place to die and resume at."""
    place, killed = 0, True
    while killed:
        place += 1
        world = World(tmp_path / str(place))
        charges = fill(world, 25, 25)
        killed = world.killed_at(place, stream, mode)
        a_few_days(world, charges)
        world.read(stream, mode)
        world.read(stream)
        assert world.judge(stream) == [], place
        a_few_days(world, charges)
        killed |= world.killed_at(place, stream, "changed")
        a_few_days(world, charges)
        world.read(stream)
        assert world.judge(stream) == [], place
        world.close()
    assert place >= 5


def test_a_read_that_goes_on_counts_as_one_and_does_not_begin_again(world: World) -> None:
    charges = fill(world, 35)
    assert world.killed_at(3, "charges", "changed")
    done = world.read("charges")
    assert (done.read, done.requests) == (15, 2)
    assert world.judge("charges") == []
    # What changed while the first part was read is found by the events since it began.
    world.stripe.change("charges", charges[-1], "charge.updated", description="in between")
    world.time.wait(hours=1)
    world.read("charges")
    assert world.judge("charges") == []


def test_a_read_that_does_not_go_on_owes_what_was_deleted_since_the_one_before(
    world: World,
) -> None:
    """A full read was killed, the next one is none: a record of the first was deleted between."""
    fill(world, 0, 25)
    assert world.killed_at(2, "customers", "full")
    newest = max(world.landed("customers"))
    world.time.wait(hours=1)
    world.stripe.delete("customers", newest, "customer.deleted")
    world.time.wait(hours=1)
    for _ in range(2):
        world.read("customers")
    assert world.judge("customers") == []


@pytest.mark.parametrize("mode", ["changed", "sweep"])
def test_live_data_do_not_come_beside_test_data(world: World, mode: Any) -> None:
    """Who tried with a test key and then takes the live one says so by a full sync."""
    for _ in range(3):
        world.customer()
    world.time.wait(hours=1)
    world.read("customers")
    before = world.landed("customers")
    live = world.environment["STRIPE_KEY"] = "rk_live_canaryOfTheSimulator0002"
    world.space = Workspace.discover(world.environment)
    world.stripe = world.network.simulator = StripeSimulator(live, now=world.time.now)
    made = world.customer()
    with pytest.raises(ConfigError, match="until now are test, and now they would be live"):
        world.read("customers", mode)
    assert world.landed("customers") == before
    world.read("customers", "full")
    assert list(world.landed("customers")) == [made]
    world.read("customers", mode)
