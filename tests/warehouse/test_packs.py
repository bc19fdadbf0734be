"""Packs of unlike batches: what an older release sees, batches without records, odd columns."""

from __future__ import annotations

import json
import os
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from hand_plan import order_plan
from small_landing import PLACE, do, folder, land, land_rows, make, names, seen, told

from warehouse import intake, packs
from warehouse.batch import DIGITS, Batch
from warehouse.errors import LandingDamaged, LandingUnknown
from warehouse.landing import Landing
from warehouse.sealed import seal


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


def test_reads_that_bring_nothing_now_and_then_share_a_pack_with_tables(landing: Landing) -> None:
    for number in range(13):
        if number % 3:
            land_rows(landing, number, pa.table({"id": [number]}))
        else:
            land(landing, number)
    before = seen(landing)
    do(landing)
    assert packs.ranges(folder(landing)) == [(1, 12)]
    assert seen(landing) == before


def test_members_that_this_release_does_not_know_survive(landing: Landing) -> None:
    for number in range(4):
        land(landing, number, number)
    path = folder(landing) / "000000000002.json"
    said = json.loads(path.read_text())
    said.pop("check")
    said["newer"] = {"a": [1, None], "b": 2**53 + 1}
    path.write_bytes(seal(json.dumps(said).encode()))
    do(landing)
    land(landing, 4, 4)
    do(landing)
    assert packs.read_pack(folder(landing), (1, 4)).raw(2) == said


def test_who_knows_other_packs_refuses_them(landing: Landing) -> None:
    for number in range(3):
        land(landing, number, number)
    do(landing)
    path = folder(landing) / "000000000001-000000000002.json"
    said = json.loads(path.read_text())
    said.pop("check")
    assert said["version"] == 2
    path.write_bytes(seal(json.dumps(said | {"version": 3}).encode()))
    with pytest.raises(LandingUnknown, match="version 3, this release knows version 2"):
        landing.batch(*PLACE, 1)


# --- readers without a lock -----------------------------------------------------------------------


@pytest.mark.parametrize("is_twice", [False, True], ids=["packed", "packed again"])
def test_a_batch_that_was_looked_at_is_read_from_the_pack_it_went_into(
    landing: Landing, is_twice: bool
) -> None:
    for number in range(4):
        land(landing, number, number)
    for number in range(8, 11):
        land_rows(landing, number, pa.table({"id": [1, number]}))
    if is_twice:
        do(landing)
        land_rows(landing, 11, pa.table({"id": [12]}))
    batches = landing.batches(*PLACE)[:-1]
    before = seen(landing)[:-1]
    do(landing)
    assert [told(batch) for batch in batches] == before
    assert batches[-1].columns() == ["id"]


def test_batches_are_packed_while_a_load_begins(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        land(landing, number, number)
    batches = landing.batches(*PLACE)
    real = Batch.here

    def here(self: Batch) -> Batch:
        found = real(self)
        if self.sequence == 3:
            do(landing)
        return found

    monkeypatch.setattr(Batch, "here", here)
    with duckdb.connect() as con:
        intake.read(con, order_plan(), batches)
        assert con.execute("select count(*) from record_paths").fetchall() == [(4,)]


def test_a_file_that_is_nowhere_is_damage(landing: Landing) -> None:
    for number in range(4):
        land(landing, number, number)
    do(landing)
    batches = landing.batches(*PLACE)
    for path in folder(landing).glob("*.ndjson.zst"):
        path.unlink()
    for batch in batches:
        for read in (batch.verify, lambda batch=batch: list(batch.lines())):
            with pytest.raises(LandingDamaged, match=r"000000000.*\.ndjson\.zst.*backup"):
                read()
