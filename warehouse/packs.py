"""Packs: many landed batches of one stream in a few files, as `isthmus compact` leaves them.

A pack is `<first>-<last>.json` beside `<first>-<last>.ndjson.zst` or `.parquet` (the records of all
its batches, in order), `.keys.zst` (their keys files) and `.deletions.ndjson.zst`. Its sidecar has
the sidecars of the batches as they were: numbers, positions, moments and sums (by which store and
decisions name a batch) stay what they are. Where a batch's own files stand beside a pack, these
count: a batch that was put back from a backup heals a damaged pack.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from warehouse import batch as loose
from warehouse.batch import DIGITS, RESTORE, Batch, Segment, decode_segments, name_of
from warehouse.errors import LandingDamaged, LandingUnknown
from warehouse.sealed import is_whole
from warehouse.sidecar import Sidecar

if TYPE_CHECKING:
    import pyarrow as pa

LOOSE = ("json", "ndjson.zst", "parquet", "keys.zst")
"""Ends of the names of the files that a batch has by itself."""
KEYS = "keys.zst"
DELETIONS = "deletions.ndjson.zst"
_NAME = re.compile(rf"([0-9]{{{DIGITS}}})-([0-9]{{{DIGITS}}})\.(json|ndjson\.zst|parquet|"
                   r"keys\.zst|deletions\.ndjson\.zst)")  # fmt: skip
Range = tuple[int, int]


class Sum(BaseModel):
    """Size in bytes and sha256 of a file."""

    bytes: int
    sha256: str


class Packed(BaseModel):
    """One batch of a pack: its sidecar, lines (or rows) of its data, lines of its keys file.

    `segments` is null where the batch had no keys file.
    """

    sidecar: Sidecar
    lines: int
    segments: int | None = None


class PackSidecar(BaseModel):
    """What stands in `<first>-<last>.json`; `files` gives the sums by the end of the name."""

    model_config = ConfigDict(extra="ignore")

    version: Literal[1] = 1
    connection: str
    stream: str
    first: int
    sequence: int
    mode: Literal["compacted"] = "compacted"
    encoding: Literal["ndjson.zst", "parquet"]
    files: dict[str, Sum]
    batches: list[Packed]


class Place(NamedTuple):
    """Where a batch stands: `end` of the name of its file, its lines there, its first of keys."""

    end: str
    start: int
    stop: int
    keys: int

    @property
    def lines(self) -> int:
        """How many lines or rows it has."""
        return self.stop - self.start


@dataclass(frozen=True, slots=True)
class Pack:
    """A complete pack."""

    side: PackSidecar
    folder: Path
    places: tuple[Place, ...]

    @property
    def range(self) -> Range:
        """Its first and last batch."""
        return self.side.first, self.side.sequence

    def file(self, end: str) -> Path:
        """Return the file whose name ends so."""
        return self.folder / f"{stem(self.range)}.{end}"

    def files(self) -> list[Path]:
        """Return all its files, the sidecar first."""
        return [self.file(end) for end in ("json", *self.side.files)]

    def verify(self) -> None:
        """Compare every file with its sum; raises LandingDamaged."""
        for end in self.side.files:
            self.verify_file(end)

    def verify_file(self, end: str) -> None:
        """Compare one file with its sum; raises LandingDamaged.

        Where no batch has a line, there is no file.
        """
        if end not in self.side.files and not any(p.end == end and p.lines for p in self.places):
            return
        path, said = self.file(end), self.side.files[end]
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _damaged(path, f"the data file cannot be read ({error.strerror})") from None
        if found != said.sha256:
            raise _damaged(path, "the file's content is not what its sidecar says (sha256 differs)")

    def batches(self) -> list[PackedBatch]:
        """Return the batches, in order."""
        return [self.batch(one.sidecar.sequence) for one in self.side.batches]

    def batch(self, number: int) -> PackedBatch:
        """Return the batch of that number."""
        return PackedBatch(self._one(number).sidecar, self.folder, self)

    def part(self, number: int) -> Place:
        """Return where the data and keys of a batch stand."""
        return self.places[number - self.side.first]

    def lines(self, number: int) -> list[bytes]:
        """Return the lines of a batch; raises LandingDamaged."""
        place = self.part(number)
        return self._lines(place.end)[place.start : place.stop] if place.lines else []

    def key_lines(self, number: int) -> list[bytes] | None:
        """Return the lines of the keys file that a batch had; raises LandingDamaged."""
        count, start = self._one(number).segments, self.part(number).keys
        if not count:
            return None if count is None else []
        return self._lines(KEYS)[start : start + count]

    def table(self) -> pa.Table:
        """Return the rows of all batches."""
        import pyarrow.parquet as pq

        return pq.read_table(self.file(self.side.encoding))

    def _one(self, number: int) -> Packed:
        return self.side.batches[number - self.side.first]

    def _lines(self, end: str) -> list[bytes]:
        path = self.file(end)
        try:
            stat = path.stat()
            return _plain_lines(str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size)
        except (OSError, zstandard.ZstdError) as error:
            raise _damaged(path, f"the data file cannot be read ({error})") from None


@dataclass(frozen=True, slots=True)
class PackedBatch(Batch):
    """A batch inside a pack."""

    pack: Pack

    @property
    def data(self) -> Path:
        """The file that holds its data, and that of others."""
        return self.pack.file(self.pack.part(self.sequence).end)

    @property
    def keys_file(self) -> Path:
        """The keys file of the pack."""
        return self.pack.file(KEYS)

    def verify(self) -> None:
        """Compare the pack's file with its sum; raises LandingDamaged."""
        self.pack.verify_file(self.pack.part(self.sequence).end)

    def path(self, folder: Path, number: int) -> Path:
        """Write the data of this batch alone into `folder`."""
        path = folder / f"packed-{number}.{self.sidecar.encoding}"
        if self.sidecar.encoding == "parquet":
            import pyarrow.parquet as pq

            pq.write_table(self.table(), path, compression="none")
        else:
            plain = b"".join(line + b"\n" for line in self.lines())
            path.write_bytes(zstandard.ZstdCompressor(level=1).compress(plain))
        return path

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, without their newline."""
        yield from self.pack.lines(self.sequence)

    def table(self) -> pa.Table:
        """Return the rows of a Parquet batch."""
        place = self.pack.part(self.sequence)
        return self.pack.table().slice(place.start, place.stop - place.start)

    def columns(self) -> list[str]:
        """Return the names of the columns of a Parquet batch."""
        import pyarrow.parquet as pq

        return list(pq.read_schema(self.data).names)

    def segments(self) -> list[Segment] | None:
        """Return keys and hashes of the records, None where they are missing or damaged."""
        with suppress(LandingDamaged, msgspec.DecodeError, UnicodeDecodeError):
            lines = self.pack.key_lines(self.sequence)
            return None if lines is None else decode_segments(lines)
        return None

    def key_lines(self) -> list[bytes]:
        """Return the lines of the keys file; raises OSError where there was none."""
        lines = self.pack.key_lines(self.sequence)
        if lines is None:
            raise FileNotFoundError(self.keys_file)
        return lines


# --- finding --------------------------------------------------------------------------------------


def stem(range_: Range) -> str:
    """Return the file stem of the pack of these batches."""
    return f"{name_of(range_[0])}-{name_of(range_[1])}"


def range_of(name: str) -> Range | None:
    """Return the batches of the pack that a file of this name belongs to, None for other names."""
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def ranges(folder: Path) -> list[Range]:
    """Return the complete packs of a stream's folder that no larger one covers, in order."""
    try:
        return list(_ranges(str(folder), folder.stat().st_mtime_ns))
    except OSError:
        return []


def among(names: list[str]) -> list[Range]:
    """Return the complete packs among these names of files that no larger one covers, in order."""
    found = (range_of(name) for name in names if name.endswith(".json"))
    kept: list[Range] = []
    for one in sorted((r for r in found if r), key=lambda r: (r[0], -r[1])):
        if not kept or one[1] > kept[-1][1]:
            kept.append(one)
    return kept


def read_batch(folder: Path, sequence: int) -> Batch:
    """Read a batch by itself or of a pack; raises LandingDamaged or LandingUnknown."""
    try:
        return loose.read_batch(folder, sequence)
    except LandingUnknown as error:
        for fresh in (False, True):  # it may have been packed while we looked
            if fresh:
                _ranges.cache_clear()
            for first, last in ranges(folder):
                if first <= sequence <= last:
                    with suppress(FileNotFoundError):
                        return read_pack(folder, (first, last)).batch(sequence)
        raise error


def read_pack(folder: Path, range_: Range) -> Pack:
    """Read the sidecar of a pack; raises LandingDamaged, LandingUnknown or FileNotFoundError."""
    path = folder / f"{stem(range_)}.json"
    stat = path.stat()
    return _read(str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size)


def encoding_of(sides: Sequence[Sidecar]) -> Literal["ndjson.zst", "parquet"]:
    """Return how the records of these batches stand, whose encoding is the same."""
    return next((s.encoding for s in sides if s.content != "deletions"), "ndjson.zst")


def data_end(side: Sidecar) -> str:
    """Return the end of the name of the file of a pack that a batch's data is in."""
    return DELETIONS if side.content == "deletions" else side.encoding


def pack_of(side: PackSidecar, folder: Path) -> Pack:
    """Return the pack that a sidecar describes."""
    ends: Counter[str] = Counter()
    places: list[Place] = []
    for one in side.batches:
        end = data_end(one.sidecar)
        places.append(Place(end, ends[end], ends[end] + one.lines, ends[KEYS]))
        ends[end] += one.lines
        ends[KEYS] += one.segments or 0
    return Pack(side, folder, tuple(places))


@lru_cache(maxsize=256)
def _ranges(folder: str, _changed: int) -> tuple[Range, ...]:
    return tuple(among(os.listdir(folder)))


@lru_cache(maxsize=256)
def _read(name: str, _inode: int, _changed: int, _size: int) -> Pack:
    path = Path(name)
    content = path.read_bytes()
    try:
        raw = msgspec.json.decode(content, type=dict[str, Any])
        if not is_whole(content, raw):
            raise _damaged(path, "the sidecar is not as it was written (its check differs)")
        if raw.get("version") != 1:
            raise LandingUnknown(
                f"the sidecar has version {raw.get('version')!r}, this release knows version 1.",
                "use the release of isthmus that wrote it, or a newer one.", place=name,
            )  # fmt: skip
        return pack_of(PackSidecar.model_validate(raw), path.parent)
    except (msgspec.DecodeError, UnicodeDecodeError, ValidationError) as error:
        raise _damaged(path, f"the sidecar cannot be read ({type(error).__name__})") from None


@lru_cache(maxsize=2)
def _plain_lines(name: str, _inode: int, _changed: int, _size: int) -> list[bytes]:
    """Return the lines of a file of a pack: batch by batch it would be read again and again."""
    with (
        Path(name).open("rb") as file,
        zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as plain,
    ):
        lines = plain.read().split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def _damaged(path: Path, what: str) -> LandingDamaged:
    return LandingDamaged(f"{what}.", RESTORE, place=str(path))
