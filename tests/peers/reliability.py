"""The product and dlt through the same cases in the same run: what is lost, doubled, wrong, leaked.

`python -m tests.peers.reliability [--kills 8]` writes var/peers.json; `make faults` calls
`comparison` and `markdown`. Without .venv-peers (`make peers`) dlt's columns say so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.rest.serve import serve
from connectors.rest.simulator import Collection, RestSimulator
from tests.peers.cases import CASES, KILLS, LOOKBACK, TOKEN, Shop, after_kill, kill_story
from tests.peers.judge import Held, judge, of_dlt, of_isthmus
from tests.peers.page import markdown

__all__ = ["comparison", "markdown"]

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".venv-peers" / "bin" / "python"
SEED = 20260
LIMIT = 300
"""Seconds after which a run is given up."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One column: how a run is started, how its store is read."""

    name: str
    python: str
    module: str
    more: tuple[str, ...]
    read: Callable[[Path], Held]

    def start(self, url: str, folder: Path, paging: str) -> subprocess.Popen[str]:
        """Start one run."""
        env = os.environ | {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1,localhost"}
        return subprocess.Popen(
            [self.python, "-m", self.module, url, str(folder), paging, *self.more],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=env,
        )  # fmt: skip

    def run(self, url: str, folder: Path, paging: str) -> str:
        """Run to the end; returns the last line of what it said where it failed, else ''."""
        process = self.start(url, folder, paging)
        try:
            _, said = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return f"gave no answer in {LIMIT} s"
        lines = [line for line in said.splitlines() if line.strip()] or ["?"]
        return lines[-1] if process.returncode else ""


ISTHMUS = Tool("isthmus", sys.executable, "tests.peers.run_isthmus", (), of_isthmus)
DLT = Tool("dlt default", str(PEERS), "tests.peers.run_dlt", ("0", TOKEN), of_dlt)
LAG = Tool("dlt with lag", str(PEERS), "tests.peers.run_dlt", (str(LOOKBACK), TOKEN), of_dlt)


def comparison(kills: int = 8, say: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Play every case to every tool; returns the result and writes it to var/peers.json."""
    began = time.monotonic()
    tools = [ISTHMUS, DLT, LAG] if PEERS.exists() else [ISTHMUS]
    results: list[dict[str, Any]] = []
    for case in CASES:
        for tool in tools:
            say(f"{case}: {tool.name}")
            results.append({"case": case, "tool": tool.name, **play(tool, case)})
    for tool in tools:
        say(f"{KILLS}: {tool.name}")
        results.append({"case": KILLS, "tool": tool.name, **killed(tool, kills)})
    said = {
        "tools": [tool.name for tool in tools],
        "skipped": "" if len(tools) > 1 else "dlt is left out: `make peers` makes .venv-peers",
        "dlt": _version() if len(tools) > 1 else "",
        "lookback_seconds": LOOKBACK,
        "kills": kills,
        "seconds": round(time.monotonic() - began, 1),
        "results": results,
    }
    out = Path(os.environ.get("ISTHMUS_HOME", ROOT / "var")) / "peers.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(said, indent=1, ensure_ascii=False), encoding="utf-8")
    return said


def play(tool: Tool, case: str) -> dict[str, Any]:
    """Play one case to one tool; returns its counts, tokens leaked and what failed runs said."""
    story, paging = CASES[case]
    shop = Shop(paging)
    stranger = RestSimulator({"orders": Collection([{"id": 666, "updated_at": "2026-01-01"}])})
    tokens: list[str] = []
    with tempfile.TemporaryDirectory() as root, serve(shop.app) as url:
        with serve(_listening(stranger, tokens)) as foreign:
            if paging == "next":
                shop.app.fault("foreign_next", request=2, times=1, url=f"{foreign}/orders")
            errors: list[str] = []
            story(shop, lambda: errors.append(tool.run(url, Path(root), paging)))
        found = judge(shop.now, tool.read(Path(root)))
    failed = [error for error in errors if error]
    leaked = sum(TOKEN in token for token in tokens)
    return found | {"leaked": leaked, "strangers": len(tokens), "said": failed}


def _listening(app: RestSimulator, tokens: list[str]) -> Any:
    async def listen(scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope.get("headers") or ())
        tokens.append(headers.get(b"authorization", b"").decode())
        await app(scope, receive, send)

    return listen


def killed(tool: Tool, kills: int) -> dict[str, Any]:
    """Kill `kills` first runs at random moments; judge after one clean run, and after a second.

    A moment lies between a run's first request and its end: start and imports are not in it.
    """
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory() as root:
        whole = _trial(tool, Path(root), None)["seconds"]
    total: Counter[str] = Counter()
    second: Counter[str] = Counter()
    said: list[str] = []
    for _ in range(kills):
        with tempfile.TemporaryDirectory() as root:
            trial = _trial(tool, Path(root), whole * chance.uniform(0.0, 1.0))
        total += Counter(trial["first"])
        second += Counter(trial["second"])
        said += trial["said"]
    names = ("rows", "lost", "duplicated", "ghost", "wrong", "sum", "held", "fired")
    counts = {name: total[name] for name in names}
    after = {name: second[name] for name in names[:-1]}
    return counts | {"leaked": 0, "strangers": 0, "said": said, "after_second": after}


def _trial(tool: Tool, folder: Path, after: float | None) -> dict[str, Any]:
    """Kill a run `after` seconds from its first request, or measure a whole one from there."""
    shop = Shop()
    kill_story(shop)
    asked = threading.Event()
    with serve(_announced(shop.app, asked)) as url:
        process = tool.start(url, folder, shop.paging)
        until = time.monotonic() + LIMIT
        while not asked.wait(0.01) and process.poll() is None and time.monotonic() < until:
            pass
        began = time.monotonic()
        try:
            process.communicate(timeout=LIMIT if after is None else after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        seconds = time.monotonic() - began
        if after is None:
            return {"seconds": seconds}
        fired = int(process.returncode == -signal.SIGKILL and asked.is_set())
        after_kill(shop)
        errors = [tool.run(url, folder, shop.paging)]
        first = judge(shop.now, tool.read(folder)) | {"fired": fired}
        errors.append(tool.run(url, folder, shop.paging))
        second = judge(shop.now, tool.read(folder))
    said = [error for error in errors if error]
    return {"first": first, "second": second, "said": said}


def _announced(app: RestSimulator, asked: threading.Event) -> Any:
    async def announce(scope: Any, receive: Any, send: Any) -> None:
        asked.set()
        await app(scope, receive, send)

    return announce


def _version() -> str:
    done = subprocess.run(
        [str(PEERS), "-c", "from importlib.metadata import version; print(version('dlt'))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def main() -> None:
    """Play everything and print the section of docs/reliability.md."""
    given = argparse.ArgumentParser(prog="python -m tests.peers.reliability")
    given.add_argument("--kills", type=int, default=8, help="killed runs a tool")
    found = comparison(given.parse_args().kills, lambda text: print(text, file=sys.stderr))
    print(markdown(found))


if __name__ == "__main__":
    main()
