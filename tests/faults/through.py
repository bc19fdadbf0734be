"""Kills and signals through the command line and Dagster: `isthmus sync` as a process of its own.

The rows are K1 to K3 again, on the way that people go. After each kill the next `isthmus sync`
must report the dead run as failed in Dagster's list, leave no lease behind, and end with what the
source says.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from connectors.rest.serve import serve
from pipelines.workspace import PROJECT
from tests.faults import shop
from tests.faults.case import Case, Result, Size, settle
from tests.faults.journal import Journal, JournalledSimulator
from tests.faults.kills_child import KILLED
from tests.faults.kills_points import DECISION
from tests.faults.oracle import judge
from tests.faults.world import World, world
from tests.support.surroundings import plain
from warehouse.crashpoints import POINTS

OK, LATER = 0, 3
SECONDS = 10.0
"""Within these a process ends that a signal asked to."""
LIMIT = 240.0
ENDED = frozenset({"SUCCESS", "FAILURE", "CANCELED"})
RANDOM = 24
EACH = 5
ATTEMPTS = 12
"""Syncs for a kill at a random moment: one may end before its moment comes."""
STOPS = (
    ("TERM", "extract.page"), ("INT", "land.sidecar"), ("TERM", "load.written"),
    ("INT", "load.committed"), ("TERM", "unify.written"), ("INT", "publish.copied"),
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What is done to runs: crash points, or moments in seconds (None: after a random time)."""

    kills: tuple[str, ...]
    stops: tuple[tuple[str, str], ...] = ()
    seed: int = 0


def cases(size: Size, seeds: Sequence[int]) -> list[Case]:
    """Return eight cases of five kills and two signals each, or one of two kills."""
    seed = next(iter(seeds), 0)
    if size == "quick":
        plan = Plan(("project.committed",))
        return [Case("T", "a kill of isthmus sync", partial(run, plan=plan), 1)]
    kills = [*(p for p in POINTS if p != DECISION), *[""] * RANDOM]
    random.Random(0).shuffle(kills)
    found = []
    for number in range(len(kills) // EACH):
        some = tuple(kills[number * EACH : (number + 1) * EACH])
        stops = (STOPS[number % len(STOPS)], STOPS[(number + 3) % len(STOPS)])
        name = f"isthmus sync {number + 1}: {', '.join(p or 'a moment' for p in some)}"
        plan = Plan(some, stops, seed + number)
        found.append(Case("T", name, partial(run, plan=plan), len(some) + len(stops)))
    return found


class Line:
    """The command line of a world: runs it, and writes down what it reported."""

    def __init__(self, made: World, result: Result) -> None:
        self.made, self.result, self.took = made, result, LIMIT
        self.out, self.err = made.folder / "out.txt", made.folder / "err.txt"
        env = plain(made.environment | {"ISTHMUS_LANG": "en", "PYTHONPATH": str(PROJECT)})
        self.forker = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.through_forker"],
            env=env, cwd=made.folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        if self._answer() != "ready":
            raise RuntimeError("the command line does not start")

    def _answer(self) -> str:
        assert self.forker.stdout is not None
        return self.forker.stdout.readline().strip()

    def call(self, *words: str, after: float | None = None, **env: str) -> tuple[int, str, str]:
        """Run `isthmus WORDS`, killed `after` seconds; returns exit code, output and errors."""
        assert self.forker.stdin is not None
        order = {"words": words, "env": env, "out": str(self.out), "err": str(self.err)}
        self.forker.stdin.write(json.dumps(order) + "\n")
        self.forker.stdin.flush()
        pid = int(self._answer())
        timer = threading.Timer(LIMIT if after is None else after, _kill, (pid,))
        timer.start()
        code = int(self._answer())
        timer.cancel()
        return code, self.out.read_text("utf-8"), self.err.read_text("utf-8")

    def close(self) -> None:
        """End the forker."""
        self.forker.communicate(timeout=LIMIT)

    def sync(self) -> float:
        """Sync everything cleanly: exit code 0, and what it reports goes into the journal."""
        runs = {name: str(uuid.uuid4()) for name in ("customers", "orders")}
        for name, run_id in runs.items():
            self.made.journal.write("begin", stream=name, run=run_id)
        began = time.monotonic()
        code, out, err = self.call("sync", "shop", "--json")
        took = time.monotonic() - began
        self.result.expect(code == OK, f"a clean sync: {code} {err[-300:]}")
        for said in json.loads(out)["streams"] if code == OK else ():
            self.made.journal.write("end", stream=said["stream"], run=runs[said["stream"]],
                                    outcome=said)  # fmt: skip
        if code == OK:
            found = judge(self.made.journal.path, self.made.published)
            self.result.expect(found.is_clean, f"after a clean sync: {found.details[:3]}")
            self.result.counts.rows += found.rows
        self.no_run_is_left()
        return took

    def kill(self, point: str, chance: random.Random, longest: float) -> int:
        """Let a sync die at a crash point, or somewhere within `longest` seconds."""
        code = OK
        for _ in range(1 if point else ATTEMPTS):
            after = None if point else chance.uniform(0.05, longest)
            code = self.call("sync", "shop", after=after, ISTHMUS_CRASH_AT=point)[0]
            if code != OK:
                break
        return code

    def stop(self, by: str, point: str) -> None:
        """Let a sync be asked to end at a crash point; it says so and ends in time."""
        began = time.monotonic()
        code, _, err = self.call("sync", "shop", ISTHMUS_CRASH_AT=point, ISTHMUS_CRASH_SIGNAL=by)
        what = f"SIG{by} at {point}"
        self.result.fired += code != OK
        self.result.expect(code == LATER, f"{what}: {code} {err[-300:]}")
        self.result.expect(time.monotonic() - began < self.took + SECONDS, f"{what}: did not end")
        self.result.expect("Traceback" not in err, f"{what}: {err[-300:]}")
        self.result.expect(not self.made.space.control.held_leases(), f"{what}: a lease is held")
        runs = {status for status, _ in self.runs()}
        self.result.expect(runs <= ENDED, f"{what}: runs are {runs}")
        self.is_told(what)

    def is_told(self, after: str) -> None:
        """`isthmus status` answers whatever was killed."""
        code, out, err = self.call("status", "--json")
        self.result.expect(code == OK, f"{after}: status said {err[-300:]}")
        self.result.expect(bool(json.loads(out or "{}")), f"{after}: status said nothing")

    def runs(self) -> list[tuple[str, str]]:
        """Return status and id of all runs in Dagster's list, newest first."""
        import dagster as dg  # costs seconds, and most families have no need of it

        folder = self.made.home / "dagster"
        if not folder.is_dir():
            return []
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            return [(r.status.value, r.run_id) for r in instance.get_runs()]

    def recovers(self) -> None:
        """The next sync reports runs of dead processes as failed, and goes on."""
        before = Counter(status for status, _ in self.runs())
        self.sync()
        after = Counter(status for status, _ in self.runs())
        dead = sum(n for s, n in before.items() if s not in ENDED)
        self.result.expect(
            after["FAILURE"] == before["FAILURE"] + dead,
            f"{dead} runs were dead, {after['FAILURE'] - before['FAILURE']} were reported failed",
        )

    def no_run_is_left(self) -> None:
        """No run stands as running, no lease is held, once a clean run has ended."""
        left = [pair for pair in self.runs() if pair[0] not in ENDED]
        self.result.expect(not left, f"runs are left: {left}")
        self.result.expect(not self.made.space.control.held_leases(), "a lease is left")


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def run(folder: Path, *, plan: Plan) -> Result:
    """Kill and stop what `plan` names; a clean sync after each second one."""
    result, chance = Result(), random.Random(plan.seed)
    folder.mkdir(parents=True, exist_ok=True)
    simulator = JournalledSimulator(
        shop.collections("cursor"), Journal(folder / "journal.ndjson"), token=shop.TOKEN
    )
    with (
        serve(simulator) as url,
        world(folder, url=url, simulator=simulator) as made,
        contextlib.closing(Line(made, result)) as line,
    ):
        made.clock.at = datetime.now(UTC)
        line.took = line.sync()
        for number, point in enumerate(plan.kills):
            _change(made, number)
            code = line.kill(point, chance, line.took)
            result.fired += code == KILLED
            result.expect(code == KILLED, f"{point or 'a moment'}: ended {code}")
            line.is_told(point or "a moment")
            if number % 2 == 1 or number == len(plan.kills) - 1:
                line.recovers()
        for by, point in plan.stops:
            _change(made, 7)
            line.stop(by, point)
            line.sync()
        made.clock.at = datetime.now(UTC)
        result.more["runs"] += len(line.runs())
        return settle(made, result)


def _change(made: World, number: int) -> None:
    made.clock.at = datetime.now(UTC)
    for order in (len(made.versions) + 1, number % 30 + 1, number % 30 + 2):
        made.put(order)
    made.shop.put("customers", shop.customer(number % 7 + 1, made.clock.at))
