"""A landing of one stream, written batch by batch, and what stands in it."""

from __future__ import annotations

import json
import os
from typing import Any

import pyarrow as pa
from hand_plan import START

from warehouse import compact
from warehouse.batch import Batch
from warehouse.landing import Landing

PLACE = ("shop", "orders")


def no_limit(_bytes: int) -> None:
    """Have room for everything."""


def land(landing: Landing, number: int, *keys: object, mode: str = "changed", **more: Any) -> None:
    with landing.writer(
        *PLACE, mode=mode, read=f"r{number}", connector="rest@1", started=START
    ) as writer:
        records = [json.dumps({"id": k, "v": number}).encode() for k in keys]
        writer.add(records, [str(k) for k in keys], {"at": number}, **more)


def land_rows(landing: Landing, number: int, rows: pa.Table) -> None:
    with landing.writer(
        *PLACE, mode="changed", read=f"r{number}", connector="sql@1", started=START
    ) as writer:
        writer.add(rows, [f"{number}/{n}" for n in range(rows.num_rows)], {"at": number})


def seen(landing: Landing) -> list[tuple[Any, ...]]:
    """Return all that the landing says of its batches."""
    return [told(batch) for batch in landing.batches(*PLACE)]


def told(batch: Batch) -> tuple[Any, ...]:
    is_rows = batch.sidecar.encoding == "parquet"
    rows = batch.table().to_pylist() if is_rows else list(batch.lines())
    one = batch.record(1) if batch.sidecar.rows else b""
    return batch.sidecar, rows, batch.segments(), one, batch.label


def names(landing: Landing) -> list[str]:
    folder = landing.folder(*PLACE)
    return sorted(n for n in os.listdir(folder) if n[0] != "." and not n.startswith("seen"))


def do(landing: Landing, **more: Any) -> compact.Compacted:
    return compact.compact(landing, PLACE, no_limit, **more)
