"""The request budget: never above the rate, shared by processes, fair."""

from __future__ import annotations

import subprocess
import sys
from bisect import bisect_left

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.errors import ConfigError, Throttled, Unavailable
from connectors.rate import Budget, Rate, parse_rate


class Clock:
    def __init__(self, at: float = 1_700_000_000.0) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def pause(self, seconds: float) -> None:
        self.at += seconds


def budget(rate: Rate | None, clock: Clock, path=None, patience: float = 1e9) -> Budget:
    return Budget(rate, path, now=clock.now, pause=clock.pause, patience=patience)


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("5/s", Rate(5, 1)),
        ("100/m", Rate(100, 60)),
        ("1000/h", Rate(1000, 3600)),
        ("10000/d", Rate(10000, 86400)),
        (" 5 / s ", Rate(5, 1)),
    ],
)
def test_rates(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["5", "0/s", "5/w", "-1/s", "5/sec", "1.5/s", "/s"])
def test_rates_that_cannot_be_read(text):
    with pytest.raises(ConfigError):
        parse_rate(text)


@given(
    count=st.integers(1, 5),
    gaps=st.lists(st.floats(0, 3, allow_nan=False), min_size=1, max_size=40),
)
def test_no_window_has_more_than_the_rate(count, gaps):
    clock = Clock(0.0)
    one = budget(Rate(count, 1.0), clock)
    starts = []
    for gap in gaps:
        clock.at += gap
        one.take()
        starts.append(clock.at)
    one.close()
    for at in starts:
        assert starts.index(at) - bisect_left(starts, at - 1.0) < count


def test_a_burst_within_the_rate_does_not_wait():
    clock = Clock()
    one = budget(Rate(100, 60.0), clock)
    assert sum(one.take() for _ in range(100)) == 0
    assert one.take() > 59
    one.close()


def test_two_holders_of_one_file_share_it(tmp_path):
    clock = Clock()
    path = str(tmp_path / "shop.budget")
    holders = [budget(Rate(3, 1.0), clock, path) for _ in range(2)]
    starts = []
    for turn in range(20):
        holders[turn % 2].take()
        starts.append(clock.at)
    assert starts == sorted(starts)
    assert all(b - a >= 1.0 for a, b in zip(starts, starts[3:], strict=False))


def test_processes_share_it(tmp_path):
    """Four processes ask for places at one instant: every place is given once."""
    path = str(tmp_path / "shop.budget")
    code = (
        "import sys\nfrom connectors.rate import Budget, Rate\n"
        "b = Budget(Rate(2, 1.0), sys.argv[1], now=lambda: 1000.0, pause=lambda s: None,"
        " patience=1e9)\nprint(*[b.take() for _ in range(5)])\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    waits = sorted(float(w) for one in running for w in one.communicate(timeout=60)[0].split())
    assert waits == pytest.approx([turn // 2 * 1.05 for turn in range(20)])


def test_a_wait_beyond_patience_is_said_and_takes_no_place():
    clock = Clock()
    one = budget(Rate(1, 86400.0), clock, patience=300)
    one.take()
    with pytest.raises(Throttled, match="budget"):
        one.take()
    clock.at += 86400 * 1.06
    assert one.take() == 0
    one.close()


def test_a_hold_stops_every_process_of_the_connection(tmp_path):
    clock = Clock()
    path = str(tmp_path / "shop.budget")
    budget(None, clock, path).hold(30)
    assert budget(None, clock, path).take() == 30
    assert budget(None, clock, path).take() == 0


def test_a_clock_that_was_set_back_does_not_stop_the_connection(tmp_path):
    clock = Clock()
    path = str(tmp_path / "shop.budget")
    one = budget(Rate(1, 1.0), clock, path, patience=300)
    one.take()
    clock.at -= 90_000
    assert one.take() == 0


def test_a_budget_file_that_cannot_be_used_is_a_typed_error(tmp_path):
    with pytest.raises(Unavailable, match="budget"):
        budget(None, Clock(), str(tmp_path / "no" / "folder" / "x.db")).take()
