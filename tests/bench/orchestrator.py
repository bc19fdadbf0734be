"""What the orchestrator costs: loading of definitions, memory of the services, seconds of a sync.

    python -m tests.bench.orchestrator [--connections 50] [--rounds 5] [--only load,memory,sync]

`load`: 50 connections of 8 streams as Dagster loads them, beside the import of Dagster. `memory`:
the services of docs/deploy with those connections. `sync`: 8 streams with nothing new, as a run of
Dagster and as plain function calls, each in one warm process, and as whole commands.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from pipelines.workspace import PROJECT
from tests.support import small_shop
from tests.support.dagster_ui import Ui, until_listed
from tests.support.deployed import Place, process

STREAMS = 8
SETTLE_SECONDS = 60
SERVICES = ("code", "daemon", "webserver")
Figures = dict[str, Any]

LOAD = """
import json, resource, time
def now():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), used.ru_utime + used.ru_stime
marks = [now()]
import dagster
marks.append(now())
from pipelines.definitions import build
from pipelines.workspace import Workspace
marks.append(now())
repository = build(Workspace.discover()).get_repository_def()
jobs = len(repository.get_all_jobs())
marks.append(now())
names = ("import dagster", "import of ours", "definitions")
steps = zip(names, marks, marks[1:])
print(json.dumps({"jobs": jobs} | {n: [b[0] - a[0], b[1] - a[1]] for n, a, b in steps}))
"""

SYNC = """
import json, os, sys, time
import tests.bench.orchestrator as bench
print(json.dumps(bench.alternate(int(sys.argv[1]))))
"""

PLAIN = """
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
space = Workspace.discover()
for spec in space.connection("shop").streams:
    assert sync_stream(space, "shop", spec.name).error is None
assert unify_publish(space).error is None
"""


def write(srv: Path, url: str, connections: int) -> None:
    """Write a company of REST connections with eight streams each."""
    names = [f"s{n}" for n in range(STREAMS)]
    streams = "".join(
        f"      {name}:\n        path: /{name}\n        records: data\n        key: id\n"
        "        paging: {cursor: next_cursor, param: cursor}\n"
        "        changes: {since: updated_at, param: updated_since, lookback: 10m}\n"
        for name in names
    )
    for number in range(connections):
        connection = "shop" if connections == 1 else f"shop{number:02d}"
        text = small_shop.DEFS.format(url=url, limit=100)
        head, tail = text[: text.index("      customers:")], text[text.index("  streams: [") :]
        tail = tail.replace("[customers, orders]", f"[{', '.join(names)}]")
        tail = tail.replace('"*/15 * * * *"', '"0 3 29 2 *"')
        files = {f"defs/{connection}/defs.yaml": head + streams + tail}
        for name in names:
            files[f"mappings/{connection}/{name}.yaml"] = small_shop.MAPPINGS["orders"]
        for path, said in files.items():
            (srv / path).parent.mkdir(parents=True, exist_ok=True)
            (srv / path).write_text(said, encoding="utf-8")
    company = srv / "defs" / "company" / "defs.yaml"
    company.parent.mkdir()
    company.write_text(small_shop.COMPANY)
    (srv / ".env").write_text(f"SHOP_TOKEN={small_shop.TOKEN}\n")


def load(folder: Path, connections: int, rounds: int) -> Iterator[Figures]:
    """Yield seconds of the import and of the definitions, wall and CPU, each in a new process."""
    place = Place(folder)
    write(place.srv, "http://127.0.0.1:9", connections)
    place.prepare()
    runs = [json.loads(_child(place, LOAD)) for _ in range(rounds)]
    assert all(run["jobs"] >= connections for run in runs)
    for part in ("import dagster", "import of ours", "definitions"):
        for kind, at in (("wall", 0), ("CPU", 1)):
            figure = statistics.median(run[part][at] for run in runs)
            yield {"what": f"load {connections} x {STREAMS}: {part}, {kind} s", "value": figure}


def memory(folder: Path, connections: int) -> Iterator[Figures]:
    """Yield megabytes of each service with its children, their shared pages counted once."""
    place = Place(folder)
    write(place.srv, "http://127.0.0.1:9", connections)
    place.prepare()
    with ExitStack() as stack, (folder / "services.log").open("w") as log:
        pids = {
            name: stack.enter_context(process(place.command(name), place, log)) for name in SERVICES
        }
        until_listed(Ui(f"http://127.0.0.1:{place.ports['3000']}"), folder / "services.log")
        time.sleep(SETTLE_SECONDS)
        for name, pid in pids.items():
            top = psutil.Process(pid)
            every = [top, *top.children(recursive=True)]
            used = sum(one.memory_full_info().pss for one in every) / 1e6
            yield {"what": f"memory of {name}, MB ({len(every)} processes)", "value": used}


def alternate(rounds: int) -> dict[str, list[float]]:
    """Sync eight streams with nothing new, in turn with Dagster and without; medians."""
    from pipelines.runs import run_publish, run_sync
    from pipelines.sync import sync_stream, unify_publish
    from pipelines.workspace import Workspace

    space = Workspace.discover()
    names = [spec.name for spec in space.connection("shop").streams]

    def plain() -> None:
        for name in names:
            done = sync_stream(space, "shop", name)
            assert done.error is None
            assert done.landed == 0

    def with_dagster() -> None:
        done = run_sync(space, "shop", publish=False)
        assert [one.landed for one in done.streams] == [0] * STREAMS

    ways: dict[str, Callable[[], object]] = {
        "8 streams, plain functions": plain,
        "8 streams, a run of Dagster": with_dagster,
        "unify and publish, plain function": lambda: unify_publish(space),
        "unify and publish, a run of Dagster": lambda: run_publish(space),
    }
    run_sync(space, "shop")
    found: dict[str, list[list[float]]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, work in ways.items():
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            if turn:  # the first is for what is imported and cached once
                took = [time.perf_counter() - wall, time.process_time() - cpu]
                found[name].append(took)
    space.control.close()
    return {n: [statistics.median(r[i] for r in rows) for i in (0, 1)] for n, rows in found.items()}


def sync(folder: Path, rounds: int) -> Iterator[Figures]:
    """Yield the seconds of syncs with nothing new, in one warm process and as whole commands."""
    place = Place(folder)
    orders = [small_shop.order(n) for n in range(1, 201)]
    shop = RestSimulator(
        {f"s{n}": Collection(list(orders)) for n in range(STREAMS)}, token=small_shop.TOKEN
    )
    with serve(shop) as url:
        write(place.srv, url, 1)
        place.prepare()
        found = json.loads(_child(place, SYNC, str(rounds)))
        for name, (wall, cpu) in found.items():
            yield {"what": f"{name}, wall s", "value": wall}
            yield {"what": f"{name}, CPU s", "value": cpu}
        command = "from pipelines.cli import main; raise SystemExit(main(['sync', 'shop']))"
        for name, code in (("isthmus sync", command), ("a script of plain functions", PLAIN)):
            took = []
            for _ in range(3):
                began = time.perf_counter()
                _child(place, code)
                took.append(time.perf_counter() - began)
            yield {"what": f"{name}, whole process, wall s", "value": statistics.median(took)}


def _child(place: Place, code: str, *words: str) -> str:
    """Run code in a new process of the place; the last line that it prints."""
    env = place.env | {"PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=env, cwd=place.srv, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().rpartition("\n")[2]


def main() -> None:
    """Measure what the arguments name and print a line a figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="load,memory,sync")
    given = parser.parse_args()
    works: dict[str, Callable[[Path], Iterator[Figures]]] = {
        "load": lambda folder: load(folder, given.connections, given.rounds),
        "memory": lambda folder: memory(folder, given.connections),
        "sync": lambda folder: sync(folder, given.rounds),
    }
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in given.only.split(","):
        with tempfile.TemporaryDirectory(prefix="orchestrator") as folder:
            for figure in works[name](Path(folder)):
                print(f"{figure['value']:10.2f}  {figure['what']}", flush=True)


if __name__ == "__main__":
    main()
