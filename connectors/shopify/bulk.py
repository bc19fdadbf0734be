"""A whole list by bulk operation: started, waited for, fetched, and put together again.

The vendor runs the query by itself and leaves a file of JSON lines at a storage host: each object
of a connection is a line of its own, a child names its parent (`__parentId`) and comes after it,
but not right after it. So lines are spilled to a small database on disk and taken from there with
their children: memory stays bounded, and a read that was killed goes on behind the last line that
it landed, because the file does not change.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from connectors.base import Context
from connectors.body import Body
from connectors.decode import as_utf8
from connectors.errors import AuthError, ConfigError, ContractBroken, QuotaUsed, Unavailable
from connectors.numbers import quote_long
from connectors.ranged import pieces
from connectors.records import cut
from connectors.shopify import queries
from connectors.shopify.api import Api
from connectors.shopify.catalogue import Source
from connectors.shopify.voided import told
from connectors.shopify.walk import Part, spliced

ROWS, PIECE = 1000, 8 << 20
"""Records of one page that is handed on, bytes of one piece of a file that is fetched."""
_UNDER_WAY = ("CREATED", "RUNNING", "CANCELING")
_FIRST_PAUSE, _LONGEST_PAUSE = 2.0, 60.0
_BUSY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Operation:
    """One bulk operation as the shop tells it now; counts are of lines, sizes in bytes."""

    key: str
    status: str
    error: str = ""
    link: str = ""
    lines: int = 0
    roots: int = 0
    size: int = 0


class _Line(msgspec.Struct):
    id: str | None = None
    parent: str | None = msgspec.field(default=None, name="__parentId")


def start(api: Api, source: Source, context: Context) -> str:
    """Start the operation and return its id; raises QuotaUsed where too many are under way."""
    text = queries.bulk(source, personal=api.settings.personal)
    at = ("bulkOperationRunQuery",)
    body = api.want(queries.START, {"query": text}, at)
    errors = body.level(("data", *at, "userErrors"))
    if errors:
        path = ("data", *at, "userErrors", 0)
        said, code = body.text((*path, "message")) or "", body.text((*path, "code"))
        if code in ("OPERATION_IN_PROGRESS", "LIMIT_REACHED"):
            raise QuotaUsed(
                f"The shop runs as many bulk operations of this app as it allows ({said}).",
                "nothing: a later run goes on.", until=context.now() + _BUSY,
            )  # fmt: skip
        raise ConfigError(
            f"The bulk operation was refused ({said})", "set bulk: false to read in pages."
        )
    key = body.text(("data", *at, "bulkOperation", "id"))
    if not key:
        raise ContractBroken("The bulk operation has no id.", "ask the vendor.")
    return key


def state(api: Api, key: str) -> Operation | None:
    """Return an operation as it stands; None where the shop knows it no more."""
    body = api.want(queries.OPERATION, {"id": key}, ())
    at = ("data", "bulkOperation")
    if body.text((*at, "id")) != key:
        return None
    link = body.text((*at, "url")) or ""
    if link:
        api.hide(link)
    counts = [body.text((*at, name)) or "0" for name in ("objectCount", "rootObjectCount")]
    size = body.text((*at, "fileSize")) or "0"
    if not all(text.isdigit() for text in (*counts, size)):
        raise ContractBroken("The bulk operation's counts are no numbers.", "ask the vendor.")
    status, error = body.text((*at, "status")) or "", body.text((*at, "errorCode")) or ""
    return Operation(key, status, error, link, int(counts[0]), int(counts[1]), int(size))


def wait(api: Api, key: str, context: Context) -> Operation:
    """Wait until the operation is done; raises QuotaUsed where that takes longer than a run waits.

    Raises Unavailable, or AuthError, where it failed: the part that came by then is not used.
    """
    left, pause = api.settings.bulk_wait.total_seconds(), _FIRST_PAUSE
    while True:
        found = state(api, key)
        if found is None or found.status == "EXPIRED":
            raise Unavailable("The bulk operation is gone.", "the next run starts another.")
        if found.status == "COMPLETED":
            return found
        if found.status not in _UNDER_WAY:
            raise _failed(found)
        if left <= 0:
            raise QuotaUsed(
                f"The bulk operation is not done yet ({found.lines} objects so far).",
                "nothing: the next run goes on with it.",
                until=context.now() + timedelta(seconds=pause),
            )
        (context.pause or time.sleep)(min(pause, left))
        left, pause = left - pause, min(pause * 2, _LONGEST_PAUSE)


def _failed(found: Operation) -> Unavailable | AuthError:
    said = f"The bulk operation ended as {found.status} {found.error}".rstrip()
    if found.error == "ACCESS_DENIED":
        return AuthError(f"{said}.", "give the app the rights that docs/shopify.md names.")
    return Unavailable(
        f"{said}.", "the next run starts another; if it fails again, set bulk: false."
    )


def parts(api: Api, source: Source, found: Operation, after: int) -> Iterator[tuple[int, Part]]:
    """Yield the records behind line `after`, in pages, each with its last record's line.

    Raises ContractBroken where the file has not as many objects as the shop counted.
    """
    if not found.link:
        if found.lines:
            raise ContractBroken(
                f"The bulk operation counts {found.lines} objects and has no file.", "run again."
            )
        return
    with spill() as lines:
        for piece in pieces(api.files(), found.link, found.size, piece=PIECE):
            lines.take(piece)
        lines.end(found.lines, found.roots)
        for last, rows in lines.rows(after, children=source.inner is not None):
            yield last, _part(source, rows, lines)


def _part(source: Source, rows: Sequence[tuple[str, bytes]], lines: Spill) -> Part:
    """Return the records of these lines, cut and looked through as a page's are."""
    if source.lines:
        inner = lines.children([key for key, _ in rows])
        rows = [(key, spliced(raw, source.lines.name, inner.get(key, ()))) for key, raw in rows]
    nodes = _body([raw for _, raw in rows])
    whole = cut(nodes, (), (("id",),), ("updatedAt",))
    if not source.listed:
        return Part(whole.records, whole.keys, whole.stamps)
    part = Part([], [], whole.stamps)
    for place in range(len(whole.records)):
        found = cut(nodes, (place, source.listed), (("id",),), None)
        part.records.extend(told(found.records))
        part.keys.extend(found.keys)
    return part


def _body(rows: Sequence[bytes]) -> Body:
    return Body(quote_long(as_utf8(b"[" + b",".join(rows) + b"]", "application/json", "bulk")))


@contextmanager
def spill() -> Iterator[Spill]:
    """Give a database of lines that no name leads to: a run that is killed leaves none of it.

    SQLite keeps a database without a name in a temporary file that it unlinks as it opens it.
    """
    with closing(sqlite3.connect("", isolation_level=None)) as con:
        yield Spill(con)


class Spill:
    """The lines of a file: number, id, parent's id, and the line as it was written."""

    def __init__(self, con: sqlite3.Connection) -> None:
        self._con = con
        self._rest = b""
        self._count = 0
        con.execute("pragma journal_mode = off")
        con.execute("pragma synchronous = off")
        con.execute("create table line (n integer primary key, id text, parent text, raw blob)")

    def take(self, piece: bytes) -> None:
        """Take the next bytes of the file; a line may go on in the next piece."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        self._add(whole)

    def end(self, lines: int, roots: int) -> None:
        """Take the last line and hold what came against the shop's counts."""
        self._add([self._rest])
        self._con.execute("create index of_parent on line (parent, id)")
        (came,) = self._con.execute("select count(*) from line where parent is null").fetchone()
        (lost,) = self._con.execute(
            "select count(*) from line c where parent is not null and not exists"
            " (select 1 from line p where p.parent is null and p.id = c.parent)"
        ).fetchone() if self._has_children() else (0,)  # fmt: skip
        if (self._count, came, lost) != (lines, roots, 0):
            raise ContractBroken(
                f"The bulk operation counts {lines} objects, {roots} of them on top; its file has "
                f"{self._count} and {came}, {lost} without their parent.",
                "run again; if the counts differ again, set bulk: false.",
            )  # fmt: skip

    def rows(self, after: int, *, children: bool) -> Iterator[tuple[int, list[tuple[str, bytes]]]]:
        """Yield ids and lines on top, or those below them, in pages with the last line's number."""
        below = "is not null" if children else "is null"
        sql = f"select n, id, raw from line where parent {below} and n > ? order by n limit ?"
        while found := self._con.execute(sql, (after, ROWS)).fetchall():
            after = found[-1][0]
            yield after, [(key, raw) for _, key, raw in found]

    def children(self, keys: Sequence[str]) -> dict[str, list[bytes]]:
        """Return the lines below each of these, in the order of the file."""
        found: dict[str, list[bytes]] = {}
        marks = ", ".join("?" * len(keys))
        sql = f"select parent, raw from line where parent in ({marks}) order by n"
        for parent, raw in self._con.execute(sql, keys):
            found.setdefault(parent, []).append(raw)
        return found

    def _has_children(self) -> bool:
        sql = "select 1 from line where parent is not null limit 1"
        return self._con.execute(sql).fetchone() is not None

    def _add(self, lines: Sequence[bytes]) -> None:
        rows = []
        for raw in lines:
            if not raw.strip():
                continue
            self._count += 1
            try:
                line = msgspec.json.decode(raw, type=_Line)
            except (msgspec.DecodeError, RecursionError):
                line = _Line()
            if not line.id:
                raise ContractBroken(
                    f"Line {self._count} of the bulk operation's file is no object with an id.",
                    "run again; else ask the vendor.",
                )
            rows.append((self._count, line.id, line.parent, _bare(raw.strip(), line.parent)))
        self._con.execute("begin")
        self._con.executemany("insert into line values (?, ?, ?, ?)", rows)
        self._con.execute("commit")


def _bare(raw: bytes, parent: str | None) -> bytes:
    """Return a line without its parent's id, so that it reads as a page has it."""
    if parent is None:
        return raw
    head, mark, _ = raw.rpartition(b',"__parentId":')
    tail = raw[len(head) + len(mark) :]
    written = (msgspec.json.encode(parent), msgspec.json.encode(parent).replace(b"/", b"\\/"))
    return head + b"}" if mark and tail in tuple(one + b"}" for one in written) else raw
