"""Many batches become few packs: the same batches, a smaller landing, and nothing else changes."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import killed
import pyarrow as pa
import pytest
from hand_plan import START, order_plan

from warehouse import anew, compact, crashpoints, packfiles, packs
from warehouse.batch import Batch
from warehouse.errors import LandingDamaged, LandingError, LandingFull
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.quarantine import list_, show
from warehouse.rebuild import rebuild
from warehouse.store import open_store

PLACE = ("shop", "orders")
POINTS = [p for p in crashpoints.UPKEEP if p in ("compact.data_written", "compact.removing")]
RIGHT = {
    "rows": 69, "lost": 0, "twice": 0, "ghost": 0, "stale": 0, "torn": 0, "quarantine": 0,
    "defects": 0,
}  # fmt: skip


def no_limit(_bytes: int) -> None:
    """Have room for everything."""


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    ticks = iter(range(10_000_000))
    return Landing(tmp_path / "landing", now=lambda: START + timedelta(seconds=next(ticks)))


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


def test_many_small_batches_take_a_tenth_and_are_the_same(landing: Landing) -> None:
    for number in range(200):
        land(landing, number, number % 40, f"{number}x")
    before, bookmark = seen(landing), landing.bookmark(*PLACE)
    done = do(landing)
    assert (done.batches, done.packs, done.busy) == (200, 1, False)
    assert names(landing) == [
        f"000000000001-000000000200.{end}" for end in ("json", "keys.zst", "ndjson.zst")
    ]
    assert done.before.files - done.after.files == 597
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
    assert (said.batches, said.packs) == (done.batches, done.packs) == (30, 1)
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
    assert [r[1] - r[0] + 1 for r in packs.ranges(landing.folder(*PLACE))] == [50, 50, 20]
    assert len(names(landing)) == 9
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
    assert packs.ranges(landing.folder(*PLACE)) == [(1, 5), (6, 12)]
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
    assert asked == [sum((landing.folder(*PLACE) / n).stat().st_size for n in stood)]


# --- damage and kills -----------------------------------------------------------------------------


def flip(path: Path) -> bytes:
    content = path.read_bytes()
    middle = len(content) // 2
    path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    return content


@pytest.mark.parametrize("end", ["json", "ndjson.zst"])
def test_a_damaged_pack_is_told_and_healed_by_a_backup(
    landing: Landing, tmp_path: Path, end: str
) -> None:
    for number in range(5):
        land(landing, number, number)
    before = seen(landing)
    shutil.copytree(landing.folder(*PLACE), tmp_path / "backup")
    do(landing)
    flip(landing.folder(*PLACE) / f"000000000001-000000000005.{end}")
    with pytest.raises(LandingDamaged, match=r"differs|cannot be read") as said:
        landing.batch(*PLACE, 3).verify()
    assert "backup" in said.value.do
    for file in (tmp_path / "backup").glob("0*"):
        shutil.copy2(file, landing.folder(*PLACE))
    assert seen(landing) == before, "batches that stand by themselves count"
    with pytest.raises(LandingDamaged):
        packfiles.settle(landing.folder(*PLACE))
    assert seen(landing) == before, "nothing is removed for a pack that is not whole"


def test_the_files_of_a_pack_outlive_its_sidecar(landing: Landing) -> None:
    for number in range(5):
        land(landing, number, number)
    before = seen(landing)
    do(landing)
    sidecar = landing.folder(*PLACE) / "000000000001-000000000005.json"
    content = sidecar.read_bytes()
    sidecar.unlink()
    with landing.writer(*PLACE, mode="changed", read="z", connector="rest@1", started=START):
        pass
    sidecar.write_bytes(content)
    assert seen(landing) == before


def test_a_batch_that_is_damaged_goes_into_no_pack(landing: Landing) -> None:
    for number in range(5):
        land(landing, number, number)
    flip(landing.folder(*PLACE) / "000000000004.ndjson.zst")
    stood = names(landing)
    with pytest.raises(LandingDamaged):
        do(landing)
    assert names(landing) == stood


def test_a_pack_that_does_not_hold_what_it_should_never_counts(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        land(landing, number, number)
    before = seen(landing)
    real = packfiles.write_file

    def short(path: Path, content: Any, *, level: int) -> tuple[int, str]:
        return real(path, list(content)[:-1], level=level)

    monkeypatch.setattr(packfiles, "write_file", short)
    with pytest.raises(LandingDamaged, match="nothing was removed"):
        do(landing)
    monkeypatch.undo()
    assert seen(landing) == before
    do(landing)
    assert seen(landing) == before


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("lived") / "home"
    Home(root).make()
    for read in range(killed.READS):
        killed.sync(Home(root), read)
    return Home(root)


@pytest.fixture
def mine(lived: Home, tmp_path: Path) -> Callable[[int], Home]:
    def make(number: int) -> Home:
        root = tmp_path / f"home {number}"
        shutil.copytree(lived.root, root)
        return Home(root)

    return make


def run_killed(home: Home, point: str, most: int) -> int | None:
    """Compact in a process that is killed at `point`; returns its exit code."""
    process = killed.CONTEXT.Process(target=killed.compacting, args=(str(home.root), point, most))
    process.start()
    process.join()
    return process.exitcode


def rebuilt(home: Home) -> dict[str, int]:
    rebuild(home, Landing(home.landing), lambda *_: order_plan(), lambda: datetime.now(UTC))
    return killed.differences(home)


def test_the_store_is_rebuilt_from_packs_and_quarantine_is_shown(mine: Callable[..., Home]) -> None:
    home = mine(0)
    landing = Landing(home.landing)
    with open_store(home) as store:
        (entry,) = list_(store.con)
        record = show(store.con, landing, entry.id)
    assert do(landing).packs == 1
    with open_store(home) as store:
        assert show(store.con, landing, entry.id) == record
        assert not load_pending(store, landing, order_plan(), now=landing.now).batches
    assert rebuilt(home) == RIGHT


@pytest.mark.parametrize("arrivals", [(2,), pytest.param((1, 5, 9, 14), marks=pytest.mark.slow)])
def test_killed_at_every_point(mine: Callable[..., Home], arrivals: tuple[int, ...]) -> None:
    """`make test` plays one arrival at each point, `make test-all` more."""
    fired = 0
    for most in (3, 100):
        for point in [f"{p}:{n}" for p in POINTS for n in arrivals]:
            fired += 1
            home = mine(fired)
            landing = Landing(home.landing)
            before = seen(landing)
            if (code := run_killed(home, point, most)) == 0:
                continue  # there are not so many arrivals
            assert code == -9
            assert seen(landing) == before, point
            do(landing)
            assert seen(landing) == before, point
            inside = packs.ranges(landing.folder(*PLACE))
            left = [n for n in names(landing) if packs.range_of(n) not in inside]
            assert left == [], point
            if most == 3:
                assert rebuilt(home) == RIGHT, point


def test_killed_at_every_point_a_read_goes_on(mine: Callable[..., Home]) -> None:
    home = mine(0)
    for point in POINTS:
        assert run_killed(home, f"{point}:2", 3) == -9
        killed.sync(home, killed.READS - 1)
        assert killed.differences(home) == RIGHT
    assert rebuilt(home) == RIGHT


def test_a_reader_without_a_lock_follows_its_batch_into_the_pack(landing: Landing) -> None:
    for number in range(4):
        land(landing, number, number)
    batch = landing.batch(*PLACE, 2)
    line = list(batch.lines())
    do(landing)
    assert not batch.data.exists()
    assert list(batch.here().lines()) == line


def test_nothing_is_compacted_while_a_person_is_erased(landing: Landing) -> None:
    land(landing, 1, 1)
    (landing.root / "_erasing").write_bytes(b"x")
    with pytest.raises(LandingError, match="erased"):
        do(landing)


# --- the store ------------------------------------------------------------------------------------


def things(home: Home) -> dict[str, list[Any]]:
    """Return what stands in the store: objects of its catalog, rows of its tables."""
    with duckdb.connect(str(home.store), read_only=True) as con:
        found = {
            what: con.execute(f"select {names_} from {what}() where {test} order by all").fetchall()
            for what, names_, test in (
                ("duckdb_tables", "schema_name, table_name, sql, comment", "not temporary"),
                ("duckdb_views", "schema_name, view_name, sql", "not internal"),
                ("duckdb_indexes", "schema_name, index_name, sql", "true"),
                ("duckdb_sequences", "schema_name, sequence_name", "true"),
                ("duckdb_columns", "schema_name, table_name, column_name, data_type, comment",
                 "not internal"),
            )
        }  # fmt: skip
        for schema, name, *_ in found["duckdb_tables"]:
            full = f'"{schema}"."{name}"'
            found[full] = con.execute(f"select * from {full} order by all").fetchall()
    return found


def test_the_store_is_the_same_in_a_smaller_file(mine: Callable[..., Home]) -> None:
    home = mine(0)
    with open_store(home) as store:
        store.con.execute("create table ops.much as select random() as n from range(1000000)")
        store.checkpoint()
        store.con.execute("drop table ops.much")
        store.checkpoint()
        assert anew.free_share(store.con) > 0.5
    before, size = things(home), home.store.stat().st_size
    with open_store(home) as store:
        anew.copy(store, "compact.store_copied")
    assert home.store.stat().st_size < size / 2
    assert home.store.stat().st_mode & 0o777 == 0o600
    assert things(home) == before
    with open_store(home) as store:
        assert anew.free_share(store.con) < 0.3
    assert killed.differences(home) == RIGHT
