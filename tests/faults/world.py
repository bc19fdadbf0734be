"""One small world a case: a journalled shop, a workspace that reads it, a clock, and the judge."""

from __future__ import annotations

import os
import shutil
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from connectors.rest.simulator import RestSimulator
from pipelines.outcome import PublishOutcome, StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from tests.faults import shop
from tests.faults.data_checks import judge_store
from tests.faults.journal import Journal, JournalledSimulator
from tests.faults.oracle import Counts, judge, leaks
from tests.support.still_clock import START
from tests.support.still_clock import StillClock as Clock

IN_PROCESS = "http://shop.example"


class InProcess(httpx.BaseTransport):
    """Hands requests to a simulator without a network; resets and cuts are played as errors."""

    def __init__(self, simulator: RestSimulator) -> None:
        self.simulator = simulator
        self.before: Callable[[httpx.Request], None] | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or raise what the network would."""
        if self.before is not None:
            self.before(request)
        url = request.url
        reply = self.simulator.answer(
            request.method, url.path, url.query.decode(), dict(request.headers), request.read()
        )
        if reply.seconds:
            raise httpx.ReadTimeout("silent on order", request=request)
        body = b"".join(reply.stream) if reply.stream is not None else reply.body
        headers = {"content-type": "application/json", **reply.headers}
        if reply.cut:
            headers["content-length"] = str(len(body) + 100)
        return httpx.Response(reply.status, headers=headers, stream=httpx.ByteStream(body))


class World:
    """A shop of `orders` orders and a few customers, read in `style`.

    Without `url` syncs reach the shop in this process and pauses take no time; with it they go
    over the network at that address (the simulator must be served by the caller). `extra` is one
    more line of the connection's `config:`. Orders are committed one second apart, ending at the
    clock's start. `owed`: after every good sync of orders the store must hold every order, in some
    version, and `missed` counts what it does not; for worlds where none is added in mid-read (a
    read that goes on may find the version before).
    """

    def __init__(
        self,
        folder: Path,
        *,
        style: shop.Style = "cursor",
        orders: int = 35,
        customers: int = 7,
        url: str = "",
        extra: str = "timeout: 5s",
        simulator: JournalledSimulator | None = None,
        owed: bool = False,
    ) -> None:
        self.folder, self.owed = folder, owed
        folder.mkdir(parents=True, exist_ok=True)
        self.style: shop.Style = style
        self.clock = Clock()
        self.journal = simulator.file if simulator else Journal(folder / "journal.ndjson")
        self.shop = simulator or JournalledSimulator(
            shop.collections(style), self.journal, token=shop.TOKEN, now=self.clock.now
        )
        self.network = InProcess(self.shop)
        self.served = bool(url)
        self.write_files(url or IN_PROCESS, extra=extra)
        self.space = self.discover()
        self.versions: dict[int, int] = {}
        self.outcomes: list[StreamOutcome] = []
        self.publishes: list[PublishOutcome] = []
        self.snapshots: list[Path] = []
        self.missed = Counts()
        for number in range(1, customers + 1):
            self.shop.put("customers", shop.customer(number, START - timedelta(days=1)))
        for number in range(1, orders + 1):
            self.put(number, at=START - timedelta(seconds=orders - number))

    # --- set-up ------------------------------------------------------------------------------
    def write_files(self, url: str, *, extra: str = "timeout: 5s", limit: int = shop.PAGE) -> None:
        """Write connection, company, mappings and secrets (again)."""
        for name, text in shop.files(url, self.style, limit=limit, extra=extra).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """The variables that name this world to a command line."""
        return {
            "ISTHMUS_DEFS": str(self.folder / "defs"),
            "ISTHMUS_HOME": str(self.folder / "home"),
        }

    def discover(self) -> Workspace:
        """Return a workspace that reads the files anew."""
        return Workspace.discover(self.environment)

    @property
    def home(self) -> Path:
        """The folder of landing, store and published files."""
        return self.folder / "home"

    @property
    def published(self) -> Path:
        """The published file of now."""
        return self.home / "published" / "isthmus.duckdb"

    # --- the source --------------------------------------------------------------------------
    def put(self, number: int, *, at: datetime | None = None) -> None:
        """Commit a new version of an order, stamped now or `at`."""
        version = self.versions[number] = self.versions.get(number, -1) + 1
        self.shop.put("orders", shop.order(number, at or self.clock.at, version))

    def put_broken(self, number: int) -> None:
        """Commit a version that no mapping can take."""
        self.versions[number] = self.versions.get(number, -1) + 1
        self.shop.put("orders", shop.broken(number, self.clock.at), bad=True)

    def delete(self, number: int) -> None:
        """Remove an order for good."""
        self.shop.delete("orders", str(number))

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.at += timedelta(seconds=seconds)

    # --- what the product does ---------------------------------------------------------------
    def sync(self, stream: str = "orders", **how: Any) -> StreamOutcome:
        """Run one sync and write down what it reported; `how` goes to `sync_stream`."""
        run = str(uuid.uuid4())
        self.journal.write("begin", stream=stream, run=run)
        if not self.served:
            how = {"transport": self.network, "pause": self.clock.pause} | how
        outcome = sync_stream(self.space, "shop", stream, **{"now": self.clock.now} | how)
        self.journal.write("end", stream=stream, run=run, outcome=outcome.as_json())
        self.outcomes.append(outcome)
        if self.owed and stream == "orders" and outcome.status == "ok":
            found = judge_store(self.journal.path, self.home / "store" / "store.duckdb")
            for text in (t for t in found.details if t.startswith("lost: ")):
                self.missed.find("lost", f"{text[6:]} after a good sync")
        return outcome

    def publish(self, *, keep: bool = True) -> PublishOutcome:
        """Unify and publish; `keep` sets the published version aside for the judge."""
        outcome = unify_publish(self.space, now=self.clock.now)
        self.publishes.append(outcome)
        if keep and outcome.published and self.published.exists():
            copy = self.folder / f"snapshot-{len(self.snapshots):03d}.duckdb"
            shutil.copyfile(self.published, copy)
            self.snapshots.append(copy)
        return outcome

    def in_child(
        self, work: Callable[[], object], *, crash_at: str = "", after: float | None = None
    ) -> int:
        """Do `work` in a forked child that dies at a crash point or `after` seconds, by SIGKILL.

        Returns its exit code: 0, 1 where `work` raised or reported an error, -9 where it was
        killed. What the child learnt (the clock, the outcomes) dies with it.
        """
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ["ISTHMUS_CRASH_AT"] = crash_at
                self.space = self.discover()
                code = int(getattr(work(), "error", None) is not None)
            finally:
                os._exit(code)
        if after is not None:
            until = time.monotonic() + after
            while time.monotonic() < until:
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    return os.waitstatus_to_exitcode(status)
                time.sleep(0.001)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)

    # --- the end -----------------------------------------------------------------------------
    def quiesce(
        self, *, read: bool = True, between: Callable[[], None] = lambda: None
    ) -> list[StreamOutcome]:
        """Faults over: one clean incremental sync past the lookback, then one that sees deletions.

        `read` False leaves the first one out: the caller has just done it. `between` is called
        behind it: what was lost at the cursor is found by the second one. All must report ok; the
        caller may hold the outcomes against what it expects.
        """
        self.shop.faults.clear()
        self.shop.shape = None
        self.network.before = None
        if read:
            self.wait(3_600)
        streams = ["customers"] if read or self.shop._rows["customers"] else []
        done = [self.sync(stream) for stream in (*streams, *(["orders"] if read else []))]
        if read and (done[-1].bookmark_before or {}).get("resume"):
            done.append(self.sync("orders"))  # the first one went on with a read of before
        between()
        done.append(self.sync("orders", full=True))
        self.publish(keep=False)
        return done

    def judge(self, *, canaries: tuple[str, ...] = (shop.TOKEN,)) -> Counts:
        """Let the oracle compare journal and published file; look for canaries in all files.

        A secret may stand nowhere below home; the canary phone not in what is published.
        """
        counts = judge(self.journal.path, self.published, snapshots=self.snapshots)
        for text in leaks(self.home, canaries) + leaks(self.home / "published", [shop.PHONE]):
            counts.find("leaked", text)
        return counts

    def close(self) -> None:
        """Give the control database back and remove the folder."""
        self.space.control.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextmanager
def world(folder: Path, **how: Any) -> Iterator[World]:
    """Make a world and remove it at the end."""
    made = World(folder, **how)
    try:
        yield made
    finally:
        made.close()
