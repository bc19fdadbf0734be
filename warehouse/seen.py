"""Which keys a stream has shown, and what their last landed record hashed to. Derived data.

The index stands in the stream's landing folder (SQLite). It is written after a batch's sidecar, so
a killed process leaves it behind the log, never ahead; it is then caught up from the log, and
rebuilt when it is missing or not of this log.

Every writing process takes a new `epoch` and marks each key that it sees with it. A scan remembers
the epoch in which it began: at its proved end the keys marked earlier than that were not seen by
it, nor by any read since. Where marks are lost (the index was rebuilt while a scan was under way)
the scan is `lost`: its end proves nothing, the next scan does.

Records without key stand in the part WITHOUT_KEY under their content, so that an equal one is not
landed and quarantined again at every read. They are no living keys, and never deletions.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

from warehouse import sealed_index
from warehouse.batch import Batch

FILE = "seen.db"
WHOLE = ""  # the part name of a scan of the whole stream
WITHOUT_KEY = "\x1fwithout key"  # reserved part: records without key, known by their content
_SCHEMA = """
create table if not exists meta (name text primary key, value) without rowid;
create table if not exists seen (
    key text, part text, hash integer, mark integer, primary key (key, part)
) without rowid;
create table if not exists scan (
    part text primary key, epoch integer, began text, read text, lost integer
) without rowid;
create table if not exists held (
    part text primary key, sequence integer, epoch integer, digest text
) without rowid;
create table if not exists again (part text primary key) without rowid;
create table if not exists batches (number integer primary key, sha256 text);
"""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan under way; a read of the same id goes on with it."""

    part: str
    epoch: int
    began: str
    read: str
    lost: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Deletions that wait for a person: batch, epoch of the scan, digest of the keys."""

    part: str
    sequence: int
    epoch: int
    digest: str


class SeenIndex:
    """The index of one stream; one writer at a time (the stream's lock sees to it)."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE
        self.is_closed = False
        self.is_doubtful = not sealed_index.is_beside(self.path)
        self.was_damaged = not sealed_index.is_whole(self.path)
        try:
            if self.was_damaged:
                self._remove()
            self._open()
        except sqlite3.OperationalError:
            raise  # full, busy or not readable: the file itself may be whole
        except sqlite3.DatabaseError:
            self.was_damaged = True
            self._remove()
            self._open()
        self.epoch = 0

    def _open(self) -> None:
        sealed_index.open_seal(self.path)
        self.db = sqlite3.connect(self.path, isolation_level=None, timeout=30)
        for pragma in ("journal_mode=wal", "synchronous=full", "cache_size=-16384"):
            self.db.execute(f"pragma {pragma}")
        self.db.executescript(_SCHEMA)
        self.db.execute("begin immediate")

    def _remove(self) -> None:
        with suppress(AttributeError, sqlite3.Error):
            self.db.close()
        for suffix in ("", "-wal", "-shm", ".sum"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def close(self, *, seal: bool = True) -> None:
        """Drop what was not committed and close the file; `seal` where it fits the landing."""
        if self.is_closed:
            return
        self.is_closed = True
        with suppress(sqlite3.Error):
            self.db.execute("rollback")
        self.db.close()
        with suppress(OSError):  # a full disk: the next process looks at the structure only
            if seal:
                sealed_index.seal(self.path)

    def commit(self) -> None:
        """Make everything since the last commit durable."""
        self.db.execute("commit")
        self.db.execute("begin immediate")

    # --- catching up -------------------------------------------------------------------------

    def meta(self, name: str, default: Any = None) -> Any:
        """Return a member of the index's own state."""
        row = self.db.execute("select value from meta where name = ?", (name,)).fetchone()
        return row[0] if row else default

    def set_meta(self, **values: Any) -> None:
        """Keep members of the index's own state."""
        self.db.executemany("insert or replace into meta values (?, ?)", values.items())

    @property
    def applied(self) -> int:
        """The last batch that the index knows."""
        return int(self.meta("applied", 0))

    def is_of(self, batch: Batch | None) -> bool:
        """Say whether `batch`, the log's batch of number `applied`, is the one indexed."""
        known = self.meta("sha256", "")
        return bool(known == (batch.sidecar.sha256 if batch else ""))

    def holds(self, sums: Mapping[int, str]) -> bool:
        """Say whether the batches with these sums, by number, are the ones indexed."""
        known = dict(self.db.execute("select number, sha256 from batches").fetchall())
        return all(known.get(number) == sum_ for number, sum_ in sums.items())

    def indexed(self, number: int, sha256: str) -> None:
        """Remember that a batch is in the index."""
        self.db.execute("insert or replace into batches values (?, ?)", (number, sha256))
        self.set_meta(applied=number, sha256=sha256)

    def rebuild(self) -> None:
        """Start from nothing; catch up from the first batch afterwards."""
        self._remove()
        self._open()

    def catch_up(self, batches: Iterable[Batch], accepted: Mapping[int, frozenset[str]]) -> None:
        """Apply batches that were landed without the index knowing.

        `accepted` gives the held batches that a person accepted, with the keys left out of them.
        Marks of unchanged keys are durable before the batch is, and landed keys stand in its keys
        file, so a scan goes on; after a rebuild the former are not there, and a scan that the log
        shows unfinished is lost.
        """
        fresh = self.applied == 0
        last: str | None = None  # the part whose scan the last batch of the log ends
        epoch = int(self.meta("epoch", 0)) or 1
        ended: dict[str, str] = {}  # part -> the read under way, '' where it ended
        for batch in batches:
            side = batch.sidecar
            scanning = side.mode in ("full", "sweep")
            last = side.part if side.complete and side.content == "records" else None
            if side.content == "deletions":
                if not side.held or batch.sequence in accepted:
                    left_out = accepted.get(batch.sequence, frozenset())
                    self.forget(k for k, _ in batch.deletions() if k not in left_out)
            elif side.rows:
                segments = batch.segments()
                if segments is None:
                    self.set_meta(incomplete=1)
                for segment in segments or ():
                    self.remember(segment.keys, segment.hashes, segment.part, epoch)
                    if segment.part != WITHOUT_KEY and (scanning or segment.part is not None):
                        ended[segment.part or WHOLE] = "" if segment.complete else side.read
            if scanning and side.content == "records":
                ended[WHOLE] = "" if side.complete and side.part is None else side.read
            self.indexed(batch.sequence, side.sha256)
            self.set_meta(epoch=epoch)
        if last is not None:
            self.ending(last)
        for part, read in ended.items():
            if not read:
                self.end_scan(part)
            elif fresh:
                self.db.execute(
                    "insert or replace into scan values (?, ?, '', ?, 1)", (part, epoch, read)
                )
        self.commit()

    def accepted(self) -> set[int]:
        """Return the held batches whose acceptance the index knows."""
        return {int(n) for n in str(self.meta("accepted", "")).split(",") if n}

    def set_accepted(self, numbers: Iterable[int]) -> None:
        """Note the held batches that were accepted."""
        self.set_meta(accepted=",".join(map(str, sorted(numbers))))

    def begin(self) -> None:
        """Take a new epoch, durably."""
        self.epoch = int(self.meta("epoch", 0)) + 1
        self.set_meta(epoch=self.epoch)
        self.commit()

    # --- keys --------------------------------------------------------------------------------

    def hashes(self, keys: Sequence[str], part: str | None) -> dict[str, int | None]:
        """Return the last landed hash of those `keys` that are known."""
        found: dict[str, int | None] = {}
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ",".join("?" * len(some))
            found.update(
                self.db.execute(
                    f"select key, hash from seen where part = ? and key in ({marks})",
                    (part or WHOLE, *some),
                )
            )
        return found

    def remember(
        self,
        keys: Iterable[str],
        hashes: Iterable[int | None],
        part: str | None,
        epoch: int | None = None,
    ) -> None:
        """Keep hash and mark of `keys`."""
        part_, mark = part or WHOLE, self.epoch if epoch is None else epoch
        if part == WITHOUT_KEY:
            self.set_meta(new_without_key=mark)
        # In their order, so that neighbours fall into one page of the file; of equal ones the last.
        rows = sorted(zip(keys, hashes, strict=True), key=itemgetter(0))
        for start in range(0, len(rows), 400):
            some = rows[start : start + 400]
            values = ",".join(["(?, ?)"] * len(some))
            self.db.execute(
                f"insert into seen select column1, ?, column2, ? from (values {values}) where true"
                " on conflict do update set hash = excluded.hash, mark = excluded.mark",
                (part_, mark, *chain.from_iterable(some)),
            )

    def equal_without_key(self, names: Sequence[str]) -> set[str]:
        """Return those `names` of records without key whose equal was the last landed.

        One that was seen before another was landed may be the older content of the same record:
        it is landed again.
        """
        newest = int(self.meta("new_without_key", 0))
        found: set[str] = set()
        for start in range(0, len(names), 500):
            some = names[start : start + 500]
            marks = ",".join("?" * len(some))
            rows = self.db.execute(
                f"select key from seen where part = ? and mark >= ? and key in ({marks})",
                (WITHOUT_KEY, newest, *some),
            )
            found.update(row[0] for row in rows)
        return found

    def mark(self, keys: Iterable[str]) -> None:
        """Mark `keys` as seen now, in whatever part they stand; unknown ones become known."""
        for key in keys:
            found = self.db.execute("update seen set mark = ? where key = ?", (self.epoch, key))
            if not found.rowcount:
                self.db.execute("insert into seen values (?, '', null, ?)", (key, self.epoch))

    def forget(self, keys: Iterable[str]) -> None:
        """Drop `keys`: they are deleted, and are landed again should they come back."""
        self.db.executemany("delete from seen where key = ?", ((key,) for key in keys))

    # --- scans -------------------------------------------------------------------------------

    def scan(self, part: str) -> Scan | None:
        """Return the scan of `part` that is under way."""
        row = self.db.execute("select * from scan where part = ?", (part,)).fetchone()
        return Scan(row[0], row[1], row[2], row[3], bool(row[4])) if row else None

    def begin_scan(self, part: str, began: str, read: str, *, lost: bool = False) -> Scan:
        """Begin a scan of `part` in the epoch of now, in place of any other of it."""
        self.db.execute(
            "insert or replace into scan values (?, ?, ?, ?, ?)",
            (part, self.epoch, began, read, lost),
        )
        return Scan(part, self.epoch, began, read, lost)

    def end_scan(self, part: str) -> None:
        """Forget the scan of `part`; the end of a scan of the whole stream ends all."""
        self.db.execute("delete from scan where ? = '' or part = ?", (part, part))

    def known(self, part: str) -> int:
        """Count the living keys of `part`."""
        return int(
            self.db.execute(
                "select count(distinct key) from seen where part <> ? and (? = '' or part = ?)",
                (WITHOUT_KEY, part, part),
            ).fetchone()[0]
        )

    def seen_since(self, part: str, epoch: int) -> int:
        """Count the keys of `part` seen since `epoch`."""
        return int(
            self.db.execute(
                "select count(distinct key) from seen"
                " where part <> ? and (? = '' or part = ?) and mark >= ?",
                (WITHOUT_KEY, part, part, epoch),
            ).fetchone()[0]
        )

    def unseen(self, part: str, epoch: int) -> list[str]:
        """Return the keys of `part` not seen since `epoch` and standing in no other part."""
        if part == WHOLE:
            sql = "select key from seen where part <> ? group by key having max(mark) < ?"
            return [row[0] for row in self.db.execute(sql, (WITHOUT_KEY, epoch))]
        sql = (
            "select key from seen a where part = ? and mark < ? and not exists"
            " (select 1 from seen b where b.key = a.key and b.part <> a.part) order by key"
        )
        return [row[0] for row in self.db.execute(sql, (part, epoch))]

    def drop_unseen(self, part: str, epoch: int, *, without_key: bool = True) -> None:
        """Forget that `part` held keys it does not hold any more; other parts may hold them.

        `without_key` says that the scan read records and so saw those without key, too.
        """
        self.db.execute(
            "delete from seen where part <> ? and (? = '' or part = ?) and mark < ?",
            (WITHOUT_KEY, part, part, epoch),
        )
        if without_key:
            own = f"{part}\n" if part else ""
            self.db.execute(
                "delete from seen where part = ? and mark < ? and substr(key, 1, ?) = ?",
                (WITHOUT_KEY, epoch, len(own), own),
            )

    def left(self, part: str, epoch: int) -> list[tuple[str, str]]:
        """Return (key, other part) of the keys of `part` not seen since `epoch`, others hold."""
        sql = (
            "select a.key, b.part from seen a join seen b on b.key = a.key and b.part <> a.part"
            " where a.part = ? and a.mark < ? and a.part not in ('', ?) and b.part <> ''"
            " order by a.key, b.part"
        )
        return list(self.db.execute(sql, (part, epoch, WITHOUT_KEY)))

    def want_again(self, places: Iterable[tuple[str, str]]) -> None:
        """Have the records of these (key, part) landed again, and their parts read again."""
        for key, part in places:
            self.db.execute("update seen set hash = null where (key, part) = (?, ?)", (key, part))
            self.db.execute("insert or ignore into again values (?)", (part,))

    def ending(self, part: str) -> None:
        """Have `part`, whose records all came, read again unless `was_read` follows.

        Its bookmark stands with its last records, its deletions in a batch after that.
        """
        self.db.execute("insert or ignore into again values (?)", (part,))

    def was_read(self, part: str) -> None:
        """Note that `part` was read whole."""
        self.db.execute("delete from again where part = ?", (part,))

    # --- held deletions ----------------------------------------------------------------------

    def held(self, *, sequence: int | None = None, part: str | None = None) -> Held | None:
        """Return the newest held batch of a part, or the one of that number if it is the newest."""
        row = self.db.execute(
            "select part, sequence, epoch, digest from held where sequence = ? or part = ?",
            (sequence, part),
        ).fetchone()
        return Held(*row) if row else None

    def hold(self, part: str, sequence: int, epoch: int, digest: str) -> None:
        """Note the newest held batch of `part`."""
        self.db.execute(
            "insert or replace into held values (?, ?, ?, ?)", (part, sequence, epoch, digest)
        )

    def release(self, part: str) -> None:
        """Forget the held batch of `part`."""
        self.db.execute("delete from held where part = ?", (part,))

    def seen_again(self, keys: Sequence[str], epoch: int) -> list[str]:
        """Return those `keys` that were seen at or after `epoch`."""
        return [
            key
            for key in keys
            if self.db.execute(
                "select 1 from seen where key = ? and mark >= ?", (key, epoch)
            ).fetchone()
        ]
