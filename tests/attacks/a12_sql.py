"""A12: statements of an analyst who wants more than to read, through `isthmus query`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.attacks.a12_statements import BOUNDED, NESTED, statements
from tests.attacks.attempt import Attempt, Task, measured, said
from tests.attacks.world import command, environment, published
from warehouse.reader import QueryError, run_query

ID, TITLE = "A12", "SQL of analysts that does more than read"
CANARY = "canary-of-a-foreign-file-81c2"


STUCK = """
import sys
from warehouse import reader
from pipelines.cli import main, query
reader.TIMEOUT, query.GRACE = 1.0, 2.0
sys.exit(main(["query", "select levenshtein(repeat('a', 1000000), repeat('b', 1000000))"]))
"""


def attempts(task: Task) -> Iterator[Attempt]:
    """Run each statement through the command line, the heavy ones against a clock."""
    home = published(task.inner("home"))
    outside, writable = task.inner("outside") / "secret.csv", task.inner("writable")
    outside.write_text(f"{CANARY}\n")
    defs = task.inner("defs")
    before = _digest(home.current)
    with environment(ISTHMUS_HOME=str(home.root), ISTHMUS_DEFS=str(defs), ISTHMUS_LANG="en"):
        listed = [sql for kind in statements(outside, writable).values() for sql in kind]
        for number, sql in enumerate(listed):
            if task.quick and number % 9:
                continue
            yield _statement(f"A12.{number}", sql, home.current, writable, before)
        yield _stuck()
    for number, (name, sql) in enumerate(BOUNDED.items()):
        if not task.quick or number in (0, 2):
            yield _bounded(f"A12.b{number}", name, sql, home.current, 0.5 if task.quick else 2.0)
    for number, (name, sql) in enumerate(NESTED.items()):
        if not task.quick:
            yield _nested(f"A12.n{number}", name, sql, home.current)


def _statement(number: str, sql: str, file: Path, writable: Path, before: str) -> Attempt:
    code, out, err = command("query", "-", given=sql)
    shown = sql[:90]
    if CANARY in out + err or "root:" in out or "PATH=" in out:
        return Attempt(number, shown, "succeeded", "it read what is no business of it")
    if list(writable.iterdir()) or _digest(file) != before:
        return Attempt(number, shown, "succeeded", "it wrote")
    if "Traceback" in err or "unexpected" in err.lower():
        return Attempt(number, shown, "succeeded", f"crashed: {err[:120]}")
    if code == 0:
        return Attempt(number, shown, "succeeded", f"it was answered: {out[:120]!r}")
    return Attempt(number, shown, "refused", err.strip().splitlines()[0][:150])


def _bounded(number: str, name: str, sql: str, file: Path, seconds: float) -> Attempt:
    with measured() as cost:
        try:
            rows = sum(1 for _ in run_query(file, sql, timeout=seconds).rows)
            result = "handled", f"{rows} rows"
        except QueryError as error:
            result = "bounded", said(error)
        except Exception as error:
            result = "succeeded", f"crashed: {said(error)}"
    detail = f"{result[1]}; {cost.megabytes:.0f} MB, {cost.seconds:.1f} s"
    if cost.seconds > seconds + 20 or cost.megabytes > 1_500:
        return Attempt(number, name, "succeeded", f"not bounded: {detail}")
    return Attempt(number, name, result[0], detail)  # type: ignore[arg-type]


CHILD = """
import sys
from pathlib import Path
from warehouse.errors import WarehouseError
from warehouse.reader import run_query
try:
    list(run_query(Path(sys.argv[1]), sys.stdin.read(), timeout=20).rows)
    print("handled")
except WarehouseError as error:
    print("refused", type(error).__name__, str(error)[:80])
"""


def _nested(number: str, name: str, sql: str, file: Path) -> Attempt:
    """Run in a process of its own: what overflows a stack would take this one with it."""
    begun = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(file)],
            input=sql,
            text=True,
            capture_output=True,
            timeout=90,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Attempt(number, name, "succeeded", "no end within 90 s")
    detail = f"{done.stdout.strip()[:150]} in {time.monotonic() - begun:.0f} s"
    word = done.stdout.partition(" ")[0].strip()
    if done.returncode or word not in ("handled", "refused"):
        tail = done.stderr.strip().splitlines()[-1:] or [""]
        return Attempt(number, name, "succeeded", f"exit {done.returncode}: {tail[0][:150]}")
    return Attempt(number, name, "bounded" if word == "refused" else "handled", detail)


def _stuck() -> Attempt:
    """Ask for one value that takes hours: the function does not listen to an interrupt."""
    name, begun = "one value of 1e12 steps", time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return Attempt("A12.stuck", name, "succeeded", "no end within 120 s, limit 1 s")
    detail = f"exit {done.returncode} after {time.monotonic() - begun:.0f} s: {done.stderr[:100]}"
    ok = done.returncode == 1 and "could not be stopped" in done.stderr
    return Attempt("A12.stuck", name, "bounded" if ok else "succeeded", detail)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
