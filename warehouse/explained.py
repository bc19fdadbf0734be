"""What people said of breaks: decisions `explain_break` and `reopen_break`, read and written.

An explanation is of a break with its figures and sides as they were then. It holds while they are
the same, also where the break goes and comes back; the newest decision about a break counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.decisions import Decision, Decisions
from warehouse.errors import DecisionError
from warehouse.store import Store

EXPLAIN, REOPEN = "explain_break", "reopen_break"
FIGURES = ("expected", "actual", "expected_said", "actual_said")
SIDES = "sides"
"""Member of a decision: a digest of what stands on both sides. Older decisions have none."""


def sides(alias: str) -> str:
    """Return the SQL of that digest for a row of `recon.breaks`, or what becomes one.

    A digest: numbers of documents may be a person's, and decisions stay.
    """
    names = ("left_key", "right_key", "right_number", "currency")
    said = ", ".join(f"coalesce({alias}.{name}, '')" for name in names)
    return f"md5(concat_ws(chr(31), {said}))"


@dataclass(frozen=True, slots=True)
class Said:
    """The newest decision about a break; figures as text, as they were when it was explained."""

    sequence: int
    who: str
    why: str
    is_explained: bool
    figures: tuple[str | None, ...]
    sides: str | None = None


def said(log: Iterable[Decision]) -> dict[tuple[str, str], Said]:
    """Return what was decided last of each break, by (rule, subject)."""
    found: dict[tuple[str, str], Said] = {}
    for one in log:
        if one.kind in (EXPLAIN, REOPEN):
            about = one.about
            found[str(about["rule"]), str(about["subject"])] = Said(
                one.sequence, one.who, one.why, one.kind == EXPLAIN,
                tuple(about.get(name) for name in FIGURES), about.get(SIDES),
            )  # fmt: skip
    return found


def decide(
    store: Store,
    decisions: Decisions,
    kind: str,
    break_id: str,
    *,
    why: str,
    at: datetime,
    who: str = "",
    shown: Mapping[str, Any] | None = None,
) -> Decision:
    """Write down what a person says of a break; the next reconciliation acts on it.

    The store is asked for the break, since what is published may be masked; `shown` are the figures
    that the person was shown. Raises DecisionError where there is no such break, it is resolved,
    its figures are others by now, or nobody explained what is to be reopened.
    """
    row = store.con.execute(
        "SELECT rule, subject, expected::varchar, actual::varchar, expected_said, actual_said, "
        f"{sides('b')}, status FROM recon.breaks b WHERE break_id = TRY_CAST(? AS UUID)",
        [break_id],
    ).fetchall()
    if not row:
        raise DecisionError(
            f"there is no break {break_id}.", "take its id from `isthmus breaks list`."
        )
    rule, subject, *figures, digest, status = row[0]
    if kind == EXPLAIN and status == "resolved":
        raise DecisionError("the break is resolved: it is gone.", "nothing is to be explained.")
    if kind == REOPEN and status != "explained":
        raise DecisionError(f"the break is {status}.", "only an explained one is reopened.")
    if shown is not None:
        _expect_shown(dict(zip(FIGURES, figures, strict=True)), shown)
    about: dict[str, Any] = {"break": break_id, "rule": rule, "subject": subject}
    if kind == EXPLAIN:
        about |= dict(zip(FIGURES, figures, strict=True)) | {SIDES: digest}
    return decisions.append(kind, why=why, at=at, who=who, about=about)


def _expect_shown(figures: Mapping[str, str | None], shown: Mapping[str, Any]) -> None:
    for name, now in figures.items():
        was = shown.get(name)
        if (None if was is None else str(was)) != now:
            raise DecisionError(
                f"the break has other figures by now: {name} is {now}, not {was}.",
                "publish, look at the break again, then say it of what it is now.",
            )
