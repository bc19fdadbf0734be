"""What commands print: tables for people, JSON for programs, remarks on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelines.cli.boundary import plain
from pipelines.texts import t

if TYPE_CHECKING:
    from rich.console import Console

WIDE = 200
"""Columns where the output is no terminal: files and pipes are not wrapped at 80."""
READABLE = 12
"""Signs that a column of a table keeps at least, or all that it needs."""
GAP = 3
"""Signs between two columns."""


def say(text: str = "") -> None:
    """Print a line on stdout."""
    print(plain(text))


def remark(text: str) -> None:
    """Print a line on stderr, where it does not get into what a program reads."""
    print(plain(text), file=sys.stderr)


def quota_text(name: str, what: str, until: str | None) -> str:
    """Return the sentence on a stream that a used quota ended early."""
    if until is None:
        return t("sync.quota_open", name=name, what=what)
    return t("sync.quota", name=name, what=what, until=until)


def tally_text(name: str, tally: Mapping[str, int]) -> str:
    """Return the line on what a stream's run counted besides records."""
    counts = ", ".join(f"{word}: {count}" for word, count in tally.items())
    return t("sync.tally", name=name, counts=counts)


def as_json(value: Any) -> None:
    """Print `value` as JSON: money as text with all its digits, instants in UTC."""
    text = json.dumps(value, ensure_ascii=False, indent=2, default=jsonable)
    print("".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text))


def _escaped(sign: str) -> str:
    """Return what could steer a terminal (C1 controls, directions) as JSON escapes it."""
    return json.dumps(sign)[1:-1]


def jsonable(value: Any) -> Any:
    """Return what JSON has no word for in a form that keeps every digit."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            value = value.astimezone(UTC)
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    return str(value)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Iterable[int] = (),
    tall: bool = False,
) -> bool:
    """Print rows under their headings; columns numbered in `right` are set to the right.

    Returns whether it did so: with `tall`, where columns would be too narrow to be read, one record
    stands below another instead.
    """
    names, texts = [cell(name) for name in columns], [[cell(v) for v in row] for row in rows]
    if tall and not _fits(names, texts, console().width):
        _records(names, texts)
        return False
    from rich import box
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    flush = set(right)
    for position, name in enumerate(names):
        shown.add_column(
            Text(name), justify="right" if position in flush else "left", overflow="fold"
        )
    for row in texts:
        shown.add_row(*map(Text, row))
    console().print(shown)
    return True


def _fits(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> bool:
    """Whether every column gets its width, or one in which folded text can be read."""
    from rich.cells import cell_len

    widest = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    return sum(min(w, READABLE) for w in widest) + GAP * (len(widest) - 1) <= width


def _records(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print each record with a line a value."""
    from rich.cells import cell_len

    width = max(map(cell_len, names))
    for number, row in enumerate(rows, 1):
        say(f"── {number} ──")
        for name, text in zip(names, row, strict=True):
            say(f"{name}:{' ' * (width - cell_len(name) + 1)}{text}".rstrip())


def cell(value: Any) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return str(jsonable(value)).replace("T", " ")
    return plain(str(value)).replace("\n", "⏎").replace("\t", " ")


def minute(value: datetime | None) -> str:
    """Return an instant to the minute, in UTC."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%MZ}"


def console() -> Console:
    """Return the console of stdout."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def progress_console() -> Console:
    """Return the console of stderr: progress must not get into what is piped on."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def age(then: datetime | None, now: datetime) -> str:
    """Return how long ago `then` was: '3 min'."""
    if then is None:
        return t("age.never")
    return span((now - then).total_seconds())


def span(seconds: float | None) -> str:
    """Return a length of time in its largest fitting unit."""
    if seconds is None:
        return ""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return t(f"age.{unit}", n=int(seconds // size))
    return t("age.s", n=max(0, int(seconds)))
