"""Pages on their way into a batch: what of them is to be landed, and how it is written."""

from __future__ import annotations

import errno
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from warehouse.batch import Segment, is_table
from warehouse.errors import LandingDamaged, LandingFull
from warehouse.hashing import Record, RowHasher, of_records
from warehouse.seen import FILE, WITHOUT_KEY, SeenIndex

if TYPE_CHECKING:
    import pyarrow as pa

Records: TypeAlias = "Sequence[Record] | pa.Table"

_64_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Picked:
    """The places of the records to land, and what the index of seen keys is to learn of them."""

    landed: list[int]
    segments: list[Segment]
    unchanged: int
    without_key: int


def count(records: Records) -> int:
    """Return how many records there are."""
    return int(records.num_rows) if is_table(records) else len(records)


def cut(records: Records, most: int, size: int) -> Iterator[tuple[Records, int, int]]:
    """Yield slices of at most `most` records and about `size` bytes, with their start and end."""
    whole = count(records)
    total = records.nbytes if is_table(records) else sum(map(len, records))
    step = max(1, min(most, whole * size // max(1, total)))
    for start in range(0, whole, step):
        end = min(start + step, whole)
        if is_table(records):
            yield records.slice(start, end - start), start, end
        else:
            yield records[start:end], start, end


def pick(
    index: SeenIndex,
    hasher: RowHasher,
    records: Records,
    keys: Sequence[str | None],
    part: str | None,
    repeated: Collection[str | None],
    *,
    everything: bool,
    complete: bool,
) -> Picked:
    """Choose the records that do not equal the last landed ones, and mark all keys as seen.

    A record whose key stands in its page twice is always landed, and so is every record under
    `everything`. A record without key is known by its content.
    """
    hashes = hasher.of_rows(records) if is_table(records) else of_records(records)
    named = [k for k in keys if k is not None]
    known = index.hashes(named, part)
    if not known and not repeated and len(named) == len(keys):  # all new: a first load's page
        return Picked(list(range(len(named))), [Segment(part, named, [*hashes], complete)], 0, 0)
    unnamed = {
        n: f"{part or ''}\n{hash_ & _64_BITS:016x}"
        for n, (key, hash_) in enumerate(zip(keys, hashes, strict=True)) if key is None
    }  # fmt: skip
    equal = index.equal_without_key(list(unnamed.values())) if unnamed and not everything else set()
    landed: list[int] = []
    segment = Segment(part, [], [], complete)
    nameless = Segment(WITHOUT_KEY, [], [])
    same_unnamed: list[str] = []
    same_keys: list[str] = []
    same_hashes: list[int | None] = []
    for n, (key, hash_) in enumerate(zip(keys, hashes, strict=True)):
        if key is None:
            if unnamed[n] in equal:
                same_unnamed.append(unnamed[n])
            else:
                landed.append(n)
                nameless.keys.append(unnamed[n])
                nameless.hashes.append(hash_)
        elif key in repeated:
            landed.append(n)
            segment.keys.append(key)
            segment.hashes.append(None)
        elif known.get(key) == hash_ and not everything:
            same_keys.append(key)
            same_hashes.append(hash_)
        else:
            landed.append(n)
            segment.keys.append(key)
            segment.hashes.append(hash_)
    index.remember(same_keys, same_hashes, part)
    index.mark(same_unnamed)
    # A new hash counts once the batch is complete; until then the key equals nothing.
    early = [k for k in segment.keys if k in known]
    index.remember(early, [None] * len(early), part)
    segments = [segment, nameless] if nameless.keys else [segment]
    return Picked(landed, segments, len(same_keys) + len(same_unnamed), len(unnamed))


@contextmanager
def said(folder: Path) -> Iterator[None]:
    """Turn what disk and index raise while a batch is written into errors that say what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise LandingFull(
                "the disk is full.", "make space and run again: what was landed stands.",
                place=str(folder),
            ) from error  # fmt: skip
        raise
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            raise LandingFull(
                "the disk is full.", "make space and run again: what was landed stands.",
                place=str(folder),
            ) from error  # fmt: skip
        raise LandingDamaged(
            f"the index of seen keys cannot be used ({error}).",
            "remove the file and run again: it is made anew from the log.",
            place=str(folder / FILE),
        ) from error


def one_table(tables: Sequence[pa.Table]) -> pa.Table:
    """Return tables of one schema as one."""
    import pyarrow as pa

    return pa.concat_tables(tables)


def join(records: Sequence[Record]) -> bytes:
    """Return the records as lines, whatever newlines stand between their tokens."""
    chunk = b"\n".join(records) + b"\n"
    odd = b"\r" in chunk or b"\n\n" in chunk or chunk[:1] == b"\n"
    if odd or chunk.count(b"\n") != len(records):
        # legal JSON has no newline inside a string: between tokens it is only a space
        chunk = b"".join(_one_line(r) for r in records)
    return chunk


def _one_line(record: Record) -> bytes:
    line = bytes(record).replace(b"\r", b" ").replace(b"\n", b" ").strip()
    return (line or b"null") + b"\n"


def deletions(keys: Sequence[str], at: str) -> list[bytes]:
    """Return the lines of a batch of deletions."""
    encode = msgspec.json.encode
    return [encode({"key": key, "at": at}) + b"\n" for key in keys]


def plain(bookmark: Mapping[str, Any] | None) -> str:
    """Return a bookmark in a form to compare; none and an empty one are the same."""
    return json.dumps(bookmark or {}, sort_keys=True, default=str)
