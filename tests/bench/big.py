"""Works (d) and (f): ten times the data, and 1,000 changed orders in the store that it left.

The large load is measured once (the table says so): it is compared with the small one of the same
run, and it makes the store of (d) by the real path.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench.run import Options, Samples, run_side
from tests.bench.source import ask, running
from tests.bench.table import Line, side

CHANGED = 1_000
PARTS = {
    "sync: read, land, load": ("sync",),
    "unify": ("unify",),
    "project": ("project",),
    "publish": ("publish",),
    "from the source to the published file": ("sync", "through"),
}
SYNC, THROUGH = ("sync",), ("sync", "through")


def measure(options: Options, say: Callable[[str], None]) -> list[Line]:
    """Return the lines of works (d) and (f), as chosen; raises Differs."""
    samples = Samples()
    large = options.orders * options.growth
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as root:
        if "f" in options.works:
            with running(options.orders) as url:
                for number in range(options.rounds):
                    say(f"(f) {options.orders:,} orders, round {number + 1} of {options.rounds}")
                    _first(samples, "1 x", url, Path(root) / f"small-{number}")
        with running(large) as url:
            say(f"(d, f) {large:,} orders, one round")
            home = Path(root) / "large"
            _first(samples, "large", url, home)
            if "f" in options.works:
                lines += _growth(samples, options)
            if "d" in options.works:
                for version in range(1, options.rounds + 1):
                    say(f"(d) {CHANGED:,} changed, round {version} of {options.rounds}")
                    step = max(large // CHANGED, 1)
                    expected = ask(url, f"/version/{version}/{step}", "PUT")
                    figures = run_side("tests.bench.product", "changed", url, home,
                                       expected=expected)  # fmt: skip
                    samples.add("product", "changed", figures)
                lines += _changes(samples, large)
    return lines


def _first(samples: Samples, name: str, url: str, folder: Path) -> None:
    folder.mkdir()
    expected = ask(url, "/version/0/1", "PUT")
    samples.add(
        name, "first", run_side("tests.bench.product", "first", url, folder, expected=expected)
    )


def _growth(samples: Samples, options: Options) -> list[Line]:
    small, large = options.orders, options.orders * options.growth
    title = f"(f) {options.growth} x: {small:,} and {large:,} orders"
    lines = []
    for what, parts, peak in (
        ("into source", SYNC, "sync_peak_mb"),
        ("through publish", THROUGH, "peak_mb"),
    ):
        lines += [
            side(samples, title, "1 x", "first", parts, small, peak=peak, what=f"1 x, {what}"),
            side(samples, title, "large", "first", parts, large, peak=peak,
                 what=f"{options.growth} x, {what}", note="one round"),
        ]  # fmt: skip
    for what, parts, peak in (
        ("into source", SYNC, "sync_peak_mb"),
        ("through publish", THROUGH, "peak_mb"),
    ):
        before = statistics.median(f[peak] for f in samples.found["1 x", "first"])
        after = samples.peak("large", "first", peak)
        time, cpu = (
            samples.median("large", "first", parts, kind)
            / samples.median("1 x", "first", parts, kind)
            / options.growth
            for kind in ("wall", "cpu")
        )
        lines += [
            Line(title, f"{what}: peak memory, large : 1 x", ratio=after / before, bar="<= 1.3",
                 rounds=1),
            Line(title, f"{what}: peak memory, MB", peak_mb=after, bar="<= 400", rounds=1),
            Line(title, f"{what}: time a row, large : 1 x", ratio=time, cpu_ratio=cpu, rounds=1),
        ]  # fmt: skip
    return lines


def _changes(samples: Samples, large: int) -> list[Line]:
    title = f"(d) {CHANGED:,} changed of {large:,} orders"
    return [
        side(
            samples, title, "product", "changed", parts, 0, what=what,
            bar="<= 5 s" if parts == THROUGH else "",
        )
        for what, parts in PARTS.items()
    ]  # fmt: skip
