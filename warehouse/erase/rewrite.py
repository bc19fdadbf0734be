"""Writes the decision of an erasure, and the landing as it is after it.

Every step may be done again: a record that was removed or blanked is so a second time. Positions
stay what they are, for quarantine entries and lineage name them; a removed record leaves `{}`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from warehouse import crashpoints, packfiles, packs
from warehouse.batch import (
    Batch,
    Segment,
    encode_segments,
    is_table,
    name_of,
    write_data,
    write_durably,
    write_segments,
)
from warehouse.decisions import Decision
from warehouse.erase.blank import NOTHING, Rule, blanked, blanked_table
from warehouse.erase.erasures import ALL, KEPT, StreamErasure
from warehouse.erase.known import deletion_keys, lines_of, table_of
from warehouse.erase.plan import Place, Plan, StreamPlan
from warehouse.erase.words import Hashes, Value, key_after, needles
from warehouse.landing import Landing
from warehouse.sealed import seal
from warehouse.seen import FILE, WITHOUT_KEY

ERASED = "erased"


@dataclass(slots=True)
class StreamWork:
    """What is done in one stream, as it is noted for a run that goes on.

    `places` are [batch, position, key]; `sums` the old sums by batch.
    """

    connection: str
    stream: str
    about: dict[str, Any]
    places: list[tuple[int, int, str]] = field(default_factory=list)
    sums: dict[int, str] = field(default_factory=dict)
    deletions: dict[int, list[str]] = field(default_factory=dict)


def about_of(plan: Plan, hashes: Hashes) -> dict[str, Any]:
    """Return what the decision holds: nothing from which the person could be known."""
    values = {hashes.of_value(v) for v in plan.subject.values if v not in plan.subject.shared}
    values |= {hashes.of_value(v) for v in plan.subject.said if v in plan.searched}
    return {
        "key": hashes.fingerprint,
        "subject": hashes.of("subject", str(plan.subject.golden)),
        "values": sorted(values),
        "streams": [_about_stream(s, hashes) for s in plan.streams.values()],
    }


def _about_stream(plan: StreamPlan, hashes: Hashes) -> dict[str, Any]:
    blanked_: dict[str, dict[str, Any]] = {}
    for key in sorted(plan.owned | plan.partly.keys()):
        said: dict[str, Any] = {}
        if key in plan.partly:
            said["paths"] = sorted(map(list, plan.partly[key]))
        if key in plan.left_out:
            said["left_out"] = sorted(plan.left_out[key])
        blanked_[hashes.of_key(key)] = said
    return {
        "connection": plan.connection,
        "stream": plan.stream,
        "removed": sorted(hashes.of_key(k) for k in plan.removed),
        "blanked": blanked_,
        "paths": sorted(map(list, plan.paths)),
        "keys": sorted(map(list, plan.keys)),
        "batches": [
            {"batch": n, "was": hashes.of("sum", sha256)} for n, sha256 in sorted(plan.sums.items())
        ],
    }


def work_of(plan: Plan, about: Mapping[str, Any]) -> list[StreamWork]:
    """Return what is to be done, stream by stream."""
    return [
        StreamWork(
            s.connection, s.stream, said, [(*p, k) for p, k in sorted(s.places.items())], s.sums,
            {n: sorted(keys) for n, keys in s.deletions.items()},
        )
        for s, said in zip(plan.streams.values(), about["streams"], strict=True)
    ]  # fmt: skip


def count(plan: StreamPlan) -> dict[str, Any]:
    """Return how much of a stream is concerned."""
    return {
        "connection": plan.connection,
        "stream": plan.stream,
        "batches": len(plan.sums),
        "removed": len(plan.removed),
        "blanked": len(plan.owned | plan.partly.keys()),
    }


def rewrite(
    landing: Landing, work: Sequence[StreamWork], values: Sequence[str], hashes: Hashes
) -> None:
    """Bring the landing of all streams to what was decided; may be called again."""
    for stream in work:
        place = (stream.connection, stream.stream)
        folder = landing.folder(*place)
        erasure = StreamErasure()
        erasure.take(stream.about, values)
        landing.clear(*place)
        inside: dict[packs.Range, packs.Pack] = {}
        for number in sorted(stream.sums):
            batch = packs.read_batch(folder, number)
            if isinstance(batch, packs.PackedBatch):
                inside[batch.pack.range] = batch.pack
            else:
                _batch(batch, stream, erasure, hashes)
        for pack in inside.values():
            _pack(pack, stream, erasure, hashes)
        _forget_index(folder)
    crashpoints.reach("erase.landing_done")


def _forget_index(folder: Path) -> None:
    """Remove the index of seen keys: it is read back from the log, without what is gone."""
    for suffix in ("", "-wal", "-shm", ".sum"):
        (folder / f"{FILE}{suffix}").unlink(missing_ok=True)


def _batch(batch: Batch, stream: StreamWork, erasure: StreamErasure, hashes: Hashes) -> None:
    new = _changed(batch, stream, erasure, hashes)
    if new.keys is not None:
        write_segments(batch.keys_file, new.keys)
    size, sha256 = write_data(batch.data, new.content)
    crashpoints.reach("erase.batch_written")
    side = batch.sidecar.model_copy(update={"bytes": size, "sha256": sha256, "erased": new.erased})
    path = batch.folder / f"{name_of(batch.sequence)}.json"
    write_durably(path, seal(side.model_dump_json().encode()))
    crashpoints.reach("erase.batch_done")


def _pack(pack: packs.Pack, stream: StreamWork, erasure: StreamErasure, hashes: Hashes) -> None:
    """Write a pack anew, the batches of which that are not concerned as they are.

    A batch of it that changed is named by the sum of its own content from now on. Its sums were
    compared when the erasure was planned; done again, they may be those of before.
    """
    pack = replace(pack, proves=False)
    lines: dict[int, list[bytes]] = {}
    keys: dict[int, list[bytes]] = {}
    tables: dict[int, pa.Table] = {}
    entries = []
    for one, batch in zip(pack.side.batches, pack.batches(), strict=True):
        number = batch.sequence
        if (own := pack.key_lines(number)) is not None:
            keys[number] = own
        content: Any = None
        if number in stream.sums:
            new = _changed(batch, stream, erasure, hashes)
            content = new.content if is_table(new.content) else list(new.content)
            size, sha256 = _sum(content)
            update = {"bytes": size, "sha256": sha256, "erased": new.erased}
            one = one.model_copy(update={"sidecar": one.sidecar | update})
            if new.keys is not None:
                keys[number] = encode_segments(new.keys)
        if packs.data_end(batch.sidecar) == "parquet":
            tables[number] = batch.table() if content is None else content
        else:
            lines[number] = (
                list(batch.lines()) if content is None else [line[:-1] for line in content]
            )
        entries.append(one)
    side = pack.side.model_copy(update={"batches": entries})
    made = packfiles.written(packs.pack_of(side, pack.folder), lines, keys, tables)
    crashpoints.reach("erase.batch_written")
    packfiles.write_sidecar(made)
    crashpoints.reach("erase.batch_done")


def _sum(content: list[bytes] | pa.Table) -> tuple[int, str]:
    """Return size and sha256 of what a batch holds, however it stands on the disk."""
    if is_table(content):
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, content.schema) as out:
            out.write_table(content.combine_chunks())
        plain = sink.getvalue().to_pybytes()
    else:
        plain = b"".join(content)
    return len(plain), hashlib.sha256(plain).hexdigest()


@dataclass(slots=True)
class _New:
    """What a batch holds after an erasure: lines with their newlines or a table, keys, `erased`."""

    content: Any
    erased: dict[int, list[str]]
    keys: list[Segment] | None = None


def _changed(batch: Batch, stream: StreamWork, erasure: StreamErasure, hashes: Hashes) -> _New:
    side, erased = batch.sidecar, dict(batch.sidecar.erased)
    if side.content != "records":
        gone = set(stream.deletions.get(batch.sequence, ()))
        return _New([_deletion(line, gone, hashes) for line in lines_of(batch)], erased)
    keys = {p: k for n, p, k in stream.places if n == batch.sequence}
    names = {p: hashes.of_key(k) for p, k in keys.items()}
    for position, name in sorted(names.items()):
        if left_out := ([ALL] if name in erasure.removed else _left_out(erasure, name)):
            erased[position] = left_out
    segments = _keys(batch, erasure, hashes)
    return _New(_records(batch, names, erasure, hashes), erased, segments)


def _left_out(erasure: StreamErasure, name: str) -> list[str]:
    return list(erasure.blanked[name][1]) if name in erasure.blanked else []


def _records(batch: Batch, names: Mapping[int, str], erasure: StreamErasure, hashes: Hashes) -> Any:
    """Return the content of a batch with the records at these positions removed or blanked."""
    rules = {
        p: None if name in erasure.removed else erasure.rule(hashes, name)
        for p, name in names.items()
    }
    if batch.sidecar.encoding == "parquet":
        return blanked_table(table_of(batch), [(p - 1, r) for p, r in rules.items()], KEPT)
    return _lines(lines_of(batch), rules)


def _lines(lines: Sequence[bytes], rules: Mapping[int, Rule | None]) -> Iterator[bytes]:
    for position, line in enumerate(lines, 1):
        if position in rules:
            rule = rules[position]
            line = NOTHING if rule is None else blanked(line, rule)
        yield line + b"\n"


def _deletion(line: bytes, gone: set[str], hashes: Hashes) -> bytes:
    key, at = deletion_keys(line)
    after = key_after(hashes, key) if key in gone else key
    return msgspec.json.encode({"key": after, "at": at}) + b"\n"


def _keys(batch: Batch, erasure: StreamErasure, hashes: Hashes) -> list[Segment] | None:
    """Return the keys file without the person's keys, and without hashes of what is gone.

    A hash of a record could be tried against guesses of what was blanked.
    """
    segments = batch.segments()
    return None if segments is None else [_segment(s, erasure, hashes) for s in segments]


def _segment(segment: Segment, erasure: StreamErasure, hashes: Hashes) -> Segment:
    keys: list[str] = []
    sums: list[int | None] = []
    for key, hash_ in zip(segment.keys, segment.hashes, strict=True):
        part, line, content = key.partition("\n")
        nameless = segment.part == WITHOUT_KEY and bool(line)
        name = hashes.of_key(f"\x1f{content}" if nameless else key)
        if name in erasure.removed:
            after = hashes.pseudonym(content) if nameless else key_after(hashes, key)
            key, hash_ = (f"{part}\n{after}" if nameless else after), None
        elif name in erasure.blanked:
            if any(h in erasure.values for h in hashes.of_text(key)):
                key = hashes.pseudonym(key)
            hash_ = None
        keys.append(key)
        sums.append(hash_)
    return Segment(segment.part, keys, sums, segment.complete)


# --- the log of decisions -------------------------------------------------------------------------


def clean_decisions(landing: Landing, work: Sequence[StreamWork], values: Sequence[Value]) -> int:
    """Take the values out of what people decided before, and name batches by their new sums.

    Returns how many decisions changed. A decision that named an old sum means the same batch.
    """
    new: dict[tuple[Place, str], str] = {}
    for stream in work:
        place = (stream.connection, stream.stream)
        for number, old in stream.sums.items():
            new[place, old] = landing.batch(*place, number).sidecar.sha256
    words = sorted({n for v in values for n in needles(v)}, key=len, reverse=True)
    changed = 0
    for decision in landing.decisions.all():
        path = landing.decisions.folder / f"{name_of(decision.sequence)}.json"
        before = decision.model_dump(mode="json")
        place = (str(decision.about.get("connection")), str(decision.about.get("stream")))
        after = _clean(before, words, {old: sum_ for (p, old), sum_ in new.items() if p == place})
        if after != before:
            plain = Decision.model_validate(after).model_dump_json(indent=1)
            write_durably(path, seal(plain.encode()))
            changed += 1
    return changed


def _clean(value: Any, words: Sequence[bytes], sums: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {_clean(k, words, sums): _clean(v, words, sums) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(v, words, sums) for v in value]
    if not isinstance(value, str):
        return value
    if value in sums:
        return sums[value]
    plain = value.encode("utf-8", "surrogatepass")
    for word in words:
        plain = plain.replace(word, ERASED.encode())
    return plain.decode("utf-8", "replace")
