"""What DuckDB says of a file, said as what to do: held by a client, gone, damaged."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.errors import StoreDamaged, StoreFull
from warehouse.home import Home
from warehouse.lock import StoreBusy
from warehouse.rebuild import _kept
from warehouse.store import connect, open_store
from warehouse.trouble import said

HOLD = (
    "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only={}); print('ok', flush=True)"
)


@pytest.fixture(params=[True, False], ids=["reading", "writing"])
def analyst(request: pytest.FixtureRequest, home: Home) -> Iterator[int]:
    """Open the store by a process of its own; gives its pid."""
    with open_store(home):
        pass
    code = f"{HOLD.format(request.param)}; sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, home.store],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "ok\n"
    yield process.pid
    process.communicate()


def test_a_client_that_has_the_store_open_is_named(home: Home, analyst: int) -> None:
    heard = []
    with (
        pytest.raises(StoreBusy, match=rf"process {analyst} on .*; waited 2 s"),
        open_store(home, wait=2.5, on_wait=heard.append),
    ):
        pass
    (holder,) = heard
    assert holder is not None
    assert holder.pid == analyst
    with pytest.raises(StoreBusy):  # a rebuild must not begin its load numbers anew
        _kept(home.store, 0, ())


def test_a_store_that_is_gone_is_not_made_anew_where_something_is_published(home: Home) -> None:
    with open_store(home):
        pass
    home.store.unlink()
    with open_store(home):
        pass  # nothing was ever published: nothing can become short
    home.public.write_bytes(b"what analysts read is made of this")
    home.store.unlink()
    with pytest.raises(StoreDamaged, match="isthmus rebuild"), open_store(home):
        pass
    assert not home.store.exists()


def test_damage_inside_the_store_is_named_where_it_is_met(home: Home) -> None:
    with open_store(home) as store:
        store.con.execute(
            "create table t as select range as n, repeat('x', 50) as x from range(1e5::bigint)"
        )
        store.checkpoint()
    content = bytearray(home.store.read_bytes())
    for place in range(len(content) // 2, len(content), 5_000):
        content[place] ^= 1
    home.store.write_bytes(content)
    with pytest.raises(StoreDamaged, match="isthmus rebuild"), open_store(home) as store:
        store.con.execute("select max(x) from t").fetchall()


def test_what_a_killed_rebuild_left_is_removed(home: Home) -> None:
    for name in ("rebuilt.duckdb", "rebuilt.duckdb.wal", "rebuilt.duckdb.new"):
        (home.store.parent / name).write_bytes(b"half a store")
    with open_store(home):
        pass
    assert sorted(p.name for p in home.store.parent.iterdir()) == ["lock", "store.duckdb"]


def test_other_errors_of_the_store_stay_themselves(home: Home) -> None:
    with pytest.raises(duckdb.CatalogException), open_store(home) as store:
        store.con.execute("select * from nothing")


def test_what_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "store.duckdb").write_bytes(b"x" * 20_000)
    with pytest.raises(StoreDamaged):
        connect(tmp_path / "store.duckdb")


@pytest.mark.parametrize(
    "error",
    [
        duckdb.IOException('IO Error: Could not write file "x.wal": No space left on device'),
        duckdb.TransactionException(
            "TransactionContext Error: Failed to commit: failed to offload data block of size "
            "256.0 KiB (96.0 KiB/280.7 KiB used)."
        ),
    ],
    ids=["file", "scratch"],
)
def test_a_full_disk_is_no_damage(error: duckdb.Error) -> None:
    assert isinstance(said(error, Path("store.duckdb")), StoreFull)
