"""Batches are loaded while extraction goes on; whatever happens on one side, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import small_shop
from small_shop import at_the_source, in_the_store

import warehouse.load
from connectors.base import utc_now
from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.alongside import LARGE, Alongside
from pipelines.listen import Progress
from pipelines.sync import sync_stream
from pipelines.workspace import PROJECT, Workspace
from warehouse import lock, writer
from warehouse.errors import LoadError
from warehouse.landing import Landing
from warehouse.load import LoadReport
from warehouse.store import Store, open_store

ORDERS, PAGE = 100, 20
PATIENCE = 60.0


@pytest.fixture
def server() -> RestSimulator:
    return small_shop.shop(ORDERS)


@pytest.fixture
def space(
    server: RestSimulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workspace]:
    monkeypatch.setattr(writer, "MAX_RECORDS", PAGE)  # each page is a batch
    with serve(server) as url:
        made = small_shop.workspace(tmp_path, url)
        yield made
        made.control.close()


class Loads:
    """Stands before the loader: `before` and `after` run around each load beside extraction."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.before: Callable[[Store], None] = lambda store: None
        self.after: Callable[[Store], None] = lambda store: None
        self.begun, self.done = threading.Event(), threading.Event()
        self._load = warehouse.load.load_pending
        monkeypatch.setattr(warehouse.load, "load_pending", self)

    def __call__(self, store: Store, *args: Any, **named: Any) -> LoadReport:
        if threading.current_thread() is threading.main_thread():
            return self._load(store, *args, **named)
        self.begun.set()
        try:
            self.before(store)
            report = self._load(store, *args, **named)
            self.after(store)
        finally:
            self.done.set()
        return report


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    return Loads(monkeypatch)


def at_page(number: int, do: Callable[[], object]) -> Callable[[Progress], None]:
    """Return a listener that does something in the midst of the read."""

    def told(progress: Progress) -> None:
        if progress.phase == "read" and progress.read == number * PAGE:
            do()

    return told


def batches(space: Workspace) -> list[tuple[int, int]]:
    with open_store(space.home) as store:
        return store.con.execute("select batch, loaded from ops.batches order by 1").fetchall()


def test_what_was_landed_is_loaded_while_pages_come(
    space: Workspace, server: RestSimulator, loads: Loads
) -> None:
    midst: list[bool] = []
    wait = at_page(3, lambda: midst.append(loads.done.wait(PATIENCE)))
    done = sync_stream(space, "shop", "orders", progress=wait)
    assert midst == [True]
    assert (done.status, done.read, done.landed, done.inserted) == ("ok", ORDERS, ORDERS, ORDERS)
    assert in_the_store(space) == at_the_source(server)
    found = batches(space)
    assert [loaded for _, loaded in found if loaded] == [PAGE] * 5
    assert [number for number, _ in found] == sorted({number for number, _ in found})


@pytest.mark.parametrize(
    ("loaded", "landed", "begins"),
    [
        (0, 0, False), (0, 20, True), (20, 39, False), (20, 40, True),
        (LARGE, 2 * LARGE - 1, False), (LARGE, 2 * LARGE, True), (9 * LARGE, 10 * LARGE, True),
    ],
)  # fmt: skip
def test_a_load_begins_for_as_many_as_were_loaded_or_many(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, loaded: int, landed: int, begins: bool
) -> None:
    monkeypatch.setattr(Alongside, "_load", lambda self: None)
    plan = space.connection("shop").plan("orders")
    with Alongside(space.home, Landing(space.home.landing), plan, utc_now) as loads:
        loads._loaded = loaded
        loads.landed(landed)
        assert (loads._thread is not None) is begins


def test_a_sync_of_one_batch_has_no_second_thread(
    space: Workspace, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MAX_RECORDS", ORDERS)
    assert sync_stream(space, "shop", "orders").inserted == ORDERS
    assert not loads.begun.is_set()


def test_an_error_of_the_load_is_told_and_everything_is_landed(
    space: Workspace, server: RestSimulator, loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(store: Store, *args: object, **named: object) -> LoadReport:
        loads.done.set()
        raise LoadError("the rows cannot be staged.", "mend the mapping.")

    with monkeypatch.context() as patch:
        patch.setattr(warehouse.load, "load_pending", refuse)
        wait = at_page(3, lambda: loads.done.wait(PATIENCE))
        done = sync_stream(space, "shop", "orders", progress=wait)
    assert (done.status, done.read, done.landed, done.inserted) == ("failed", ORDERS, ORDERS, 0)
    assert done.error is not None
    assert done.error.kind == "LoadError"
    assert Landing(space.home.landing).sequences("shop", "orders")[:5] == [1, 2, 3, 4, 5]
    again = sync_stream(space, "shop", "orders")
    assert (again.status, again.landed, again.inserted) == ("ok", 0, ORDERS)
    assert in_the_store(space) == at_the_source(server)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_load_that_failed_once_is_made_good_and_counted_once(
    space: Workspace, server: RestSimulator, loads: Loads, when: str
) -> None:
    def fail(store: Store) -> None:
        raise LoadError("the disk was away.", "run again.")

    setattr(loads, when, fail)
    wait = at_page(3, lambda: loads.done.wait(PATIENCE))
    done = sync_stream(space, "shop", "orders", progress=wait)
    assert (done.status, done.error, done.inserted) == ("ok", None, ORDERS)
    assert (done.unchanged_rows, done.refused, done.quarantined) == (0, 0, 0)
    assert in_the_store(space) == at_the_source(server)


def test_extraction_does_not_wait_for_a_store_that_is_held(
    space: Workspace, server: RestSimulator, loads: Loads
) -> None:
    space.home.make()
    held = lock.hold(space.home.lock, wait=0.0, now=utc_now)
    held.__enter__()
    landed: list[int] = []

    def let_go() -> None:
        landed.extend(Landing(space.home.landing).sequences("shop", "orders"))
        held.__exit__(None, None, None)

    done = sync_stream(space, "shop", "orders", progress=at_page(4, let_go))
    assert landed == [1, 2, 3, 4]
    assert (done.status, done.inserted) == ("ok", ORDERS)
    assert in_the_store(space) == at_the_source(server)


def test_an_error_of_the_read_is_told_and_what_came_is_loaded(
    space: Workspace, server: RestSimulator
) -> None:
    server.fault("html", request=4, times=20)
    done = sync_stream(space, "shop", "orders")
    assert done.error is not None
    assert (done.status, done.error.kind) == ("failed", "ContractBroken")
    assert (done.read, done.landed, done.inserted) == (60, 60, 60)
    server.faults.clear()
    assert sync_stream(space, "shop", "orders").inserted == 40
    assert in_the_store(space) == at_the_source(server)


def test_a_stop_from_outside_ends_the_load_too(
    space: Workspace, server: RestSimulator, loads: Loads
) -> None:
    loads.before = lambda store: store.con.execute(
        "select count(*) from range(1000000) as a, range(1000000) as b where a.range * b.range = 7"
    )

    def stop() -> None:
        assert loads.begun.wait(PATIENCE)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync_stream(space, "shop", "orders", progress=at_page(3, stop))
    assert loads.done.is_set()
    assert "load alongside" not in {thread.name for thread in threading.enumerate()}
    assert space.control.last_runs()["shop", "orders"]["status"] == "failed"
    loads.before = lambda store: None
    assert sync_stream(space, "shop", "orders").status == "ok"
    assert in_the_store(space) == at_the_source(server)


def test_deletions_of_a_scan_come_after_its_records(
    space: Workspace, server: RestSimulator, loads: Loads
) -> None:
    sync_stream(space, "shop", "orders")
    for number in range(1, ORDERS):
        server.put("orders", small_shop.order(number, seed=5))
    server.delete("orders", str(ORDERS))
    loads.done.clear()
    wait = at_page(3, lambda: loads.done.wait(PATIENCE))
    done = sync_stream(space, "shop", "orders", full=True, progress=wait)
    assert loads.done.is_set()
    assert (done.status, done.updated, done.deleted, done.held) == ("ok", ORDERS - 1, 1, 0)
    assert in_the_store(space) == at_the_source(server)


@pytest.fixture(scope="module")
def forker() -> Iterator[Callable[[dict[str, Any]], int]]:
    with subprocess.Popen(
        [sys.executable, PROJECT / "tests" / "support" / "kill_runs.py"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None

        def run(order: dict[str, Any]) -> int:
            process.stdin.write(json.dumps(order) + "\n")
            process.stdin.flush()
            return int(json.loads(process.stdout.readline())["code"])

        yield run
        process.stdin.close()


@pytest.mark.parametrize(
    "point",
    [
        "extract.page:4", "land.data_written:3", "land.data_renamed:4", "land.sidecar:4",
        "load.begun:1", "load.staged:1", "load.written:1", "load.committed:1",
        "load.checkpointed:1",
    ],
)  # fmt: skip
def test_killed_while_both_go_on(
    forker: Callable[[dict[str, Any]], int], server: RestSimulator, tmp_path: Path, point: str
) -> None:
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url)
        order = {
            "home": str(space.home.root), "defs": str(tmp_path / "defs"), "work": ["orders"],
            "crash_at": point, "after": None, "batch": PAGE,
        }  # fmt: skip
        assert forker(order) == -9
        assert forker(order | {"crash_at": ""}) == 0
        assert in_the_store(space) == at_the_source(server)
        assert [loaded for _, loaded in batches(space) if loaded] == [PAGE] * 5
        space.control.close()


def test_an_end_between_two_looks_for_news_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    beside = Alongside(None, None, None, None)  # type: ignore[arg-type]
    looked, go_on = threading.Event(), threading.Event()
    clear = beside._news.clear

    def late() -> None:
        """The end comes after the thread has seen that it is not there yet."""
        looked.set()
        assert go_on.wait(PATIENCE)
        clear()

    monkeypatch.setattr(beside, "_load", lambda: None)
    monkeypatch.setattr(beside._news, "clear", late)

    def read() -> None:
        with beside:
            beside.landed(1)
            assert looked.wait(PATIENCE)
            threading.Timer(0.2, go_on.set).start()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(10)
    assert not reader.is_alive()
