"""Damaged and half-made packs: nothing is taken for something else, nothing needless is left."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from small_landing import PLACE, do, flip, folder, land, land_rows, make, names, seen

from warehouse import packfiles, packs, proved
from warehouse.errors import LandingDamaged
from warehouse.landing import Landing


class Killed(BaseException):
    """Stands for a kill: nothing behind it is done."""


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return make(tmp_path / "landing")


@pytest.fixture
def five(landing: Landing, tmp_path: Path) -> list[Any]:
    """Land five batches and keep a backup of them as they stand by themselves; return them."""
    for number in range(5):
        land(landing, number, f"K{number}", f"L{number}")
    shutil.copytree(folder(landing), tmp_path / "backup")
    return seen(landing)


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[Landing, str, int], None]:
    """Return what compacts up to an arrival at a point."""

    def run(landing: Landing, point: str, arrival: int = 1) -> None:
        left = [arrival]

        def reach(name: str) -> None:
            left[0] -= name == point
            if left[0] == 0:
                raise Killed

        with monkeypatch.context() as patch:
            patch.setattr(packfiles.crashpoints, "reach", reach)
            with pytest.raises(Killed):
                do(landing)

    return run


def put_back(landing: Landing, backup: Path, number: int) -> None:
    for file in backup.glob(f"{number:012d}.*"):
        shutil.copy2(file, folder(landing))


def keys_of(landing: Landing) -> list[Any]:
    return [batch.segments() for batch in landing.batches(*PLACE)]


# --- what is read is proved -----------------------------------------------------------------------


def test_no_bit_of_the_keys_changes_without_a_word(landing: Landing, five: list[Any]) -> None:
    do(landing)
    path = folder(landing) / "000000000001-000000000004.keys.zst"
    whole, right = path.read_bytes(), keys_of(landing)
    broken = [whole[:n] + bytes([whole[n] ^ 16]) + whole[n + 1 :] for n in range(len(whole))]
    for count, content in enumerate([*broken, whole[: len(whole) // 2], whole + b"x", b""], 1):
        path.write_bytes(content)
        os.utime(path, ns=(count, count))
        assert keys_of(landing) == [None] * 4 + right[4:], count
    path.write_bytes(whole)
    assert keys_of(landing) == right


def test_other_lines_than_the_sidecar_counts_are_damage(landing: Landing, five: list[Any]) -> None:
    do(landing)
    pack = packs.read_pack(folder(landing), (1, 4))
    path = pack.file("keys.zst")
    with pytest.raises(LandingDamaged, match="4 lines, its sidecar says 5"):
        proved.lines(path, None, 5)


def test_damaged_keys_of_a_pack_do_not_go_into_the_next(landing: Landing, five: list[Any]) -> None:
    do(landing)
    land(landing, 9, "z")
    path = folder(landing) / "000000000001-000000000004.keys.zst"
    whole, stood = flip(path), names(landing)
    with pytest.raises(LandingDamaged, match=r"000000000004\.keys\.zst.*backup"):
        do(landing)
    assert names(landing) == stood
    path.unlink()
    with pytest.raises(LandingDamaged, match=r"000000000004\.keys\.zst"):
        do(landing)
    path.write_bytes(whole)
    assert do(landing).packs == 1
    assert None not in keys_of(landing)


def test_damaged_keys_of_a_batch_go_into_no_pack(landing: Landing, five: list[Any]) -> None:
    path = folder(landing) / "000000000002.keys.zst"
    flip(path)
    stood = names(landing)
    with pytest.raises(LandingDamaged, match=r"000000000002\.keys\.zst.*or remove it"):
        do(landing)
    assert names(landing) == stood
    path.unlink()
    do(landing)
    assert [keys is None for keys in keys_of(landing)] == [False, True, False, False, False]


@pytest.mark.parametrize("how", ["flipped", "cut"])
@pytest.mark.parametrize("end", ["ndjson.zst", "parquet"])
def test_no_record_of_a_damaged_pack_is_read(landing: Landing, end: str, how: str) -> None:
    for number in range(5):
        if end == "parquet":
            land_rows(landing, number, pa.table({"id": [number, number]}))
        else:
            land(landing, number, number)
    do(landing)
    assert landing.record(*PLACE, 2, 1)
    path = folder(landing) / f"000000000001-000000000004.{end}"
    if how == "flipped":
        flip(path)
    else:
        path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(LandingDamaged):
        landing.record(*PLACE, 2, 1)


def test_what_is_kept_of_packs_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proved, "MOST_KEPT", 1_000)
    kept = proved._Kept()
    monkeypatch.setattr(proved, "_KEPT", kept)
    for number in range(6):
        path = tmp_path / f"{number}.zst"
        said = packfiles.write_file(path, [b"x" * 400 + b"\n"], level=1)
        proved.lines(path, proved.Sum(bytes=said[0], sha256=said[1]), 1)
    assert len(kept._files) == 2


# --- what is left ---------------------------------------------------------------------------------


def test_files_of_an_unfinished_pack_over_an_older_one_go(
    landing: Landing, five: list[Any], killed_at: Callable[..., None]
) -> None:
    do(landing)
    for number in range(5, 9):
        land(landing, number, f"K{number}")
    before, stood = seen(landing), names(landing)
    killed_at(landing, "compact.data_written")
    assert [n for n in names(landing) if n.startswith("000000000001-000000000008")]
    packfiles.settle(folder(landing))
    assert names(landing) == stood
    assert seen(landing) == before


def test_killed_at_every_removal_of_a_pack_and_batches(
    landing: Landing, five: list[Any], killed_at: Callable[..., None], tmp_path: Path
) -> None:
    do(landing)
    for number in range(5, 8):
        land(landing, number, f"K{number}")
    before = seen(landing)
    for arrival in range(1, 13):  # three files of a pack, and of each of three batches
        mine = Landing(tmp_path / f"mine {arrival}", now=landing.now)
        shutil.copytree(landing.root, mine.root)
        killed_at(mine, "compact.removing", arrival)
        assert seen(mine) == before
        do(mine)
        assert packs.ranges(folder(mine)) == [(1, 7)]
        assert len(names(mine)) == 6
        assert seen(mine) == before


def test_data_goes_when_it_is_certain_that_the_sidecars_are_gone(
    landing: Landing, five: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    unlink, sync = Path.unlink, packfiles.sync_folder

    def gone(path: Path, missing_ok: bool = False) -> None:
        steps.append(path.name.partition(".")[2])
        unlink(path, missing_ok=missing_ok)

    def synced(path: Path) -> None:
        steps.append("sync")
        sync(path)

    monkeypatch.setattr(Path, "unlink", gone)
    monkeypatch.setattr(packfiles, "sync_folder", synced)
    packfiles.remove(folder(landing), [n for n in names(landing) if n < "000000000003"])
    assert steps == [
        "json", "json", "sync", "keys.zst", "ndjson.zst", "keys.zst", "ndjson.zst", "sync",
    ]  # fmt: skip


def test_a_sidecar_whose_data_is_gone_does_not_count_beside_a_pack(
    landing: Landing, five: list[Any], tmp_path: Path
) -> None:
    do(landing)
    shutil.copy2(tmp_path / "backup" / "000000000002.json", folder(landing))
    assert seen(landing) == five
    packfiles.settle(folder(landing))
    assert "000000000002.json" not in names(landing)
    assert seen(landing) == five


@pytest.mark.parametrize("end", ["ndjson.zst", "keys.zst", "json"])
def test_batches_that_were_put_back_take_the_place_of_a_damaged_pack(
    landing: Landing, five: list[Any], tmp_path: Path, end: str
) -> None:
    do(landing)
    flip(folder(landing) / f"000000000001-000000000004.{end}")
    for number in (1, 2, 3):
        put_back(landing, tmp_path / "backup", number)
    stood = names(landing)
    with pytest.raises(LandingDamaged):
        packfiles.settle(folder(landing))
    assert names(landing) == stood, "the fourth is in the pack alone"
    put_back(landing, tmp_path / "backup", 4)
    packfiles.settle(folder(landing))
    assert packs.ranges(folder(landing)) == []
    assert seen(landing) == five
    assert do(landing).packs == 1
    assert seen(landing) == five


def test_batches_that_are_damaged_too_do_not(
    landing: Landing, five: list[Any], tmp_path: Path
) -> None:
    do(landing)
    flip(folder(landing) / "000000000001-000000000004.ndjson.zst")
    for number in (1, 2, 3, 4):
        put_back(landing, tmp_path / "backup", number)
    flip(folder(landing) / "000000000003.ndjson.zst")
    stood = names(landing)
    with pytest.raises(LandingDamaged, match=r"000000000003\.ndjson"):
        do(landing)
    assert names(landing) == stood


def test_another_batch_beside_a_pack_is_told_and_nothing_is_removed(
    landing: Landing, five: list[Any], tmp_path: Path
) -> None:
    other = make(tmp_path / "other")
    for number in range(5):
        land(other, number, f"other {number}")
    do(landing)
    put_back(landing, tmp_path / "backup", 1)
    put_back(landing, folder(other), 3)
    stood = names(landing)
    with pytest.raises(LandingDamaged, match=r"000000000003\.json.*000000000001-000000000004"):
        do(landing)
    assert names(landing) == stood
