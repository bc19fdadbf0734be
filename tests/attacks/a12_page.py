"""docs/hostile-statements.md: every statement of A12 and what became of it, written by a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.attacks.a12_statements import statements
from tests.attacks.attempt import Attempt, Family

PAGE = Path(__file__).resolve().parents[2] / "docs" / "hostile-statements.md"
HEAD = """\
# Statements that `isthmus query` was attacked with

*Written by `python -m tests.attacks A12 --write`; the statements stand in
`tests/attacks/a12_statements.py`, a part of them runs in `make test`. Do not edit.*

Each was given to `isthmus query` on a published file, with a file beside it that must not be read
and a folder that must stay empty. **Refused**: an error that names what is not allowed, nothing was
run. **Bounded**: it ran into a limit of time or memory. **Plain data**: it was answered, and did
nothing else. An answer from outside the published file, a byte written, a crash, or no end would
be a success of the attacker and fails the run.
"""
SHOWN = 150


def write(family: Family, page: Path = PAGE) -> None:
    """Write the page out of a whole run."""
    page.write_text("\n".join(_lines(family)) + "\n", "utf-8")


def _lines(family: Family) -> Iterator[str]:
    said = {attempt.id: attempt for attempt in family.attempts}
    counts = family.counts()
    yield HEAD
    yield (
        f"{len(said)} tried: {counts['refused']} refused, {counts['bounded']} bounded, "
        f"{counts['handled']} plain data, {counts['succeeded']} succeeded."
    )
    number = 0
    for kind, listed in statements(Path("/else/secret.csv"), Path("/else/out")).items():
        yield f"\n## {kind[0].upper()}{kind[1:]}\n\n| statement | became | said |\n|---|---|---|"
        for sql in listed:
            yield _row(_code(sql), said[f"{family.id}.{number}"])
            number += 1
    yield "\n## Too much work\n\n| what | became | said |\n|---|---|---|"
    for attempt in said.values():
        if not re.fullmatch(rf"{family.id}\.\d+", attempt.id):
            yield _row(attempt.name, attempt)


def _row(what: str, attempt: Attempt) -> str:
    word = {"handled": "plain data"}.get(attempt.outcome, attempt.outcome)
    told = attempt.detail.partition(": ")[2] if attempt.outcome == "refused" else attempt.detail
    told = re.sub(r"/tmp/\S*", "…", told)[:SHOWN]
    return f"| {what} | {word} | {_plain(told)} |"


def _code(sql: str) -> str:
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in sql)
    ticks = "``" if "`" in shown else "`"
    return f"{ticks}{shown}{ticks}".replace("|", "\\|") if shown else "(nothing)"


def _plain(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text)
    return re.sub(r"([|<>*_`\[\]])", r"\\\1", shown)
