"""Opens the private store: one process at a time, of this release's form, with its settings."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from warehouse import aside, crashpoints, lock, trouble, upgrades
from warehouse.batch import sync_folder
from warehouse.clock import Clock, utc_now
from warehouse.ddl import literal
from warehouse.erase import marker
from warehouse.errors import StoreDamaged
from warehouse.home import Home
from warehouse.lock import OnWait, StoreBusy
from warehouse.upgrades import StoreTooNew, set_meta

__all__ = ["STORAGE_VERSION", "Store", "StoreBusy", "StoreTooNew", "open_store"]

# Any 1.2+ and 2.x client opens such a file; a default file of 2.0 is refused by all of 1.x.
STORAGE_VERSION = "v1.2.0"
SCRATCH = "scratch"
"""Folder beside the store for what DuckDB has no memory for."""
_GIGABYTE = 1 << 30


@dataclass(slots=True)
class Store:
    """The open store. `con` speaks UTC; leave transactions closed when handing it on.

    `upgraded` says in words what opening it changed, `memory` is DuckDB's limit, `spares` whether
    work on it keeps to a part of that, `is_lowered` whether it does so now, `share` and `times` to
    which (`bounds.py`).
    """

    path: Path
    con: duckdb.DuckDBPyConnection
    upgraded: list[str] = field(default_factory=list)
    memory: str = field(default_factory=lambda: half_of_memory())
    spares: bool = True
    is_lowered: bool = False
    share: int = 0
    times: int = 1

    @contextlib.contextmanager
    def transaction(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Commit what the block wrote, or roll it back if it raises."""
        with upgrades.transaction(self.con):
            yield self.con

    def reopen(self) -> None:
        """Open the file anew, after a commit that was short of memory: it is to have all now."""
        self.con.close()
        self.con = connect(self.path, memory=self.memory)
        self.is_lowered = False
        self.spares = False

    def checkpoint(self) -> None:
        """Write the log into the file; a lost log would lose what came after the last one."""
        self.con.execute("CHECKPOINT")

    def meta(self, name: str) -> str | None:
        """Return one fact of ops.meta."""
        row = self.con.execute("SELECT value FROM ops.meta WHERE name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, name: str, value: str) -> None:
        """Set one fact of ops.meta."""
        set_meta(self.con, name, value)


@contextlib.contextmanager
def open_store(
    home: Home,
    *,
    wait: float = 600.0,
    clock: Clock = utc_now,
    path: Path | None = None,
    memory: str | None = None,
    on_wait: OnWait | None = None,
) -> Iterator[Store]:
    """Hold the lock of `home` and open its store, made or upgraded where needed.

    `wait` is in seconds; StoreBusy names the holder after that, `on_wait` hears it once after two.
    `path` opens another file under the same lock (a rebuild makes a new one beside the old).
    `memory` is DuckDB's limit, half of the machine's by default. Raises StoreTooNew, or StoreError
    for a file that cannot be read or a full disk.
    """
    marker.expect_none(home.landing)
    with lock.hold(home.lock, wait=wait, now=clock, on_wait=on_wait):
        marker.expect_none(home.landing)
        file = path or home.store
        _sweep(home)
        if not file.exists():
            _expect_none(home, file)
            create(file)
        memory = memory or half_of_memory()
        con = connect(file, memory=memory, wait=wait, on_wait=on_wait)
        store = Store(file, con, memory=memory)
        try:
            store.upgraded += upgrades.upgrade(con, file)
            yield store
        except duckdb.Error as error:
            raise trouble.said(error, file) or error from error
        finally:
            store.con.close()


def _sweep(home: Home) -> None:
    """Remove what a killed rebuild left, as large as a store; we hold the lock, so none is made.

    And what a killed process had no memory for, and copies of records that killed readers left.
    """
    aside.sweep(home.root)
    for pattern in ("rebuilt.duckdb*", f"{SCRATCH}/duckdb_temp_*"):
        for left in home.store.parent.glob(pattern):
            left.unlink(missing_ok=True)


def _expect_none(home: Home, file: Path) -> None:
    """Raise StoreDamaged where a store was published from and is gone.

    A new one would hold what is synced from now on, and be published in place of the whole.
    """
    if file == home.store and (home.public.exists() or home.current.exists()):
        raise StoreDamaged(
            "The store is gone; what was published from it is there.",
            "run `isthmus rebuild`: the landing holds all that the store is made of.",
            place=file.name,
        )


def create(path: Path) -> None:
    """Make an empty store of this release at `path`, under its name only once it is whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_name(path.name + ".new")
    for left in (new, path):
        # A log that outlived its file would be played into the new one.
        left.with_name(left.name + ".wal").unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(_empty())
        file.flush()
        os.fsync(file.fileno())
    with duckdb.connect(str(new)) as con:
        set_meta(con, "schema_version", str(max([1, *(s.number for s in upgrades.steps())])))
        set_meta(con, "model", upgrades.fingerprint())
        # Tells the projection that this is another store than the one it was made of.
        set_meta(con, "store_id", str(uuid.uuid4()))
    crashpoints.reach("store.made")
    new.replace(path)
    sync_folder(path.parent)


def connect(
    path: Path,
    *,
    memory: str | None = None,
    wait: float = 0.0,
    on_wait: OnWait | None = None,
) -> duckdb.DuckDBPyConnection:
    """Open the DuckDB file at `path` read-write with the store's settings; no lock is taken.

    Waits `wait` seconds for a client that has the file open by itself, then raises StoreBusy;
    raises StoreDamaged or StoreFull for what DuckDB says of the file.
    """
    scratch = path.parent / SCRATCH
    con = trouble.opened(path, wait=wait, on_wait=on_wait)
    settings: dict[str, Any] = {
        "memory_limit": memory or half_of_memory(),
        "temp_directory": str(scratch),
        # A second thread takes more time than it saves on batches and slices, and holds as many
        # half-filled row groups again.
        "threads": 1,
        "disabled_optimizers": _left_out(con),
        "TimeZone": "UTC",
        "enable_progress_bar": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    for name, value in settings.items():
        said = literal(value) if isinstance(value, str) else str(value).lower()
        con.execute(f"SET {name} = {said}")
    return con


def _left_out(con: duckdb.DuckDBPyConnection) -> str:
    """Return the optimizers that this DuckDB has and that are not to be used.

    With the first a cast that two fields share is lifted out of TRY and fails the batch; the second
    is new in 2.0.0 and ends some statements that add up joins in an internal error.
    """
    there = {n for (n,) in con.execute("SELECT name FROM duckdb_optimizers()").fetchall()}
    return ",".join(
        n for n in ("common_subexpressions", "partial_aggregate_pushdown") if n in there
    )


def attach(
    con: duckdb.DuckDBPyConnection, path: Path, name: str, *, read_only: bool = False
) -> None:
    """Attach the file at `path` under `name`, made with our storage version if it is not there."""
    how = "READ_ONLY" if read_only else f"STORAGE_VERSION {literal(STORAGE_VERSION)}"
    con.execute(f"ATTACH {literal(str(path))} AS {name} ({how})")


@cache
def _empty() -> bytes:
    # A process that makes many stores makes their tables once.
    with tempfile.TemporaryDirectory(prefix="isthmus-") as folder:
        path = Path(folder) / "empty.duckdb"
        with duckdb.connect() as con:
            attach(con, path, "fresh")
        with duckdb.connect(str(path)) as con:
            upgrades.create_all(con)
            con.execute("CHECKPOINT")
        return path.read_bytes()


def half_of_memory() -> str:
    """Return half of the machine's memory as DuckDB takes it, at least a gigabyte."""
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{max(whole // 2, _GIGABYTE) // (1 << 20)}MiB"
