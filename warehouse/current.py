"""Keeps a locked session open on the version that is published now, for a program that stays up.

A version never changes, so an answer is kept until the next one is published. Whoever asks while a
newer version appears goes on with the one that they began with.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import duckdb

from warehouse import lineage
from warehouse.errors import StoreError
from warehouse.home import Home
from warehouse.lineage import Told
from warehouse.publish import versions
from warehouse.reader import Result, _Reading, open_reader

TIMEOUT = 30.0
"""Seconds that one question may take."""
AT_ONCE = 2
"""Questions that are answered at the same time; others wait."""
KEPT = 400
"""Answers kept of one version."""
KEPT_ROWS = 2_000
"""Rows of an answer that is kept."""
T = TypeVar("T")
_NAMES = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True, slots=True)
class Answer:
    """Columns with their DuckDB types, and all rows."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries by column."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def _file(home: Home, stamp: tuple[int, int]) -> Path:
    """Return the version's own file: under the stable name another may stand a moment later."""
    for file in versions(home):
        with suppress(FileNotFoundError):  # swept meanwhile
            if file.stat().st_ino == stamp[0]:
                return file
    return home.readable if home.readable.exists() else home.current


def _bound(sql: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: (values or {})[name] for name in dict.fromkeys(_NAMES.findall(sql))}


class Version:
    """One published version, open. Questions may come from several threads."""

    def __init__(self, home: Home, stamp: tuple[int, int], timeout: float) -> None:
        self.stamp = stamp
        self.users = 0
        self.is_retired = False
        self._path = _file(home, stamp)
        self._timeout = timeout
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()
        self._lock = threading.Lock()
        self._seats = threading.BoundedSemaphore(AT_ONCE)
        # Not cursors of one connection: they know neither its catalog nor its time zone.
        self._idle = [open_reader(self._path)]

    @cached_property
    def facts(self) -> Mapping[str, str]:
        """What `ops.meta` says of the file, `timezone` and `projected_at` among it."""
        return dict(self.ask("select name, value from ops.meta").rows)

    def ask(
        self, sql: str, values: Mapping[str, Any] | None = None, *, timeout: float | None = None
    ) -> Answer:
        """Return the whole answer to a SELECT of ours.

        `$name` in it stands for `values["name"]`; values that it does not name are left out.
        It may take `timeout` seconds where that is less than what the version allows.
        Raises QueryError, QueryTimeout and StoreError, as the reader does.
        """
        bound = _bound(sql, values)

        def answer(con: duckdb.DuckDBPyConnection) -> Answer:
            cursor = con.execute(sql, bound)
            said = cursor.description or []
            return Answer(tuple(str(d[0]) for d in said), tuple(str(d[1]) for d in said),
                          tuple(cursor.fetchall()))  # fmt: skip

        return self._once((sql, *bound.items()), answer, timeout)

    def tell(self, entity: str, id: UUID) -> Told:
        """Return where the values of a thing are from (`warehouse.lineage`)."""
        return self._once((entity, id), lambda con: lineage.tell(con, entity, id))

    def stream(self, sql: str, values: Mapping[str, Any] | None = None) -> Result:
        """Return the answer to a SELECT of ours row by row, to be written into a file."""
        reading = _Reading(open_reader(self._path), self._path, self._timeout)
        try:
            with reading.guarded():
                said = reading.con.execute(sql, _bound(sql, values)).description or []
        except BaseException:
            reading.close()
            raise
        return Result([str(d[0]) for d in said], [str(d[1]) for d in said],
                      reading.rows(None), reading)  # fmt: skip

    def close(self) -> None:
        """Let go of the file."""
        for con in self._idle:
            con.close()

    def _once(
        self,
        key: tuple[Any, ...],
        answer: Callable[[duckdb.DuckDBPyConnection], T],
        timeout: float | None = None,
    ) -> T:
        """Return what is kept under `key`, else what `answer` gives, bounded in time."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]  # type: ignore[no-any-return]
        with self._seats:
            with self._lock:
                con = self._idle.pop() if self._idle else None
            most = self._timeout if timeout is None else min(timeout, self._timeout)
            reading = _Reading(con or open_reader(self._path), self._path, most)
            try:
                with reading.guarded():
                    found = answer(reading.con)
            except BaseException:
                reading.close()
                raise
            reading.timer.cancel()
            with self._lock:
                self._idle.append(reading.con)
                if not isinstance(found, Answer) or len(found.rows) <= KEPT_ROWS:
                    self._kept[key] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
        return found


@dataclass(slots=True)
class Current:
    """The version published now, whichever it is when asked."""

    home: Home
    timeout: float = TIMEOUT
    _open: Version | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def asking(self) -> Iterator[Version]:
        """Give the newest version, which stays open until the end of the block.

        Raises StoreError where nothing is published, or the file cannot be read.
        """
        version = self._take()
        try:
            yield version
        finally:
            with self._lock:
                version.users -= 1
                self._leave(version)

    def stamp(self) -> tuple[int, int]:
        """Return what tells one published version from another, without opening it."""
        try:
            state = self.home.current.stat()
        except FileNotFoundError:
            raise StoreError(
                "Nothing is published yet.", "run `isthmus sync` first.",
                place=self.home.current.name,
            ) from None  # fmt: skip
        return state.st_ino, state.st_mtime_ns

    def close(self) -> None:
        """Let go of the version that is open, when nobody asks it any more."""
        with self._lock:
            if self._open is not None:
                self._open.is_retired = True
                self._leave(self._open)
                self._open = None

    def _take(self) -> Version:
        stamp = self.stamp()
        with self._lock:
            old = self._open
            if old is None or old.stamp != stamp:
                self._open = Version(self.home, stamp, self.timeout)
                if old is not None:
                    old.is_retired = True
                    self._leave(old)
            assert self._open is not None  # noqa: S101
            self._open.users += 1
            return self._open

    @staticmethod
    def _leave(version: Version) -> None:
        if version.is_retired and version.users == 0:
            version.close()
