"""Places boxes in layers and draws curves between them; `pages/diagram.svg` makes the picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

WIDTH, HEAD, LINE = 192, 44, 16
"""Of a box: how wide, how high its head is and each line below it, in the picture's units."""
GAP_X, GAP_Y, EDGE = 60, 16, 12
SWEEPS = 12


@dataclass(slots=True)
class Box:
    """One box: `name` on its first line, labels on its second, `lines` below. Layer 0 is left."""

    id: str
    name: str
    en: str = ""
    zh: str = ""
    href: str = ""
    lines: Sequence[str] = ()
    kind: str = ""
    layer: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def height(self) -> int:
        """How high the box is."""
        return HEAD + LINE * len(self.lines) + (6 if self.lines else 0)


@dataclass(frozen=True, slots=True)
class Edge:
    """A curve from the box `start` to the box `end`, which its arrow points at."""

    start: str
    end: str
    title: str = ""
    path: str = ""


@dataclass(slots=True)
class Drawing:
    """A picture that is ready to be written."""

    boxes: list[Box] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    width: float = 0.0
    height: float = 0.0


def layers_of(edges: Iterable[tuple[str, str]], names: Iterable[str]) -> dict[str, int]:
    """Return the layer of each name: one more than the deepest that it points at.

    What points at nothing is in layer 0; an edge that would close a circle is passed over.
    """
    points: dict[str, list[str]] = {name: [] for name in names}
    for start, end in edges:
        if start in points and end in points and start != end:
            points[start].append(end)
    found: dict[str, int] = {}
    open_: set[str] = set()

    def layer(name: str) -> int:
        if name not in found:
            open_.add(name)
            below = [layer(n) for n in points[name] if n not in open_]
            open_.discard(name)
            found[name] = max(below, default=-1) + 1
        return found[name]

    for name in points:
        layer(name)
    return found


def draw(boxes: Sequence[Box], edges: Sequence[Edge], *, to_left: bool = False) -> Drawing:
    """Place `boxes` by their layers, those that belong together side by side, and draw the edges.

    With `to_left` edges lead from a layer to one on its left, else to one on its right.
    """
    columns: dict[int, list[Box]] = {}
    for box in boxes:
        columns.setdefault(box.layer, []).append(box)
    known = {box.id: box for box in boxes}
    kept = [e for e in edges if e.start in known and e.end in known]
    near: dict[str, list[str]] = {box.id: [] for box in boxes}
    for edge in kept:
        near[edge.start].append(edge.end)
        near[edge.end].append(edge.start)
    ordered = [columns[number] for number in sorted(columns)]
    for _ in range(SWEEPS):
        for column in ordered:
            _stack(column)
        for column in ordered:
            column.sort(key=lambda box: _middle(box, near, known))
            _stack(column)
    tallest = max((_tall(column) for column in ordered), default=0.0)
    for number, column in enumerate(ordered):
        _stack(column, EDGE + (tallest - _tall(column)) / 2)
        for box in column:
            box.x = EDGE + number * (WIDTH + GAP_X)
    width = 2 * EDGE + len(ordered) * (WIDTH + GAP_X) - GAP_X
    drawn = [Edge(e.start, e.end, e.title, _curve(known[e.start], known[e.end], to_left))
             for e in kept]  # fmt: skip
    return Drawing(list(boxes), drawn, width, tallest + 2 * EDGE)


def _tall(column: Sequence[Box]) -> float:
    return sum(box.height + GAP_Y for box in column) - GAP_Y


def _stack(column: Sequence[Box], top: float = 0.0) -> None:
    for box in column:
        box.y = top
        top += box.height + GAP_Y


def _middle(box: Box, near: Mapping[str, Sequence[str]], known: Mapping[str, Box]) -> float:
    others = [known[n] for n in near[box.id]]
    if not others:
        return box.y
    return sum(o.y + o.height / 2 for o in others) / len(others)


def _curve(start: Box, end: Box, to_left: bool) -> str:
    """Return the path between two boxes; inside one layer it bends around on the right."""
    y1, y2 = start.y + HEAD / 2, end.y + HEAD / 2
    if start.layer == end.layer:
        x1, bend = start.x + WIDTH, GAP_X * 0.7
        x2 = x1 + bend
        return f"M{x1:.0f},{y1:.0f} C{x2:.0f},{y1:.0f} {x2:.0f},{y2:.0f} {x1:.0f},{y2:.0f}"
    backward = (start.layer > end.layer) != to_left
    leaves_left = to_left != backward
    x1 = start.x if leaves_left else start.x + WIDTH
    x2 = end.x + WIDTH if leaves_left else end.x
    bend = max(GAP_X * 0.6, abs(x2 - x1) * 0.45) * (-1 if leaves_left else 1)
    return (
        f"M{x1:.0f},{y1:.0f} C{x1 + bend:.0f},{y1:.0f} {x2 - bend:.0f},{y2:.0f} {x2:.0f},{y2:.0f}"
    )
