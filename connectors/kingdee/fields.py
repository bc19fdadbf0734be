"""A form's fields as this account has them: spelled its way, without those that it lacks.

Keys differ in case and name by form, release and account, and one that is not there fails the whole
query. So the metadata are asked once a form. The record keeps the catalogue's names, so that a
mapping holds for every account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from connectors.body import Body
from connectors.errors import ContractBroken
from connectors.kingdee.catalogue import STAMP, Source
from connectors.kingdee.rows import Row, Shape


class _Field(msgspec.Struct):
    Key: str = ""


class _Entity(msgspec.Struct):
    Key: str = ""
    Fields: list[_Field] | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the metadata name, by small letters: entities as spelled, fields with their entity."""

    entities: Mapping[str, str]
    fields: Mapping[str, tuple[str, str]]


def known_of(body: Body) -> Known | None:
    """Read an answer of QueryBusinessInfo; None where it names nothing. Raises ContractBroken."""
    raw = body.look(("Result", "NeedReturnData", "Entrys"))
    try:
        found = msgspec.json.decode(raw or b"null", type=list[_Entity] | None)
    except msgspec.DecodeError as error:
        raise ContractBroken(
            f"The form's metadata cannot be read ({error}).",
            "set metadata: false; then fields are not checked.", place=body.place,
        )  from None  # fmt: skip
    if not found:
        return None
    return Known(
        {one.Key.lower(): one.Key for one in found},
        {each.Key.lower(): (each.Key, one.Key) for one in found for each in one.Fields or ()},
    )


@dataclass(frozen=True, slots=True)
class Fitted:
    """A source as it is asked for.

    `asked` are the keys of a query, `columns` where each value of a row stands among them; `line`,
    `stamp`, `org` and `open` are keys, "" where there is none; `open_at` is a place in the row.
    """

    source: Source
    asked: tuple[str, ...]
    columns: tuple[int, ...]
    shape: Shape
    key: str
    line: str
    stamp: str
    org: str
    open: str
    open_at: int
    missing: tuple[str, ...]

    def picked(self, rows: list[Row]) -> list[Row]:
        """Return rows with a value for each name of the shape."""
        if self.columns == tuple(range(len(self.asked))):
            return rows
        return [[row[at] for at in self.columns] for row in rows]


def fit(
    source: Source, names: Mapping[str, str], more: Sequence[str], known: Known | None
) -> Fitted:
    """Spell a source's fields; `names` are the connection's own, `more` are read besides."""
    lines, missing = source.lines, list[str]()
    each = names.get(lines.each, lines.each) if lines else ""

    def spelled(name: str) -> str:
        if name in names or known is None:
            return names.get(name, name)
        first, dot, rest = name.partition(".")
        found = known.fields.get(first.lower())
        if found is None:  # the metadata may leave out the key itself
            return name if name in (source.key, "" if each or not lines else lines.key) else ""
        return f"{found[0]}{dot}{rest}"

    def all_of(wanted: Sequence[str]) -> dict[str, str]:
        found = {name: spelled(name) for name in wanted}
        missing.extend(name for name, key in found.items() if not key and names.get(name) != "")
        return {name: key for name, key in found.items() if key}

    head = {source.key: spelled(source.key), **all_of(source.fields)}
    line: dict[str, str] = {}
    if lines is not None:
        key = (
            _line_key(each, names.get(lines.key, lines.key), known) if each else spelled(lines.key)
        )
        if key:
            line = {lines.key: key, **all_of(lines.fields)}
        else:
            missing.append(each)
    for name in more:
        first, dot, rest = name.partition(".")
        key, entity = known.fields.get(first.lower(), ("", "")) if known else (first, "")
        if not key:
            missing.append(name)
        elif line and each and entity.lower() == each.lower():
            line[name] = f"{key}{dot}{rest}"
        else:
            head[name] = f"{key}{dot}{rest}"
    wide = [*head.values(), *line.values()]
    asked = tuple(dict.fromkeys(wide))
    stamp = spelled(source.stamp) if source.stamp else ""
    stamps = list(line if source.uses else head)
    at = None
    if stamp and STAMP in stamps:
        at = stamps.index(STAMP) + (len(head) if source.uses else 0)
    opened = source.open[0] if source.open and source.open[0] in head else ""
    return Fitted(
        source, asked, tuple(asked.index(key) for key in wide),
        Shape(tuple(head), tuple(line), lines.name if lines else "lines", at),
        head[source.key], next(iter(line.values()), ""), stamp if at is not None else "",
        spelled(f"{source.org}.FNumber") if source.org else "",
        head.get(opened, ""), list(head).index(opened) if opened else -1, tuple(missing),
    )  # fmt: skip


def _line_key(each: str, key: str, known: Known | None) -> str:
    """Return the key of a line, `<entity>_FEntryId`, with the entity as it is spelled here."""
    if known is None:
        return key if key.lower().startswith(f"{each.lower()}_") else f"{each}_FEntryId"
    found = known.entities.get(each.lower())
    return f"{found}_{key.rpartition('_')[2]}" if found else ""
