"""Random runs: whatever may happen to a source and to a sync, in an order nobody thought of.

    python -m tests.faults.random_runs 4711            plays a seed and prints what was wrong
    python -m tests.faults.random_runs 4711 --shrink   looks for the fewest steps that still fail
    python -m tests.faults.random_runs 1-300           plays many

A plan (random_plan.py) is played on a World. After each clean sync the store is judged as far as
that sync must have made it right; at the end, after the quiescence of all cases, everything is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from pipelines.outcome import StreamOutcome
from tests.faults import shop
from tests.faults.case import Case, Result, Size, settle
from tests.faults.data_checks import judge_store, living_rows
from tests.faults.random_plan import SURE, UNSURE, Plan, Step, make_plan, shrink
from tests.faults.random_scenes import LOOKBACK
from tests.faults.random_shapes import records_twice
from tests.faults.random_tide import Tide
from tests.faults.world import IN_PROCESS, START, World
from warehouse.landing import Landing
from warehouse.model.plan import StreamPlan
from warehouse.rebuild import rebuild

FULL = 1_000
FIRST = 20_261
QUICK = (20_261, 20_263, 20_264, 20_265)
"""The first seeds of each style of pages."""
_HOW: dict[str, dict[str, Any]] = {"changed": {}, "full": {"full": True}, "sweep": {"sweep": True}}
MAX_HELD = 2
"""So many reads in a row the product reads a stretch again whose pages moved (docs/rest.md)."""
_LATEST = datetime(2999, 1, 1, tzinfo=UTC)


class Run:
    """A plan being played."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.result = plan, Result(more=plan.unsure())
        self.world = World(folder, style=plan.style, orders=0, customers=plan.customers)
        self.world.write_files(IN_PROCESS, limit=plan.limit)
        self.stamps: dict[int, datetime] = {}
        self.before: dict[int, bytes] = {}
        """The version of an order that stood before its last one, as it was sent."""
        self.tide = Tide(LOOKBACK)
        self.meanwhile: set[int] = set()
        """Orders committed since the read began that may have gone on ever since."""
        self.living: set[int] = set()
        self.broken: set[int] = set()
        self.unseen: set[int] = set()
        """Orders whose last commit no changed read can find: only a full one owes them."""
        self.shifted = 0
        """Reads whose pages moved under them, in a row."""
        self.published_at = 0
        for number in range(1, plan.orders + 1):
            self.commit(number, START - timedelta(seconds=plan.gap * (plan.orders - number)))

    # --- the source --------------------------------------------------------------------------
    def commit(self, number: int, at: datetime, *, bad: bool = False) -> None:
        """Commit a version; a record's own stamps never go back, whatever the clock does."""
        at = max(at, self.stamps.get(number, at))
        if self.plan.whole:
            at = at.replace(microsecond=0)
        self.stamps[number] = at
        self.tide.ever.add(at)
        self.meanwhile.add(number)
        if number in self.living and number not in self.broken:
            self.before[number] = self.sent(number)
        self.living.add(number)
        self.broken.discard(number)
        if bad:
            self.broken.add(number)
            version = self.world.versions[number] = self.world.versions.get(number, -1) + 1
            record = shop.order(number, at, version) | {"total_price": "ten"}
            self.world.shop.put("orders", record, bad=True)
        else:
            self.world.put(number, at=at)
        if self.tide.is_owed(at):
            self.unseen.discard(number)
        else:
            self.unseen.add(number)

    def sent(self, number: int) -> bytes:
        """Return an order as the shop sends it now."""
        return self.world.shop._rows["orders"][str(number)].body

    def change(self, what: str, step: Step, count: int = 1) -> None:
        """Insert, update, delete, put back, or commit late."""
        now = self.world.clock.at
        for _ in range(count):
            if what == "delete" and self.living:
                number = self.picked(self.living, step)
                self.world.delete(number)
                self.living.discard(number)
                self.broken.discard(number)
                self.unseen.discard(number)
                continue
            gone = self.stamps.keys() - self.living
            if what == "undelete" and gone:
                # Put back with a stamp of now, or as it was, as from a wastebasket.
                number = self.picked(gone, step)
                self.commit(number, self.stamps[number] if step.args.get("old") else now)
            elif what == "late" and not step.args.get("new") and self.living:
                seconds = step.args.get("seconds", LOOKBACK - 10)
                number = self.picked(self.living, step)
                self.commit(number, now - timedelta(seconds=seconds))
            elif what == "late":
                seconds = step.args.get("seconds", LOOKBACK - 10)
                self.commit(self.fresh(), now - timedelta(seconds=seconds))
            elif what == "update" and self.living:
                self.commit(self.picked(self.living, step), now)
            else:
                self.commit(self.fresh(), now)

    def fresh(self) -> int:
        """Return a number that no order had."""
        return max(self.stamps, default=0) + 1

    @staticmethod
    def picked(among: Any, step: Step) -> int:
        """Return the order that a step means."""
        ordered = sorted(among)
        return int(ordered[int(step.args["pick"] * (len(ordered) - 1))])

    # --- the steps ---------------------------------------------------------------------------
    def play(self) -> Result:
        """Do all steps, then settle."""
        for step in self.plan.steps:
            self.world.wait(step.args["wait"])
            self.do(step)
            self.keep_published()
        self.world.wait(3_600)
        self.sync("changed", clean=True)
        self.world.wait(3_600)
        self.sync("changed", clean=True)  # the first one may have gone on with a read: not judged
        return settle(self.world, self.result, read=False)

    def do_insert(self, step: Step) -> None:
        self.change("insert", step, step.args["count"])

    def do_update(self, step: Step) -> None:
        self.change("update", step, step.args["count"])

    def do_delete(self, step: Step) -> None:
        self.change("delete", step, step.args["count"])

    def do_undelete(self, step: Step) -> None:
        self.change("undelete", step)

    def do_late(self, step: Step) -> None:
        self.change("late", step)
        self.result.fired += 1

    def do_equal(self, step: Step) -> None:
        now = self.world.clock.at
        known = sorted(self.living)[: step.args["count"]] if not step.args["new"] else []
        for number in known:
            self.commit(number, now)
        for _ in range(step.args["count"] - len(known)):
            self.commit(self.fresh(), now)
        self.result.fired += 1

    def do_edge(self, step: Step) -> None:
        at = self.tide.high or self.world.clock.at
        self.commit(self.fresh(), at - timedelta(seconds=step.args["seconds"]))
        self.result.fired += 1

    def do_future(self, step: Step) -> None:
        ahead = self.world.clock.at + timedelta(seconds=step.args["seconds"])
        among = self.living or {self.fresh()}
        self.commit(self.picked(among, step), min(ahead, _LATEST))
        self.result.fired += 1

    def do_clock(self, step: Step) -> None:
        self.world.wait(step.args["seconds"])
        self.result.fired += 1

    def do_break(self, step: Step) -> None:
        among = self.living or {self.fresh()}
        self.commit(self.picked(among, step), self.world.clock.at, bad=True)
        self.result.fired += 1

    def do_mend(self, step: Step) -> None:
        among = self.broken or self.living or {self.fresh()}
        self.commit(self.picked(among, step), self.world.clock.at)

    def do_customer(self, _step: Step) -> None:
        self.world.shop.put("customers", shop.customer(8, self.world.clock.at))
        outcome = self.world.sync("customers")
        self.result.expect(outcome.status == "ok", f"customers: {outcome.error}")

    def do_sync(self, step: Step) -> None:
        self.sync(step.args["mode"], clean=True)

    def do_fault(self, step: Step) -> None:
        a = step.args
        self.world.shop.fault(a["fault"], request=a["request"], times=a["times"], **a["detail"])
        sent = len(self.world.shop.journal)
        self.sync(a["mode"], clean=False)
        self.world.shop.faults.clear()
        lines = self.world.shop.journal[sent:]
        self.result.fired += sum(bool(line.fault) for line in lines)

    def do_between(self, step: Step) -> None:
        asked = 0

        def before(_request: httpx.Request) -> None:
            nonlocal asked
            asked += 1
            if asked == step.args["request"]:
                self.change(step.args["what"], step)
                self.result.fired += 1
                self.shifted += self.plan.style in ("page", "offset")

        self.world.network.before = before
        outcome = self.sync(step.args["mode"], clean=False)
        self.world.network.before = None
        self.result.expect(outcome.status == "ok", f"between: {outcome.error}")

    def do(self, step: Step) -> None:
        """Do one step, and count whether a kill or fault that may not fire did."""
        before = self.result.fired
        getattr(self, f"do_{step.kind}")(step)
        if step.kind in UNSURE:
            self.result.more[f"{UNSURE[step.kind]} fired"] += self.result.fired > before

    def do_twice(self, _step: Step) -> None:
        """Let every page end with a record of it once more, in the version before if it has one."""
        self.world.shop.shape = records_twice(self.before, self.world.journal, self.result)
        outcome = self.sync("changed", clean=False)
        self.world.shop.shape = None
        self.result.expect(outcome.status == "ok", f"with records twice: {outcome.error}")

    def do_kill(self, step: Step) -> None:
        mode, begun = step.args["mode"], self.world.clock.at
        if self.in_child(lambda: self.world.sync(**_HOW[mode]), step) and mode != "sweep":
            self.tide.rise(begun, full=mode == "full", surely=False)
            self.pass_over()

    def do_kill_publish(self, step: Step) -> None:
        self.in_child(lambda: self.world.publish(keep=False), step)

    def in_child(self, work: Callable[[], object], step: Step) -> bool:
        """Do it in a child that dies, or comes through where its point is not reached.

        Returns whether it may have landed its last page.
        """
        code = self.world.in_child(
            work, crash_at=step.args.get("crash_at", ""), after=step.args.get("after")
        )
        self.result.fired += code == -9
        self.result.expect(code in (0, -9), f"{step}: the child ended with {code}")
        early = ("extract.page:", "land.data_written:", "land.data_renamed:")
        return code == 0 or not step.args.get("crash_at", "").startswith(early)

    def do_publish(self, _step: Step) -> None:
        outcome = self.world.publish(keep=False)
        self.result.expect(outcome.status == "ok", f"publish: {outcome.error}")

    def do_rebuild(self, _step: Step) -> None:
        space, store = self.world.space, self.world.home / "store" / "store.duckdb"
        before = living_rows(store)

        def plan_for(connection: str, stream: str) -> StreamPlan | None:
            return space.connection(connection).plan(stream)

        rebuild(space.home, Landing(space.home.landing), plan_for, self.world.clock.now)
        # It may know more than the store did, where a load was killed; never less.
        missing = before.keys() - living_rows(store).keys()
        gone = {key for key in missing if int(key) in self.living}
        self.result.expect(not gone, f"a rebuild lost {sorted(gone)}")

    def do_mapping(self, _step: Step) -> None:
        path = self.world.folder / "mappings" / "shop" / "orders.yaml"
        more, text = "extra: [created_at]\n", path.read_text("utf-8")
        path.write_text(text.replace(more, "") if more in text else text + more, "utf-8")

    # --- judging on the way ------------------------------------------------------------------
    def sync(self, mode: str, *, clean: bool) -> StreamOutcome:
        """Sync; a clean one (no fault, no change meanwhile) must be ok and make the store right."""
        begun = self.world.clock.at
        resume = self.resume()
        if resume.get("mode") == mode:
            begun = datetime.fromisoformat(resume["begun"])
        else:
            self.meanwhile.clear()
        outcome = self.world.sync(**_HOW[mode])
        if outcome.status == "ok" and mode != "sweep":
            self.tide.rise(begun, full=mode == "full", surely=True)
            self.pass_over()
        if not clean:
            return outcome
        self.result.expect(outcome.status == "ok", f"a clean {mode} sync: {outcome.error}")
        if outcome.status != "ok" or (outcome.bookmark_before or {}).get("resume"):
            return outcome
        if mode == "full" or outcome.bookmark_before is None:
            self.shifted = 0
            self.unseen.clear()
        if mode != "sweep" and self.shifted <= MAX_HELD:
            store = self.world.home / "store" / "store.duckdb"
            unowed = {str(n) for n in self.unseen}
            counts = judge_store(self.world.journal.path, store, unowed=unowed)
            self.result.expect(counts.is_clean, f"after a clean {mode} sync: {counts.details[:3]}")
            self.shifted = 0
        return outcome

    def resume(self) -> dict[str, Any]:
        """Return where the next read goes on, as the landing has it."""
        known = Landing(self.world.home / "landing").bookmark("shop", "orders") or {}
        return dict(known.get("resume") or {})

    def pass_over(self) -> None:
        """What was committed while a read went on, too late for the next, no changed read owes."""
        self.unseen |= {
            n for n in self.meanwhile & self.living if not self.tide.is_owed(self.stamps[n])
        }

    def keep_published(self) -> None:
        """Set aside every version that was published, also by a child that was killed."""
        path = self.world.published
        if path.exists() and path.stat().st_mtime_ns != self.published_at:
            self.published_at = path.stat().st_mtime_ns
            copy = self.world.folder / f"kept-{len(self.world.snapshots):03d}.duckdb"
            copy.write_bytes(path.read_bytes())
            self.world.snapshots.append(copy)


def play(plan: Plan, folder: Path) -> Result:
    """Play a plan in `folder`; the problems of a failing one begin with how to play it again."""
    run = Run(plan, folder)
    result = run.result
    try:
        run.play()
    except Exception:  # a defect as well, and the steps that led there are what counts
        result.problems.append(traceback.format_exc(limit=-4))
    finally:
        run.world.close()
    if not result.survived:
        result.problems.insert(0, f"python -m tests.faults.random_runs {plan.seed}\n{plan}")
    return result


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return a case a seed."""
    found = []
    for seed in seeds or (QUICK if size == "quick" else range(FIRST, FIRST + FULL)):
        plan = make_plan(seed)
        sure = sum(step.kind in SURE for step in plan.steps)
        found.append(Case("R", f"seed {seed} ({plan.style})", partial(play, plan), sure))
    return found


def main() -> int:
    """Play the seeds that the arguments name; exit code 1 where one fails."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seeds", help="a seed, or FIRST-LAST")
    parser.add_argument("--shrink", action="store_true")
    given = parser.parse_args()
    first, _, last = given.seeds.partition("-")
    failed = fired = 0
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(int(first), int(last or first) + 1):
            plan = make_plan(seed)
            result = play(plan, Path(folder) / "run")
            fired += result.fired
            if seed % 25 == 0:
                print(f"… seed {seed}, {failed} failed", file=sys.stderr, flush=True)
            if result.survived:
                continue
            failed += 1
            if given.shrink:
                plan = shrink(plan, lambda p: not play(p, Path(folder) / "run").survived)
                result = play(plan, Path(folder) / "run")
            print(*result.problems, *result.counts.details, "", sep="\n", flush=True)
    many = int(last or first) - int(first) + 1
    cpu = (time.process_time() - begun) / many
    print(f"{many} seeds, {failed} failed, {fired} faults fired, {cpu:.2f} s of process time each")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
