"""A small load leaves the rows that are there where they are; now and then they are merged."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hand_plan import order
from load_parts import Load

from warehouse import session
from warehouse.bounds import is_turn
from warehouse.store import Store

pytest_plugins = ["load_fixtures"]


@pytest.fixture
def _no_checkpoints() -> None:
    """Here they are what is looked at."""


def blocks(store: Store) -> list[set[int]]:
    """Return the blocks of each row group of source.orders, in the order of the rows."""
    return [
        set(found)
        for _, found in store.con.execute(
            "select row_group_id, list(block_id) from pragma_storage_info('source.orders')"
            " where column_name = 'source_key' group by 1 order by 1"
        ).fetchall()
    ]


def test_a_small_load_writes_nothing_of_the_others_anew(store: Store, load: Load) -> None:
    load(*(order(n) for n in range(1, 200)))
    before = blocks(store)
    load(order(200))
    assert blocks(store)[: len(before)] == before
    assert len(blocks(store)) == len(before) + 1


def test_a_large_load_merges(store: Store, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(1, 4):
        load(order(n))
    monkeypatch.setattr(session, "SMALL", 1)
    load(order(4))
    assert len(blocks(store)) < 4


def test_row_groups_of_small_loads_are_merged_in_their_turn(store: Store, load: Load) -> None:
    first = next(n for n in range(1, 100) if is_turn(n))
    for n in range(1, first):
        load(order(n))
    assert len(blocks(store)) == first - 1
    load(order(first))
    assert len(blocks(store)) < first - 1


def test_no_rhythm_of_numbers_misses_its_turn() -> None:
    for step in (1, 2, 3, 4):
        turns = [n for n in range(0, 20_000, step) if is_turn(n)]
        gaps = [after - before for before, after in pairwise(turns)]
        assert max(gaps) <= 60 * step
