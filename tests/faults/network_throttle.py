"""F6: a system that asks for patience in every form, and a budget that is never passed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from email.utils import format_datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

import httpx

from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_play import Ask, Player, Trouble, failed_well, went_well
from tests.faults.network_tries import ATTEMPTS, calls, change, is_resumable
from tests.faults.shop import STYLES, Style
from tests.faults.world import World, world

AFTER = 7
DAY = 86_400
RULES = "timeout: 5s\n    answers: [{status: 200, when: code = 429, is: throttled}]"


def throttle(made: World, name: str) -> Trouble:
    """Return a 429 (or its like inside a 200) that asks to wait in the form `name`."""

    def play(request: httpx.Request, _ask: Ask) -> httpx.Response:
        # The server's clock is three hours off: a date counts from its own Date header.
        now = made.clock.at + timedelta(hours=3)
        headers = {
            "seconds": {"retry-after": str(AFTER)},
            "date": {
                "retry-after": format_datetime(now + timedelta(seconds=AFTER), usegmt=True),
                "date": format_datetime(now, usegmt=True),
            },
            "missing": {},
            "nonsense": {"retry-after": "soon"},
            "absurd": {"retry-after": str(DAY)},
            "absurd date": {
                "retry-after": format_datetime(now + timedelta(seconds=DAY), usegmt=True),
                "date": format_datetime(now, usegmt=True),
            },
            "in the body": {},
        }[name]
        inside = name == "in the body"
        body = b'{"code":429,"data":[],"message":"slow down"}'
        return httpx.Response(
            200 if inside else 429,
            headers={"content-type": "application/json", **headers},
            stream=httpx.ByteStream(body),
            request=request,
        )

    return Trouble(f"429 {name}", play)


HONOURED = ("seconds", "date", "missing", "nonsense", "in the body")
ABSURD = ("absurd", "absurd date")


def forms(style: Style, folder: Path) -> Result:
    """Throttle every request in every form: what can be waited for is, what cannot is said."""
    result = Result()
    with world(folder, style=style, owed=True, extra=RULES) as made:
        player = Player(made)
        for turn in range(len(HONOURED)):
            change(made)
            for at in range(1, calls(style) + 1):
                player.order(throttle(made, HONOURED[(turn + at) % len(HONOURED)]), at)
            outcome = player.sync(full=turn % 2 == 0)
            player.clear()
            went_well(result, f"throttled at every request, turn {turn}", outcome)
            result.expect(outcome.read == 35, f"turn {turn}: {outcome.read} read")
            _waited(result, turn, made.clock.pauses, calls(style))
            result.expect(outcome.throttled_seconds > calls(style), "throttled seconds not told")
        change(made)
        for number in range(1, calls(style) + 1):
            at = min(number, 2) if is_resumable(style) else number
            name = ABSURD[number % 2]
            player.order(throttle(made, name), at, times=math.inf)
            outcome = player.sync()
            said = f"{name} at request {number}"
            failed_well(result, said, outcome, ["Throttled"], "asks to wait 86400 s", "rate:")
            result.expect(player.tried(at) == 1, f"{said}: sent {player.tried(at)} times")
            result.expect(not made.clock.pauses, f"{said}: paused {made.clock.pauses}")
            result.expect(outcome.exit_code == 3, f"{said}: exit code {outcome.exit_code}")
            player.clear()
        player.order(throttle(made, "missing"), 1, times=math.inf)
        outcome = player.sync()
        failed_well(result, "429 for ever", outcome, ["Throttled"], "kept throttling", "rate:")
        result.expect(player.tried(1) == ATTEMPTS, f"429 for ever: sent {player.tried(1)} times")
        went_well(result, "the other stream", player.sync("customers"))
        result.fired = player.fired
        return settle(made, result)


def _waited(result: Result, turn: int, pauses: list[float], wanted: int) -> None:
    result.expect(len(pauses) >= wanted, f"turn {turn}: {len(pauses)} pauses")
    for at in range(1, wanted + 1):
        name = HONOURED[(turn + at) % len(HONOURED)]
        pause = pauses[at - 1] if len(pauses) >= at else -1.0
        low = AFTER if name in ("seconds", "date") else 1
        fits = low <= pause <= low + 2
        result.expect(fits, f"turn {turn}: {name} was answered with a pause of {pause:.2f} s")


def most_in_window(at: Iterable[float], seconds: float) -> int:
    """Return the greatest number of moments within any half-open window of so many seconds."""
    moments = sorted(at)
    most = first = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - seconds + 1e-9:
            first += 1
        most = max(most, last - first + 1)
    return most


def budget(style: Style, folder: Path) -> Result:
    """Count at the shop: whatever is thrown at a connection of 3/s, no second sees a fourth."""
    result = Result()
    with world(folder, style=style, owed=True, extra=RULES + "\n    rate: 3/s") as made:
        player = Player(made)
        arrived: list[float] = []
        for turn in range(4):
            change(made)
            for at in range(1, calls(style) + 1):
                if (turn + at) % 2:
                    player.order(throttle(made, HONOURED[turn]), at, times=1 + at % 2)
            for stream in ("customers", "orders"):
                outcome = player.sync(stream, full=turn % 2 == 0)
                went_well(result, f"{stream} under a budget, turn {turn}", outcome)
                arrived += [at for at, _, _ in player.tries]
            player.clear()
        most = most_in_window(arrived, 1.0)
        result.expect(most <= 3, f"{most} requests in one second, 3 are allowed")
        result.expect(arrived == sorted(arrived), "the clock of the counts went back")
        idle = max((b - a for a, b in pairwise(arrived)), default=0.0)
        result.expect(idle < 80, f"nothing was asked for {idle:.0f} s")
        result.fired = player.fired
        return settle(made, result)


def cases(size: Size) -> list[Case]:
    """Return the cases of F6; none of them is quick."""
    found = []
    for style in STYLES if size == "full" else ():
        reads = len(HONOURED) + 1
        found.append(Case("F6", f"F6-{style}", partial(forms, style), calls(style) * reads + 1))
        half = 2 * calls(style)
        found.append(Case("F6", f"F6-budget-{style}", partial(budget, style), half))
    return found
