"""SQL that compares two versions of one record: as instants, else as numbers, else as text."""

from __future__ import annotations

_CASTS = {"instant": "timestamptz", "number": "decimal(38, 9)"}


def order(new: str, old: str, version_as: str | None) -> str:
    """Return an expression: -1 where `new` is older than `old`, 1 where newer, else 0.

    A missing version is older than any known one. Two texts of one instant are equal. `version_as`
    narrows the reading to 'instant', 'number' or 'text'; what does not read so is text.
    """
    steps = [
        f"when {new} is null and {old} is null then 0",
        f"when {new} is null then -1",
        f"when {old} is null then 1",
        f"when {new} = {old} then 0",
    ]
    for kind, cast in _CASTS.items():
        if version_as in (None, kind):
            left, right = f"try_cast({new} as {cast})", f"try_cast({old} as {cast})"
            steps.append(
                f"when {left} is not null and {right} is not null then"
                f" case when {left} < {right} then -1 when {left} > {right} then 1 else 0 end"
            )
    return f"(case {' '.join(steps)} when {new} < {old} then -1 else 1 end)"


def newest_first(version: str, version_as: str | None) -> str:
    """Return the terms of an ORDER BY that puts the newest version first, missing ones last."""
    terms, read = [], []
    for kind, cast in _CASTS.items():
        if version_as in (None, kind):
            value = f"try_cast({version} as {cast})"
            terms.append(f"{value} desc nulls last")
            read.append(f"{value} is null")
    text = f"case when {' and '.join(read)} then {version} end" if read else version
    return ", ".join([*terms, f"{text} desc nulls last"])
