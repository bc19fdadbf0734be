"""What people said of breaks: decisions `explain_break` and `reopen_break`, read and written.

An explanation is of a break with its figures as they were then. It holds while they are the same,
also where the break goes and comes back; the newest decision about a break counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.decisions import Decision, Decisions
from warehouse.errors import DecisionError
from warehouse.store import Store

EXPLAIN, REOPEN = "explain_break", "reopen_break"
FIGURES = ("expected", "actual", "expected_said", "actual_said")


@dataclass(frozen=True, slots=True)
class Said:
    """The newest decision about a break; figures as text, as they were when it was explained."""

    sequence: int
    who: str
    why: str
    is_explained: bool
    figures: tuple[str | None, ...]


def said(log: Iterable[Decision]) -> dict[tuple[str, str], Said]:
    """Return what was decided last of each break, by (rule, subject)."""
    found: dict[tuple[str, str], Said] = {}
    for one in log:
        if one.kind in (EXPLAIN, REOPEN):
            about = one.about
            found[str(about["rule"]), str(about["subject"])] = Said(
                one.sequence, one.who, one.why, one.kind == EXPLAIN,
                tuple(about.get(name) for name in FIGURES),
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
) -> Decision:
    """Write down what a person says of a break; the next reconciliation acts on it.

    The store is asked for the break, since what is published may be masked. Raises DecisionError
    where there is no such break, it is resolved, or nobody explained what is to be reopened.
    """
    row = store.con.execute(
        "SELECT rule, subject, expected::varchar, actual::varchar, expected_said, actual_said, "
        "status FROM recon.breaks WHERE break_id = TRY_CAST(? AS UUID)",
        [break_id],
    ).fetchall()
    if not row:
        raise DecisionError(
            f"there is no break {break_id}.", "take its id from `isthmus breaks list`."
        )
    rule, subject, *figures, status = row[0]
    if kind == EXPLAIN and status == "resolved":
        raise DecisionError("the break is resolved: it is gone.", "nothing is to be explained.")
    if kind == REOPEN and status != "explained":
        raise DecisionError(f"the break is {status}.", "only an explained one is reopened.")
    about: dict[str, Any] = {"break": break_id, "rule": rule, "subject": subject}
    if kind == EXPLAIN:
        about |= dict(zip(FIGURES, figures, strict=True))
    return decisions.append(kind, why=why, at=at, who=who, about=about)
