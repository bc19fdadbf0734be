"""What each stage of the matcher costs: cumulative seconds by function of `warehouse/matching`."""

from __future__ import annotations

import cProfile
import pstats
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.eval.dataset import DataSet
from tests.eval.store import Matcher, run

_ROOM = "/warehouse/matching/"


def explain_cost(out: Console, data: DataSet, matcher: Matcher) -> None:
    """Run the matcher once more, under a profiler, and print its functions, the dearest first.

    A function's seconds hold those of the ones it calls, so the lines do not add up. A run under
    the profiler takes longer than the one that is reported.
    """
    profile = cProfile.Profile()
    profile.enable()
    run(data, matcher)
    profile.disable()
    costs = _costs(profile)
    table = Table("function", "calls", "seconds", "share", title=f"{data.name}: cost of the stages",
                  title_justify="left")  # fmt: skip
    whole = max((seconds for _, _, seconds in costs), default=0.0)
    for name, calls, seconds in costs:
        if seconds >= 0.01 * whole:
            table.add_row(name, str(calls), f"{seconds:.3f}", f"{seconds / whole:.1%}")
    out.print(table)


def _costs(profile: cProfile.Profile) -> list[tuple[str, int, float]]:
    """Return (module.function, calls, cumulative seconds) of the matcher's own functions."""
    found = []
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, object]]
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    for (path, _, name), (_, calls, _, seconds, _) in stats.items():
        if _ROOM in path:
            found.append((f"{Path(path).stem}.{name}", calls, seconds))
    return sorted(found, key=lambda one: -one[2])
