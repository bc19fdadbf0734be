"""Counts rows in a database by stretches of their stamp, and sums one column beside them.

One statement counts many stretches in one pass over the table: a CASE names the stretch of a row,
the outer SELECT groups by it. Bounds are written as those of a read are, so a row is counted in the
stretch in which a read would ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any

import sqlalchemy as sa

from connectors.base import Countable, Counted, Span
from connectors.sql import statements
from connectors.sql.reading import Session
from connectors.sql.stamps import Stamps, stamps_like
from connectors.sql.statements import Source
from connectors.sql.streams import ChangesSettings, StreamSettings

CHUNK = 100
"""Stretches of one statement: two parameters each, and SQL Server takes 2,100."""
_NUMBERS = ("int", "float", "float32", "decimal")


def countable(session: Session, source: Source, spec: StreamSettings, zone: tzinfo) -> Countable:
    """Say how a table or query can be counted: by its stamp where it has one, else as a whole."""
    changes = spec.changes
    if changes is None or not changes.since:
        return Countable("whole", "select count(*)", sums=True)
    stamps = _stamps(session, source, changes, zone)
    if stamps is None:
        return Countable("whole", "select count(*): no row has a stamp yet", sums=True)
    said = "iso"
    if stamps.form == "number" or (stamps.form == "text" and changes.format not in ("auto", "iso")):
        said = stamps.pattern
    named = tuple(_spelled(name) for name in source.moving)
    how = f"select count(*) … group by stretches of {', '.join(source.moving)}"
    return Countable("spans", how, named, said, sums=True)


def measure(
    session: Session,
    source: Source,
    spec: StreamSettings,
    zone: tzinfo,
    spans: Sequence[Span],
    member: str | None,
) -> Iterator[Counted]:
    """Yield count and sum of each span; rows without a stamp stand in one that is open below."""
    value = _summed(source, member)
    changes = spec.changes
    stamps = None
    if changes is not None and changes.since:
        stamps = _stamps(session, source, changes, zone)
    for start in range(0, len(spans), CHUNK):
        some = spans[start : start + CHUNK]
        found = _ask(session, _select(source, stamps, some, value))
        for number, span in enumerate(some):
            count, total = found.get(number, (0, None))
            nothing = Decimal(0) if value is not None and not count else None
            yield Counted(span, count, nothing if total is None else _exact(total))


def _stamps(
    session: Session, source: Source, changes: ChangesSettings, zone: tzinfo
) -> Stamps | None:
    top = session.scalar(statements.greatest(source))
    known = source.column(source.moving[0]).shape.name
    if top is None and known not in ("naive", "instant", "date"):
        return None
    return stamps_like(top, known, zone, changes.format, source.database)


def _select(
    source: Source,
    stamps: Stamps | None,
    spans: Sequence[Span],
    value: sa.ColumnElement[Any] | None,
) -> sa.Select[Any]:
    whens: list[tuple[Any, Any]] = [
        (_inside(source, stamps, s), sa.literal_column(str(n))) for n, s in enumerate(spans)
    ]
    stretch = sa.case(*whens).label("stretch")
    inner = sa.select(stretch, (sa.null() if value is None else value).label("summed"))
    inner = inner.select_from(source.clause)
    if (within := _within(source, stamps, spans)) is not None:
        inner = inner.where(within)
    rows = inner.subquery("counted")
    total = sa.null() if value is None else sa.func.sum(rows.c.summed)
    return sa.select(rows.c.stretch, sa.func.count(), total).group_by(rows.c.stretch)


def _within(
    source: Source, stamps: Stamps | None, spans: Sequence[Span]
) -> sa.ColumnElement[bool] | None:
    """Return what all the spans lie in: an index of the stamp then spares a pass over the table."""
    since = [span.since for span in spans if span.since is not None]
    until = [span.until for span in spans if span.until is not None]
    if len(since) < len(spans) or len(until) < len(spans):
        return None
    return _inside(source, stamps, Span(min(since), max(until)))


def _inside(source: Source, stamps: Stamps | None, span: Span) -> sa.ColumnElement[bool]:
    if stamps is None or (span.since is None and span.until is None):
        return sa.literal(1) == sa.literal(1)
    above = below = None
    if span.since is not None:
        above = source.move >= stamps.bound(span.since, lower=True)
    if span.until is not None:
        below = source.move < stamps.bound(span.until, lower=True)
    if above is None:
        assert below is not None  # noqa: S101
        return sa.or_(below, source.move.is_(None))
    return above if below is None else sa.and_(above, below)


def _ask(session: Session, select: sa.Select[Any]) -> dict[int, tuple[int, Any]]:
    with session.watch.limit():
        rows = session.connection.execute(select).fetchall()
    return {int(n): (int(count), total) for n, count, total in rows if n is not None}


def _summed(source: Source, member: str | None) -> sa.ColumnElement[Any] | None:
    """Return what is summed; None where the column holds no numbers that a database adds."""
    if member is None or member not in {c.name for c in source.columns}:
        return None
    shape = source.column(member).shape.name
    if source.database == "sqlite":  # a declared type binds nobody there
        return sa.cast(source.value(member), sa.Numeric)
    return source.value(member) if shape in _NUMBERS else None


def _exact(total: Any) -> Decimal | None:
    try:
        found = Decimal(str(total))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _spelled(name: str) -> str:
    """Return a column as the path of one member."""
    return '"' + name.replace('"', '""') + '"'
