"""Packs: many landed batches of one stream in a few files, as `isthmus compact` leaves them.

A pack is `<first>-<last>.json` beside `<first>-<last>.ndjson.zst` or `.parquet` (the records of all
its batches, in order), `.keys.zst` (their keys files) and `.deletions.ndjson.zst`. Its sidecar has
the sidecars of the batches as they were: numbers, positions, moments and sums (by which store and
decisions name a batch) stay what they are. Where a batch's own files stand beside a pack, these
count: a batch that was put back from a backup heals a damaged pack. The last batch of a stream
stands by itself.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import msgspec
import zstandard
from pydantic import BaseModel, ConfigDict, ValidationError

from warehouse import batch as loose
from warehouse import proved
from warehouse.batch import DIGITS, Batch, Segment, damaged, decode_segments, name_of
from warehouse.errors import LandingDamaged, LandingUnknown
from warehouse.proved import Sum
from warehouse.sealed import is_whole
from warehouse.sidecar import Sidecar

if TYPE_CHECKING:
    import pyarrow as pa

LOOSE = ("json", "ndjson.zst", "parquet", "keys.zst")
"""Ends of the names of the files that a batch has by itself."""
TABLE = "parquet"
KEYS = "keys.zst"
DELETIONS = "deletions.ndjson.zst"
_NAME = re.compile(rf"([0-9]{{{DIGITS}}})-([0-9]{{{DIGITS}}})\.(json|ndjson\.zst|parquet|"
                   r"keys\.zst|deletions\.ndjson\.zst)")  # fmt: skip
KEPT = 8
"""Sidecars of packs that are kept in memory."""
Range = tuple[int, int]


class Packed(BaseModel):
    """One batch of a pack: its sidecar, lines (or rows) of its data, lines of its keys file.

    The sidecar's members are those that were landed, also what this release does not know.
    `segments` is null where the batch had no keys file.
    """

    sidecar: dict[str, Any]
    lines: int
    segments: int | None = None

    @property
    def sequence(self) -> object:
        """The batch's number, as it stands there."""
        return self.sidecar.get("sequence")

    @property
    def end(self) -> str:
        """The end of the name of the file that its data is in."""
        told = self.sidecar
        return _end(told.get("content", "records"), told.get("encoding", "ndjson.zst"))


class PackSidecar(BaseModel):
    """What stands in `<first>-<last>.json`; `files` gives the sums by the end of the name.

    Its version is not that of a batch's sidecar: who knows those only refuses it.
    """

    model_config = ConfigDict(extra="ignore")

    version: Literal[2] = 2
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
    """A complete pack; `counts` are the lines or rows of its files.

    `proves` says that these are compared with their sums before use.
    """

    side: PackSidecar
    folder: Path
    places: tuple[Place, ...]
    counts: Mapping[str, int]
    proves: bool = True

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
        for end in dict.fromkeys([*self.side.files, *self.counts]):
            self.verify_file(end)

    def verify_file(self, end: str) -> None:
        """Compare one file with its sum; raises LandingDamaged.

        Where no batch has a line, there is no file.
        """
        if end in self.side.files or self.counts[end]:
            try:
                proved.prove(self.file(end), self._sum(end))
            except FileNotFoundError:
                raise damaged(self.file(end), "the data file is not there") from None

    def batches(self) -> list[PackedBatch]:
        """Return the batches, in order."""
        return [self.batch(n) for n in range(self.side.first, self.side.sequence + 1)]

    def batch(self, number: int) -> PackedBatch:
        """Return the batch of that number."""
        side = loose.sidecar_of(self.raw(number), self.file("json"))
        return PackedBatch(side, self.folder, self)

    def raw(self, number: int) -> dict[str, Any]:
        """Return the members of the sidecar of a batch, as they were landed."""
        return self._one(number).sidecar

    def part(self, number: int) -> Place:
        """Return where the data and keys of a batch stand."""
        return self.places[number - self.side.first]

    def lines(self, number: int) -> list[bytes]:
        """Return the lines of a batch; raises LandingDamaged or FileNotFoundError."""
        place = self.part(number)
        return self._lines(place.end)[place.start : place.stop] if place.lines else []

    def key_lines(self, number: int) -> list[bytes] | None:
        """Return the lines of the keys file that a batch had, None where it had none.

        Raises LandingDamaged or FileNotFoundError.
        """
        count, start = self._one(number).segments, self.part(number).keys
        if not count:
            return None if count is None else []
        return self._lines(KEYS)[start : start + count]

    def table(self) -> pa.Table:
        """Return the rows of all batches; raises LandingDamaged or FileNotFoundError."""
        return proved.table(self.file(TABLE), self._said(TABLE), self.counts[TABLE])

    def _one(self, number: int) -> Packed:
        return self.side.batches[number - self.side.first]

    def _lines(self, end: str) -> list[bytes]:
        return proved.lines(self.file(end), self._said(end), self.counts[end])

    def _said(self, end: str) -> Sum | None:
        return self._sum(end) if self.proves else None

    def _sum(self, end: str) -> Sum:
        if end not in self.side.files:
            raise damaged(self.file("json"), f"the sidecar does not name the file .{end}")
        return self.side.files[end]


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

    def verify_all(self) -> None:
        """Compare all files of the pack with their sums; raises LandingDamaged."""
        self.pack.verify()

    def _verify(self) -> None:
        end = self.pack.part(self.sequence).end
        if end in self.pack.side.files:
            self.data.stat()  # not there: the pack may have grown
        self.pack.verify_file(end)

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

    def raw(self) -> dict[str, Any]:
        """Return the members of its sidecar as they were landed."""
        return self.pack.raw(self.sequence)

    def segments(self) -> list[Segment] | None:
        """Return keys and hashes of the records, None where they are missing or damaged."""
        try:
            lines = self.pack.key_lines(self.sequence)
            return None if lines is None else decode_segments(lines)
        except FileNotFoundError:
            found = self._moved()
            return None if found is None else found.segments()
        except (OSError, LandingDamaged, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def key_lines(self) -> list[bytes]:
        """Return the lines of the keys file.

        Raises FileNotFoundError where there was none, LandingDamaged.
        """
        lines = self.pack.key_lines(self.sequence)
        if lines is None:
            raise FileNotFoundError(self.keys_file)
        return lines

    def _lines(self) -> Iterator[bytes]:
        return iter(self.pack.lines(self.sequence))

    def _table(self) -> pa.Table:
        place = self.pack.part(self.sequence)
        return self.pack.table().slice(place.start, place.lines)


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
    """Read a batch by itself or of a pack; raises LandingDamaged or LandingUnknown.

    A sidecar whose data is gone does not count beside a pack: that removal was cut off.
    """
    try:
        found: Batch | None = loose.read_batch(folder, sequence)
        missing = None
    except LandingUnknown as error:
        found, missing = None, error
    if found is None or not found.data.exists():
        found = _inside(folder, sequence) or found
    if found is None and missing is not None:
        raise missing
    return cast("Batch", found)


def _inside(folder: Path, sequence: int) -> Batch | None:
    """Return the batch of that number of a pack; None where it is in none."""
    for fresh in (False, True):  # it may have been packed while we looked
        if fresh:
            _ranges.cache_clear()
        for first, last in ranges(folder):
            if first <= sequence <= last:
                with suppress(FileNotFoundError):
                    return read_pack(folder, (first, last)).batch(sequence)
    return None


def read_pack(folder: Path, range_: Range) -> Pack:
    """Read the sidecar of a pack; raises LandingDamaged, LandingUnknown or FileNotFoundError."""
    path = folder / f"{stem(range_)}.json"
    stat = path.stat()
    return _read(str(path), stat.st_ino, stat.st_mtime_ns, stat.st_size)


def encoding_of(sides: Sequence[Sidecar]) -> Literal["ndjson.zst", "parquet"]:
    """Return how the records of these batches stand, whose form is the same."""
    is_table = any(s.encoding == TABLE for s in sides if s.content != "deletions")
    return "parquet" if is_table else "ndjson.zst"


def data_end(side: Sidecar) -> str:
    """Return the end of the name of the file of a pack that a batch's data is in."""
    return _end(side.content, side.encoding)


def _end(content: str, encoding: str) -> str:
    return DELETIONS if content == "deletions" else encoding


def pack_of(side: PackSidecar, folder: Path) -> Pack:
    """Return the pack that a sidecar describes."""
    ends: Counter[str] = Counter()
    places: list[Place] = []
    for one in side.batches:
        places.append(Place(one.end, ends[one.end], ends[one.end] + one.lines, ends[KEYS]))
        ends[one.end] += one.lines
        ends[KEYS] += one.segments or 0
    return Pack(side, folder, tuple(places), ends)


@lru_cache(maxsize=256)
def _ranges(folder: str, _changed: int) -> tuple[Range, ...]:
    return tuple(among(os.listdir(folder)))


@lru_cache(maxsize=KEPT)
def _read(name: str, _inode: int, _changed: int, _size: int) -> Pack:
    path = Path(name)
    content = path.read_bytes()
    try:
        raw = msgspec.json.decode(content, type=dict[str, Any])
        if not is_whole(content, raw):
            raise damaged(path, "the sidecar is not as it was written (its check differs)")
        if raw.get("version") != 2:
            raise loose.unknown_version(raw, 2, path)
        side = PackSidecar.model_validate(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, ValidationError) as error:
        raise damaged(path, f"the sidecar cannot be read ({type(error).__name__})") from None
    if [one.sequence for one in side.batches] != list(range(side.first, side.sequence + 1)):
        raise damaged(path, "the sidecar does not name the batches that it should")
    return pack_of(side, path.parent)
