"""Many batches become few packs: the same batches, a smaller landing, and nothing else changes."""

from __future__ import annotations

import json
import random
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hand_plan import START
from packed import PLACE, do, land, land_rows, names, seen

from warehouse import compact, packs
from warehouse.errors import LandingFull
from warehouse.landing import Landing


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    ticks = iter(range(10_000_000))
    return Landing(tmp_path / "landing", now=lambda: START + timedelta(seconds=next(ticks)))


def test_many_small_batches_take_a_tenth_and_are_the_same(landing: Landing) -> None:
    for number in range(200):
        land(landing, number, number % 40, f"{number}x")
    before, bookmark = seen(landing), landing.bookmark(*PLACE)
    done = do(landing)
    assert (done.batches, done.packs, done.busy) == (199, 1, False)
    assert names(landing) == [
        f"{stem}.{end}"
        for stem in ("000000000001-000000000199", "000000000200")
        for end in ("json", "keys.zst", "ndjson.zst")
    ]
    assert done.before.files - done.after.files == 594
    assert done.after.blocks < done.before.blocks / 10
    assert done.after.bytes < done.before.bytes
    assert seen(landing) == before
    assert landing.bookmark(*PLACE) == bookmark
    assert landing.streams() == [PLACE]
    again = do(landing)
    assert (again.batches, again.packs) == (0, 0)


def test_a_dry_run_counts_the_files_and_changes_nothing(landing: Landing) -> None:
    for number in range(30):
        land(landing, number, number)
    stood = {p: p.read_bytes() for p in landing.folder(*PLACE).iterdir()}
    said = do(landing, dry_run=True)
    assert {p: p.read_bytes() for p in landing.folder(*PLACE).iterdir()} == stood
    done = do(landing)
    assert (said.batches, said.packs) == (done.batches, done.packs) == (29, 1)
    assert said.after.files == done.after.files


def test_reading_goes_on_after_a_compaction(landing: Landing) -> None:
    for number in range(20):
        land(landing, number, number)
    do(landing)
    with landing.writer(
        *PLACE, mode="changed", read="z", connector="rest@1", started=START
    ) as writer:
        same = [json.dumps({"id": n, "v": n}).encode() for n in range(20)]
        writer.add(same, [str(n) for n in range(20)], {"at": 20})
    assert not writer.report.warnings, "the index of seen keys is still that of the landing"
    assert (writer.report.unchanged, writer.report.landed) == (20, 0)
    (landing.folder(*PLACE) / "seen.db").unlink()
    (landing.folder(*PLACE) / "seen.db.sum").unlink()
    with landing.writer(
        *PLACE, mode="changed", read="y", connector="rest@1", started=START
    ) as writer:
        writer.add(same, [str(n) for n in range(20)], {"at": 21})
    assert writer.report.unchanged == 20, "the index is made anew from the packs' keys"


def test_later_batches_join_the_last_pack_until_it_is_large(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compact, "MOST_RECORDS", 50)
    for number in range(120):
        land(landing, number, number)
        if number % 7 == 6:
            do(landing)
    before = seen(landing)
    do(landing)
    assert [r[1] - r[0] + 1 for r in packs.ranges(landing.folder(*PLACE))] == [50, 50, 19]
    assert len(names(landing)) == 12
    assert seen(landing) == before


def test_deletions_and_holds_stand_in_packs_too(landing: Landing) -> None:
    for number in range(6):
        keys = [k for k in range(200) if k % (number + 7)]
        land(landing, number, *keys, mode="full", complete=True)
    land(landing, 9, *range(20), mode="full", complete=True)
    before = seen(landing)
    assert {(b.sidecar.content, b.sidecar.held) for b in landing.batches(*PLACE)} == {
        ("records", False), ("deletions", False), ("deletions", True),
    }  # fmt: skip
    held = [b.sequence for b in landing.held(*PLACE)]
    assert len(held) == 1
    deleted = [b.deletions() for b in landing.batches(*PLACE) if b.sidecar.content == "deletions"]
    do(landing)
    assert len(packs.ranges(landing.folder(*PLACE))) == 1
    assert seen(landing) == before
    assert [b.sequence for b in landing.held(*PLACE)] == held
    assert deleted == [
        b.deletions() for b in landing.batches(*PLACE) if b.sidecar.content == "deletions"
    ]


def test_tables_of_one_form_share_a_pack(landing: Landing) -> None:
    for number in range(12):
        more = {} if number < 5 else {"later": pa.array([b"\x00", None, b"x"])}
        rows = pa.table({"id": pa.array([1, 2, 3], pa.int32()), "at": [START] * 3, **more})
        land_rows(landing, number, rows)
    before = seen(landing)
    forms = [b.table().schema for b in landing.batches(*PLACE)]
    do(landing)
    assert packs.ranges(landing.folder(*PLACE)) == [(1, 5), (6, 11)]
    assert seen(landing) == before
    assert [b.table().schema for b in landing.batches(*PLACE)] == forms
    assert [b.columns() for b in landing.batches(*PLACE)] == [s.names for s in forms]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_landed_and_when(
    landing: Landing, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random reads and compactions; the batches are those of a landing that was never compacted."""
    rng = random.Random(seed)
    monkeypatch.setattr(compact, "MOST_RECORDS", rng.choice([40, 300]))
    monkeypatch.setattr(compact, "MOST_BATCHES", rng.choice([5, 60]))
    plain = Landing(landing.root.with_name("plain"), now=landing.now)
    for number in range(40):
        keys = rng.sample(range(60), rng.randrange(0, 30))
        full = rng.random() < 0.2
        rows = pa.table({"id": keys, rng.choice("ab"): keys}) if rng.random() < 0.2 else None
        moment = START + timedelta(days=number)
        for one in (landing, plain):
            one.now = lambda at=moment: at
            if rows is not None and keys:
                land_rows(one, number, rows)
            else:
                land(one, number, *keys, mode="full" if full else "changed", complete=full)
        if rng.random() < 0.3:
            limit = START + timedelta(days=number - rng.randrange(5))
            do(landing, before=rng.choice([None, limit]))
    do(landing)
    assert seen(landing) == seen(plain)
    assert len(names(landing)) < len(names(plain))


def test_only_what_is_old_enough_and_enough_of_it(landing: Landing) -> None:
    for number in range(10):
        land(landing, number, number)
    fifth = landing.batches(*PLACE)[4].sidecar.ended_at
    limit = datetime.fromisoformat(fifth) + timedelta(microseconds=1)
    assert do(landing, before=limit, least=6).packs == 0
    assert do(landing, before=limit, least=5).packs == 1
    assert packs.ranges(landing.folder(*PLACE)) == [(1, 5)]


def test_a_stream_that_is_read_is_left_alone(landing: Landing) -> None:
    for number in range(5):
        land(landing, number, number)
    with landing.writer(*PLACE, mode="changed", read="z", connector="rest@1", started=START):
        assert do(landing).busy
    assert not packs.ranges(landing.folder(*PLACE))


def test_there_is_room_or_nothing_is_written(landing: Landing) -> None:
    for number in range(30):
        land(landing, number, number)
    asked: list[int] = []

    def none(size: int) -> None:
        asked.append(size)
        raise LandingFull("no room", "make some")

    stood = names(landing)
    with pytest.raises(LandingFull):
        compact.compact(landing, PLACE, none)
    assert names(landing) == stood
    last = "000000000030"  # it stays as it is
    assert asked == [sum((landing.folder(*PLACE) / n).stat().st_size for n in stood if n < last)]
