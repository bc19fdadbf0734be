"""Plays network faults between a sync and the shop: at the n-th request of a read, counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from pipelines.outcome import StreamOutcome
from tests.faults.case import Result
from tests.faults.world import World

Ask = Callable[[], httpx.Response]
Play = Callable[[httpx.Request, Ask], httpx.Response]


@dataclass(frozen=True)
class Trouble:
    """One kind of fault. `play` answers or raises in place of the network; `ask` is the shop.

    `rows` are the records in its answer that the shop did not count.
    """

    name: str
    play: Play
    rows: int = 0


@dataclass
class _Order:
    trouble: Trouble
    times: float
    begun: bool = False


@dataclass
class Player(httpx.BaseTransport):
    """Stands before the shop of a world. Requests of a read are numbered from 1 by their URL.

    `fired` counts orders that came to play, `answers` how often they did. `tries` are the requests
    that arrived: second of the world's clock, stream, number.
    """

    made: World
    fired: int = 0
    answers: int = 0
    tries: list[tuple[float, str, int]] = field(default_factory=list)
    _orders: dict[tuple[str, int], _Order] = field(default_factory=dict)
    _seen: dict[str, dict[str, int]] = field(default_factory=dict)

    def order(
        self, trouble: Trouble, at: int = 0, *, times: float = 1, stream: str = "orders"
    ) -> None:
        """Play at the `at`-th request of the next read (0: at every one), `times` times."""
        self._orders[stream, at] = _Order(trouble, times)

    def clear(self) -> None:
        """Play nothing more."""
        self._orders.clear()

    def sync(self, stream: str = "orders", **how: Any) -> StreamOutcome:
        """Run one sync through here; its requests are numbered anew."""
        self._seen[stream] = {}
        self.tries.clear()
        self.made.clock.pauses.clear()
        return self.made.sync(stream, transport=self, **how)

    def requests(self, stream: str = "orders") -> int:
        """Return how many different requests the last read of the stream made."""
        return len(self._seen.get(stream, {}))

    def tried(self, at: int, stream: str = "orders") -> int:
        """Return how often the `at`-th request of the last read was sent."""
        return sum(1 for _, name, number in self.tries if (name, number) == (stream, at))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as the shop does, or as was ordered."""
        name = request.url.path.strip("/")
        seen = self._seen.setdefault(name, {})
        number = seen.setdefault(str(request.url), len(seen) + 1)
        self.tries.append((self.made.clock.at.timestamp(), name, number))

        def ask() -> httpx.Response:
            return self.made.network.handle_request(request)

        order = self._orders.get((name, number)) or self._orders.get((name, 0))
        if order is None or order.times <= 0:
            return ask()
        self.fired += not order.begun
        order.begun, order.times = True, order.times - 1
        self.answers += 1
        self.made.journal.write(
            "sent", collection=name, status=200 if order.trouble.rows else 0,
            records=order.trouble.rows, fault=order.trouble.name,
        )  # fmt: skip
        return order.trouble.play(request, ask)


# --- what is expected ------------------------------------------------------------------------
def stamp(bookmark: Any) -> str | None:
    """Return the stamp of a bookmark, None where there is none yet."""
    return (bookmark or {}).get("stamp")


def went_well(result: Result, said: str, outcome: StreamOutcome) -> None:
    """Hold that a read survived its faults."""
    result.expect(
        outcome.status == "ok" and outcome.error is None,
        f"{said}: {outcome.status} {outcome.error}",
    )


def failed_well(
    result: Result,
    said: str,
    outcome: StreamOutcome,
    kinds: Iterable[str],
    *words: str,
) -> None:
    """Hold that a read failed as it should: kind, words for people, bookmark where it was."""
    error = outcome.error
    if error is None or outcome.status != "failed":
        result.expect(False, f"{said}: status {outcome.status}, error {error}")
        return
    result.expect(error.kind in kinds, f"{said}: {error.kind} {error}")
    result.expect(error.what and error.do, f"{said}: names no cause or no next step: {error}")
    for word in words:
        result.expect(word in str(error), f"{said}: {word!r} is not in: {error}")
    before, after = stamp(outcome.bookmark_before), stamp(outcome.bookmark_after)
    result.expect(before == after, f"{said}: the bookmark moved from {before} to {after}")


def backed_off(result: Result, said: str, pauses: list[float], attempts: int) -> None:
    """Hold that the pauses between `attempts` tries grow twofold from 1 s, with jitter, to 30 s."""
    result.expect(len(pauses) == attempts - 1, f"{said}: {len(pauses)} pauses")
    for number, pause in enumerate(pauses):
        low = min(2.0**number, 30.0)
        result.expect(low <= pause <= low + 1, f"{said}: pause {number + 1} was {pause:.2f} s")
    if len(pauses) > 1:
        result.expect(any(p % 1 for p in pauses), f"{said}: pauses without jitter: {pauses}")
