"""The case that plays a long, seeded story and compares everything at its end."""

from __future__ import annotations

import random

from connectors.errors import ConnectorError
from connectors.testing.case import case, none_of
from connectors.testing.play import Play
from connectors.testing.wire import FOR_EVER, instead, lost

STEPS = 40


@case
def journal_equals_landed(play: Play) -> None:
    """After a story of changes, kills and faults what landed equals the source's own journal."""
    chance = random.Random(5)  # noqa: S311 - a story, not a secret
    play.fill()
    play.read(stop=1)
    deletes = play.stream.deletes
    steps = ["add", "change", "change", "read", "kill", "fault", *(["delete"] if deletes else [])]
    new = play.count
    for _ in range(STEPS):
        step = chance.choice(steps)
        numbers = [n for n in sorted(play.keys) if n % 3]  # what no later change would heal
        if step == "add":
            new += 1
            play.put(new)
        elif step == "change":
            play.put(chance.choice(numbers))
        elif step == "delete" and len(numbers) > 3:
            play.delete(chance.choice(numbers))
        elif step in ("read", "kill", "fault"):
            play.wait(seconds=chance.choice([10, 70, 700]))
            _run(play, step, chance.randint(1, 2))
        play.wait(seconds=chance.choice([0, 1, 30]))
    for _ in range(3):
        play.wait(minutes=2)
        play.read()
    play.whole(when="at the story's end")
    if deletes:
        play.read("sweep" if "sweep" in deletes else deletes[0])
        play.equal(when="at the story's end, deletions looked for")
    else:
        none_of(play.store.gone, "these were taken for deleted")


def _run(play: Play, step: str, page: int) -> None:
    wire = play.bench.wire
    if step == "fault" and wire is not None:
        wire.order(lost() if page == 1 else instead(503), page=page, times=FOR_EVER)
    try:
        play.read(stop=page if step == "kill" else None)
    except ConnectorError:
        if step != "fault":
            raise
    if wire is not None:
        wire.clear()
