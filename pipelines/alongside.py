"""Loads batches in a second thread while the stream's extraction goes on.

Landing and store need no word with each other: the landing is a log, and each load applies what it
finds there, in order. So extraction never waits for the store, and a load that finds it held by
another process leaves the batches to the next one. Nothing is told from here: an error ends the
thread, and the load at the sync's end meets what caused it again and raises it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.home import Home
    from warehouse.landing import Landing
    from warehouse.load import LoadReport
    from warehouse.model.plan import StreamPlan
    from warehouse.store import Store

LARGE = 100_000
"""Records that are loaded as soon as they are there. Each load ends in a checkpoint, which writes
half-filled blocks of the tables anew, so fewer wait until they double what was loaded before."""
TURN = 0.1
"""Seconds between two loads in which others may take the store: longer than they wait to look."""


class Alongside:
    """A context manager; its thread begins at the first call of `landed`.

    `report` has what they committed, None where there was none; read it after the block.
    """

    def __init__(
        self, home: Home, landing: Landing, plan: StreamPlan, now: Callable[[], datetime]
    ) -> None:
        self.report: LoadReport | None = None
        self._home, self._landing, self._plan, self._now = home, landing, plan, now
        self._news, self._end = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._store: Store | None = None
        self._landed = self._loaded = 0

    def landed(self, records: int) -> None:
        """Say that so many records were landed by now and that extraction goes on."""
        self._landed = records
        if not self._is_due():
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="load alongside")
            self._thread.start()
        self._news.set()

    def _is_due(self) -> bool:
        return self._landed - self._loaded >= max(1, min(self._loaded, LARGE))

    def _run(self) -> None:
        from warehouse.store import StoreBusy

        while not self._end.is_set():
            self._news.clear()
            try:
                if self._is_due():
                    self._load()
            except StoreBusy:
                pass  # the next batch or the end of the sync tries again
            except Exception:
                return
            if self._end.wait(TURN):
                return
            self._news.wait()

    def _load(self) -> None:
        from warehouse.load import LoadReport, load_pending
        from warehouse.store import open_store

        self.report = self.report or LoadReport()
        landed = self._landed
        with open_store(self._home, wait=0.0, clock=self._now) as store:
            self._store = store
            try:
                load_pending(store, self._landing, self._plan, now=self._now, report=self.report)
                self._loaded = landed
            finally:
                self._store = None

    def __enter__(self) -> Alongside:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Wait for the load that is under way; roll it back where the sync is stopped."""
        self._end.set()
        self._news.set()
        if self._thread is None:
            return
        if kind is None or issubclass(kind, Exception):
            self._thread.join()
        while self._thread.is_alive():
            if (store := self._store) is not None:
                with suppress(Exception):  # it may be closed by now
                    store.con.interrupt()
            self._thread.join(TURN)
