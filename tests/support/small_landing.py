"""A landing of one stream with small batches, and what it says of them."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from hand_plan import START

from warehouse import compact
from warehouse.batch import Batch
from warehouse.landing import Landing

PLACE = ("shop", "orders")


def make(root: Path) -> Landing:
    """Return a landing with a clock that ticks by seconds."""
    ticks = iter(range(10_000_000))
    return Landing(root, now=lambda: START + timedelta(seconds=next(ticks)))


def folder(landing: Landing) -> Path:
    """Return the folder of the stream."""
    return landing.folder(*PLACE)


def land(landing: Landing, number: int, *keys: object) -> None:
    """Land one batch of records; without keys it has a bookmark only."""
    with landing.writer(
        *PLACE, mode="changed", read=f"r{number}", connector="rest@1", started=START
    ) as writer:
        records = [json.dumps({"id": k, "v": number}).encode() for k in keys]
        writer.add(records, [str(k) for k in keys], {"at": number})


def land_rows(landing: Landing, number: int, rows: pa.Table) -> None:
    """Land one batch of a table's rows."""
    with landing.writer(
        *PLACE, mode="changed", read=f"r{number}", connector="sql@1", started=START
    ) as writer:
        writer.add(rows, [f"{number}/{n}" for n in range(rows.num_rows)], {"at": number})


def seen(landing: Landing) -> list[tuple[Any, ...]]:
    """Return all that the landing says of its batches."""
    return [told(batch) for batch in landing.batches(*PLACE)]


def told(batch: Batch) -> tuple[Any, ...]:
    """Return all that a batch says."""
    batch.verify()
    is_rows = batch.sidecar.encoding == "parquet"
    rows = str(batch.table().to_pydict()) if is_rows else list(batch.lines())
    one = batch.record(1) if batch.sidecar.rows else b""
    return batch.sidecar, rows, batch.segments(), one, batch.label


def names(landing: Landing) -> list[str]:
    """Return the names of the files of batches and packs."""
    return sorted(n for n in os.listdir(folder(landing)) if n[0] != "." and n[:4] != "seen")


def do(landing: Landing, **more: Any) -> compact.Compacted:
    """Compact the stream."""
    return compact.compact(landing, PLACE, lambda _: None, **more)


def flip(path: Path) -> bytes:
    """Change one bit in the middle of a file; returns what was there."""
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    return content
