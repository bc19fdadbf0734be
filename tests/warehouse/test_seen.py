"""The index of seen keys by itself, and what a landed table's columns are written as."""

from __future__ import annotations

import random
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.batch import DIFFERENT
from warehouse.landing import Landing
from warehouse.seen import WITHOUT_KEY, SeenIndex

START = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("count", [0, 1, 400, 401, 3000])
def test_the_index_holds_of_each_key_and_part_the_last_hash(tmp_path: Path, count: int) -> None:
    chance = random.Random(count)
    held: dict[tuple[str, str | None], int | None] = {}
    with closing(SeenIndex(tmp_path)) as index:
        index.begin()
        for part in (None, "a", "b", None):
            keys = [f"Kä{chance.randrange(2 * count)}" for _ in range(count)]
            hashes = [chance.choice([None, 0, -(1 << 63), (1 << 63) - 1]) for _ in keys]
            index.remember(keys, hashes, part)
            held |= {(key, part): hash_ for key, hash_ in zip(keys, hashes, strict=True)}
        for part in (None, "a", "b"):
            known = {key: hash_ for (key, where), hash_ in held.items() if where == part}
            asked = [f"Kä{n}" for n in range(2 * count)]
            assert index.hashes(asked, part) == known
        assert index.known("") == len({key for key, _ in held})


def test_the_index_marks_keys_with_the_epoch_in_which_they_came(tmp_path: Path) -> None:
    with closing(SeenIndex(tmp_path)) as index:
        index.begin()
        index.remember(["a", "b", "c"], [1, 2, 3], None)
        index.remember(["content"], [4], WITHOUT_KEY)
        index.begin()
        index.remember(["c", "a"], [1, 3], None)
        assert index.unseen("", index.epoch) == ["b"]
        assert (index.known(""), index.seen_since("", index.epoch)) == (3, 2)
        assert index.equal_without_key(["content"]) == {"content"}


def test_columns_of_different_values_are_landed_without_a_dictionary(tmp_path: Path) -> None:
    landing = Landing(tmp_path, now=lambda: START)
    rows = DIFFERENT + 1
    keys = [f"SO-{n}" for n in range(rows)]
    table = pa.table({
        "code": keys, "shop": ["Nord", *["Süd"] * DIFFERENT],
        "none": pa.nulls(rows, pa.string()), "nearly": ["x", "x", *keys[2:]],
        "lines": [[n] for n in range(rows)],
        "uuid": pa.array([n.to_bytes(16) for n in range(rows)], pa.uuid()),
    })  # fmt: skip
    with landing.writer("erp", "orders", mode="changed", read="r", connector="sql@1",
                        started=START) as writer:  # fmt: skip
        writer.add(table, keys, {})
    (batch,) = landing.batches("erp", "orders")
    found = pq.read_table(batch.data)
    assert found == table
    group = pq.read_metadata(batch.data).row_group(0)
    said = {group.column(n).path_in_schema: group.column(n).has_dictionary_page
            for n in range(group.num_columns)}  # fmt: skip
    assert {n: said[n] for n in ("code", "shop", "none", "nearly")} == {
        "code": False, "shop": True, "none": True, "nearly": True,
    }  # fmt: skip
