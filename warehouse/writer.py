"""The writer of one stream's landing: pages in, batches out, deletions at a scan's proved end."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

from warehouse import crashpoints, pages
from warehouse.batch import (
    Batch,
    Segment,
    is_table,
    name_of,
    write_data,
    write_durably,
    write_segments,
)
from warehouse.clock import Clock, iso
from warehouse.erase.erasures import Guard
from warehouse.errors import LandingError
from warehouse.hashing import RowHasher
from warehouse.scans import Scans
from warehouse.sealed import seal
from warehouse.seen import WHOLE, Scan, SeenIndex
from warehouse.sidecar import Content, Mode, Sidecar

MAX_RECORDS = 50_000
MAX_BYTES = 16_000_000
MAX_SECONDS = 60.0


@dataclass(slots=True)
class WriterReport:
    """What a writer landed. `deleted` keys were landed as deletions, `held` wait for a decision."""

    read: int = 0
    landed: int = 0
    unchanged: int = 0
    deleted: int = 0
    held: int = 0
    batches: int = 0
    bookmark: dict[str, Any] | None = None
    warnings: Counter[str] = field(default_factory=Counter)


class BatchWriter:
    """Made by `Landing.writer`; a context manager that flushes whole pages at its end."""

    def __init__(
        self,
        folder: Path,
        connection: str,
        stream: str,
        *,
        mode: Mode,
        read: str,
        connector: str,
        started: datetime,
        window: tuple[str | None, str | None],
        trust: bool,
        resumed: bool | None,
        grouped: bool,
        index: SeenIndex,
        last: Batch | None,
        bookmark: dict[str, Any] | None,
        lock: TextIO,
        now: Clock,
        guard: Guard | None = None,
    ) -> None:
        self.folder = folder
        self._head = {
            "connection": connection, "stream": stream, "mode": mode, "read": read,
            "connector": connector, "window": window, "trust": trust, "started_at": iso(started),
        }  # fmt: skip
        self._index, self._lock, self._now = index, lock, now
        self._hasher = RowHasher()
        self._guard = guard
        self._closed = False
        self._grouped = grouped
        self._last_key: str | None = None
        self._scanning = mode in ("full", "sweep")
        self._sequence = last.sequence if last else 0
        self._complete_landed = not self._scanning
        self._landed_bookmark = bookmark
        self._bookmark = bookmark
        self._scans = Scans(
            index, read=read, began=iso(started), resumed=resumed, keys_only=mode == "sweep"
        )
        self._total: int | None = None
        self.report = WriterReport(bookmark=bookmark, warnings=self._scans.warnings)
        self._reset()
        index.begin()
        if self._scanning:
            self._scans.begin(WHOLE)
        if index.was_damaged:
            self.report.warnings[
                "the index of seen keys did not fit the landing; it is made anew"
            ] += 1
        if index.meta("incomplete"):
            self.report.warnings[
                "the index of seen keys is incomplete: keys files are missing"
            ] += 1

    def _reset(self) -> None:
        self._chunks: list[bytes] = []
        self._tables: list[Any] = []
        self._segments: list[Segment] = []
        self._rows = self._size = self._unchanged = 0
        self._left_out: dict[int, list[str]] = {}
        self._since = self._now()

    # --- pages -------------------------------------------------------------------------------

    def add(
        self,
        records: pages.Records,
        keys: Sequence[str | None],
        bookmark: Mapping[str, Any] | None,
        *,
        kind: Literal["records", "deletions", "keys"] = "records",
        part: str | None = None,
        complete: bool = False,
        total: int | None = None,
    ) -> None:
        """Take one page (`connectors.base.Page` says what the arguments mean).

        Raises LandingFull, LandingDamaged, or LandingError for a page that cannot be.
        """
        with pages.said(self.folder):
            self._add(records, keys, bookmark, kind, part, complete, total)

    def _add(
        self,
        records: pages.Records,
        keys: Sequence[str | None],
        bookmark: Mapping[str, Any] | None,
        kind: str,
        part: str | None,
        complete: bool,
        total: int | None,
    ) -> None:
        if part is not None and part not in self._scans.under_way:
            self._scans.begin(part)
        self._total = total if total is not None else self._total
        if self._is_due() and not self._goes_on(keys):
            self.flush()  # of a grouped stream, which waited for the last document's other rows
        if kind == "records":
            self._add_records(records, keys, part, complete)
        elif kind == "keys":
            present = [self._known(k) for k in keys if k is not None]
            self._index.mark(present)
            self._scans.count(part, len(keys) - len(present))
            self.report.read += len(present)
            self._unchanged += len(present)
        else:
            gone = [self._known(k) for k in keys if k is not None]
            self.flush()
            self._deletions(gone, iso(self._now()), part, bookmark)
        self._bookmark = dict(bookmark) if bookmark is not None else None
        if complete:
            self.flush(complete=True, part=part)
            if part is not None or self._scanning:
                self._end_scan(part)
        elif self._is_due() and not self._grouped:
            self.flush()

    def _add_records(
        self,
        records: pages.Records,
        keys: Sequence[str | None],
        part: str | None,
        complete: bool,
    ) -> None:
        count = pages.count(records)
        if count != len(keys):
            raise LandingError(
                f"a page has {count} records and {len(keys)} keys.",
                "this is a defect of the connector: report it.",
                place=f"{self._head['connection']}/{self._head['stream']}",
            )
        left_out: dict[int, tuple[str, ...]] = {}
        if self._guard is not None:
            passed = self._guard.passed(records, keys)
            records, keys, left_out = passed.records, passed.keys, passed.left_out
            count, out = len(keys), count - len(keys)
            self._index.mark(passed.kept_out)  # they count as seen: a scan stays proved
            self._scans.count(part, passed.nameless)
            self.report.read, self._unchanged = self.report.read + out, self._unchanged + out
            self.report.warnings.update(passed.warnings)
        repeated = {k for k, n in Counter(keys).items() if n > 1} if len(set(keys)) < count else ()
        for some, start, end in pages.cut(records, MAX_RECORDS, MAX_BYTES):
            picked = pages.pick(
                self._index, self._hasher, some, keys[start:end], part, repeated,
                everything=bool(self._head["trust"]) or self._grouped,
                complete=complete and end == count,
            )  # fmt: skip
            if picked.landed:
                self._keep(some, picked.landed)
                places = enumerate(picked.landed, self._rows - len(picked.landed) + 1)
                gone = {i: left_out.get(start + n, ()) for i, n in places} if left_out else {}
                self._left_out |= {i: list(entities) for i, entities in gone.items() if entities}
            self._segments += picked.segments
            self._scans.count(part, picked.without_key)
            self.report.read += end - start
            self._unchanged += picked.unchanged
            self._last_key = keys[end - 1]
            if end < count and self._is_full() and not self._goes_on(keys[end:]):
                self.flush()

    def _known(self, key: str) -> str:
        return key if self._guard is None else self._guard.known(key)

    def _keep(self, records: pages.Records, landed: list[int]) -> None:
        """Keep records to be landed; those of another shape that wait are landed before."""
        if is_table(records):
            if self._chunks or (self._tables and self._tables[0].schema != records.schema):
                self.flush()
            chosen = records if len(landed) == records.num_rows else records.take(landed)
            self._tables.append(chosen)
            self._size += chosen.nbytes
        else:
            if self._tables:
                self.flush()
            chosen = records if len(landed) == len(records) else [records[n] for n in landed]
            chunk = pages.join(chosen)
            self._chunks.append(chunk)
            self._size += len(chunk)
        self._rows += len(landed)

    def _goes_on(self, keys: Sequence[str | None]) -> bool:
        """Say whether `keys` go on with the document whose rows are pending."""
        return self._grouped and bool(keys) and keys[0] is not None and keys[0] == self._last_key

    def _is_due(self) -> bool:
        return self._is_full() or (self._now() - self._since).total_seconds() > MAX_SECONDS

    def _is_full(self) -> bool:
        return self._rows >= MAX_RECORDS or self._size >= MAX_BYTES

    # --- batches -----------------------------------------------------------------------------

    def flush(self, *, complete: bool = False, part: str | None = None) -> None:
        """Land what is pending as one batch; nothing pending and no news is no batch."""
        moved = pages.plain(self._bookmark) != pages.plain(self._landed_bookmark)
        proof = complete and part is None and not self._complete_landed and self.report.batches
        if self._rows or moved or proof:
            content: Any = pages.one_table(self._tables) if self._tables else self._chunks
            encoding = "parquet" if self._tables else "ndjson.zst"
            self._write(
                "records", encoding, content, self._rows,
                complete=complete, part=part, segments=self._segments,
            )  # fmt: skip
            self._complete_landed |= complete and part is None
        else:
            self._index.commit()
        self.report.unchanged += self._unchanged
        self._reset()

    def _write(
        self,
        content: Content,
        encoding: str,
        data: Any,
        rows: int,
        *,
        complete: bool = False,
        part: str | None = None,
        held: bool = False,
        segments: list[Segment] | None = None,
    ) -> int:
        """Write data, keys and sidecar, then bring the index up to date; returns the sequence."""
        sequence = self._sequence + 1
        stem = name_of(sequence)
        if self._scans.under_way:
            self._index.commit()  # marks are durable before the bookmark that rests on them
        if segments:
            write_segments(self.folder / f"{stem}.keys.zst", segments)
        size, sha256 = write_data(self.folder / f"{stem}.{encoding}", data)
        sidecar = Sidecar.model_validate(
            {
                **self._head, "sequence": sequence, "content": content, "encoding": encoding,
                "rows": rows, "unchanged": self._unchanged if content == "records" else 0,
                "bytes": size, "sha256": sha256, "bookmark": self._bookmark,
                "complete": complete, "total": self._total, "part": part, "held": held,
                "erased": self._left_out if content == "records" else {},
                "ended_at": iso(self._now()),
            }
        )  # fmt: skip
        write_durably(self.folder / f"{stem}.json", seal(sidecar.model_dump_json().encode()))
        crashpoints.reach("land.sidecar")
        for segment in segments or ():
            self._index.remember(segment.keys, segment.hashes, segment.part)
        if content == "records" and complete and part is not None and self._head["mode"] != "sweep":
            self._index.ending(part)
        self._index.indexed(sequence, sha256)
        self._sequence = sequence
        self._landed_bookmark = self._bookmark
        self.report.bookmark = self._bookmark
        self.report.batches += 1
        if content == "records":
            self.report.landed += rows
            self._index.commit()
        return sequence

    # --- deletions ---------------------------------------------------------------------------

    def _end_scan(self, part: str | None) -> None:
        """Turn keys that a proved scan did not see into deletions, under the breaker."""
        index = self._index
        ended = self._scans.end(part, self._total)
        if ended.held:
            self._hold(ended.gone, ended.scan, part)
        elif ended.proved:
            index.release(ended.scan.part)
            if ended.gone:
                self._deletions(ended.gone, ended.scan.began, part, self._bookmark, complete=True)
            self._scans.forget(ended)
        index.end_scan(ended.scan.part)
        if part is not None and self._head["mode"] != "sweep":
            index.was_read(part)
        self._total = None
        index.commit()

    def _hold(self, gone: list[str], scan: Scan, part: str | None) -> None:
        self.report.held += len(gone)
        digest = hashlib.sha256("\n".join(sorted(gone)).encode()).hexdigest()
        waiting = self._index.held(part=scan.part)
        if waiting and waiting.digest == digest:
            return
        sequence = self._write(
            "deletions", "ndjson.zst", pages.deletions(gone, scan.began), len(gone),
            complete=True, part=part, held=True,
        )  # fmt: skip
        self._index.hold(scan.part, sequence, scan.epoch, digest)

    def _deletions(
        self,
        keys: list[str],
        at: str,
        part: str | None,
        bookmark: Mapping[str, Any] | None,
        complete: bool = False,
    ) -> None:
        if not keys:
            return
        self._bookmark = dict(bookmark) if bookmark is not None else None
        self._write(
            "deletions",
            "ndjson.zst",
            pages.deletions(keys, at),
            len(keys),
            complete=complete,
            part=part,
        )
        self._index.forget(keys)
        self._index.commit()
        self.report.deleted += len(keys)

    # --- end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Land what is pending and give the stream back."""
        if self._closed:
            return
        try:
            with pages.said(self.folder):
                self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Give the stream back without landing what is pending."""
        if not self._closed:
            self._closed = True
            self._hasher.close()
            self._index.close()
            self._lock.close()

    def __del__(self) -> None:
        """Give the stream back where a caller forgot to: its lock must not outlive the writer."""
        if hasattr(self, "_closed"):
            self.abandon()

    def __enter__(self) -> BatchWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Land the whole pages that came, also when the read failed after them."""
        self.close()
