"""Reads files of packs: proved by size and sum before anything of them is used, kept for a while.

Batch by batch a file would be hashed and unpacked again and again.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import zstandard
from pydantic import BaseModel

from warehouse.batch import damaged

if TYPE_CHECKING:
    import pyarrow as pa

MOST_KEPT = 64_000_000
"""Bytes of plain lines that are kept; two files are whatever their size: data and keys."""
LINE = 40
"""Bytes that a line takes in memory beside its content."""


class Sum(BaseModel):
    """Size in bytes and sha256 of a file."""

    bytes: int
    sha256: str


class _Stand(NamedTuple):
    """A file as it stands: its name, and what changes where it is written anew."""

    name: str
    inode: int
    changed: int
    size: int


def prove(path: Path, said: Sum) -> None:
    """Compare a file with its sum; raises LandingDamaged or FileNotFoundError."""
    try:
        stand = _stand(path)
        found = _digest(path) if stand.size == said.bytes else None
    except FileNotFoundError:
        raise
    except OSError as error:
        raise damaged(path, f"the data file cannot be read ({error.strerror})") from None
    if found is None:
        raise damaged(path, f"the file has {stand.size} bytes, its sidecar says {said.bytes}")
    if found != said.sha256:
        raise damaged(path, "the file's content is not what its sidecar says (sha256 differs)")


def lines(path: Path, said: Sum | None, count: int) -> list[bytes]:
    """Return the `count` lines of a file, without their newlines.

    Without a sum the checksum of zstd alone proves it. Raises LandingDamaged or FileNotFoundError.
    """
    stand = _stand(path)
    if said is not None:
        _prove_once(stand, said.bytes, said.sha256)
    found = _KEPT.lines(stand)
    if len(found) != count:
        raise damaged(path, f"the file has {len(found)} lines, its sidecar says {count}")
    return found


def table(path: Path, said: Sum | None, count: int) -> pa.Table:
    """Return the `count` rows of a Parquet file; raises LandingDamaged or FileNotFoundError."""
    stand = _stand(path)
    if said is not None:
        _prove_once(stand, said.bytes, said.sha256)
    found = _table(stand)
    if found.num_rows != count:
        raise damaged(path, f"the file has {found.num_rows} rows, its sidecar says {count}")
    return found


def _stand(path: Path) -> _Stand:
    stat = os.stat(path)
    return _Stand(str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=64)
def _prove_once(stand: _Stand, size: int, sha256: str) -> None:
    prove(Path(stand.name), Sum(bytes=size, sha256=sha256))


@lru_cache(maxsize=1)
def _table(stand: _Stand) -> pa.Table:
    import pyarrow.parquet as pq

    return pq.read_table(stand.name)


class _Kept:
    """Lines of the files that were read last."""

    def __init__(self) -> None:
        self._files: OrderedDict[_Stand, tuple[list[bytes], int]] = OrderedDict()
        self._lock = threading.Lock()

    def lines(self, stand: _Stand) -> list[bytes]:
        with self._lock:
            if stand in self._files:
                self._files.move_to_end(stand)
                return self._files[stand][0]
        found, size = _read(stand)
        with self._lock:
            self._files[stand] = found, size + LINE * len(found)
            while len(self._files) > 2 and sum(s for _, s in self._files.values()) > MOST_KEPT:
                self._files.popitem(last=False)
        return found


def _read(stand: _Stand) -> tuple[list[bytes], int]:
    """Return the lines of a file, and how many bytes they are."""
    path = Path(stand.name)
    try:
        with (
            path.open("rb") as file,
            zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain,
        ):
            content = plain.read()
    except zstandard.ZstdError as error:
        raise damaged(path, f"the data file cannot be read ({error})") from None
    found = content.split(b"\n")
    if found.pop():
        raise damaged(path, "the file ends in the middle of a line")
    return found, len(content)


_KEPT = _Kept()
