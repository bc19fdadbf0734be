"""One landed batch: its files, written so that a killed process leaves nothing half-made."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, TypeGuard, TypeVar, cast

import msgspec
import zstandard
from pydantic import ValidationError

from warehouse import crashpoints
from warehouse.errors import LandingDamaged, LandingUnknown
from warehouse.sealed import is_whole
from warehouse.sidecar import Sidecar

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
DIGITS = 12
TEMPORARY = ".part"
DIFFERENT = 1000
RESTORE = (
    "restore the file from a backup; where there is none, docs/restore.md says how to read the"
    " stream anew."
)


def name_of(sequence: int) -> str:
    """Return the file stem of a sequence."""
    return f"{sequence:0{DIGITS}d}"


def damaged(path: Path, what: str) -> LandingDamaged:
    """Return the error that tells of a damaged file."""
    return LandingDamaged(f"{what}.", RESTORE, place=str(path))


def sync_folder(folder: Path) -> None:
    """Make renames inside `folder` durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes) -> None:
    """Write `content` under a temporary name, sync, rename, sync the folder."""
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(path.parent)


class _Hashed(io.RawIOBase):
    """A file that is hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.hash.update(data)
        self.size += len(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.size


def is_table(records: object) -> TypeGuard[pa.Table]:
    """Say whether `records` is an Arrow table, without importing Arrow."""
    return hasattr(records, "num_rows")


def write_data(path: Path, content: Iterable[bytes] | pa.Table) -> tuple[int, str]:
    """Write a data file durably; returns its size on disk and its sha256.

    Bytes are whole lines and become zstd NDJSON (level 1), a table becomes zstd parquet.
    """
    temporary = path.with_name(f".{path.name}{TEMPORARY}")
    said = write_file(temporary, content)
    crashpoints.reach("land.data_written")
    os.replace(temporary, path)
    sync_folder(path.parent)
    crashpoints.reach("land.data_renamed")
    return said


def write_file(
    path: Path, content: Iterable[bytes] | pa.Table, *, level: int | None = None
) -> tuple[int, str]:
    """Write and sync a data file in place; returns its size and its sha256.

    `level` is how hard zstd tries: 1 for NDJSON and its default for Parquet where it is not said.
    With it lines have zstd's checksum, too: it is a pack.
    """
    with path.open("wb") as file:
        hashed = _Hashed(file)
        if is_table(content):
            import pyarrow.parquet as pq

            pq.write_table(
                content, hashed, compression="zstd", compression_level=level,
                use_dictionary=_repeating(content),
            )  # fmt: skip
        else:
            press = zstandard.ZstdCompressor(level=level or 1, write_checksum=level is not None)
            with press.stream_writer(cast("IO[bytes]", hashed), closefd=False) as out:
                for chunk in content:
                    out.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return hashed.size, hashed.hash.hexdigest()


def _repeating(table: pa.Table) -> list[str]:
    """Return the names of the columns that are worth a dictionary.

    Not those that begin with 1,000 different values: keys, codes, stamps. Their dictionary would be
    given up half-way, and they compress better without.
    """
    import pyarrow as pa

    head = table.slice(0, DIFFERENT)
    return [
        name
        for name, column in zip(head.column_names, head.columns, strict=True)
        if pa.types.is_nested(column.type)
        or isinstance(column.type, pa.BaseExtensionType)  # Arrow does not compare its values
        or len(column.unique()) < DIFFERENT
    ]


@dataclass(frozen=True, slots=True)
class Segment:
    """What one page added to the batch: keys and hashes for the index of seen keys.

    A hash of None means that the record is to be landed again whatever it holds. `complete` says
    that the page ended a proved scan of its part.
    """

    part: str | None
    keys: list[str]
    hashes: list[int | None]
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """A complete batch: what its sidecar says, and where its files are."""

    sidecar: Sidecar
    folder: Path

    @property
    def sequence(self) -> int:
        """Its number inside (connection, stream), from 1."""
        return self.sidecar.sequence

    @property
    def read(self) -> str:
        """The read that landed it."""
        return self.sidecar.read

    @property
    def complete(self) -> bool:
        """Whether it ended a proved scan."""
        return self.sidecar.complete

    @property
    def data(self) -> Path:
        """The data file."""
        return self.folder / f"{name_of(self.sequence)}.{self.sidecar.encoding}"

    @property
    def keys_file(self) -> Path:
        """Keys and hashes of the records, from which the index of seen keys is rebuilt."""
        return self.folder / f"{name_of(self.sequence)}.keys.zst"

    @property
    def label(self) -> str:
        """Its name for people: connection/stream/sequence."""
        return f"{self.sidecar.connection}/{self.sidecar.stream}/{name_of(self.sequence)}"

    def here(self) -> Batch:
        """Return the batch as it stands now: `isthmus compact` may have put it into a pack."""
        if self.data.exists():
            return self
        return self._moved() or self

    def _moved(self) -> Batch | None:
        """Return the batch where it stands elsewhere than when it was looked at."""
        from warehouse.packs import read_batch  # packs are made of batches

        with suppress(LandingUnknown):
            found = read_batch(self.folder, self.sequence)
            return None if found.data == self.data else found
        return None

    def _read(self, read: Callable[[Batch], T]) -> T:
        """Return what `read` does with the batch, or with the pack that it went into meanwhile.

        Raises LandingDamaged where there is no file.
        """
        try:
            return read(self)
        except FileNotFoundError as error:
            found, missing = self._moved(), error
        except OSError as error:
            raise _unreadable(self.data, error) from None
        if found is None:
            raise _unreadable(self.data, missing) from None
        try:
            return read(found)
        except OSError as error:
            raise _unreadable(found.data, error) from None

    def verify(self) -> None:
        """Compare size and sha256 with the sidecar; raises LandingDamaged."""
        self._read(lambda batch: batch._verify())

    def verify_all(self) -> None:
        """Compare all that stands with the batch in one pack, too; raises LandingDamaged."""
        self.verify()

    def _verify(self) -> None:
        size = self.data.stat().st_size
        if size != self.sidecar.bytes:
            raise damaged(
                self.data, f"the file has {size} bytes, its sidecar says {self.sidecar.bytes}"
            )
        with self.data.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != self.sidecar.sha256:
            raise damaged(
                self.data, "the file's content is not what its sidecar says (sha256 differs)"
            )

    def path(self, folder: Path, number: int) -> Path:
        """Return the data as a file of this batch alone; a packed one is written into `folder`."""
        return self.data

    def table(self) -> pa.Table:
        """Return the rows of a Parquet batch; raises LandingDamaged."""
        return self._read(lambda batch: batch._table())

    def _table(self) -> pa.Table:
        import pyarrow.parquet as pq

        return pq.read_table(self.data)

    def columns(self) -> list[str]:
        """Return the names of the columns of a Parquet batch; raises LandingDamaged."""
        return self._read(lambda batch: batch._columns())

    def _columns(self) -> list[str]:
        import pyarrow.parquet as pq

        return list(pq.read_schema(self.data).names)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines of an NDJSON batch, without their newline; raises LandingDamaged."""
        yield from self._read(lambda batch: batch._lines())

    def _lines(self) -> Iterator[bytes]:
        return _stream(self.data, self.data.open("rb"))

    def raw(self) -> dict[str, Any]:
        """Return the members of its sidecar as they were written, without their check."""
        content = (self.folder / f"{name_of(self.sequence)}.json").read_bytes()
        members = msgspec.json.decode(content, type=dict[str, Any])
        members.pop("check", None)
        return members

    def record(self, position: int) -> bytes:
        """Return the raw record at `position` (from 1); a parquet row comes as JSON."""
        if self.sidecar.encoding == "parquet":
            table = self.table()
            if 1 <= position <= table.num_rows:
                (row,) = table.slice(position - 1, 1).to_pylist()
                return json.dumps(row, ensure_ascii=False, default=str).encode()
        else:
            for number, line in enumerate(self.lines(), 1):
                if number == position:
                    return line
        raise LandingUnknown(
            f"has {self.sidecar.rows} records, there is no record {position}.",
            "list the quarantine again and take batch and position from there.",
            place=self.label,
        )

    def deletions(self) -> list[tuple[str, str]]:
        """Return (key, at) of a batch whose content is deletions."""
        return [(row["key"], row["at"]) for row in map(msgspec.json.decode, self.lines())]

    def segments(self) -> list[Segment] | None:
        """Return keys and hashes of the records, None where that file is missing or damaged."""
        try:
            return decode_segments(self.key_lines())
        except FileNotFoundError:
            found = self._moved()
            return None if found is None else found.segments()
        except (OSError, zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError):
            return None

    def key_lines(self) -> list[bytes]:
        """Return the lines of the keys file; raises OSError or ZstdError."""
        with self.keys_file.open("rb") as file:
            return zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()


def _unreadable(path: Path, error: OSError) -> LandingDamaged:
    return damaged(path, f"the data file cannot be read ({error.strerror or error})")


def _stream(path: Path, opened: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file; closes it."""
    try:
        with opened as file, zstandard.ZstdDecompressor().stream_reader(file) as plain:
            for line in io.BufferedReader(plain, 1 << 20):
                yield line.rstrip(b"\n")
    except (OSError, zstandard.ZstdError) as error:
        raise damaged(path, f"the data file cannot be read ({error})") from None


def decode_segments(lines: Iterable[bytes]) -> list[Segment]:
    """Return what the lines of a keys file say."""
    return [msgspec.json.decode(line, type=Segment) for line in lines]


def encode_segments(segments: Iterable[Segment]) -> list[bytes]:
    """Return the lines of a keys file."""
    return [msgspec.json.encode(s) for s in segments]


def write_segments(path: Path, segments: Iterable[Segment]) -> None:
    """Write the keys file of a batch durably."""
    plain = b"\n".join(encode_segments(segments))
    write_durably(path, zstandard.ZstdCompressor(level=1, write_checksum=True).compress(plain))


def read_batch(folder: Path, sequence: int) -> Batch:
    """Read the sidecar of a batch; raises LandingDamaged or LandingUnknown."""
    path = folder / f"{name_of(sequence)}.json"
    try:
        content = path.read_bytes()
        raw = msgspec.json.decode(content, type=dict[str, Any])
    except FileNotFoundError:
        raise LandingUnknown(
            "there is no such batch.", "list the batches of the stream.", place=str(path)
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise damaged(path, f"the sidecar cannot be read ({error})") from None
    if not is_whole(content, raw):
        raise damaged(path, "the sidecar is not as it was written (its check differs)")
    return Batch(sidecar_of(raw, path), folder)


def sidecar_of(raw: Mapping[str, Any], path: Path) -> Sidecar:
    """Return the sidecar that these members, which stand in `path`, are.

    Raises LandingDamaged or LandingUnknown.
    """
    if raw.get("version") != 1:
        raise unknown_version(raw, 1, path)
    try:
        return Sidecar.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        what = f"the sidecar's member {'.'.join(map(str, first['loc']))} is wrong: {first['msg']}"
        raise damaged(path, what) from None


def unknown_version(raw: Mapping[str, Any], known: int, path: Path) -> LandingUnknown:
    """Return the error that tells of a sidecar of another release."""
    return LandingUnknown(
        f"the sidecar has version {raw.get('version')!r}, this release knows version {known}.",
        "use the release of isthmus that wrote it, or a newer one.", place=str(path),
    )  # fmt: skip
