"""F1 to F4 over real sockets: what the proxy does to a connection, and what becomes of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

from pipelines.outcome import StreamOutcome
from tests.faults import network_tls
from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_door import FRAMINGS, Door, Framing, door
from tests.faults.network_play import failed_well, went_well
from tests.faults.network_tries import calls, change, is_resumable
from tests.faults.proxy import Proxy, Toxic, proxy
from tests.faults.shop import STYLES, Style
from tests.faults.world import World

SECONDS = 0.5
"""Total time of one request in these worlds, but for the one that is about a whole second."""
NAME = "shop.internal"


@contextmanager
def served(
    folder: Path, style: Style, *, seconds: float = SECONDS, more: str = "", name: str = ""
) -> Iterator[tuple[World, Proxy, Door]]:
    """Make a world that reads its shop through a proxy over loopback; pauses take no time."""
    with door() as back, proxy(back.port) as way:
        url = f"http://{name}:{way.port}" if name else way.url
        made = World(folder, style=style, url=url, extra=f"timeout: {seconds:g}s{more}")
        back.shop = made.shop
        for collection in made.shop.collections.values():
            collection.envelope = {"remark": "x" * 300}  # an empty page has a body to cut, too

        def note(toxic: Toxic) -> None:
            made.journal.write("sent", collection="orders", status=0, records=0, fault=toxic.kind)

        way.on_fire = note
        try:
            yield made, way, back
        finally:
            made.close()


def sync(made: World, stream: str = "orders", **how: Any) -> StreamOutcome:
    """Run one sync over the network; the world's clock takes the pauses."""
    made.clock.pauses.clear()
    return made.sync(stream, pause=made.clock.pause, **how)


def end(made: World, way: Proxy, result: Result) -> Result:
    """Let the judge see the world after everything works again."""
    way.expect()
    result.fired += len(way.fired)
    return settle(made, result)


def every_answer(style: Style, framing: Framing, toxics: Sequence[Toxic], folder: Path) -> Result:
    """Play a toxic at the first try of every request of a read; each of them once at each request.

    The first read is the first load, then incremental and whole ones take turns.
    """
    result = Result()
    with served(folder, style) as (made, way, back):
        back.framing, back.keeps = framing, framing == "chunked"
        for turn in range(len(toxics)):
            if turn:
                change(made)
            wanted = calls(style)
            # Every first try is broken, so tries and repetitions take turns.
            due = {2 * n + 1: toxics[(turn + n) % len(toxics)] for n in range(wanted)}
            way.expect(due)
            outcome = sync(made, full=turn > 0 and turn % 2 == 0)
            said = f"{framing}, {[(t.kind, t.after) for t in due.values()]}"
            went_well(result, said, outcome)
            result.expect(outcome.read == 35, f"{said}: {outcome.read} records read")
            result.expect(outcome.retries == wanted, f"{said}: {outcome.retries} tries more")
            result.expect(way.turns == 2 * wanted, f"{said}: {way.turns} requests arrived")
            low = all(1 <= pause <= 2 for pause in made.clock.pauses)
            result.expect(low, f"{said}: pauses of {made.clock.pauses}")
        return end(made, way, result)


def lasting(style: Style, toxic: Toxic, folder: Path) -> Result:
    """Play a toxic without end from request n on, in turn; time is bounded, nothing moves."""
    result = Result()
    with served(folder, style, more="\n    attempts: 3") as (made, way, _):
        went_well(result, "first load", sync(made))
        change(made)
        for number in range(1, calls(style) + 1):
            at = min(number, 2) if is_resumable(style) else number
            way.expect({turn: toxic for turn in range(at, at + 3)})
            begun = time.monotonic()
            outcome = sync(made)
            took = time.monotonic() - begun
            said = f"{toxic.kind} after {toxic.after} from request {number} on"
            failed_well(result, said, outcome, ["Unavailable"], "")
            result.expect(way.turns == at + 2, f"{said}: {way.turns} requests arrived")
            result.expect(took < 3 * SECONDS + 8, f"{said}: took {took:.1f} s")
            way.expect()
        went_well(result, "the other stream", sync(made, "customers"))
        return end(made, way, result)


def deadline(toxic: Toxic, folder: Path) -> Result:
    """Hold `timeout: 1s` against a real clock: the total time of a request, byte by byte too."""
    result = Result()
    with served(folder, "cursor", seconds=1, more="\n    attempts: 2") as (made, way, _):
        went_well(result, "customers", sync(made, "customers"))
        way.expect({0: toxic})
        begun = time.monotonic()
        outcome = sync(made)
        took = time.monotonic() - begun
        failed_well(result, toxic.kind, outcome, ["Unavailable"], "no whole answer within 1 s")
        result.expect(2.0 <= took <= 6.0, f"two tries of one second took {took:.1f} s")
        return end(made, way, result)


def refused(style: Style, folder: Path) -> Result:
    """Close the port before request n, for two tries; open it again."""
    result = Result()
    with served(folder, style) as (made, way, back):
        for number in range(1, calls(style) + 1):
            change(made)
            first = back.answers
            tries = iter(range(100))

            def before(answer: int, first: int = first, number: int = number) -> None:
                if answer == first + number - 1:
                    way.refuse()

            def pause(seconds: float, tries: Iterator[int] = tries) -> None:
                made.clock.pause(seconds)
                if next(tries) == 1:
                    way.accept()

            back.after = before
            if number == 1:
                way.refuse()
            outcome = made.sync("orders", pause=pause, full=number % 2 == 0)
            back.after = lambda answer: None
            refusals = next(tries)
            result.fired += refusals > 0
            went_well(result, f"refused at request {number}", outcome)
            result.expect(refusals == 2, f"refused at request {number}: {refusals} pauses")
        return end(made, way, result)


def unresolved(style: Style, folder: Path) -> Result:
    """Let the resolver fail at the connection of request n, twice; then for ever."""
    result = Result()
    real = socket.getaddrinfo
    asked: list[int] = []
    failing: set[int] = set()

    def resolve(host: Any, *more: Any, **named: Any) -> Any:
        if host != NAME:
            return real(host, *more, **named)
        asked.append(len(asked) + 1)
        if asked[-1] in failing:
            result.fired += asked[-1] - 1 not in failing
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real("127.0.0.1", *more, **named)

    with (
        mock.patch.object(socket, "getaddrinfo", resolve),
        served(folder, style, name=NAME) as (made, way, _),
    ):
        for number in range(1, calls(style) + 1):
            change(made)
            asked.clear()
            failing |= {number, number + 1}
            outcome = sync(made, full=number % 2 == 0)
            went_well(result, f"name not resolved at request {number}", outcome)
            result.expect(outcome.retries == 2, f"{outcome.retries} tries more")
            failing.clear()
        asked.clear()
        failing |= set(range(1, 100))
        words = ("was not resolved", "DNS")
        failed_well(result, "never resolved", sync(made), ["Unavailable"], *words)
        result.expect(len(asked) == 6, f"{len(asked)} times resolved")
        failing.clear()
        return end(made, way, result)


# --- the cases -------------------------------------------------------------------------------
RESETS = tuple(Toxic("reset", after=k) for k in (0, 1, 9, 60, 150, 400))
CUTS = tuple(Toxic("limit", after=k) for k in (0, 40, 130, 200, 400))
SILENT = (Toxic("blackhole", after=0), Toxic("blackhole", after=110), Toxic("slicer", size=1,
          seconds=0.05))  # fmt: skip


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return the cases over real sockets; they hang on no seed."""
    found = []
    for style in STYLES if size == "full" else ("page",):
        n = calls(style)
        resets = RESETS if size == "full" else RESETS[::3]
        run = partial(every_answer, style, "length", resets)
        found.append(Case("F2", f"F2-{style}", run, n * len(resets)))
        if size == "quick":
            continue
        for framing in FRAMINGS:
            run = partial(every_answer, style, framing, CUTS)
            found.append(Case("F3", f"F3-{framing}-{style}", run, n * len(CUTS)))
        run = partial(every_answer, style, "length", SILENT)
        found.append(Case("F4", f"F4-{style}", run, n * len(SILENT)))
        found.append(Case("F1", f"F1-port-{style}", partial(refused, style), n))
        found.append(Case("F1", f"F1-name-{style}", partial(unresolved, style), n + 1))
        for row, toxic in (("F2", RESETS[4]), ("F4", SILENT[1])):
            run = partial(lasting, style, toxic)
            found.append(Case(row, f"{row}-lasting-{style}", run, 3 * n))
    if size == "quick":
        run = partial(every_answer, "next", "end", CUTS[3:])
        found.append(Case("F3", "F3-end-next", run, calls("next") * 2))
    for number, toxic in enumerate(SILENT[1:] if size == "full" else SILENT[2:]):
        found.append(Case("F4", f"F4-deadline-{number}", partial(deadline, toxic), 2))
    return found + network_tls.cases(size)
