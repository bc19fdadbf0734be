"""What records look like: which fields they have, of which types and lengths, never which values.

A vendor's upgrade that renames a field or writes a number as text is seen here before anybody
misses the values. A few records a run are looked at, none is kept. A name that is a value itself (a
map by e-mail, phone or id) is told as `*`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from pipelines.control import Control
    from warehouse.model.plan import StreamPlan
    from warehouse.pages import Records

LOOKED_AT = 200
"""Records of a run that are looked at, from its first pages."""
OF_A_PAGE = 50
ENOUGH = 20
"""Records without a field before it counts as gone, or known ones before one counts as new."""
USUAL = 0.95
"""Share of the known records that had a field which is missed when it is gone."""
COMMON = 0.2
"""Share of the records that must have a field which no mapping reads, for its name to be kept."""
REMEMBERED = 5_000
DEEPEST = 6
MOST = 2_000
"""Fields that are kept of a stream: of more, those that the most records had."""
_VALUE = re.compile(
    r"[^@\s]+@(?!odata|microsoft)[^@\s]+\.[^@\s]+|\+?[-0-9 ().]{7,}"
    r"|[0-9a-f]{8}-[0-9a-f-]{20,}|.{100,}",
    re.DOTALL | re.IGNORECASE,
)

_TYPES = {str: "text", bool: "boolean", int: "number", float: "number", dict: "object"}


@dataclass(slots=True)
class Field:
    """How a field stood in the records that had it: `longest` is its longest value as text."""

    types: list[str] = field(default_factory=list)
    longest: int = 0
    count: int = 0

    def add(self, kind: str, length: int, count: int = 1) -> None:
        """Take in what was seen of it."""
        if kind not in self.types:
            self.types = sorted([*self.types, kind])
        self.longest = max(self.longest, length)
        self.count += count

    def __str__(self) -> str:
        return f"{' or '.join(self.types)}, {self.longest}"


@dataclass(slots=True)
class Shape:
    """The fields of `records` records by path: names joined with dots, members of lists alike."""

    records: int = 0
    fields: dict[str, Field] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Whether enough of a run was looked at."""
        return self.records >= LOOKED_AT

    def look(self, records: Records) -> None:
        """Look at the first records of a page."""
        if isinstance(records, Sequence):
            for record in records[:OF_A_PAGE]:
                with suppress(msgspec.DecodeError):  # the load says what is wrong with it
                    self._see(_members(msgspec.json.decode(record), "", 0))
            return
        for row in records.slice(0, OF_A_PAGE).to_pylist():
            self._see((n, _type(v), len(str(v))) for n, v in row.items() if v is not None)

    def _see(self, members: Iterator[tuple[str, str, int]]) -> None:
        self.records += 1
        seen: set[str] = set()
        for path, kind, length in members:
            self.fields.setdefault(path, Field()).add(kind, length, count=int(path not in seen))
            seen.add(path)

    def forget(self, read: Collection[str], tells: Callable[[str], bool]) -> None:
        """Forget names that may be values: what few records have and no mapping reads, and secrets.

        `tells` says of a name that it holds a secret which a source sent back.
        """
        self.fields = {
            path: one
            for path, one in self.fields.items()
            if (path in read or one.count >= COMMON * self.records) and not tells(path)
        }

    def merge(self, newer: Shape, gone: Collection[str]) -> Shape:
        """Return what is known after a run; what is `gone` is known no longer."""
        share = min(1.0, REMEMBERED / max(1, self.records))
        known = Shape(round(self.records * share) + newer.records)
        for path, old in self.fields.items():
            if path not in gone:
                known.fields[path] = Field([*old.types], old.longest, round(old.count * share))
        for path, new in newer.fields.items():
            mine = known.fields.setdefault(path, Field())
            for kind in new.types:
                mine.add(kind, new.longest, 0)
            mine.count += new.count
        if len(known.fields) > MOST:
            ranked = sorted(known.fields.items(), key=lambda one: (-one[1].count, one[0]))
            known.fields = dict(ranked[:MOST])
        return known


@dataclass(frozen=True, slots=True)
class Change:
    """A field that is otherwise than before; `is_read` says that the mapping names it.

    `was` and `now` are types and greatest length, "" where there is none.
    """

    kind: Literal["new", "gone", "type"]
    field: str
    was: str
    now: str
    is_read: bool


def changes(known: Shape, now: Shape, read: Collection[str]) -> list[Change]:
    """Return what is otherwise; `read` are the paths that the mapping names."""
    found: list[Change] = []
    if known.records < ENOUGH:
        return found
    for path, field_ in now.fields.items():
        old = known.fields.get(path)
        if old is None:
            found.append(Change("new", path, "", str(field_), path in read))
        elif set(field_.types) - set(old.types):
            found.append(Change("type", path, str(old), str(field_), path in read))
    if now.records >= ENOUGH:
        found += [
            Change("gone", path, str(old), "", path in read)
            for path, old in known.fields.items()
            if path not in now.fields and old.count >= USUAL * known.records
        ]
    return sorted(found, key=lambda change: (not change.is_read, change.field))


def remember(
    control: Control, connection: str, stream: str, now: Shape, read: Collection[str]
) -> list[Change]:
    """Hold what a run saw against what is known of the stream, and know it from then on."""
    if not now.records:
        return []
    known = _of(control.shape(connection, stream))
    found = changes(known, now, read)
    gone = {change.field for change in found if change.kind == "gone"}
    control.keep_shape(connection, stream, asdict(known.merge(now, gone)))
    return found


def paths_of(plan: StreamPlan) -> set[str]:
    """Return the paths that a mapping names, as a shape spells them; those of children too."""
    found = {_spell(column.members) for column in plan.paths}
    for target in plan.targets:
        for child in target.children:
            found |= {_spell(column.members) for column in child.paths}
    return found


def _spell(members: Sequence[str | int]) -> str:
    return ".".join(name for name in members if isinstance(name, str))


def _of(kept: Mapping[str, Any] | None) -> Shape:
    if kept is None:
        return Shape()
    return Shape(kept["records"], {n: Field(**f) for n, f in kept["fields"].items()})


def _members(value: Any, path: str, depth: int) -> Iterator[tuple[str, str, int]]:
    """Yield path, type and length of what a JSON value holds; null is nothing."""
    if isinstance(value, dict) and depth < DEEPEST:
        for name, inner in value.items():
            said = "*" if _VALUE.fullmatch(name) else name
            yield from _members(inner, f"{path}.{said}" if path else said, depth + 1)
    elif isinstance(value, list) and depth < DEEPEST:
        if path:
            yield path, "list", len(value)
        for inner in value[:3]:
            if isinstance(inner, dict | list):
                yield from _members(inner, path, depth + 1)
    elif value is not None and path:
        yield path, _type(value), len(str(value))


def _type(value: Any) -> str:
    return _TYPES.get(type(value), "list" if isinstance(value, list) else type(value).__name__)
