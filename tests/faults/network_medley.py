"""A little of every row in one world a style, for `make test`."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_answers import ENVELOPES, GOOD, LOGIN, OK, READABLE, UNREADABLE, WEB
from tests.faults.network_play import Player, failed_well, went_well
from tests.faults.network_throttle import throttle
from tests.faults.network_tries import (
    DOWN,
    MAIN,
    REACH,
    REFUSED,
    UNRESOLVED,
    calls,
    change,
    is_resumable,
    status,
)
from tests.faults.shop import Style
from tests.faults.world import world


def medley(style: Style, turn: int, folder: Path) -> Result:
    """Get a first load and a read through troubles at all requests; fail once by each row."""
    result = Result()
    with world(folder, style=style, owed=True, extra=f"timeout: 5s\n    ok: {OK}") as made:
        for collection in made.shop.collections.values():
            collection.envelope = dict(GOOD)
        player = Player(made)
        kinds = [REFUSED, status(503), throttle(made, "seconds"), READABLE[turn], UNRESOLVED]
        for full in (False, True):
            for at in range(1, calls(style) + 1):
                player.order(kinds[(at + turn + full) % len(kinds)], at, times=1 + at % 3)
            outcome = player.sync(full=full)
            went_well(result, "a read with trouble at every request", outcome)
            result.expect(outcome.read == 35, f"{outcome.read} records read")
            player.clear()
            change(made)
        rows = (REACH, DOWN, ENVELOPES, WEB, (LOGIN,), UNREADABLE)
        for number, row in enumerate(rows):
            fault = row[turn % len(row)]
            if number == 3:  # the pages that can be gone on from are used up
                went_well(result, "after failed reads", player.sync())
                change(made)
            at = 2 if is_resumable(style) and number % 3 else 1
            player.order(fault.trouble, at, times=math.inf)
            outcome = player.sync()
            failed_well(result, fault.trouble.name, outcome, [fault.kind], *fault.words)
            tried = player.tried(at)
            result.expect(tried == fault.tries, f"{fault.trouble.name}: sent {tried} times")
            player.clear()
        went_well(result, "the other stream", player.sync("customers"))
        result.fired = player.fired
        return settle(made, result)


def cases(size: Size) -> list[Case]:
    """Return the cases of the quick subset."""
    if size != "quick":
        return []
    return [
        Case("F1", f"F1-F9-{style}", partial(medley, style, turn), 2 * calls(style) + 6)
        for turn, style in enumerate(MAIN)
    ]
