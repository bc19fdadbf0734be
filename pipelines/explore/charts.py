"""Draws plots as SVG: bars that begin at zero, few lines, labels that can be read.

Colours are classes of `static/style.css`. A bar's whole figure is its `<title>`, which browsers
show under the pointer and readers of the page aloud.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup, escape

Number = Decimal | float | int
Format = Callable[[float], str]
_LEFT, _RIGHT, _TOP, _BOTTOM = 54, 8, 12, 22
_PIXELS = {3: 300, 4: 408, 6: 620, 8: 836, 12: 1268}
"""Pixels of a plot over so many columns of the page, on a screen 1366 wide."""


@dataclass(frozen=True, slots=True)
class Point:
    """A place on the axis: its label, a value a series (None: nothing known), what it tells."""

    label: str
    values: tuple[Number | None, ...]
    tip: str


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Return round values from at most `low` to at least `high`, zero among them."""
    low, high = min(low, 0.0), max(high, 0.0)
    span = high - low
    if span <= 0:
        return [0.0, 1.0]
    raw = span / most
    size = 10.0 ** math.floor(math.log10(raw))
    step = next(size * n for n in (1, 2, 2.5, 5, 10) if size * n >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [n * step for n in range(first, last + 1)]


def short(value: float) -> str:
    """Return a number for an axis: 1.2M, 340k, 0.5."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{sign}".replace("-", "−")
    return f"{value:g}".replace("-", "−")


def bars(
    points: Sequence[Point], *, wide: int = 6, tall: int = 190, stacked: bool = False,
    classes: Sequence[str] = ("c1", "c2", "c3"), axis: Format = short, mark: int | None = None,
) -> Markup:  # fmt: skip
    """Draw a bar a point and series: beside each other, or stacked.

    Of stacked series negative values hang below zero. `mark` is the point that stands out.
    """
    totals = [v for p in points for v in _extremes(p, stacked)]
    scale = _Scale(ticks(min(totals, default=0), max(totals, default=0)), wide, tall, len(points))
    out = list(scale.frame(axis, points))
    for place, point in enumerate(points):
        look = " mark" if place == mark else ""
        out.append(f'<g class="bar{look}"><title>{escape(point.tip)}</title>')
        out.append(scale.slot(place))
        up = down = 0.0
        known = [(n, float(v)) for n, v in enumerate(point.values) if v]
        width = scale.step * 0.72
        each = width if stacked or len(point.values) == 1 else width / len(point.values)
        for series, value in known:
            base = 0.0
            if stacked:
                base, up, down = (up, up + value, down) if value > 0 else (down, up, down + value)
            x = scale.x(place) - width / 2 + (0 if each == width else series * each)
            top, bottom = scale.y(max(base, base + value)), scale.y(min(base, base + value))
            out.append(
                f'<rect class="{classes[series]}" x="{x:.1f}" y="{top:.1f}" '
                f'width="{max(each - 1, 1):.1f}" height="{max(bottom - top, 1):.1f}"/>'
            )
        out.append("</g>")
    return scale.svg(out)


def line(
    points: Sequence[Point], *, wide: int = 4, tall: int = 150, axis: Format = short,
    value: Format = short, after: int | None = None,
) -> Markup:  # fmt: skip
    """Draw one series as a line from zero, its last value written beside it.

    From the point `after` on the line is in its strong colour: before and after a day.
    """
    known = [(n, float(p.values[0])) for n, p in enumerate(points) if p.values[0] is not None]
    scale = _Scale(ticks(0, max((v for _, v in known), default=0), 3), wide, tall, len(points))
    out = list(scale.frame(axis, points))
    if after is not None:
        x = scale.x(after) - scale.step / 2
        out.append(f'<line class="cut" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" '
                   f'y2="{scale.bottom:.1f}"/>')  # fmt: skip
    for (n, a), (m, b) in itertools.pairwise(known):
        look = "old" if after is not None and m < after else "new"
        out.append(f'<line class="line {look}" x1="{scale.x(n):.1f}" y1="{scale.y(a):.1f}" '
                   f'x2="{scale.x(m):.1f}" y2="{scale.y(b):.1f}"/>')  # fmt: skip
    for n, v in known:
        look = "old" if after is not None and n < after else "new"
        out.append(f'<g class="dot"><title>{escape(points[n].tip)}</title>{scale.slot(n)}'
                   f'<circle class="{look}" cx="{scale.x(n):.1f}" cy="{scale.y(v):.1f}" r="3"/>'
                   "</g>")  # fmt: skip
    if known:
        n, v = known[-1]
        # On the side from which the line does not come; never outside the plot.
        falls = len(known) > 1 and known[-2][1] > v
        below = scale.y(v) + 17
        above = scale.y(v) - 8 if scale.y(v) > _TOP + 14 else below
        above = below if falls and below < scale.bottom - 2 else above
        anchor = "end" if n > len(points) * 0.7 else "middle"
        out.append(f'<text class="last" x="{scale.x(n) + (4 if anchor == "end" else 0):.1f}" '
                   f'y="{above:.1f}" text-anchor="{anchor}">{escape(value(v))}</text>')  # fmt: skip
    return scale.svg(out)


def rows(
    points: Sequence[Point], *, wide: int = 6, label: int = 150, format: Format = short,
    classes: Sequence[str] = ("c1",), notes: Sequence[str] = (), high: int = 30,
    room: int | None = None, links: Sequence[str] = (),
) -> Markup:  # fmt: skip
    """Draw lying bars from zero, a label before and the value behind each.

    The longest is `room` wide; without it, what the notes leave.
    """
    width = _PIXELS[wide]
    room = room or width - label - (130 if notes else 64)
    most = max((float(p.values[0] or 0) for p in points), default=0.0) or 1.0
    out = []
    for n, point in enumerate(points):
        y, value = n * high, float(point.values[0] or 0)
        long = max(room * value / most, 1.5)
        look = classes[n] if len(classes) == len(points) else classes[0]
        out.append(
            (f'<a href="{escape(links[n])}">' if links else "")
            + f'<g class="bar"><title>{escape(point.tip)}</title>'
            f'<text class="name" x="{label - 10}" y="{y + high / 2 + 4}" text-anchor="end">'
            f"{escape(point.label)}</text>"
            f'<rect class="{look}" x="{label}" y="{y + 4}" width="{long:.1f}" '
            f'height="{high - 8}" rx="1"/>'
            f'<text class="value" x="{label + long + 7:.1f}" y="{y + high / 2 + 4}">'
            f"{escape(format(value))}"
            + (f'<tspan class="note" dx="8">{escape(notes[n])}</tspan>' if notes else "")
            + "</text></g>"
            + ("</a>" if links else "")
        )
    return _svg(width, max(len(points) * high, high), out)


def meter(share: float, look: str = "c1") -> Markup:
    """Draw a small bar for a table's cell: a share from 0 to 1."""
    width = max(0.0, min(share, 1.0)) * 96
    return Markup(  # noqa: S704  numbers and a class of ours
        '<svg class="meter" viewBox="0 0 96 8" role="img" aria-hidden="true">'
        '<rect class="rail" width="96" height="8"/>'
        f'<rect class="{look}" width="{width:.1f}" height="8"/></svg>'
    )


class _Scale:
    """Where a value and a place stand in a plot's frame."""

    def __init__(self, at: list[float], wide: int, tall: int, count: int) -> None:
        self.at, self.width, self.tall, self.count = at, _PIXELS[wide], tall, max(count, 1)
        self.bottom = tall - _BOTTOM
        self.step = (self.width - _LEFT - _RIGHT) / self.count

    def x(self, place: int) -> float:
        return _LEFT + self.step * (place + 0.5)

    def y(self, value: float) -> float:
        low, high = self.at[0], self.at[-1]
        return _TOP + (high - value) / (high - low) * (self.bottom - _TOP)

    def slot(self, place: int) -> str:
        """Return the whole column of a place, so that the pointer finds small bars too."""
        left = _LEFT + self.step * place
        return (f'<rect class="slot" x="{left:.1f}" y="{_TOP}" width="{self.step:.1f}" '
                f'height="{self.bottom - _TOP:.1f}"/>')  # fmt: skip

    def frame(self, axis: Format, points: Sequence[Point]) -> list[str]:
        out = []
        for value in self.at:
            y, look = self.y(value), "zero" if value == 0 else "grid"
            out.append(f'<line class="{look}" x1="{_LEFT}" x2="{self.width - _RIGHT}" '
                       f'y1="{y:.1f}" y2="{y:.1f}"/>')  # fmt: skip
            out.append(f'<text class="tick" x="{_LEFT - 7}" y="{y + 4:.1f}" text-anchor="end">'
                       f"{escape(axis(value))}</text>")  # fmt: skip
        widest = max((_letters(p.label) for p in points), default=1) * 6.4 + 12
        every = max(1, math.ceil(widest / self.step))
        for n in range(len(points) - 1, -1, -every):  # the last is always named
            out.append(f'<text class="tick" x="{self.x(n):.1f}" y="{self.tall - 5}" '
                       f'text-anchor="middle">{escape(points[n].label)}</text>')  # fmt: skip
        return out

    def svg(self, out: Sequence[str]) -> Markup:
        return _svg(self.width, self.tall, out)


def _svg(width: int, tall: int, out: Sequence[str]) -> Markup:
    return Markup(  # noqa: S704  every text in it went through escape()
        f'<svg class="plot" viewBox="0 0 {width} {tall}" role="img">{"".join(out)}</svg>'
    )


def _extremes(point: Point, stacked: bool) -> tuple[float, ...]:
    values = [float(v) for v in point.values if v is not None]
    if not stacked:
        return tuple(values)
    return sum(v for v in values if v > 0), sum(v for v in values if v < 0)


def _letters(text: str) -> float:
    return sum(1.8 if ord(c) > 0x2E80 else 1 for c in text)
