from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from source_rows import MOMENT, Loader

from warehouse import upgrades
from warehouse.errors import StoreError
from warehouse.home import Home
from warehouse.lock import hold, holder
from warehouse.store import Store, StoreBusy, StoreTooNew, connect, open_store
from warehouse.unify import unify

HOLD = """
import sys
from pathlib import Path
from warehouse.home import Home
from warehouse.store import open_store
with open_store(Home(Path(sys.argv[1]))):
    print("held", flush=True)
    sys.stdin.readline()
"""


def holding(home: Home) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home.root)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_settings(home: Home) -> None:
    with open_store(home, memory="700MB") as store:
        said = dict(
            store.con.execute(
                "SELECT name, value FROM duckdb_settings() WHERE name IN "
                "('TimeZone', 'disabled_optimizers', 'temp_directory', 'memory_limit')"
            ).fetchall()
        )
        folder = home.root / "store"
        assert said["TimeZone"] == "UTC"
        left_out = set(said["disabled_optimizers"].split(","))
        # The second is known to DuckDB 2.0 alone.
        assert left_out - {"partial_aggregate_pushdown"} == {"common_subexpressions"}
        assert Path(said["temp_directory"]).parent == folder
        assert said["memory_limit"] == "667.5 MiB"
        assert store.meta("schema_version") == str(upgrades.FIRST_VERSION)
        store.set_meta("x", "1")
        store.set_meta("x", "2")
        assert store.meta("x") == "2"
    assert home.store.stat().st_mode & 0o777 == 0o600
    assert not list(folder.glob("*.new*"))


def test_a_second_writer_is_told_who_holds_the_store(home: Home) -> None:
    with open_store(home):
        pass
    process = holding(home)
    try:
        with pytest.raises(StoreBusy) as caught, open_store(home, wait=0.1):
            pass
        assert caught.value.retriable
        assert caught.value.holder is not None
        assert caught.value.holder.pid == process.pid
        assert f"process {process.pid} on " in caught.value.what
    finally:
        process.communicate("go\n", timeout=20)
    with open_store(home, wait=0):
        assert holder(home.lock) is not None
    assert holder(home.lock) is None


def test_a_lock_waits_for_its_turn(home: Home) -> None:
    with open_store(home):
        pass
    process = holding(home)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    with open_store(home, wait=20) as store:
        assert store.meta("schema_version")
    process.communicate(timeout=20)


def test_the_lock_of_a_killed_process_is_none(home: Home) -> None:
    with open_store(home):
        pass
    process = holding(home)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert holder(home.lock) is not None  # its name still stands there
    with open_store(home, wait=0):
        said = holder(home.lock)
        assert said is not None
        assert said.pid == os.getpid()


def test_a_lock_file_that_says_nonsense_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_text("{broken")
    assert holder(path) is None
    with (
        hold(path, wait=0, now=lambda: MOMENT),
        pytest.raises(StoreBusy),
        hold(path, wait=0, now=lambda: MOMENT),
    ):
        pass


def write_and(store: Store, sql: str) -> None:
    with store.transaction() as con:
        con.execute("INSERT INTO ops.meta VALUES ('a', 'b')")
        con.execute(sql).fetchall()


def test_a_failed_transaction_leaves_nothing(home: Home) -> None:
    with open_store(home) as store:
        with pytest.raises(duckdb.Error):
            write_and(store, "SELECT error('no')")
        assert store.meta("a") is None
        with pytest.raises(duckdb.Error):
            write_and(store, "ROLLBACK")  # the commit that follows has nothing to commit
        assert store.meta("a") is None
        write_and(store, "SELECT 1")
        assert store.meta("a") == "b"


def test_a_store_of_a_newer_release_is_refused(home: Home) -> None:
    with open_store(home) as store:
        store.set_meta("schema_version", "999")
    before = home.store.read_bytes()
    with pytest.raises(StoreTooNew, match="999") as caught, open_store(home):
        pass
    assert "newer release" in caught.value.do
    assert home.store.read_bytes() == before


def test_a_damaged_store_says_rebuild(home: Home) -> None:
    with open_store(home):
        pass
    home.store.write_bytes(b"nothing" * 5000)
    with pytest.raises(StoreError, match="rebuild"), open_store(home):
        pass


def older(home: Home) -> None:
    """A store as a release before wrote it: with rows, without what the model gained since."""
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [{"key": "1", "total": Decimal(5), "lines": [{"key": 1, "sku": "A"}]}])
        unify(store, now=MOMENT)
        for schema in ("source", "history", "unified"):
            store.con.execute(f"ALTER TABLE {schema}.orders DROP COLUMN merchant_order_no")
            store.con.execute(f"DROP TABLE {schema}.refunds")
        store.con.execute("ALTER TABLE ops.quarantine DROP COLUMN rule")
        store.set_meta("model", "an older one")


def test_an_older_store_gets_what_the_model_gained_and_keeps_its_rows(home: Home) -> None:
    older(home)
    before = home.store.read_bytes()
    with open_store(home) as store:
        assert set(store.upgraded) == {
            "column source.orders.merchant_order_no", "column history.orders.merchant_order_no",
            "column unified.orders.merchant_order_no", "column ops.quarantine.rule",
            "table source.refunds", "table history.refunds", "table unified.refunds",
        }  # fmt: skip
        rows = store.con.execute("SELECT source_key, total, merchant_order_no FROM unified.orders")
        assert rows.fetchall() == [("1", Decimal(5), None)]
        assert store.con.execute("SELECT sku FROM source.order_lines").fetchall() == [("A",)]
        # It goes on working: a new load, unified with the old rows.
        Loader(store.con).put("order", [{"key": "2", "merchant_order_no": "M2"}])
        unify(store, now=MOMENT)
        rows = store.con.execute("SELECT merchant_order_no FROM unified.orders ORDER BY source_key")
        assert rows.fetchall() == [(None,), ("M2",)]
    copy = home.store.with_name("store-v1.duckdb")
    assert copy.read_bytes() == before
    with open_store(home) as store:
        assert store.upgraded == []


def test_without_a_copy_nothing_is_upgraded(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    older(home)
    before = home.store.read_bytes()
    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(StoreError, match="No space left"), open_store(home):
        pass
    assert home.store.read_bytes() == before


def step(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(textwrap.dedent(text))


def opened(home: Home) -> Store:
    return Store(home.store, connect(home.store))


def test_numbered_upgrades_run_once_in_order(home: Home, tmp_path: Path) -> None:
    older(home)
    step(tmp_path, "0003_fill.py", """
        from warehouse import ddl, lazy

        def upgrade(con):
            lazy.make_room(con, ddl.source_table("order"), {"number"})
            con.execute("UPDATE source.orders SET number = 'N' || new_key")
        """)  # fmt: skip
    step(tmp_path, "0002_key.sql", """
        ALTER TABLE source.orders ADD COLUMN new_key VARCHAR;
        UPDATE source.orders SET new_key = source_key || '-x';
        """)  # fmt: skip
    store = opened(home)
    done = upgrades.upgrade(store.con, home.store, tmp_path)
    assert done[:2] == ["0002_key", "0003_fill"]
    assert store.meta("schema_version") == "3"
    rows = store.con.execute("SELECT number, total FROM source.orders").fetchall()
    assert rows == [("N1-x", Decimal(5))]
    assert upgrades.upgrade(store.con, home.store, tmp_path) == []
    with pytest.raises(StoreTooNew):
        upgrades.upgrade(store.con, home.store)
    store.con.close()
    assert home.store.with_name("store-v1.duckdb").exists()


def test_a_failed_upgrade_leaves_the_version_before_it(home: Home, tmp_path: Path) -> None:
    older(home)
    step(tmp_path, "0002_fine.sql", "ALTER TABLE source.orders ADD COLUMN extra VARCHAR;")
    step(
        tmp_path,
        "0003_broken.sql",
        "ALTER TABLE source.orders ADD COLUMN half "
        "VARCHAR; ALTER TABLE source.nothing ADD COLUMN extra VARCHAR;",
    )
    store = opened(home)
    with pytest.raises(duckdb.Error):
        upgrades.upgrade(store.con, home.store, tmp_path)
    assert store.meta("schema_version") == "2"
    names = [r[0] for r in store.con.execute("DESCRIBE source.orders").fetchall()]
    assert "half" not in names
    assert store.con.execute("SELECT count(*) FROM source.orders").fetchall() == [(1,)]
    store.con.close()


def test_two_upgrades_of_one_number_are_refused(tmp_path: Path) -> None:
    step(tmp_path, "0002_a.sql", "SELECT 1")
    step(tmp_path, "0002_b.py", "")
    with pytest.raises(StoreError, match="number 2"):
        upgrades.steps(tmp_path)


def test_a_log_without_its_store_is_not_played_into_a_new_one(home: Home) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [{"key": "1"}])
    home.store.unlink()
    home.store.with_name("store.duckdb.wal").write_bytes(b"left over")
    with open_store(home) as store:
        assert store.con.execute("SELECT count(*) FROM source.orders").fetchall() == [(0,)]


def test_a_wait_tells_once_who_is_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("warehouse.lock.SILENT_SECONDS", 0.05)
    heard: list[object] = []
    with open_store(home, on_wait=heard.append):
        assert heard == []
        with pytest.raises(StoreBusy), open_store(home, wait=0.4, on_wait=heard.append):
            pass
    (holder,) = heard
    assert f"process {os.getpid()} on " in str(holder)
    monkeypatch.setattr("warehouse.lock.SILENT_SECONDS", 60)
    with (
        open_store(home),
        pytest.raises(StoreBusy),
        open_store(home, wait=0.1, on_wait=heard.append),
    ):
        pass
    assert len(heard) == 1
