"""Run the sides: a fresh process a step and round, each judged by what the source says it holds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.measure import MEMORY_CAP, STARTED

ROOT = Path(__file__).resolve().parent.parent.parent
PEERS = ROOT / ".venv-peers" / "bin" / "python"
CAP = 14 << 30
"""Address space that a peer may take: dlt's default was seen at 10 GB, the machine has 24."""


class Differs(Exception):
    """A side holds something else than the source, or failed: the bench ends loudly."""


@dataclass(frozen=True)
class Options:
    """What to run; `rounds` of the heavier works are fewer, and the table says so."""

    works: tuple[str, ...]
    orders: int = 100_000
    small: int = 20_000
    """Orders for dlt's default settings."""
    rounds: int = 3
    growth: int = 10
    csv_mb: int = 200
    excel_rows: int = 200_000
    sql_rows: int = 1_000_000
    peers: bool = True


@dataclass(slots=True)
class Samples:
    """Figures by (side, step), one dict a round: parts, imports, peak_mb."""

    found: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, side: str, step: str, figures: dict[str, Any]) -> None:
        """Keep one round's figures."""
        self.found.setdefault((side, step), []).append(figures)

    def rounds(self, side: str, step: str) -> int:
        """Return how many rounds were measured."""
        return len(self.found.get((side, step), ()))

    def each(self, side: str, step: str, parts: tuple[str, ...], kind: str) -> list[float]:
        """Return the sum of the parts' seconds (kind wall or cpu), round by round."""
        return [sum(f["parts"][p][kind] for p in parts) for f in self.found[side, step]]

    def median(self, side: str, step: str, parts: tuple[str, ...], kind: str) -> float:
        """Return the median of `each`."""
        return float(statistics.median(self.each(side, step, parts, kind)))

    def peak(self, side: str, step: str, name: str = "peak_mb") -> float:
        """Return the greatest peak of all rounds, in MB."""
        return float(max(f[name] for f in self.found[side, step]))

    def imports(self, side: str, kind: str) -> float:
        """Return the median of interpreter start and imports over all steps, in seconds."""
        rounds = (f for (name, _), found in self.found.items() if name == side for f in found)
        return float(statistics.median(f["imports"][kind] for f in rounds))


def run_side(
    module: str, *arguments: object, peer: bool = False, cap: int = 0, expected: Mapping[str, Any]
) -> dict[str, Any]:
    """Run one side's step in a process of its own and return its figures.

    Raises Differs when it fails, prints no figures, or holds other counts or sums than `expected`.
    """
    python = str(PEERS) if peer else sys.executable
    env = os.environ | {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1,localhost"}
    env |= {STARTED: str(time.time()), MEMORY_CAP: str(cap)}
    done = subprocess.run(
        [python, "-m", module, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=ROOT, env=env,
    )  # fmt: skip
    said = f"{module} {' '.join(map(str, arguments))}"
    if done.returncode:
        raise Differs(f"{said} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    try:
        figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        held = figures["check"]
        if not figures["parts"] or not figures["peak_mb"]:
            raise KeyError("parts")
    except (ValueError, IndexError, KeyError, TypeError):
        raise Differs(f"{said} printed no figures: {done.stdout[-500:]!r}") from None
    wanted = {name: expected[name] for name in held}
    if held != wanted or not held:
        raise Differs(f"{said} holds {held}, the source has {wanted}")
    return figures
