"""Writes packs (see `packs.py`), and removes what stands both in a pack and by itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import zstandard

from warehouse import crashpoints, packs
from warehouse.batch import (
    DIGITS,
    TEMPORARY,
    Batch,
    decode_segments,
    is_table,
    name_of,
    read_batch,
    sync_folder,
    write_durably,
    write_file,
)
from warehouse.errors import LandingDamaged
from warehouse.packs import KEYS, Pack, Packed, PackSidecar
from warehouse.proved import Sum
from warehouse.sealed import seal

if TYPE_CHECKING:
    import pyarrow as pa

LEVEL = 9
"""Of zstd: a pack is written once and read seldom; 12 takes twice the time for 2 % less."""
Lines = Mapping[int, list[bytes]]
"""Lines by batch."""


def make(folder: Path, batches: Sequence[Batch]) -> Pack:
    """Write the pack of `batches`, which follow each other, its sidecar last.

    Raises LandingDamaged where a batch is not as it was landed, or the pack does not hold what it
    was made of; then it does not count.
    """
    for batch in {b.data: b for b in batches}.values():
        batch.verify_all()
    encoding = packs.encoding_of([b.sidecar for b in batches])
    is_row = {b.sequence: packs.data_end(b.sidecar) == "parquet" for b in batches}
    tables = {b.sequence: b.table() for b in batches if is_row[b.sequence]}
    lines = {b.sequence: list(b.lines()) for b in batches if not is_row[b.sequence]}
    keys = {b.sequence: found for b in batches if (found := _key_lines(b)) is not None}
    side = PackSidecar(
        connection=batches[0].sidecar.connection,
        stream=batches[0].sidecar.stream,
        first=batches[0].sequence,
        sequence=batches[-1].sequence,
        encoding=encoding,
        files={},
        batches=[
            Packed(
                sidecar=b.raw(),
                lines=tables[n].num_rows if (n := b.sequence) in tables else len(lines[n]),
                segments=len(keys[n]) if n in keys else None,
            )
            for b in batches
        ],
    )
    pack = written(packs.pack_of(side, folder), lines, keys, tables)
    _compare(pack, lines, keys, tables)
    crashpoints.reach("compact.data_written")
    write_sidecar(pack)
    return pack


def written(pack: Pack, lines: Lines, keys: Lines, tables: Mapping[int, pa.Table]) -> Pack:
    """Write the data files of a pack and return it with their sums; its sidecar is not written."""
    content: dict[str, list[bytes] | pa.Table] = {}
    for number, one in enumerate(pack.side.batches, pack.side.first):
        end = one.end
        if number in lines:
            content.setdefault(end, []).extend(lines[number])
        content.setdefault(KEYS, []).extend(keys.get(number, ()))
    if tables:
        content["parquet"] = _joined([tables[n] for n in sorted(tables)])
    sums: dict[str, Sum] = {}
    for end, some in content.items():
        if not is_table(some) and not some:
            continue
        path = pack.file(end)
        temporary = path.with_name(f".{path.name}{TEMPORARY}")
        data = some if is_table(some) else (line + b"\n" for line in some)
        size, sha256 = write_file(temporary, data, level=LEVEL)
        os.replace(temporary, path)
        sums[end] = Sum(bytes=size, sha256=sha256)
    sync_folder(pack.folder)
    return packs.pack_of(pack.side.model_copy(update={"files": sums}), pack.folder)


def write_sidecar(pack: Pack) -> None:
    """Write the sidecar of a pack: it counts from now on."""
    plain = pack.side.model_dump_json(exclude_defaults=True, exclude={"version", "mode"})
    head = f'{{"version":{pack.side.version},"mode":"{pack.side.mode}",'
    write_durably(pack.file("json"), seal((head + plain[1:]).encode()))


def _joined(tables: Sequence[pa.Table]) -> pa.Table:
    import pyarrow as pa

    return pa.concat_tables(tables).combine_chunks()


def _key_lines(batch: Batch) -> list[bytes] | None:
    """Return the lines of the keys file of a batch, None where it has none.

    Raises LandingDamaged where it is not as it was written: a pack would hide that.
    """
    try:
        lines = batch.key_lines()
        decode_segments(lines)
    except FileNotFoundError:
        return None
    except (OSError, zstandard.ZstdError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise LandingDamaged(
            f"the file of keys cannot be read ({type(error).__name__}); nothing was removed.",
            "restore it from a backup, or remove it: docs/restore.md says what a read then misses.",
            place=str(batch.keys_file),
        ) from None
    return lines


def _compare(pack: Pack, lines: Lines, keys: Lines, tables: Mapping[int, pa.Table]) -> None:
    """Read a new pack back; raises LandingDamaged where it is not what it was made of."""
    try:
        pack.verify()
        wrong = next(_unlike(pack, lines, keys, tables), None)
    except LandingDamaged as error:
        raise _defect(pack, f"the pack cannot be read back ({error.what.rstrip('.')})") from error
    if wrong is not None:
        raise _defect(pack, f"the pack does not hold batch {wrong} as it was landed")


def _defect(pack: Pack, what: str) -> LandingDamaged:
    return LandingDamaged(
        f"{what}; nothing was removed.",
        "this is a defect: report it. The landing is as it was.",
        place=str(pack.file("json")),
    )


def _unlike(pack: Pack, lines: Lines, keys: Lines, tables: Mapping[int, pa.Table]) -> Iterator[int]:
    """Yield the batches that the pack does not hold as they were."""
    from warehouse import sametable  # it imports Arrow

    rows = pack.table() if tables else None
    for number in range(pack.side.first, pack.side.sequence + 1):
        if number in lines:
            same = pack.lines(number) == lines[number]
        else:
            place = pack.part(number)
            part = rows.slice(place.start, place.lines) if rows is not None else None
            same = part is not None and sametable.same(part, tables[number])
        if not same or pack.key_lines(number) != keys.get(number):
            yield number


# --- what stands twice ----------------------------------------------------------------------------


def settle(folder: Path) -> None:
    """Remove files that others make needless, as a killed compaction or a backup leaves them.

    What stands in a whole pack goes, and a damaged pack whose batches all stand beside it, whole.
    The caller holds the stream. Raises LandingDamaged where neither is whole, or where a batch
    beside a pack is another one than the pack has; then nothing is removed.
    """
    names = [n for n in os.listdir(folder) if not n.startswith(".")]
    whole = packs.among(names)
    needless: list[list[str]] = []
    for range_ in whole:
        if double := [n for n in names if _is_in(n, range_)]:
            own = [n for n in names if packs.range_of(n) == range_]
            needless.append(double if _is_kept(folder, range_, double) else own)
    for some in needless:
        remove(folder, some)
    _remove_unfinished(folder)


def _is_kept(folder: Path, range_: packs.Range, double: Sequence[str]) -> bool:
    """Say whether a pack counts, or the batches beside it; raises LandingDamaged."""
    numbers = sorted(int(n[:DIGITS]) for n in double if n[DIGITS:] == ".json")
    try:
        pack = packs.read_pack(folder, range_)
        pack.verify()
    except LandingDamaged:
        if numbers != list(range(range_[0], range_[1] + 1)):
            raise
        for number in numbers:
            read_batch(folder, number).verify()
        return False
    for number in numbers:
        _expect_same(folder, pack, number)
    return True


def _expect_same(folder: Path, pack: Pack, number: int) -> None:
    """Raise LandingDamaged where the batch that stands beside a pack is not the one in it.

    One whose data is gone holds nothing; one from before an erasure is that of before.
    """
    try:
        beside = read_batch(folder, number)
    except LandingDamaged:
        return  # the pack is whole
    inside = pack.batch(number).sidecar
    if beside.data.exists() and beside.sidecar.sha256 != inside.sha256 and not inside.erased:
        raise LandingDamaged(
            f"another batch {number} than this one stands in {pack.file('json').name}.",
            "move the files of the one that is not wanted out of the folder; ops.batches has the"
            " sha256 of the one that was loaded.", place=str(folder / f"{name_of(number)}.json"),
        )  # fmt: skip


def _remove_unfinished(folder: Path) -> None:
    """Remove the files of packs without a sidecar, where what they were made of is there."""
    names = [n for n in os.listdir(folder) if not n.startswith(".")]
    there = {int(n[:DIGITS]) for n in names if n[DIGITS:] == ".json"}
    for first, last in packs.among(names):
        there.update(range(first, last + 1))
    for name in names:
        mine = packs.range_of(name)
        if (
            mine
            and f"{packs.stem(mine)}.json" not in names
            and there.issuperset(range(mine[0], mine[1] + 1))
        ):
            (folder / name).unlink(missing_ok=True)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files of batches: their data once it is certain that their sidecars are gone."""
    for is_sidecar, some in groupby(
        sorted(names, key=lambda n: (not n.endswith(".json"), n)),
        key=lambda n: n.endswith(".json"),
    ):
        for name in some:
            (folder / name).unlink(missing_ok=True)
            crashpoints.reach("compact.removing")
        if is_sidecar:
            sync_folder(folder)
    sync_folder(folder)


def _is_in(name: str, range_: packs.Range) -> bool:
    """Say whether a file is of batches inside a pack, and not of the pack itself."""
    mine = packs.range_of(name)
    if mine is None:
        number, _, end = name.partition(".")
        if not (len(number) == DIGITS and number.isdigit()) or end not in packs.LOOSE:
            return False
        mine = (int(number), int(number))
        return range_[0] <= mine[0] <= range_[1]
    return mine != range_ and range_[0] <= mine[0] and mine[1] <= range_[1]
