"""What the records of a batch are known by, in order: landing keys, or content without one."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pyarrow as pa

from warehouse.batch import Batch, Segment
from warehouse.erase.erasures import content_key
from warehouse.hashing import RowHasher, of_records
from warehouse.seen import WITHOUT_KEY


def lines_of(batch: Batch) -> list[bytes]:
    """Return the records of an NDJSON batch."""
    return list(batch.lines())


def table_of(batch: Batch) -> pa.Table:
    """Return the rows of a Parquet batch."""
    return batch.table()


def known_by(batch: Batch, segments: list[Segment] | None) -> list[str] | None:
    """Return what each record of the batch is known by; None where its keys file is gone.

    A page's keys and the contents of its records without key stand apart in the keys file: the
    records say which is which.
    """
    if segments is None:
        return None
    if not any(s.part == WITHOUT_KEY for s in segments):
        keys = [k for s in segments for k in s.keys]
        return keys if len(keys) == batch.sidecar.rows else None
    hashes = _hashes(batch)
    found: list[str] = []
    for keyed, nameless in _pages(segments):
        unnamed = {h for h in nameless.hashes if h is not None} if nameless else set()
        left = iter(keyed.keys)
        count = len(keyed.keys) + (len(nameless.keys) if nameless else 0)
        page = hashes[len(found) : len(found) + count]
        if sum(h in unnamed for h in page) != count - len(keyed.keys):
            return None  # landed otherwise than it came: lines that were joined
        for hash_ in page:
            key = None if hash_ in unnamed else next(left, None)
            found.append(content_key(hash_) if key is None else key)
    return found if len(found) == batch.sidecar.rows else None


def _hashes(batch: Batch) -> list[int]:
    if batch.sidecar.encoding == "parquet":
        hasher = RowHasher()
        try:
            return hasher.of_rows(table_of(batch))
        finally:
            hasher.close()
    return of_records(lines_of(batch))


def _pages(segments: list[Segment]) -> Iterator[tuple[Segment, Segment | None]]:
    """Yield the segments of each page: of its keys, and of its records without one."""
    for n, segment in enumerate(segments):
        if segment.part == WITHOUT_KEY:
            continue
        after = segments[n + 1] if n + 1 < len(segments) else None
        yield segment, after if after is not None and after.part == WITHOUT_KEY else None


def deletion_keys(line: bytes) -> tuple[str, str]:
    """Return key and moment of a line of a batch of deletions."""
    row = msgspec.json.decode(line)
    return str(row["key"]), str(row["at"])
