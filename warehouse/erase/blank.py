"""Takes the personal members out of one record, by path and by hashed value, numbers as they stood.

A path is a tuple of member names, `*` for any place of a list. What is done depends on nothing but
the record and what was decided, so that a record that comes again becomes the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

if TYPE_CHECKING:
    import pyarrow as pa

Path: TypeAlias = tuple[str, ...]
IsPersonal: TypeAlias = Callable[[str], bool]
EACH = "*"
NOTHING = b"{}"
"""What stands in the place of a record that was removed."""

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Rule:
    """How records of a stream are blanked.

    `paths` are emptied whatever they hold, and so is what `is_personal` says of a text. At `keys`
    stands what the record is known by: there a name from `name_for` takes the place of a text.
    """

    paths: frozenset[Path] = frozenset()
    keys: frozenset[Path] = frozenset()
    is_personal: IsPersonal = field(default=lambda _text: False)
    name_for: Callable[[str], str] = field(default=lambda _text: "erased")


def blanked(record: bytes, rule: Rule) -> bytes:
    """Return the record without its personal members; one that is no JSON object is emptied."""
    try:
        decoded = _decoder.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return NOTHING
    return _encoder.encode(_without(decoded, (), rule))


def found_paths(record: bytes, holds: IsPersonal) -> set[Path]:
    """Return the paths at which a text is, or holds, something personal.

    Where a member's name does, that is the path of the object around it.
    """
    try:
        return set(_found(_decoder.decode(record), (), holds))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return set()


def texts(record: bytes) -> list[str]:
    """Return all scalars of a record as texts."""
    try:
        return [text for _, text in _scalars(_decoder.decode(record), ())]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def at(record: bytes, path: Path) -> list[str]:
    """Return the scalars that stand at a path."""
    try:
        return [text for p, text in _scalars(_decoder.decode(record), ()) if p == path]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


def _without(value: Any, path: Path, rule: Rule) -> Any:
    if path in rule.keys and not isinstance(value, (dict, list)):
        # A key that is the person's gets a name; the record must not lose what it is known by.
        text = None if value is None else str(value)
        return rule.name_for(text) if text is not None and rule.is_personal(text) else value
    if path in rule.paths:
        return None
    if isinstance(value, dict):
        return {name: _without(inner, (*path, name), rule) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without(inner, (*path, EACH), rule) for inner in value]
    if value is None or isinstance(value, bool):
        return value
    return None if rule.is_personal(str(value)) else value


def _found(value: Any, path: Path, holds: IsPersonal) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if holds(name):
                yield path
            yield from _found(inner, (*path, name), holds)
    elif isinstance(value, list):
        for inner in value:
            yield from _found(inner, (*path, EACH), holds)
    elif value is not None and not isinstance(value, bool) and holds(str(value)):
        yield path


def _scalars(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _scalars(inner, (*path, name))
    elif isinstance(value, list):
        for inner in value:
            yield from _scalars(inner, (*path, EACH))
    elif value is not None and not isinstance(value, bool):
        yield path, str(value)


# --- tables ---------------------------------------------------------------------------------------


def table_texts(table: pa.Table) -> list[list[str | None]]:
    """Return the cells of each column as texts."""
    return [[None if v is None else str(v) for v in column.to_pylist()] for column in table.columns]


def blanked_table(
    table: pa.Table, rules: Sequence[tuple[int, Rule | None]], keep: Sequence[str] = ()
) -> pa.Table:
    """Return the table with rows (from 0) blanked by their rule, or emptied where it is None.

    Columns of `keep` say where a row stands and are left as they are.
    """
    import pyarrow as pa

    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if name in keep:
            columns.append(column)
            continue
        cells: list[Any] | None = None
        for row, rule in rules:
            value = column[row].as_py() if cells is None else cells[row]
            if value is None:
                continue
            after = None if rule is None else _cell(value, name, rule)
            if after is None or after != value:
                cells = column.to_pylist() if cells is None else cells
                cells[row] = after
        columns.append(column if cells is None else pa.chunked_array([cells], column.type))
    fields = [f.with_nullable(True) for f in table.schema]
    return pa.table(columns, schema=pa.schema(fields, metadata=table.schema.metadata))


def _cell(value: Any, name: str, rule: Rule) -> Any:
    if (name,) in rule.keys:
        is_text = isinstance(value, str) and rule.is_personal(value)
        return rule.name_for(value) if is_text else value
    if any(p[0] == name for p in rule.paths):
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value[:1] in "{[":
        inner = blanked(value.encode(), rule)
        return value if inner == _same(value) else inner.decode()
    return None if rule.is_personal(str(value)) else value


def _same(value: str) -> bytes:
    try:
        return _encoder.encode(_decoder.decode(value.encode()))
    except (msgspec.DecodeError, RecursionError):
        return NOTHING
