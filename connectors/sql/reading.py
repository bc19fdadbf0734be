"""One read of one stream: what is asked for, partitions as pages, bookmarks, proof of the end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from connectors.base import Bookmark, ChangedSince, Page, ReadRequest, Stats
from connectors.changes import Tide, read_bookmark
from connectors.sql import cells, statements
from connectors.sql.cells import Odd
from connectors.sql.moves import (
    DAY,
    ByNumber,
    ByStamp,
    Move,
    Standing,
    begun_of,
    number_of,
    whole_number,
)
from connectors.sql.places import read_place, write_place
from connectors.sql.stamps import instant_of, stamps_like
from connectors.sql.statements import Column, Source
from connectors.sql.streams import StreamSettings

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection, Select

    from connectors.sql.engine import Watch

FEW = 100
"""Rows of the first partition, by which the size of the next is set: each may be a picture."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open connection, what watches over it, and the partitions' size."""

    connection: Connection
    watch: Watch
    database: str
    most_rows: int
    most_bytes: int
    encoding: str

    def scalar(self, select: Select[Any]) -> Any:
        """Return the one value of a select, under the watch."""
        with self.watch.limit():
            return self.connection.execute(select).scalar()


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it. `begun` is when an interrupted one first began."""

    session: Session
    source: Source
    spec: StreamSettings
    request: ReadRequest
    now: datetime
    zone: tzinfo
    stats: Stats
    odd: Odd = field(default_factory=Odd)
    resume: dict[str, Any] = field(default_factory=dict)
    count: int = 0
    begun: datetime = field(init=False)
    _last: tuple[Any, ...] = ()
    _raw: Sequence[Any] = ()

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last has the new bookmark and says whether the scan is complete."""
        if self.request.mode == "sweep":
            yield from self._sweep()
            return
        said_of = {"resume": (self.request.bookmark or {}).get("resume")}
        numbered = self.spec.changes is not None and not self.spec.changes.since
        _, said = read_bookmark(said_of, self.request.mode, numbered=numbered)
        self.resume = said if self._fits(said) else {}
        self.begun = begun_of(self.resume) or self.now
        move = self._move()
        order = [*(self.source.moving if move.is_bounded else ()), *self.source.key]
        width = len(self.source.key) + move.is_bounded
        after = read_place(self.resume.get("after"), width)
        if bool(self.resume.get("by_move")) != move.is_bounded or not after:
            self.resume, after = {}, ()
        self.count = int(self.resume.get("count", 0))
        select = statements.rows(
            self.source,
            by_move=move.is_bounded,
            **move.bounds(),
            after=after,
            limit=self.request.limit,
        )
        for table in self._partitions(select, self.source.columns, order, move.is_bounded):
            self.count += table.num_rows
            if self.source.moving:
                move.see(cells.move_of(table, self.source.moving))
            if self.request.limit is not None:
                yield self._page(table, self.request.bookmark or {})
                continue
            yield self._page(table, move.on_the_way(self._place(move)))
        if self.request.limit is None:
            yield self._end(move)

    # --- what is asked for -------------------------------------------------------------------
    def _move(self) -> Move:
        changes, bookmark = self.spec.changes, self.request.bookmark
        if changes is None:
            return Standing()
        is_changed = self.request.mode == "changed"
        self.stats.requests += 1
        top = self.session.scalar(statements.greatest(self.source))
        if not changes.since:
            name = self.source.moving[0]
            before = number_of(bookmark) if is_changed else None
            high = whole_number(name, top)
            if self.source.column(name).is_rowversion:
                active = self.session.scalar(statements.active_rowversion())
                high = None if high is None else min(high, int(active))
            if self.resume:
                high = self.resume.get("high", high)
            return ByNumber(name, before, changes.behind, high, self.resume.get("greatest"))
        before_at, _ = read_bookmark({"stamp": (bookmark or {}).get("stamp")}, self.request.mode)
        known = self.source.column(self.source.moving[0]).shape.name
        stamps = None
        if top is not None or known in ("naive", "instant", "date"):
            stamps = stamps_like(top, known, self.zone, changes.format, self.source.database)
        spec = ChangedSince(
            ", ".join(changes.since), "", changes.lookback, changes.lag,
            "iso" if stamps is None or stamps.form not in ("text", "number") else stamps.pattern,
        )  # fmt: skip
        tide = Tide(spec, self.zone, self.begun, before_at if is_changed else None)
        newest = None if stamps is None or top is None else instant_of(top, stamps)
        if newest is None or newest > self.now + DAY:
            newest = self.now
        else:
            tide.plausible = newest  # though the upper bound may keep it from this read
        if self.resume.get("greatest"):
            tide.greatest = datetime.fromisoformat(self.resume["greatest"])
            tide.plausible = max(tide.greatest, tide.plausible or tide.greatest)
        return ByStamp(tide, stamps, newest - self.now, self.request.until)

    # --- rows --------------------------------------------------------------------------------
    def _partitions(
        self, select: Select[Any], columns: Sequence[Column], order: Sequence[str], by_move: bool
    ) -> Iterator[pa.Table]:
        self.stats.requests += 1
        if self.session.database == "postgresql":
            from connectors.sql.copying import copied

            session = self.session
            tables = copied(
                session.connection, select, columns, self.odd, session.watch, session.encoding,
                most_rows=session.most_rows, most_bytes=session.most_bytes,
            )  # fmt: skip
        else:
            tables = self._fetched(select, columns)
        for table in tables:
            self._last = self._place_of(table, order, by_move)
            self.stats.bytes += table.nbytes
            table = cells.trimmed(table, columns, self.spec.trim)
            if self.request.mode != "sweep":
                table = cells.from_xml(table, self.spec.xml, self.odd)
            yield cells.exact_json(table)

    def _fetched(self, select: Select[Any], columns: Sequence[Column]) -> Iterator[pa.Table]:
        session, size = self.session, min(FEW, self.session.most_rows)
        streaming = session.connection.execution_options(stream_results=True, max_row_buffer=1)
        with session.watch.limit():
            result = streaming.execute(select)
        with result:
            while True:
                with session.watch.limit():
                    rows = result.fetchmany(size)
                if not rows:
                    return
                self._raw = rows[-1]
                table = cells.table_of(self.source, columns, rows, self.odd)
                yield table
                wide = max(1, table.nbytes // table.num_rows)
                size = max(1, min(session.most_rows, session.most_bytes // wide))

    def _place_of(self, table: pa.Table, order: Sequence[str], by_move: bool) -> tuple[Any, ...]:
        """Return the last row's values as the order compares them, before blanks are cut."""
        names = [column.name for column in self.source.columns]
        if self.session.database == "postgresql":
            row = {name: table.column(name)[-1].as_py() for name in order}
        else:
            row = dict(zip(names, self._raw, strict=False)) if len(self._raw) == len(names) else {}
        if any(name not in row for name in order):
            return ()
        values = [row[name] for name in order]
        for name, value in zip(order, values, strict=True):
            column = self.source.column(name)
            if column.encoding or (column.shape.narrow and isinstance(value, str)):
                return ()  # the database would not compare it as it sorts it
        if not by_move:
            return tuple(values)
        moving = len(self.source.moving)
        first = next((value for value in values[:moving] if value is not None), None)
        return (first, *values[moving:])

    # --- pages -------------------------------------------------------------------------------
    def _page(self, table: pa.Table, bookmark: Bookmark) -> Page:
        return Page(
            table, cells.keys_of(table, self.source.key), bookmark, resumed=bool(self.resume)
        )

    def _place(self, move: Move) -> dict[str, Any] | None:
        place = write_place(self._last) if self._last else None
        if place is None:
            return None
        mark: dict[str, Any] = {
            "mode": self.request.mode,
            "as": self._shape(),
            "by_move": move.is_bounded,
            "begun": self.begun.astimezone(UTC).isoformat(),
            "count": self.count,
            "after": place,
        }
        if move.greatest() is not None:
            mark["greatest"] = move.greatest()
        if isinstance(move, ByNumber):
            mark["high"] = move.high
        return mark

    def _end(self, move: Move) -> Page:
        notes = [*move.warnings(), *self.odd.lines()]
        total, complete = None, False
        if not move.is_bounded:
            total = self._total()
            complete = self.count == total
            if not complete:
                notes.append(
                    f"The read is not proved complete: {self.count} rows came, the database counts "
                    f"{total}; nothing is deleted."
                )
        return Page(
            [], [], move.at_the_end(), complete=complete, total=total, warnings=tuple(notes),
            resumed=bool(self.resume),
        )  # fmt: skip

    def _total(self) -> int:
        self.stats.requests += 1
        return int(self.session.scalar(statements.count(self.source)))

    def _sweep(self) -> Iterator[Page]:
        bookmark = self.request.bookmark or {}
        columns = [self.source.column(name) for name in self.source.key]
        select = statements.keys(self.source)
        for table in self._partitions(select, columns, (), False):
            self.count += table.num_rows
            yield Page([], cells.keys_of(table, self.source.key), bookmark, kind="keys")
        total = self._total()
        notes = () if self.count == total else (
            f"The sweep is not proved complete: {self.count} keys came, the database counts "
            f"{total}; nothing is deleted.",
        )  # fmt: skip
        yield Page([], [], bookmark, kind="keys", complete=not notes, total=total, warnings=notes)

    # --- where it goes on --------------------------------------------------------------------
    def _fits(self, resume: dict[str, Any]) -> bool:
        same = resume.get("mode") == self.request.mode and resume.get("as") == self._shape()
        return same and begun_of(resume) is not None and isinstance(resume.get("count"), int)

    def _shape(self) -> str:
        """Return a short hash of what decides the order: with another a read starts anew."""
        said = self.spec.model_dump_json(include={"key", "changes"})
        said += str(statements.count(self.source))  # the table with its schema, or the query
        return hashlib.sha256(said.encode()).hexdigest()[:12]
