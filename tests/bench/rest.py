"""Work (a): nested orders over REST. First load, nothing new, 1 % changed."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.bench.run import CAP, Options, Samples, run_side
from tests.bench.source import ask, running
from tests.bench.table import Line, side

STEPS = {"first": 0, "nothing": 0, "changed": 1}
"""Step: version of the source's data."""
EVERY = 100
SYNC, THROUGH = ("sync",), ("sync", "through")
PEER = {"dlt fastest": "fastest", "dlt default": "default"}


def measure(options: Options, say: Callable[[str], None]) -> list[Line]:
    """Return the lines of work (a); raises Differs when a side holds something else."""
    samples = Samples()
    with ExitStack() as stack:
        url = stack.enter_context(running(options.orders))
        small = ""
        if options.peers:
            small = stack.enter_context(running(min(options.small, options.orders)))
        for number in range(1, options.rounds + 1):
            say(f"(a) round {number} of {options.rounds}")
            with tempfile.TemporaryDirectory() as folder:
                _round(url, small, Path(folder), samples)
    return _lines(samples, options)


def _round(url: str, small: str, folder: Path, samples: Samples) -> None:
    for step, version in STEPS.items():
        expected = ask(url, f"/version/{version}/{EVERY}", "PUT")
        if step == "first":
            here = _folder(folder, "floor")
            samples.add("floor", step, run_side("tests.bench.floor", step, url, here,
                                                expected=expected))  # fmt: skip
        here = _folder(folder, "product")
        samples.add("product", step, run_side("tests.bench.product", step, url, here,
                                              expected=expected))  # fmt: skip
        for name, kind in PEER.items() if small else ():
            at = small if kind == "default" else url
            figures = run_side(
                "tests.peers.dlt_rest", step, at, _folder(folder, kind), kind,
                peer=True, cap=CAP, expected=ask(at, f"/version/{version}/{EVERY}", "PUT"),
            )  # fmt: skip
            samples.add(name, step, figures)


def _folder(root: Path, name: str) -> Path:
    path = root / name
    path.mkdir(exist_ok=True)
    return path


def _lines(samples: Samples, options: Options) -> list[Line]:
    count, few = options.orders, min(options.small, options.orders)
    title = f"(a) REST, {count:,} orders"
    first, lines = f"{title}: first load", []
    lines.append(side(samples, first, "floor", "first", ("load",), count))
    lines += _product(samples, first, "first", count)
    lines += _peers(samples, first, "first", count, few)
    for what, parts, bar in (
        ("into source : floor, rate", SYNC, ">= 0.5"),
        ("whole path : floor, rate", THROUGH, ">= 0.5"),
    ):
        lines.append(_rate(samples, first, what, parts, "floor", 1.0, bar))
    if options.peers:
        for name, bar, scale in (
            ("dlt fastest", ">= 8", 1.0),
            ("dlt default", ">= 30", few / count),
        ):
            lines.append(
                _rate(samples, first, f"into source : {name}, rate", SYNC, name, scale, bar)
            )
            lines.append(
                _rate(samples, first, f"whole path : {name}, rate", THROUGH, name, scale, bar)
            )
    nothing = f"{title}: nothing new"
    lines += _product(samples, nothing, "nothing", 0)
    lines += _peers(samples, nothing, "nothing", 0, 0)
    lines.append(Line(nothing, "sync, CPU seconds",
                      cpu=samples.median("product", "nothing", SYNC, "cpu"), bar="<= 2",
                      rounds=samples.rounds("product", "nothing")))  # fmt: skip
    changed = f"{title}: 1 % changed"
    lines += _product(samples, changed, "changed", count // EVERY)
    lines += _peers(samples, changed, "changed", count // EVERY, few // EVERY)
    for what, parts in (("sync : its own first load", SYNC), ("whole : its own first", THROUGH)):
        ratio, cpu = (
            statistics.median(
                new / old
                for new, old in zip(
                    samples.each("product", "changed", parts, kind),
                    samples.each("product", "first", parts, kind),
                    strict=True,
                )
            )
            for kind in ("wall", "cpu")
        )
        lines.append(Line(changed, f"{what}, time", ratio=ratio, cpu_ratio=cpu, bar="<= 0.05",
                          rounds=samples.rounds("product", "changed")))  # fmt: skip
    for name in ("floor", "product", *(PEER if options.peers else ())):
        lines.append(
            Line("interpreter start + imports (not in the figures above)", name,
                 samples.imports(name, "wall"), samples.imports(name, "cpu"))
        )  # fmt: skip
    return lines


def _product(samples: Samples, work: str, step: str, rows: int) -> list[Line]:
    return [
        side(samples, work, "product", step, SYNC, rows, what="product into source",
             peak="sync_peak_mb"),
        side(samples, work, "product", step, THROUGH, rows, what="product through publish"),
    ]  # fmt: skip


def _peers(samples: Samples, work: str, step: str, rows: int, few: int) -> list[Line]:
    return [
        side(samples, work, name, step, ("load",), few if kind == "default" else rows,
             note="on the smaller source" if kind == "default" else "")
        for name, kind in PEER.items() if (name, step) in samples.found
    ]  # fmt: skip


def _rate(
    samples: Samples, work: str, what: str, parts: tuple[str, ...], other: str, scale: float,
    bar: str,
) -> Line:  # fmt: skip
    """Compare rates round by round; `scale`: the other's rows over ours."""
    ratio, cpu = (
        statistics.median(
            theirs / ours / scale
            for theirs, ours in zip(
                samples.each(other, "first", ("load",), kind),
                samples.each("product", "first", parts, kind),
                strict=True,
            )
        )
        for kind in ("wall", "cpu")
    )
    return Line(work, what, ratio=ratio, cpu_ratio=cpu, bar=bar,
                rounds=samples.rounds(other, "first"))  # fmt: skip
