"""Points that an answer tells of, and files that are fetched in pieces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from connectors.base import Context
from connectors.body import Body
from connectors.errors import ContractBroken, Refused, Unavailable
from connectors.http import HttpClient, Request
from connectors.ledger import Ledger
from connectors.outcome import Rule
from connectors.points import Points
from connectors.ranged import pieces
from connectors.testing.clock import StillClock
from connectors.testing.wire import answer

POINTS = Points(("cost",), ("left",), ("refill",))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
DATA = bytes(range(256)) * 10


@pytest.mark.parametrize(
    ("body", "least", "seconds"),
    [
        (b'{"cost":502,"left":120,"refill":100.0}', 0, 3.82),
        (b'{"cost":2,"left":1988,"refill":100}', 0, 0),
        (b'{"cost":2,"left":350,"refill":100}', 850, 5),
        (b'{"cost":2,"left":null,"refill":100}', 0, None),
        (b'{"cost":2,"left":1,"refill":0}', 0, None),
    ],
)
def test_the_seconds_until_the_points_are_there(
    body: bytes, least: float, seconds: float | None
) -> None:
    points = Points(POINTS.cost, POINTS.available, POINTS.refill, least)
    assert points.left(Body(body), NOW, UTC) == pytest.approx(seconds)
    assert points.left(None, NOW, UTC) is None


def test_an_answer_that_is_taken_holds_the_next_request() -> None:
    clock = StillClock()
    transport = httpx.MockTransport(
        lambda request: answer(200, b'{"cost": 10, "left": 4, "refill": 0.7}')
    )
    context = Context("one", now=clock.now, pause=clock.pause, transport=transport)
    client = HttpClient("https://x.example", context, rules=(Rule("ok", (200,), pause=POINTS),))
    client.send(Request("a"))
    assert clock.pauses == []
    client.send(Request("b"))
    assert sum(clock.pauses) == pytest.approx(6 / 0.7, abs=0.1)


def test_a_rest_of_a_hold_below_a_clocks_tick_ends() -> None:
    """A clock of microseconds never passed the last 0.2 of one."""
    ledger, at = Ledger(), 1772366403.782276
    ledger.stop(at, 0.6361077611)
    clock = datetime.fromtimestamp(at, UTC)
    for _ in range(3):
        left = ledger.held(clock.timestamp())
        clock += timedelta(seconds=left)
    assert ledger.held(clock.timestamp()) == 0


# --- pieces --------------------------------------------------------------------------------------
class Host:
    """A storage host with one file; `odd` is what it answers in the place of a piece, in turn."""

    def __init__(self, *odd: httpx.Response | None, ranges: bool = True) -> None:
        self.odd, self.ranges = list(odd), ranges
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.headers["range"])
        if self.odd and (odd := self.odd.pop(0)) is not None:
            return odd
        if not self.ranges:
            return answer(200, DATA)
        first, last = map(int, self.asked[-1].removeprefix("bytes=").split("-"))
        said = {"content-range": f"bytes {first}-{last}/{len(DATA)}"}
        return answer(206, DATA[first : last + 1], said)

    def fetch(self, link: str = "https://x.example/f?signed=1", piece: int = 1000) -> list[bytes]:
        clock = StillClock()
        context = Context(
            "one", now=clock.now, pause=clock.pause, transport=httpx.MockTransport(self.answer)
        )
        client = HttpClient("https://x.example", context)
        return list(pieces(client, link, len(DATA), piece=piece))


def test_a_file_comes_in_pieces() -> None:
    host = Host()
    assert [len(one) for one in host.fetch()] == [1000, 1000, 560]
    assert b"".join(Host(ranges=False).fetch()) == DATA
    assert host.asked == ["bytes=0-999", "bytes=1000-1999", "bytes=2000-2559"]


def test_a_piece_that_is_cut_off_is_asked_for_again() -> None:
    short = {"content-range": f"bytes 1000-1999/{len(DATA)}"}
    cut = [answer(206, DATA[:9], short) for _ in range(4)]
    host = Host(None, cut.pop(), answer(503, b""))
    assert b"".join(host.fetch()) == DATA
    assert len(host.asked) == 5
    with pytest.raises(Unavailable, match="cut off 3 times"):
        Host(None, *cut).fetch()


def test_another_file_is_none() -> None:
    other = {"content-range": f"bytes 0-999/{len(DATA) + 1}"}
    longer = [answer(206, DATA[:1000], other) for _ in range(3)]
    with pytest.raises(ContractBroken, match="not the one that was announced"):
        Host(*longer).fetch()
    with pytest.raises(ContractBroken, match="came in pieces before"):
        Host(None, *(answer(200, DATA) for _ in range(3))).fetch()


def test_a_link_to_another_host_is_refused() -> None:
    host = Host()
    with pytest.raises(Refused):
        host.fetch("https://elsewhere.example/f")
    assert host.asked == []
