"""What a seeded random run does: a shop and a list of steps, made from the seed alone.

A step names records by `pick`, a share of the list of those that can be meant, so that a plan from
which steps were taken away still plays: that is how a failing seed is made small.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.random_scenes import LOOKBACK, SCENES, Line, edge
from tests.faults.shop import STYLES, Style
from warehouse.crashpoints import POINTS

SURE = frozenset({"late", "equal", "future", "clock", "edge"})
"""Kinds of steps whose fault fires whatever went before."""
UNSURE = {
    "kill": "kills", "kill_publish": "kills",
    "fault": "faults of answers", "between": "faults of answers", "twice": "faults of answers",
}  # fmt: skip
"""Kinds of steps whose fault may not fire, by what they are counted as; a step counts once."""
_WEIGHTS = {
    "insert": 10, "update": 14, "delete": 8, "undelete": 5, "late": 16, "equal": 7, "future": 4,
    "clock": 5, "break": 4, "mend": 5, "customer": 2, "sync": 16, "fault": 22, "between": 10,
    "kill": 14, "publish": 5, "kill_publish": 4, "rebuild": 1, "mapping": 1,
}  # fmt: skip
_FAULTS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("status", {"status": 500}),
    ("status", {"status": 503}),
    ("status", {"status": 401}),
    ("status", {"status": 404}),
    ("status", {"status": 422}),
    ("throttle", {"retry_after": 7}),
    ("throttle", {}),
    ("throttle", {"retry_after": 86_400}),
    ("throttle_body", {"body": b'{"errcode":45009,"errmsg":"reach max api daily quota limit"}'}),
    ("html", {}),
    ("body", {"body": b'{"success":false,"message":"busy"}'}),
    ("body", {"body": b'{"data":null,"total":0}'}),
    ("body", {"body": b'{"data":{},"next_cursor":null}'}),
    ("body", {"body": b""}),
    ("malformed", {}),
    ("reset", {}),
    ("truncated", {}),
    ("hang", {}),
    ("repeat", {}),
    ("cursor_back", {}),
    ("foreign_next", {"url": "http://127.0.0.1:9/steal"}),
)
_EXTRACT = tuple(p for p in POINTS if p.startswith(("extract", "land", "load")))
_PUBLISH = tuple(p for p in POINTS if p.startswith(("unify", "project", "publish")))


@dataclass(frozen=True)
class Step:
    """One step: what it does and with what."""

    kind: str
    args: dict[str, Any]

    def __str__(self) -> str:
        said = " ".join(f"{name}={value!r}" for name, value in self.args.items())
        return f"{self.kind} {said}"


@dataclass(frozen=True)
class Plan:
    """A whole run. Orders begin `gap` seconds apart; a page holds `limit`."""

    seed: int
    style: Style
    limit: int
    orders: int
    gap: int
    customers: int
    whole: bool = True
    """Whether stamps are whole seconds, as most systems write them."""
    steps: tuple[Step, ...] = field(default=())

    def unsure(self) -> Counter[str]:
        """Return how many steps that may not fire are planned; none of them has fired yet."""
        found: Counter[str] = Counter()
        for step in self.steps:
            if what := UNSURE.get(step.kind):
                found.update({f"{what} planned": 1, f"{what} fired": 0})
        return found

    def __str__(self) -> str:
        head = (
            f"seed {self.seed}: {self.style}, {self.orders} orders {self.gap} s apart, "
            f"{self.limit} a page"
        )
        return "\n".join([head, *(f"  {n}. {step}" for n, step in enumerate(self.steps))])


def make_plan(seed: int) -> Plan:
    """Return the run of a seed; the same in every process."""
    chance = random.Random(seed)
    limit = chance.choice((3, 5, 10, 10, 25))
    orders = chance.choice((0, 1, limit, limit + 1, 2 * limit, 3 * limit + 2, 35, 35))
    kinds = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=chance.randint(2, 5))
    # Not every run begins with a whole first load, but every one ends with a fault that fires.
    first = chance.choice((["sync"], ["sync"], ["sync"], ["fault"], ["fault"], ["kill"], []))
    lines: list[Line] = [(kind, {}) for kind in (*first, *kinds)]
    place = chance.randint(min(1, len(first)), len(lines))
    lines[place:place] = SCENES[seed % len(SCENES)](chance, limit)
    lines += edge(chance)
    return Plan(
        seed, chance.choice(STYLES), limit, orders, chance.choice((1, 1, 60, 3_600)),
        chance.choice((0, 0, 7)), chance.random() < 0.75,
        tuple(_step(kind, chance, limit, given) for kind, given in lines),
    )  # fmt: skip


def _step(kind: str, chance: random.Random, limit: int, given: dict[str, Any]) -> Step:
    args: dict[str, Any] = {"wait": chance.choice((0, 1, 5, 30, 200, 700))}
    if kind in ("insert", "update", "delete", "undelete", "break", "mend", "late", "future"):
        args["pick"] = round(chance.random(), 3)
    if kind in ("insert", "update", "delete"):
        args["count"] = chance.choice((1, 1, 2, 4))
    if kind == "undelete":
        args["old"] = chance.random() < 0.5
    if kind == "late":
        seconds = chance.choice((1, 6, 60, 300, 500, LOOKBACK - 1, LOOKBACK))
        args |= {"new": chance.random() < 0.5, "seconds": seconds}
    if kind == "equal":
        args |= {"count": chance.choice((limit - 1, limit, limit + 1, 2 * limit)),
                 "new": chance.random() < 0.5}  # fmt: skip
    if kind == "future":
        args["seconds"] = chance.choice((4, 6, 900, 40_000, 200_000, 30_000_000_000))
    if kind == "clock":
        args["seconds"] = chance.choice((-500, -60, -5_000, 900, 5_000, 100_000))
    if kind in ("sync", "fault", "between", "kill"):
        args["mode"] = chance.choice(("changed", "changed", "changed", "full", "sweep"))
    if kind == "fault":
        fault, detail = chance.choice(_FAULTS)
        args |= {"fault": fault, "detail": detail, "request": chance.randint(1, 5),
                 "times": chance.choice((1, 2, 5, 40, 40))}  # fmt: skip
    if kind == "between":
        what = chance.choice(("insert", "update", "delete", "late", "undelete"))
        args |= {"request": chance.randint(2, 4), "pick": round(chance.random(), 3), "what": what}
    if kind == "kill":
        args |= _death(chance, _EXTRACT)
    if kind == "kill_publish":
        args |= _death(chance, _PUBLISH)
    return Step(kind, args | given)


def _death(chance: random.Random, points: tuple[str, ...]) -> dict[str, Any]:
    if chance.random() < 0.25:
        return {"after": round(chance.random() * 0.4, 3)}
    return {"crash_at": f"{chance.choice(points)}:{chance.choice((1, 1, 1, 2, 3))}"}


def shrink(plan: Plan, fails: Callable[[Plan], bool]) -> Plan:
    """Take steps away as long as the plan still fails."""
    n = 0
    while n < len(plan.steps):
        smaller = replace(plan, steps=plan.steps[:n] + plan.steps[n + 1 :])
        if fails(smaller):
            plan = smaller
        else:
            n += 1
    return plan
