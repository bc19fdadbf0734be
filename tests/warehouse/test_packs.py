"""Packs of unlike batches: what an older release sees, batches without records, odd columns."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small_landing import PLACE, do, folder, land, make, names, seen

from warehouse import packs
from warehouse.batch import DIGITS
from warehouse.landing import Landing


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return make(tmp_path / "landing")


def alone(landing: Landing) -> list[str]:
    """Return the names as the release before packs reads them: sidecars of batches alone."""
    found = os.listdir(folder(landing))
    return sorted(n[:DIGITS] for n in found if len(n) == DIGITS + 5 and n.endswith(".json"))


def test_a_release_before_packs_removes_nothing_and_goes_on(landing: Landing) -> None:
    for number in range(6):
        land(landing, number, number)
        if number == 3:
            do(landing)
    bookmark = landing.bookmark(*PLACE)
    do(landing)
    do(landing)
    last = alone(landing)[-1]
    assert int(last) == 6, "the last batch stands by itself: the next is the seventh"
    gone = [n for n in os.listdir(folder(landing)) if n[:DIGITS].isdigit() and n[:DIGITS] > last]
    assert gone == []
    assert landing.batch(*PLACE, int(last)).sidecar.bookmark == bookmark == {"at": 5}
    assert packs.ranges(folder(landing)) == [(1, 5)]


def test_one_batch_is_no_pack_whatever_its_size(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.compact.ALONE", 0)
    land(landing, 0, 1)
    assert do(landing).packs == 0


# --- batches without records ----------------------------------------------------------------------


def test_batches_that_move_the_bookmark_only_are_packed_and_packed_again(landing: Landing) -> None:
    for number in range(5):
        land(landing, number)
    do(landing)
    assert names(landing)[0] == "000000000001-000000000004.json"
    land(landing, 9)
    before = seen(landing)
    assert len(before) == 6
    do(landing)
    assert packs.ranges(folder(landing)) == [(1, 5)]
    assert seen(landing) == before
