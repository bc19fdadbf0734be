"""SIGKILL of each process of an installation at random moments, and what is left of it afterwards.

    python -m tests.faults.kill_table [--moments 20] [--seed 1] [--only worker,daemon]

The services are those of docs/deploy (a code location, the daemon, a webserver), with SQLite as
they are without further settings. Workers are children of the code location: syncs and the sensor's
own `unify_publish`. Whatever was killed is started again, as systemd would. After each row all must
come to rest by itself, and a clean sync must bring store and published file to what the shops say.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import dagster as dg
import duckdb
import psutil
import yaml
from rich.console import Console
from rich.table import Table

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.workspace import Workspace
from tests.faults.kill_line import Line
from tests.support import small_shop
from tests.support.dagster_ui import Ui, until_listed
from tests.support.deployed import Place, process
from warehouse.store import open_store

NAMES = ("north", "south", "west")
ORDERS = 300
REST_SECONDS = 180.0
"""What does not end while nothing else ends for so long, has not come to rest by itself."""
KINDS = ("worker", "command line", "daemon", "webserver")
LIFE = 14.0
"""Seconds that a worker lives on a small machine; what ended before its moment does not count."""
LAUNCH_EVERY = 8.0
WAITING = [dg.DagsterRunStatus.QUEUED, dg.DagsterRunStatus.STARTING]
ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})


@dataclass
class Row:
    """What one kind of kill left behind; all but `kills`, `runs` and `seconds` must be 0."""

    kind: str
    kills: int = 0
    runs: int = 0
    stuck: int = 0
    slots: int = 0
    leases: int = 0
    lost: int = 0
    doubled: int = 0
    other: int = 0
    seconds: float = 0.0

    @property
    def left(self) -> int:
        """How much is not as it must be."""
        return self.stuck + self.slots + self.leases + self.lost + self.doubled + self.other


@dataclass
class Scene:
    """A company of small shops, its services, and dice."""

    place: Place
    shops: dict[str, RestSimulator]
    space: Workspace
    instance: dg.DagsterInstance
    chance: random.Random
    log: IO[str]
    services: dict[str, ExitStack] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    turn: int = 0

    @property
    def ui(self) -> Ui:
        return Ui(f"http://127.0.0.1:{self.place.ports['3000']}")

    def start(self, name: str) -> None:
        """Start a service, or start it again."""
        if name in self.services:
            self.services.pop(name).close()
        self.services[name] = ExitStack()
        made = process(self.place.command(name), self.place, self.log)
        self.pids[name] = self.services[name].enter_context(made)

    def kill(self, name: str) -> None:
        """Kill a service with what it started, as systemd does, and start it again."""
        os.killpg(self.pids[name], signal.SIGKILL)
        self.start(name)

    def change(self) -> None:
        """Let something happen in each shop: a new order, and one that is otherwise."""
        self.turn += 1
        now = datetime.now(UTC)
        for server in self.shops.values():
            server.put("orders", small_shop.order(ORDERS + self.turn, at=now))
            old = self.chance.randrange(1, ORDERS)
            server.put("orders", small_shop.order(old, at=now, seed=self.turn))

    def launch(self) -> None:
        """Ask for a sync of each shop, if the webserver is there to be asked."""
        for name in self.shops:
            try:
                full = {"ops": {f"{name}__orders": {"config": {"full": self.turn % 4 == 0}}}}
                self.ui.launch(f"{name}_sync", full)
            except (OSError, AssertionError):
                return

    def workers(self) -> list[psutil.Process]:
        """Return the processes that execute runs."""
        found = []
        for one in psutil.Process(self.pids["code"]).children(recursive=True):
            try:
                words = one.cmdline()
            except psutil.NoSuchProcess:
                continue
            if any("spawn_main" in word for word in words):
                found.append(one)
        return found


def _kill(worker: psutil.Process) -> bool:
    """Kill a worker; False where it had ended by itself."""
    try:
        if worker.status() == psutil.STATUS_ZOMBIE:
            return False
        worker.kill()
    except psutil.NoSuchProcess:
        return False
    return True


def _workers(scene: Scene, moments: int) -> Iterator[int]:
    """Kill workers somewhere in the seconds that they live, each at a moment of its own."""
    left, due, asked = moments, dict[int, float](), 0.0
    while left > 0:
        workers = scene.workers()
        waits = scene.instance.get_runs_count(dg.RunsFilter(statuses=WAITING))
        if waits < len(scene.shops) and time.monotonic() - asked > LAUNCH_EVERY:
            scene.change()
            scene.launch()
            asked = time.monotonic()
        for worker in workers:
            age = time.time() - worker.create_time()
            if age < due.setdefault(worker.pid, scene.chance.uniform(0, LIFE)):
                continue
            if left > 0 and _kill(worker):
                left -= 1
                yield 1
        time.sleep(0.2)


def _lines(scene: Scene, moments: int) -> Iterator[int]:
    """Kill `isthmus sync` somewhere in the seconds that it takes."""
    with Line(scene.place) as line:
        longest, left = 0.0, moments
        for name in scene.shops:
            scene.change()
            began = time.monotonic()
            line.call("sync", name)
            longest = max(longest, time.monotonic() - began)
        while left > 0:
            scene.change()
            name = scene.chance.choice(list(scene.shops))
            if line.call("sync", name, after=scene.chance.uniform(0.05, longest)) < 0:
                left -= 1
                yield 1


def _services(name: str) -> Callable[[Scene, int], Iterator[int]]:
    def kills(scene: Scene, moments: int) -> Iterator[int]:
        for number in range(moments):
            if number % 4 == 0:
                scene.change()
                launcher = threading.Thread(target=scene.launch)
                launcher.start()
                time.sleep(scene.chance.uniform(0, 2))
                scene.kill(name)
                launcher.join()
            else:
                # From its first import to a life of its own.
                time.sleep(scene.chance.uniform(0, 12))
                scene.kill(name)
            yield 1

    return kills


WAYS: dict[str, Callable[[Scene, int], Iterator[int]]] = {
    "worker": _workers,
    "command line": _lines,
    "daemon": _services("daemon"),
    "webserver": _services("webserver"),
}


def rest(instance: dg.DagsterInstance, row: Row, seconds: float = REST_SECONDS) -> None:
    """Wait until nothing runs, then count what did not come to rest by itself."""
    storage = instance.event_log_storage
    until, ended = time.monotonic() + seconds, 0
    while True:
        runs = instance.get_runs()
        stuck = [run for run in runs if run.status.value not in ENDED]
        over = {run.run_id for run in runs} - {run.run_id for run in stuck}
        leaked = storage.get_concurrency_run_ids() & over
        if (not stuck and not leaked) or time.monotonic() > until:
            break
        if len(over) > ended:
            until, ended = time.monotonic() + seconds, len(over)
        time.sleep(1)
    row.runs, row.stuck, row.slots = len(runs), len(stuck), len(leaked)


def judge(scene: Scene, row: Row) -> None:
    """Sync all once more, and hold store and published file against the shops, order by order."""
    with Line(scene.place) as line:
        row.other += line.call("sync", "--all") != 0
    row.leases = len(scene.space.control.held_leases())
    compare(scene.space, scene.shops, row)


def compare(space: Workspace, shops: Mapping[str, RestSimulator], row: Row) -> None:
    """Count what store and published file have otherwise than the shops."""
    total = 0
    with open_store(space.home) as store:
        for name, server in shops.items():
            there = {key: one[0] for key, one in small_shop.at_the_source(server).items()}
            rows = store.con.execute(
                "select source_key, total from source.orders"
                " where connection = $1 and not is_deleted", [name],
            ).fetchall()  # fmt: skip
            held = dict(rows)
            total += len(there)
            row.doubled += len(rows) - len(held)
            row.lost += len(there.keys() - held.keys())
            row.other += sum(held[key] != there.get(key) for key in held)
    with duckdb.connect(str(space.home.readable), read_only=True) as published:
        (golden,) = published.execute("select count(*) from unified.orders").fetchall()[0]
    row.doubled += max(0, golden - total)
    row.lost += max(0, total - golden)


@contextmanager
def scene(folder: Path, seed: int) -> Iterator[Scene]:
    """Boot the services over a company of small shops."""
    with ExitStack() as stack:
        place = Place(folder)
        shops = {name: small_shop.shop(orders=ORDERS) for name in NAMES}
        for name, server in shops.items():
            _connect(place.srv, name, stack.enter_context(serve(server)))
        home = place.prepare()
        _hurry(home / "dagster.yaml")
        log = stack.enter_context((folder / "services.log").open("w"))
        os.environ["DAGSTER_HOME"] = str(home)
        instance = stack.enter_context(dg.DagsterInstance.from_config(str(home)))
        space = Workspace.discover(place.env)
        stack.callback(space.control.close)
        made = Scene(place, shops, space, instance, random.Random(seed), log)
        stack.callback(lambda: [one.close() for one in made.services.values()])
        for name in ("code", "webserver", "daemon"):
            made.start(name)
        until_listed(made.ui, folder / "services.log")
        yield made


def _connect(srv: Path, name: str, url: str) -> None:
    small_shop.workspace(srv, url)
    for part in ("defs", "mappings"):
        shutil.move(srv / part / "shop", srv / part / name)
    file = srv / "defs" / name / "defs.yaml"
    text = file.read_text().replace('"*/15 * * * *"', '"0 3 29 2 *"')
    file.write_text(text.replace("    streams:\n", "    rate: 20/s\n    streams:\n", 1))
    company = srv / "defs" / "company" / "defs.yaml"
    company.write_text(small_shop.COMPANY + "  publish_every: 5s\n")


def _hurry(path: Path) -> None:
    """Let Dagster look after its runs more often: 80 kills shall not take a night."""
    settings = yaml.safe_load(path.read_text())
    settings["run_monitoring"] |= {
        "poll_interval_seconds": 5, "free_slots_after_run_end_seconds": 10,
        "start_timeout_seconds": 60,
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings))


def play(
    folder: Path, *, moments: int, seed: int = 1, kinds: tuple[str, ...] = KINDS,
    tell: Callable[[str], object] = lambda _: None,
) -> list[Row]:  # fmt: skip
    """Kill each kind of process at so many moments; a row a kind."""
    rows = []
    with scene(folder, seed) as made:
        for kind in kinds:
            row, began = Row(kind), time.monotonic()
            for killed in WAYS[kind](made, moments):
                row.kills += killed
                tell(f"{kind}: {row.kills} of {moments}")
            rest(made.instance, row)
            judge(made, row)
            row.seconds = time.monotonic() - began
            tell(str(row))
            rows.append(row)
    return rows


def table(rows: list[Row]) -> Table:
    """Return what is printed."""
    heads = ("killed", "times", "runs", "stuck runs", "leaked slots", "held leases", "rows lost",
             "rows doubled", "otherwise wrong", "seconds")  # fmt: skip
    shown = Table(*heads)
    for row in rows:
        figures = (row.kills, row.runs, row.stuck, row.slots, row.leases, row.lost, row.doubled,
                   row.other, round(row.seconds))  # fmt: skip
        shown.add_row(row.kind, *map(str, figures))
    return shown


def main() -> None:
    """Play what the arguments name and print the table; exit code 1 where something is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(KINDS))
    given = parser.parse_args()
    console = Console(width=140)
    folder = Path(tempfile.mkdtemp(prefix="kills"))
    rows = play(
        folder, moments=given.moments, seed=given.seed, kinds=tuple(given.only.split(",")),
        tell=lambda text: console.print(text, highlight=False),
    )  # fmt: skip
    console.print(table(rows))
    sys.exit(any(row.left for row in rows))


if __name__ == "__main__":
    main()
