"""The lines of the result: figures of a side, and ratios with their bars. One table, one JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.run import Samples

HEADS = ("work", "side or ratio", "seconds", "CPU s", "rows/s", "peak MB", "ratio", "by CPU",
         "bar", "rounds")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line. A measured side has seconds; a ratio has `ratio`, maybe a bar (">= 0.5")."""

    work: str
    what: str
    seconds: float | None = None
    cpu: float | None = None
    rate: float | None = None
    peak_mb: float | None = None
    ratio: float | None = None
    cpu_ratio: float | None = None
    bar: str = ""
    rounds: int = 0
    note: str = ""
    each: tuple[float, ...] = ()
    """Seconds of every round, in their order."""

    @property
    def is_met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if not self.bar:
            return None
        sign, limit = self.bar.split()[:2]
        order = (self.ratio, self.seconds, self.cpu, self.peak_mb)
        value = next(x for x in order if x is not None)
        return value >= float(limit) if sign == ">=" else value <= float(limit)

    @property
    def verdict(self) -> str:
        """The bar and whether it is met, for people."""
        if self.is_met is None:
            return ""
        return f"{self.bar}: {'met' if self.is_met else 'missed'}"

    def cells(self) -> tuple[str, ...]:
        """Return the line as text cells in the order of HEADS."""
        return (
            self.work,
            f"{self.what} ({self.note})" if self.note else self.what,
            _text(self.seconds, "{:.2f}"),
            _text(self.cpu, "{:.2f}"),
            _text(self.rate, "{:,.0f}"),
            _text(self.peak_mb, "{:,.0f}"),
            _text(self.ratio, "{:.3g}"),
            _text(self.cpu_ratio, "{:.3g}"),
            self.verdict,
            str(self.rounds or ""),
        )


def _text(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def side(
    samples: Samples,
    work: str,
    name: str,
    step: str,
    parts: tuple[str, ...],
    rows: int,
    *,
    peak: str = "peak_mb",
    **more: Any,
) -> Line:
    """Return the line of one side: medians of its rounds, greatest peak."""
    seconds = samples.median(name, step, parts, "wall")
    return Line(
        work,
        more.pop("what", name),
        seconds,
        samples.median(name, step, parts, "cpu"),
        rows / seconds if rows else None,
        samples.peak(name, step, peak),
        rounds=samples.rounds(name, step),
        each=tuple(round(x, 3) for x in samples.each(name, step, parts, "wall")),
        **more,
    )


def show(lines: list[Line], heads: dict[str, Any], console: Console | None = None) -> None:
    """Print the table and what it was measured with."""
    table = Table(title="Isthmus bench: medians of alternating rounds, imports excluded")
    for head in HEADS:
        table.add_column(head, justify="left" if head in (*HEADS[:2], "bar") else "right")
    for before, line in zip([None, *lines], lines, strict=False):
        if before is not None and before.work != line.work:
            table.add_section()
        table.add_row(*line.cells())
    out = console or Console(width=190)
    out.print(table)
    for name, value in heads.items():
        out.print(f"{name}: {value}")


def as_json(lines: list[Line]) -> list[dict[str, Any]]:
    """Return the lines as JSON members, each with its verdict."""
    return [asdict(line) | {"met": line.is_met} for line in lines]


def as_markdown(lines: list[dict[str, Any]]) -> str:
    """Return JSON lines as a Markdown table."""
    known = {name for name in Line.__dataclass_fields__}
    rows = [Line(**{k: v for k, v in each.items() if k in known}).cells() for each in lines]
    align = ["---", "---", *["---:"] * 6, "---", "---:"]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [HEADS, tuple(align), *rows])
