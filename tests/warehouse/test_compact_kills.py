"""Packs that are damaged, compactions that are killed, and the store that is copied anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import killed
import pytest
from hand_plan import START, order_plan
from packed import PLACE, do, land, names, seen

from warehouse import anew, packfiles, packs
from warehouse.errors import LandingDamaged, LandingError
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.quarantine import list_, show
from warehouse.rebuild import rebuild
from warehouse.store import open_store

POINTS = ("compact.data_written", "compact.removing")
RIGHT = {
    "rows": 69, "lost": 0, "twice": 0, "ghost": 0, "stale": 0, "torn": 0, "quarantine": 0,
    "defects": 0,
}  # fmt: skip


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    ticks = iter(range(10_000_000))
    return Landing(tmp_path / "landing", now=lambda: START + timedelta(seconds=next(ticks)))


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
    flip(landing.folder(*PLACE) / f"000000000001-000000000004.{end}")
    with pytest.raises(LandingDamaged, match=r"differs|cannot be read") as said:
        landing.batch(*PLACE, 3).verify()
    assert "backup" in said.value.do
    for file in (tmp_path / "backup").glob("0*"):
        shutil.copy2(file, landing.folder(*PLACE))
    assert seen(landing) == before, "batches that stand by themselves count"
    packfiles.settle(landing.folder(*PLACE))
    assert not packs.ranges(landing.folder(*PLACE)), "they take the place of the damaged pack"
    assert seen(landing) == before


def test_the_files_of_a_pack_outlive_its_sidecar(landing: Landing) -> None:
    for number in range(5):
        land(landing, number, number)
    before = seen(landing)
    do(landing)
    sidecar = landing.folder(*PLACE) / "000000000001-000000000004.json"
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
            last = f"{len(before):012d}."  # it stands by itself
            left = [n for n in names(landing) if packs.range_of(n) not in inside]
            left = [n for n in left if not n.startswith(last)]
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


def test_killed_while_the_store_is_copied(mine: Callable[..., Home]) -> None:
    home = mine(0)
    before = things(home)
    process = killed.CONTEXT.Process(
        target=killed.copying, args=(str(home.root), "compact.store_copied")
    )
    process.start()
    process.join()
    assert process.exitcode == -9
    assert home.store.with_name("rebuilt.duckdb").exists()
    with open_store(home):
        pass
    assert not home.store.with_name("rebuilt.duckdb").exists()
    assert things(home) == before
