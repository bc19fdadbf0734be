"""Scenes of a random run: a few steps in an order that a bookmark which moves too far cannot stand.

Steps drawn one by one seldom meet so. Each run plays one scene among its other steps, the next in
turn by its seed, and every run ends with `edge`.
"""

from __future__ import annotations

import random
from typing import Any

LOOKBACK = 600
Line = tuple[str, dict[str, Any]]
"""The kind of a step and those of its arguments that are not left to chance."""
_CHANGED = {"mode": "changed"}


def edge(chance: random.Random) -> list[Line]:
    """A commit as late as the lookback allows, after a read that may have seen a younger one."""
    seconds = chance.choice((LOOKBACK, LOOKBACK, LOOKBACK, LOOKBACK - 1, LOOKBACK // 2 + 60, 1))
    return [
        ("insert", {"wait": chance.choice((0, 900)), "count": 1}),
        ("sync", _CHANGED | {"wait": chance.choice((0, 2, 700, 5_000))}),
        ("edge", {"wait": chance.choice((0, 30)), "seconds": seconds}),
    ]


def cut_short(chance: random.Random, limit: int) -> list[Line]:
    """The first page has the greatest stamps, the read ends before the others."""
    return [
        *_old_ones_and_a_young_one(limit),
        ("fault", _CHANGED | _failing(chance, 2)),
        ("sync", _CHANGED | {"wait": 30}),
    ]


def cut_short_and_other(chance: random.Random, limit: int) -> list[Line]:
    """As `cut_short`; then another kind of read comes, so that nothing goes on where it ended."""
    return [
        *_old_ones_and_a_young_one(limit),
        ("fault", _CHANGED | _failing(chance, 2)),
        ("sync", {"wait": 30, "mode": "sweep"}),
        ("sync", _CHANGED | {"wait": 30}),
    ]


def resumed(chance: random.Random, limit: int) -> list[Line]:
    """A read goes on hours later; what changed on its first pages meanwhile is not in it."""
    return [
        ("insert", {"wait": 0, "count": 2 * limit + 1}),
        ("fault", _CHANGED | {"wait": 30} | _failing(chance, 2)),
        ("update", {"wait": 5_000, "pick": 0.0, "count": 1}),
        ("insert", {"wait": 900, "count": 1}),
        ("sync", _CHANGED | {"wait": 30}),
        ("sync", _CHANGED | {"wait": 30}),
    ]


def swept(chance: random.Random, limit: int) -> list[Line]:
    """A sweep sees keys, not what stands under them."""
    return [
        ("sync", _CHANGED | {"wait": 0}),
        ("update", {"wait": 700, "count": 1}),
        ("sync", {"wait": 5_000, "mode": "sweep"}),
        ("sync", _CHANGED | {"wait": 700}),
    ]


def from_the_future(chance: random.Random, limit: int) -> list[Line]:
    """A stamp days or centuries ahead is read before changes of today."""
    return [
        ("insert", {"wait": 0, "count": 1}),
        ("future", {"wait": 0, "seconds": chance.choice((900, 200_000, 30_000_000_000))}),
        ("sync", _CHANGED | {"wait": 30}),
        ("insert", {"wait": 5, "count": 1}),
        ("delete", {"wait": 5, "count": 1}),
        ("sync", _CHANGED | {"wait": 900}),
    ]


def twice(chance: random.Random, limit: int) -> list[Line]:
    """A page holds a record in two versions, the older one last; one is broken, one is deleted."""
    return [
        ("insert", {"wait": 5, "count": 2}),
        ("update", {"wait": 5, "pick": 1.0, "count": 1}),
        ("break", {"wait": 5, "pick": 0.0}),
        ("twice", {"wait": 5}),
        ("delete", {"wait": 5, "count": 1}),
        ("sync", {"wait": 30, "mode": "full"}),
    ]


SCENES = (cut_short, resumed, from_the_future, cut_short_and_other, twice, swept)


def _old_ones_and_a_young_one(limit: int) -> list[Line]:
    return [
        ("insert", {"wait": 0, "count": 2 * limit + 1}),
        ("update", {"wait": 2 * LOOKBACK, "pick": 0.0, "count": 1}),
    ]


def _failing(chance: random.Random, request: int) -> dict[str, Any]:
    fault, detail = chance.choice((("status", {"status": 503}), ("reset", {}), ("html", {})))
    return {"fault": fault, "detail": detail, "request": request, "times": 40}
