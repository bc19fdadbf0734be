"""The request budget: never above its limits, shared by processes, fair, not stuck by a crash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigError, Throttled
from connectors.ledger import Ledger, decode
from connectors.rate import Budget, Rate, parse_rate, parse_rates
from connectors.shared import OwnShelf, Shelf


class Clock:
    def __init__(self, at: float = 1_700_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds


class Other(OwnShelf):
    """The shelf as another process sees it, which may die."""

    dead: frozenset[str] = frozenset()

    def __init__(self, shelf: OwnShelf, owner: str) -> None:
        self.owner = owner
        self.read, self.change = shelf.read, shelf.change

    def is_dead(self, owner: str) -> bool:
        return owner in Other.dead


def budget(rates, clock: Clock, shelf: Shelf | None = None, patience: float = 1e9) -> Budget:
    rates = (rates,) if isinstance(rates, Rate) else rates
    return Budget(
        rates, shelf, now=clock.now, pause=clock.pause, patience=patience, longest=60.0
    )  # fmt: skip


def call(one: Budget) -> float:
    """Send one request that is answered at once."""
    place = one.take()
    place.done()
    return place.waited


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/s", Rate(5, 1)),
        ("100/m", Rate(100, 60)),
        ("100/20s", Rate(100, 20)),
        ("1000/h", Rate(1000, 3600)),
        ("10000/d", Rate(10000, 86400)),
        (" 5 / s ", Rate(5, 1)),
    ],
)
def test_rates(text, rate):
    assert parse_rate(text) == rate


def test_several_rates():
    assert parse_rates("5/s, 100/m,100/20s") == (Rate(5, 1), Rate(100, 60), Rate(100, 20))


@pytest.mark.parametrize(
    "text", ["5", "0/s", "5/w", "-1/s", "5/sec", "1.5/s", "/s", "5/0s", "5/s,", "1/99999d",
             "1/s,2/s,3/s,4/s,5/s"],
)  # fmt: skip
def test_rates_that_cannot_be_read(text):
    with pytest.raises(ConfigError):
        parse_rates(text)


@given(
    counts=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    gaps=st.lists(
        st.tuples(st.floats(0, 3), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40
    ),
)
def test_no_window_has_more_than_any_of_the_rates(counts, gaps):
    """A request arrives anywhere between its leave and the begin of its answer."""
    clock = Clock(0.0)
    rates = [Rate(count, float(4**n)) for n, count in enumerate(counts)]
    one = budget(rates, clock)
    arrived = []
    for gap, way, back in gaps:
        clock.at += gap
        place = one.take()
        arrived.append(clock.at + way)
        clock.at += way + back
        place.done()
    for rate in rates:
        for first, last in zip(arrived, arrived[rate.count :], strict=False):
            assert last - first >= rate.seconds


def test_a_burst_within_the_rate_does_not_wait():
    clock = Clock()
    one = budget(Rate(100, 60.0), clock)
    assert sum(call(one) for _ in range(100)) == 0
    assert 60 < call(one) < 60.2


def test_the_narrower_of_two_limits_holds():
    clock = Clock()
    one = budget((Rate(5, 1.0), Rate(20, 60.0)), clock)
    begun = clock.at
    for _ in range(20):
        call(one)
    assert 3 <= clock.at - begun < 3.1
    call(one)
    assert 60 <= clock.at - begun < 60.2


def test_a_request_under_way_counts_until_a_window_after_its_answer():
    clock = Clock()
    one = budget(Rate(1, 10.0), clock)
    place = one.take()
    clock.at += 7
    place.done()
    assert 10 <= call(one) < 10.1


def test_two_holders_of_one_shelf_share_it():
    clock, shelf = Clock(), OwnShelf()
    holders = [budget(Rate(3, 1.0), clock, shelf) for _ in range(2)]
    starts = []
    for turn in range(20):
        call(holders[turn % 2])
        starts.append(clock.at)
    assert all(b - a >= 1.0 for a, b in zip(starts, starts[3:], strict=False))


def test_places_are_given_in_order_of_asking():
    ledger, rates, alive = Ledger(), (Rate(1, 1.0),), lambda owner: False
    ask = lambda name, now: ledger.ask(rates, name, "p", now, 60, 300, alive)  # noqa: E731
    assert ask("a", 0.0) == 0
    ledger.end("a", 0.0)
    assert 0.9 < ask("b", 0.1) < 1
    assert ask("c", 0.2) > 1  # behind b: not before another window
    assert ask("c", 1.1) > 0
    assert ask("b", 1.1) == 0


@pytest.mark.parametrize("state", ["under way", "waiting"])
def test_a_process_that_died_gives_its_place_back(state):
    clock, shelf = Clock(), OwnShelf()
    dying, living = Other(shelf, "dying"), Other(shelf, "living")
    Other.dead = frozenset()
    if state == "under way":
        budget(Rate(1, 1.0), clock, dying).take()
    else:
        call(budget(Rate(1, 1.0), clock, living))
        shelf.change(lambda text: _asked(text, clock.at))
    Other.dead = frozenset({"dying"})
    assert call(budget(Rate(1, 1.0), clock, living)) < 1.1


def _asked(text: str | None, now: float) -> tuple[str, float]:
    from connectors.ledger import encode

    ledger = decode(text)
    wait = ledger.ask((Rate(1, 1.0),), "w", "dying", now, 60, 300, lambda owner: False)
    return encode(ledger), wait


def test_a_request_of_which_nothing_was_heard_is_given_up_in_time():
    """Its process stands on another machine: nobody can see that it died."""
    clock, shelf = Clock(), OwnShelf()
    budget(Rate(1, 1.0), clock, shelf).take()
    assert 60 < call(budget(Rate(1, 1.0), clock, shelf)) < 63


def test_a_wait_beyond_patience_is_said_and_takes_no_place():
    clock = Clock()
    one = budget(Rate(1, 86400.0), clock, patience=300)
    call(one)
    for _ in range(3):
        with pytest.raises(Throttled, match="budget"):
            one.take()
    clock.at += 86400 * 1.01
    assert call(one) == 0


def test_one_who_is_stopped_while_it_waits_leaves_the_queue():
    clock, shelf = Clock(), OwnShelf()

    def stopped(seconds: float) -> None:
        raise KeyboardInterrupt

    call(budget(Rate(1, 1.0), clock, shelf))
    other = Budget((Rate(1, 1.0),), shelf, now=clock.now, pause=stopped, patience=300)
    with pytest.raises(KeyboardInterrupt):
        other.take()
    assert call(budget(Rate(1, 1.0), clock, shelf)) < 1.1


@pytest.mark.parametrize("rates", [(), (Rate(5, 1.0),)])
def test_a_hold_stops_every_process_of_the_connection(rates):
    clock, shelf = Clock(), OwnShelf()
    budget(rates, clock, shelf).hold(30)
    budget(rates, clock, shelf).hold(10)  # a shorter one takes nothing back
    assert call(budget(rates, clock, shelf)) == 30
    assert call(budget(rates, clock, shelf)) == 0


@pytest.mark.parametrize("rates", [(), (Rate(1, 1.0),)])
def test_a_clock_that_was_set_back_stops_the_connection_for_a_window_at_most(rates):
    clock, shelf = Clock(), OwnShelf()
    one = budget(rates, clock, shelf, patience=300)
    one.hold(20)
    call(one)
    one.take()  # and one of which nothing is heard any more
    one.hold(20)
    clock.at -= 90_000
    assert call(one) < 85


def test_the_document_stays_small():
    clock, shelf = Clock(), OwnShelf()
    one = budget((Rate(10_000, 86400.0), Rate(5, 1.0)), clock, shelf, patience=300)
    for _ in range(3000):
        call(one)
    assert len(shelf.read()) < 5_000
    ended = decode(shelf.read()).ended["10000/86400"]
    assert sum(group.count for group in ended) == 3000


def test_a_limit_that_was_written_into_the_settings_knows_what_went_before():
    clock, shelf = Clock(), OwnShelf()
    before = budget(Rate(10, 60.0), clock, shelf)
    for _ in range(3):
        call(before)
    assert call(budget(Rate(3, 30.0), clock, shelf)) > 29


@pytest.mark.parametrize("text", ["", "{", "[]", '{"out": 3}'])
def test_a_document_that_cannot_be_read_is_begun_anew(text):
    shelf = OwnShelf()
    shelf.change(lambda before: (text, None))
    assert call(budget(Rate(1, 1.0), Clock(), shelf)) == 0
