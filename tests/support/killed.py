"""A source with a story, read and loaded in a process of its own that is killed somewhere."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hand_plan import order, order_plan

from warehouse import anew, compact
from warehouse.checks import check_store
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import open_store

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["killed"])
READS = 3
START = datetime(2026, 5, 1, tzinfo=UTC)


def source(read: int) -> list[dict]:
    """Return the records at the source when read number `read` is made."""
    records = []
    for key in range(20 * read, 90 + 10 * read):
        changed = key % 3 if key % 3 <= read else 0  # the read before which it changed last
        version = f"2026-04-{1 + changed:02d}T00:00:00Z"
        lines = [{"id": str(n), "sku": f"S{key}", "quantity": n + changed} for n in range(key % 4)]
        total = "broken" if key == 95 else f"{key}.{changed}"
        records.append(order(key, version, total=total, lines=lines, name=f"#{key}"))
    return records


def sync(home: Home, read: int) -> None:
    """Read everything in pages, land it, load it: two batches a read, deletions besides."""
    ticks = iter(range(1_000_000))
    began = START + timedelta(days=read)
    landing = Landing(home.landing, now=lambda: began + timedelta(seconds=next(ticks)))
    records = source(read)
    with landing.writer(
        "shop", "orders", mode="full", read=f"read {read} {os.getpid()}", connector="rest@1",
        started=began,
    ) as writer:  # fmt: skip
        for start in range(0, len(records), 25):
            some = records[start : start + 25]
            last = start + 25 >= len(records)
            writer.add(
                [json.dumps(r).encode() for r in some], [str(r["id"]) for r in some],
                {"last": some[-1]["id"]}, complete=last,
            )  # fmt: skip
            if start == 25:
                writer.flush()
    with open_store(home) as store:
        load_pending(store, landing, order_plan(), now=began)


def story(root: str, crash_at: str) -> None:
    """Make all reads, one after another."""
    os.environ["ISTHMUS_CRASH_AT"] = crash_at
    for read in range(READS):
        sync(Home(Path(root)), read)


def compacting(root: str, crash_at: str, most: int) -> None:
    """Make packs of at most so many batches."""
    os.environ["ISTHMUS_CRASH_AT"] = crash_at
    compact.MOST_BATCHES = most
    compact.compact(Landing(Home(Path(root)).landing), ("shop", "orders"), lambda _: None)


def copying(root: str, crash_at: str) -> None:
    """Write the store anew."""
    os.environ["ISTHMUS_CRASH_AT"] = crash_at
    with open_store(Home(Path(root))) as store:
        anew.copy(store, crash_at)


def run(root: Path, crash_at: str = "", kill_after: float | None = None) -> int:
    """Run the story in a process; returns its exit code (-9: it was killed)."""
    process = CONTEXT.Process(target=story, args=(str(root), crash_at))
    process.start()
    if kill_after is not None:
        until = time.monotonic() + kill_after
        while time.monotonic() < until and process.is_alive():
            process.join(0.002)
        if process.is_alive():
            os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    return process.exitcode or 0


def differences(home: Home) -> dict[str, int]:
    """Count what the store has lost, twice, stale, ghost or torn against the source of now."""
    wanted = {str(r["id"]): r for r in source(READS - 1)}
    broken = {"95"}
    with open_store(home) as store:
        rows = store.con.execute(
            "select source_key, number, total::varchar, version from source.orders"
            " where not is_deleted"
        ).fetchall()
        lines: dict[str, list[tuple[str, int]]] = {}
        for parent, key, quantity in store.con.execute(
            "select parent_key, source_key, quantity::bigint from source.order_lines"
            " order by parent_key, line"
        ).fetchall():
            lines.setdefault(parent, []).append((key, quantity))
        waiting = store.con.execute(
            "select source_key from ops.quarantine where status = 'open'"
        ).fetchall()
        defects = len(check_store(store.con))
    keys = [row[0] for row in rows]
    stored = {row[0]: row for row in rows}
    stale = torn = 0
    for key, row in stored.items():
        if key not in wanted or key in broken:
            continue
        said = wanted[key]
        stale += row[3] != said["updated_at"] or float(row[2]) != float(said["total"])
        torn += lines.get(key, []) != [(x["id"], x["quantity"]) for x in said["lines"]]
    return {
        "rows": len(rows),
        "lost": len(set(wanted) - broken - set(stored)),
        "twice": len(keys) - len(set(keys)),
        "ghost": len(set(stored) - set(wanted)) + len(set(lines) - set(stored)),
        "stale": stale,
        "torn": torn,
        "quarantine": len(waiting) - 1,
        "defects": defects,
    }
