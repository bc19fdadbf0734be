"""Writes packs (see `packs.py`), and removes what stands both in a pack and by itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import zstandard

from warehouse import crashpoints, packs
from warehouse.batch import (
    DIGITS,
    TEMPORARY,
    Batch,
    is_table,
    sync_folder,
    write_durably,
    write_file,
)
from warehouse.errors import LandingDamaged
from warehouse.packs import KEYS, Pack, Packed, PackSidecar, Sum
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
        batch.verify()
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
                sidecar=b.sidecar,
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
    for one in pack.side.batches:
        number, end = one.sidecar.sequence, packs.data_end(one.sidecar)
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
    """Return the lines of the keys file of a batch, None where it is missing or damaged."""
    with suppress(OSError, zstandard.ZstdError, LandingDamaged):
        if batch.segments() is not None:
            return batch.key_lines()
    return None


def _compare(pack: Pack, lines: Lines, keys: Lines, tables: Mapping[int, pa.Table]) -> None:
    """Read a new pack back; raises LandingDamaged where it is not what it was made of."""
    from warehouse import sametable  # it imports Arrow

    pack.verify()
    rows = pack.table() if tables else None
    for one in pack.side.batches:
        number = one.sidecar.sequence
        if number in lines:
            same = pack.lines(number) == lines[number]
        else:
            place = pack.part(number)
            part = rows.slice(place.start, place.stop - place.start) if rows is not None else None
            same = part is not None and sametable.same(part, tables[number])
        if not same or pack.key_lines(number) != keys.get(number):
            raise LandingDamaged(
                f"the pack does not hold batch {number} as it was landed; nothing was removed.",
                "this is a defect: report it. The landing is as it was.",
                place=str(pack.file("json")),
            )


# --- what stands twice ----------------------------------------------------------------------------


def settle(folder: Path) -> None:
    """Remove files that a complete pack makes needless, as a killed compaction leaves them.

    The caller holds the stream. Raises LandingDamaged where the pack is not whole: then what stands
    beside it is the only copy.
    """
    names = [n for n in os.listdir(folder) if not n.startswith(".")]
    whole = packs.among(names)
    for first, last in whole:
        double = [n for n in names if _is_in(n, (first, last))]
        if double:
            packs.read_pack(folder, (first, last)).verify()
            remove(folder, double)
    for name in names:  # of a pack that was not finished
        mine = packs.range_of(name)
        if mine and mine not in whole and f"{packs.stem(mine)}.json" not in names:
            covered = {int(n[:DIGITS]) for n in names if n[DIGITS:] == ".json"}
            if covered.issuperset(range(mine[0], mine[1] + 1)) or any(
                first <= mine[0] and mine[1] <= last for first, last in whole
            ):
                (folder / name).unlink(missing_ok=True)


def remove(folder: Path, names: Iterable[str]) -> None:
    """Remove files of batches, sidecars first: without one its data does not count."""
    for name in sorted(names, key=lambda n: (not n.endswith(".json"), n)):
        (folder / name).unlink(missing_ok=True)
        crashpoints.reach("compact.removing")
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
