"""F1 and F5 in process: what is tried again at every request of a read, and what ends it."""

from __future__ import annotations

import math
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from connectors.errors import Unavailable
from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_play import (
    Ask,
    Player,
    Trouble,
    backed_off,
    failed_well,
    went_well,
)
from tests.faults.shop import STYLES, Style
from tests.faults.world import World, world

ATTEMPTS = 6
ORDERS = 35
MAIN: tuple[Style, ...] = ("cursor", "page", "next")
"""The styles that meet every kind at every request; the others meet some kind at every request."""
LONGEST = 36.0
"""Seconds that six tries of one request may pause in all: 1 + 2 + 4 + 8 + 16 and the jitter."""


def calls(style: Style) -> int:
    """Return how many requests a read of 35 orders in pages of 10 takes."""
    return 5 if style in ("page", "offset") else 4


def is_resumable(style: Style) -> bool:
    """Say whether a read that failed goes on behind the pages that came."""
    return style not in ("page", "offset")


def change(made: World, orders: int = ORDERS) -> None:
    """Commit new versions of the first `orders` orders, and let the safety lag pass."""
    for number in range(1, orders + 1):
        made.put(number)
    made.wait(60)


@dataclass(frozen=True)
class Lasting:
    """A trouble that does not end, the error it must become, and words of that error."""

    trouble: Trouble
    kind: str
    words: tuple[str, ...]
    tries: int = ATTEMPTS


def refused(request: httpx.Request, _ask: Ask) -> httpx.Response:
    """Play a closed port."""
    raise httpx.ConnectError("[Errno 111] Connection refused", request=request)


def unresolved(_request: httpx.Request, _ask: Ask) -> httpx.Response:
    """Play a resolver that does not know the name; in the words of the connector's own check."""
    raise Unavailable(
        f"The name shop.example was not resolved ({socket.gaierror(-2, 'Name not known')}).",
        "check base_url's spelling and this machine's DNS.",
    )


def status(number: int) -> Trouble:
    """Return the trouble of an answer with this status and a vendor's message."""

    def play(request: httpx.Request, _ask: Ask) -> httpx.Response:
        return httpx.Response(
            number,
            headers={"content-type": "application/json"},
            stream=httpx.ByteStream(b'{"error":{"message":"upstream is resting"}}'),
            request=request,
        )

    return Trouble(str(number), play)


REFUSED, UNRESOLVED = Trouble("refused", refused), Trouble("unresolved", unresolved)
REACH = (
    Lasting(REFUSED, "Unavailable", ("did not answer", "refused")),
    Lasting(UNRESOLVED, "Unavailable", ("was not resolved", "DNS")),
)
DOWN = tuple(
    Lasting(status(n), "Unavailable", (f"HTTP {n}", "upstream is resting"))
    for n in (500, 502, 503, 504)
)


def planned(style: Style, transient: int, lasting: bool = True) -> int:
    """Return how many orders `sweep` means to fire."""
    return calls(style) * (transient + 2 * lasting)


def sweep(
    style: Style,
    transient: Sequence[tuple[Trouble, int]],
    lasting: Sequence[Lasting],
    folder: Path,
) -> Result:
    """Play every transient trouble (with its number of times) and a lasting one at every request.

    One world: the first load fails at every request in turn, then whole and incremental reads get
    through troubles at all of their requests, then incremental reads fail at every request.
    """
    result = Result()
    with world(folder, style=style, owed=True) as made:
        player = Player(made)
        if lasting:
            fail_everywhere(result, "first load", player, lasting)
            went_well(result, "after a failed first load", player.sync())
        for turn in range(len(transient)):
            change(made, ORDERS if turn % 2 else 1)
            due = [transient[(turn + n) % len(transient)] for n in range(calls(style))]
            _get_through(result, player, due, full=turn % 2 == 0)
        if lasting:
            change(made)
            fail_everywhere(result, "incremental read", player, lasting)
        result.fired = player.fired
        return settle(made, result)


def _get_through(
    result: Result, player: Player, due: Sequence[tuple[Trouble, int]], *, full: bool
) -> None:
    for at, (trouble, times) in enumerate(due, 1):
        player.order(trouble, at, times=times)
    outcome = player.sync(full=full)
    player.clear()
    said = f"{'whole' if full else 'incremental'} read with {[(t.name, n) for t, n in due]}"
    went_well(result, said, outcome)
    result.expect(player.requests() == len(due), f"{said}: {player.requests()} requests")
    result.expect(outcome.read == ORDERS, f"{said}: {outcome.read} records read")
    pauses = list(player.made.clock.pauses)
    for at, (_, times) in enumerate(due, 1):
        tried = player.tried(at)
        result.expect(tried == times + 1, f"{said}: request {at} was sent {tried} times")
        backed_off(result, f"{said}, request {at}", pauses[:times], times + 1)
        pauses = pauses[times:]
    result.expect(not pauses, f"{said}: {len(pauses)} pauses too many")
    result.expect(outcome.retries == sum(n for _, n in due), f"{said}: {outcome.retries} retries")


def fail_everywhere(result: Result, read: str, player: Player, lasting: Sequence[Lasting]) -> None:
    """Fail at every request in turn, by the troubles in turn."""
    made, style = player.made, player.made.style
    for number in range(1, calls(style) + 1):
        fault = lasting[number % len(lasting)]
        # A read that failed goes on behind the pages that it has, where it can.
        at = min(number, 2) if is_resumable(style) else number
        change(made, 1)
        player.order(fault.trouble, at, times=math.inf)
        outcome = player.sync()
        said = f"{read}, {fault.trouble.name} at request {number}"
        failed_well(result, said, outcome, [fault.kind], *fault.words)
        tried = player.tried(at)
        result.expect(tried == fault.tries, f"{said}: sent {tried} times")
        backed_off(result, said, made.clock.pauses, fault.tries)
        result.expect(sum(made.clock.pauses) <= LONGEST, f"{said}: paused too long")
        if number == 1:
            went_well(result, f"{said}, the other stream", player.sync("customers"))
        player.clear()


def cases(size: Size) -> list[Case]:
    """Return the cases of F1 and F5; none of them is quick."""
    if size == "quick":
        return []
    found = []
    for style in STYLES:
        reach = [(t, n) for t in (REFUSED, UNRESOLVED) for n in (1, 2, 5)]
        down = [(fault.trouble, burst) for fault in DOWN for burst in range(1, 6)]
        if style not in MAIN:
            reach, down = reach[::3], down[::6]
        for row, transient, lasting in (("F1", reach, REACH), ("F5", down, DOWN)):
            run = partial(sweep, style, transient, lasting)
            found.append(Case(row, f"{row}-{style}", run, planned(style, len(transient))))
    return found
