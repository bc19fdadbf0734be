"""The two kinds of pictures: the model's entities and references, and where a table is from."""

from __future__ import annotations

from pipelines.dictionary.diagram import Box, Drawing, Edge, draw, layers_of
from pipelines.dictionary.facts import Dictionary, TableFacts
from warehouse.model import ENTITIES, HEADERS, children_of

EVERYWHERE = "organization"
"""Nearly every entity refers to it: its curves would hide all others, so the page says it."""
_SYSTEMS = "\0"
MOST = 14
"""Boxes of one layer of a table's picture; where there are more the picture says how many."""


def of_model() -> Drawing:
    """Return the entities with what they own, an arrow for each entity that one refers to."""
    pairs: dict[tuple[str, str], list[str]] = {}
    for header in HEADERS:
        for cls in (ENTITIES[header], *children_of(header)):
            for name, col in cls.columns().items():
                if col.ref and col.ref not in (EVERYWHERE, header) and header != EVERYWHERE:
                    said = name if cls.entity == header else f"{cls.table}.{name}"
                    pairs.setdefault((header, col.ref), []).append(said)
    layers = layers_of(pairs, HEADERS)
    boxes = [
        Box(
            entity, cls.table, cls.en, cls.zh, f"tables/unified.{cls.table}.html",
            [child.table for child in children_of(entity)], "entity", layers[entity],
        )
        for entity, cls in ((e, ENTITIES[e]) for e in HEADERS)
    ]  # fmt: skip
    edges = [Edge(start, end, ", ".join(names)) for (start, end), names in pairs.items()]
    return draw(boxes, edges, to_left=True)


def of_table(table: TableFacts, told: Dictionary) -> Drawing | None:
    """Return where a table is from and what reads it; None where that is nothing to draw."""
    boxes: dict[str, Box] = {}
    edges: list[Edge] = []
    if table.schema == "mart":
        _marts(table, told, boxes, edges)
    elif table.schema in ("unified", "source") and table.entity:
        _entity(table, told, boxes, edges)
    else:
        return None
    if len(boxes) < 2:
        return None
    below = [(e.end, e.start) for e in edges]
    if any(box.kind == "stream" for box in boxes.values()):  # systems stand alone on the left
        below += [(name, _SYSTEMS) for name, box in boxes.items() if box.kind != "stream"]
    layers = layers_of(below, (*boxes, _SYSTEMS))
    counts: dict[int, int] = {}
    kept = []
    for name, box in boxes.items():
        box.layer = layers[name]
        counts[box.layer] = counts.get(box.layer, 0) + 1
        if counts[box.layer] <= MOST or box.kind == "own":
            kept.append(box)
    for layer, count in counts.items():
        if count > MOST:
            more = f"+ {count - MOST}"
            kept.append(Box(f"more {layer}", more, "more", "更多", kind="more", layer=layer))
    return draw(kept, edges)


def _marts(table: TableFacts, told: Dictionary, boxes: dict[str, Box], edges: list[Edge]) -> None:
    """Put in a mart, the marts and tables behind it, and the connections behind these."""
    _box(boxes, table, own=True)
    left, seen = [table], {table.full}
    while left:
        one = left.pop()
        for name in one.reads:
            other = told.tables[name]
            if other.schema == "ops":
                continue
            _box(boxes, other)
            edges.append(Edge(name, one.full))
            if name not in seen:
                seen.add(name)
                left.append(other)
            if other.schema != "mart":
                _connections(other, boxes, edges)
    for name in table.read_by:
        _box(boxes, told.tables[name])
        edges.append(Edge(table.full, name))


def _entity(table: TableFacts, told: Dictionary, boxes: dict[str, Box], edges: list[Edge]) -> None:
    """Put in a table of an entity: its streams, its source, the marts that read it."""
    source = told.tables.get(f"source.{ENTITIES[table.entity].table}")
    unified = told.tables.get(f"unified.{ENTITIES[table.entity].table}")
    if source is None or unified is None or table not in (source, unified):
        return
    for one in (source, unified):
        _box(boxes, one, own=one is table)
    edges.append(Edge(source.full, unified.full))
    for stream in source.streams:
        name = f"{stream.connection}/{stream.name}"
        boxes[name] = Box(name, name, stream.title, stream.title,
                          f"streams.html#{name}", kind="stream")  # fmt: skip
        edges.append(Edge(name, source.full))
    for one in (source, unified):
        for reader in one.read_by:
            _box(boxes, told.tables[reader])
            edges.append(Edge(one.full, reader))


def _connections(table: TableFacts, boxes: dict[str, Box], edges: list[Edge]) -> None:
    for stream in table.streams:
        name = f"connection {stream.connection}"
        if name not in boxes:
            boxes[name] = Box(name, stream.connection, stream.title, stream.title,
                              f"streams.html#{stream.connection}", kind="stream")  # fmt: skip
        edge = Edge(name, table.full)
        if edge not in edges:
            edges.append(edge)


def _box(boxes: dict[str, Box], table: TableFacts, *, own: bool = False) -> None:
    if table.full not in boxes or own:
        zh, en = table.zh.partition("：")[0], table.en.partition(":")[0]
        if table.schema == "mart":
            en = table.grain[0].removeprefix("one row ")
        boxes[table.full] = Box(
            table.full, table.full, en, zh, f"tables/{table.full}.html",
            kind="own" if own else table.schema,
        )  # fmt: skip
