"""The figures of the attacks for the reliability report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.attacks.attempt import Family
from tests.attacks.runner import run

COMMAND = "python -m tests.attacks"


def attacks(*, quick: bool = False) -> dict[str, Any]:
    """Run every family and return the figures."""
    return as_dict(run(quick=quick))


def as_dict(families: Sequence[Family]) -> dict[str, Any]:
    """Return figures as plain data: totals, a member a family, every success with its detail."""
    rows = []
    for family in families:
        counts = family.counts()
        rows.append({
            "id": family.id, "title": family.title, "tried": len(family.attempts),
            **{name: counts[name] for name in ("refused", "bounded", "handled", "succeeded")},
            "searches": sum(a.searches for a in family.attempts),
            "seconds": family.seconds,
            "successes": [f"{a.id} {a.name}: {a.detail}" for a in family.succeeded],
        })  # fmt: skip
    return {
        "command": COMMAND,
        "tried": sum(row["tried"] for row in rows),
        "succeeded": sum(row["succeeded"] for row in rows),
        "families": rows,
    }


def markdown(found: dict[str, Any]) -> str:
    """Return the figures as a table of Markdown, successes listed below it."""
    lines = [
        "| attack | tried | refused | bounded | taken as plain data | succeeded | s |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found["families"]:
        searches = f" ({row['searches']:,} spellings searched for)" * bool(row["searches"])
        lines.append(
            f"| {row['id']} {row['title']}{searches} | {row['tried']} | {row['refused']} "
            f"| {row['bounded']} | {row['handled']} | {row['succeeded']} | {row['seconds']:.1f} |"
        )
    lines.append(f"| **all** | **{found['tried']}** | | | | **{found['succeeded']}** | |")
    for row in found["families"]:
        lines += [f"\n- {text}" for text in row["successes"]]
    return "\n".join(lines)
