"""Play the faults, the attacks and the comparison, and write down what came of it.

    python -m tests.faults [--families kills,data] [--seeds 1000] [--size full] [--write]

Prints a table, writes var/faults.json, and with `--write` docs/reliability.md: at each line of
progress, too, so that a run that is killed leaves what it has counted. Exits 1 when a case did not
survive or an attack succeeded.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.attacks import report as attack_report
from tests.faults import code
from tests.faults.case import Tally
from tests.faults.report import Report, as_json, markdown, table, take_earlier
from tests.faults.runner import FAMILIES, play_all
from tests.peers import reliability as peers

PROJECT = Path(__file__).parents[2]
FIRST_SEED = 20261122
HOURS = 2
WIDE = 160
"""Columns where the output is no terminal: the table has as many figures."""


def main() -> None:
    """Run what the arguments name."""
    given = _arguments()
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    began = time.monotonic()
    seeds = range(FIRST_SEED, FIRST_SEED + given.seeds)
    report = Report(_command(), 0, {}, code.commit(PROJECT), code.product(PROJECT))
    report.machine = f", on {os.cpu_count()} cores with {given.workers} workers"
    earlier = json.loads(given.earlier.read_text("utf-8")) if given.earlier else {}
    out = Path(os.environ.get("ISTHMUS_HOME", PROJECT / "var")) / "faults.json"

    def keep(tallies: Mapping[str, Tally], left: str) -> None:
        report.tallies, report.left = tallies, left
        if earlier:
            take_earlier(report, earlier)
        _write(report, out, given.write, began)

    tallies = play_all(
        given.families, given.size, seeds, workers=given.workers, tell=console.print, keep=keep
    )
    keep(tallies, _to_play(given.also))
    console.print(table(report.tallies))
    parts = {"models": _models, "attacks": partial(_attacks, given.size), "peers": _peers}
    for place, name in enumerate(given.also, 1):
        console.print(f"{(time.monotonic() - began) / 60:5.1f} min: {name}")
        try:
            parts[name](report)
        except Exception as error:  # what was counted before is not thrown away
            report.unplayed.append(f"{name}: {type(error).__name__}: {str(error)[:300]}")
            console.print(f"FAILED {report.unplayed[-1]}")
        report.left = _to_play(given.also[place:])
        _write(report, out, given.write, began)
    console.print(f"{report.seconds:.0f} s wall time in all, written: {out}")
    console.print(report.line)
    sys.exit(0 if report.is_clean else 1)


def _write(report: Report, out: Path, page: bool, began: float) -> None:
    report.seconds = time.monotonic() - began
    out.parent.mkdir(parents=True, exist_ok=True)
    texts = {out: json.dumps(as_json(report), indent=1)}
    if page:
        texts[PROJECT / "docs" / "reliability.md"] = markdown(report)
    for path, text in texts.items():
        whole = path.with_name(path.name + ".new")  # a kill leaves the old one or the new one
        whole.write_text(text, encoding="utf-8")
        whole.replace(path)


def _to_play(parts: Sequence[str]) -> str:
    return f"{', '.join(parts)} not played" if parts else ""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Play faults against the product; prints a table, writes var/faults.json.",
    )
    parser.add_argument(
        "--families", type=lambda t: t.split(","), default=list(FAMILIES), metavar="NAME,…",
        help=f"which of {','.join(FAMILIES)} (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--seeds", type=int, default=1000,
        help="seeded random runs of the family random_runs (default: 1000)",
    )  # fmt: skip
    parser.add_argument(
        "--size", choices=("quick", "full"), default="full",
        help="quick: the part that `make test` plays (default: full)",
    )  # fmt: skip
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a core)"
    )
    parser.add_argument(
        "--also", type=lambda t: t.split(","), default=[], metavar="NAME,…",
        help="further judges after the faults: models,attacks,peers (default: none)",
    )  # fmt: skip
    parser.add_argument(
        "--earlier", type=Path, help="a faults.json whose rows stand where this run plays none"
    )
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    return parser.parse_args()


def _command() -> str:
    return shlex.join(["python", "-m", "tests.faults", *sys.argv[1:]])


def _attacks(size: str, report: Report) -> None:
    found = attack_report.attacks(quick=size == "quick")
    report.attacks = attack_report.markdown(found)
    report.attacks_succeeded = int(found["succeeded"])


def _peers(report: Report) -> None:
    report.comparison = peers.markdown(peers.comparison())


def _models(report: Report) -> None:
    """Run the Hypothesis models with their large profile and keep what pytest counted."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "tests/models"],
        cwd=PROJECT, env={**os.environ, "ISTHMUS_HYPOTHESIS": "full"},
        capture_output=True, text=True, check=False, timeout=HOURS * 3600,
    )  # fmt: skip
    last = done.stdout.strip().splitlines()[-1:] or [done.stderr[-300:]]
    if done.returncode:
        report.unplayed.append(f"models: exit code {done.returncode}")
    report.models = (
        "Stateful models and properties (Hypothesis, profile `full`) of sync, loader, limiter,"
        f" redactor, paginator and mapping: {last[0].strip('= ')}"
        f" ({time.monotonic() - began:.0f} s, exit code {done.returncode})."
    )


if __name__ == "__main__":
    main()
