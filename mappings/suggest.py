"""Proposes a mapping from names, labels and values: a start for people, never used unseen.

Names are compared with the model's fields, its English and Chinese labels and the lists of
`mappings.synonyms`; values decide where a name fits several fields, and how times are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from mappings.paths import in_yaml, parse_path, quote, spell
from mappings.synonyms import IDS, LISTS, PLACES, STREAMS, SYNONYMS, YES_NO
from warehouse.model import ENTITIES
from warehouse.model.base import Column, Entity

_NUMBER = re.compile(r"\s*[-+]?\d+(\.\d+)?\s*")
_LIST = re.compile(r"(?P<list>.+?)\[0\]\.(?P<inner>.+)")
_TIME = re.compile(r"\s*\d{4}[-/年]\d{1,2}[-/月]\d{1,2}.*")
_COMPACT = {
    8: "%Y%m%d",
    12: "%Y%m%d%H%M",
    14: "%Y%m%d%H%M%S",
}
_NUMBERS = ("money", "price", "rate", "quantity", "integer")


@dataclass(slots=True)
class _Proposal:
    entity: type[Entity]
    fields: dict[str, str] = field(default_factory=dict)  # field -> name
    score: float = 0.0


def suggest(
    names_with_samples: Mapping[str, Sequence[str]],
    entity: str | None,
    *,
    key: Sequence[str] = (),
    stream: str = "",
) -> str:
    """Return the YAML of a proposed mapping.

    Names are paths as a mapping spells them, or plain column names (`单价(元)` gets its quotes
    here); `lines[0].sku` is a member of the objects in a list. `key` is the stream's key where it
    is known: deletions find rows by it, so the mapping must say the same. The name of the `stream`
    tells where the fields of two entities fit alike: code and name are a product's and a party's.
    """
    flat = {n: list(v) for n, v in names_with_samples.items() if not _LIST.fullmatch(n)}
    lists: dict[str, dict[str, list[str]]] = {}
    for name, values in names_with_samples.items():
        if found := _LIST.fullmatch(name):
            lists.setdefault(found["list"], {})[found["inner"]] = list(values)
    chosen = ENTITIES.get(entity or "")
    options = [chosen] if chosen else [e for e in ENTITIES.values() if e.parent is None]
    best = max((_match(e, flat, lists, stream) for e in options), key=lambda p: p.score)
    return _written(best, flat, lists, list(key))


def _match(
    entity: type[Entity],
    flat: Mapping[str, Sequence[str]],
    lists: Mapping[str, Mapping[str, Sequence[str]]],
    stream: str,
) -> _Proposal:
    made = _Proposal(entity, score=2.0 if _is_called(entity, stream) else 0.0)
    pairs = sorted(
        (
            (-closeness, at, name, spot)
            for spot, (name, values) in enumerate(flat.items())
            for at, (to, column) in enumerate(entity.columns().items())
            if (closeness := _closeness(name, to, column, values)) > 0
        ),
    )
    order = list(entity.columns())
    taken: set[str] = set()
    for closeness, at, name, _ in pairs:
        to = order[at]
        if to not in made.fields and name not in taken:
            made.fields[to] = name
            taken.add(name)
            made.score += -closeness * _rarity(to)
    created = made.fields.get("source_created_at")
    for business in ("placed_at", "paid_at", "refunded_at"):
        if created and business in order and business not in made.fields:
            made.fields[business] = created
            break
    if any(_child_of(entity, name) for name in lists):
        made.score += 2.0
    return made


def _closeness(name: str, to: str, column: Column, values: Sequence[str]) -> float:
    path = parse_path(name)
    members = [str(m) for m in path.members] if path else [name]
    own = {_plain(to), _plain(column.en), _plain(column.zh)}
    other = _synonyms(to)
    best = 0.0
    for rank, text in ((1.0, " ".join(members)), (0.9, members[-1])):
        plain = _plain(text)
        if rank < 1 and len(members) == 1:
            continue
        if plain in own:
            best = max(best, 3.0 * rank)
        elif plain in other:
            best = max(best, (2.8 - 0.02 * other.index(plain)) * rank)
    if len(members) > 1 and _plain(members[-1]) in ("id", "name", "code"):
        best = min(best, 1.0) if _plain(" ".join(members)) not in (*own, *other) else best
    return best * _fits(column, values)


def _fits(column: Column, values: Sequence[str]) -> float:
    """Return how well sample values fit a column's kind: 0 rules it out."""
    seen = [v for v in values if v.strip()]
    if not seen:
        return 0.9
    if column.kind in _NUMBERS:
        share = sum(bool(_NUMBER.fullmatch(v)) for v in seen) / len(seen)
        return 0.0 if share < 0.5 else 0.7 + 0.3 * share
    if column.kind in ("instant", "date"):
        share = sum(_expression("x", column, [v]) is not None for v in seen) / len(seen)
        return 0.0 if share < 0.5 else 0.7 + 0.3 * share
    if column.kind == "boolean":
        return 1.0 if len({v.lower() for v in seen}) <= 2 else 0.0
    if column.kind == "json":
        return 1.0 if seen[0][:1] in "[{" else 0.3
    return 1.0


@cache
def _rarity(name: str) -> float:
    """Return more for a field that few entities have: it says which entity a record is."""
    return 1.0 + 1.0 / max(1, sum(name in e.columns() for e in ENTITIES.values()))


def _is_called(entity: type[Entity], stream: str) -> bool:
    names = (entity.entity, entity.table, entity.zh, *STREAMS.get(entity.entity, "").split("/"))
    return _plain(stream) in {_plain(name) for name in names}


@cache
def _synonyms(name: str) -> tuple[str, ...]:
    return tuple(_plain(w) for w in SYNONYMS.get(name, "").split("/") if w)


@cache
def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", "", re.sub(r"[(（\[].*$", "", text)).lower()


def _child_of(entity: type[Entity], name: str) -> str | None:
    last = _plain(name.rsplit(".", 1)[-1])
    for child, words in LISTS.items():
        if child in entity.children and last in [_plain(w) for w in words.split("/")]:
            return child
    return None


def _expression(spelled: str, column: Column, values: Iterable[str]) -> str | None:
    """Return how the values are read into the column, None where they do not look like it."""
    seen = [v.strip() for v in values if v.strip()]
    if column.kind not in ("instant", "date") or not seen:
        return spelled
    if all(v.startswith("/Date(") for v in seen):
        return f"dotnet_date({spelled})"
    if all(v.isdigit() for v in seen):
        sizes = {len(v) for v in seen}
        if len(sizes) == 1 and (pattern := _COMPACT.get(next(iter(sizes)))) and seen[0][:2] in (
            "19", "20",
        ):  # fmt: skip
            return f"strptime({spelled}, '{pattern}')"
        if sizes == {13}:
            return f"instant_ms({spelled})"
        return f"to_timestamp({spelled}::bigint)" if sizes == {10} else None
    if "年" in seen[0]:
        return f"strptime({spelled}, '%Y年%m月%d日')"
    return spelled if any(_TIME.fullmatch(v) for v in seen) else None


def _written(
    made: _Proposal,
    flat: Mapping[str, Sequence[str]],
    lists: Mapping[str, Mapping[str, Sequence[str]]],
    key: list[str],
) -> str:
    columns = made.entity.columns()
    out = ["# Proposed from names and values: look at every line before it runs."]
    out.append(f"entity: {made.entity.entity}")
    keys = [_spelled(k) for k in key or _key(made, flat)]
    out.append(
        f"key: {in_yaml(keys[0])}" if len(keys) == 1 else f"key: [{', '.join(map(_item, keys))}]"
    )
    version = made.fields.get("source_updated_at") or (
        made.fields.get("as_of") if made.entity.entity == "stock_level" else None
    )
    if version:
        column = columns["source_updated_at"]
        out.append(
            f"version: {in_yaml(_expression(_spelled(version), column, flat[version]) or '')}"
        )
    out.append("fields:")
    for to in columns:
        if to in made.fields:
            name = made.fields[to]
            out += _line(to, columns[to], _spelled(name), flat[name], "  ")
        elif to == "location_name" and "location_key" in made.fields:
            out.append(f"  location_name: {in_yaml(_spelled(made.fields['location_key']))}")
    if not made.fields:
        out[-1] = "fields: {}"
    used = set(made.fields.values()) | set(key)
    named, left = _children(made, lists)
    out += named
    left = [n for n in flat if n not in used and _plain(n) not in ("id",)] + left
    if left:
        out.append("# Not mapped (keep what you need under `extra:`): " + ", ".join(left))
    return "\n".join(out) + "\n"


def _children(
    made: _Proposal, lists: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[list[str], list[str]]:
    out: list[str] = []
    left: list[str] = []
    for name, inner in lists.items():
        child = _child_of(made.entity, name)
        if child is None or f"  {child}:" in out:
            left.append(f"{name}[]")
            continue
        entity = ENTITIES[made.entity.children[child]]
        found = _match(entity, inner, {}, "")
        ids = [n for n in inner if _plain(n) in ("id", "lineid", "rowid", "fentryid", "lineno")]
        out += [] if out else ["children:"]
        out += [
            f"  {child}:",
            f"    each: {in_yaml(_spelled(name))}",
            f"    entity: {entity.entity}",
        ]
        out.append(f"    key: {in_yaml(_spelled(ids[0])) if ids else 'position'}")
        out.append("    fields:" if found.fields else "    fields: {}")
        for to, column in entity.columns().items():
            if to in found.fields:
                source = found.fields[to]
                out += _line(to, column, _spelled(source), inner[source], "      ")
        taken = {*found.fields.values(), *ids[:1]}
        left += [f"{name}[].{n}" for n in inner if n not in taken]
    return out, left


def _line(to: str, column: Column, spelled: str, values: Sequence[str], indent: str) -> list[str]:
    value = _expression(spelled, column, values) or spelled
    seen = list(dict.fromkeys(v.strip() for v in values if v.strip()))
    if column.kind == "word":
        ours = [w for w in seen if w.lower() in column.words]
        others = [w for w in seen if w not in ours]
        if others:
            note = f"{indent}# words seen: {', '.join(others[:8])}; ours: {', '.join(column.words)}"
            return [note, f"{indent}{to}: {{value: {_item(value)}, else: unknown}}"]
    if column.kind == "boolean":
        for yes, no in YES_NO:
            if seen and set(seen) <= {yes, no}:
                words = f"{{'{yes}': true, '{no}': false}}"
                return [f"{indent}{to}: {{value: {_item(value)}, words: {words}}}"]
    return [f"{indent}{to}: {in_yaml(value)}"]


def _key(made: _Proposal, flat: Mapping[str, Sequence[str]]) -> list[str]:
    rows = max((len(v) for v in flat.values()), default=0)
    full = [n for n, v in flat.items() if len(v) == rows and all(x.strip() for x in v)]
    unique = [n for n in full if len(set(flat[n])) == rows]
    names = {_plain(n): n for n in reversed(full)}
    for word in IDS[:7]:
        if word in names and names[word] in unique:
            return [names[word]]
    natural = [made.fields[f] for f in ("number", "code", "sku") if f in made.fields]
    for name in natural:
        if name in unique:
            return [name]
    for name in natural:
        for place in full:
            if place != name and any(p in place.lower() for p in PLACES):
                return [place, name]
    likely = [n for n in unique if any(_plain(n).endswith(i) for i in IDS)]
    return (likely or natural or unique or list(flat) or ["id"])[:1]


def _spelled(name: str) -> str:
    path = parse_path(name)
    return spell(path.members) if path else quote(name)


def _item(value: str) -> str:
    """Return a value inside a flow list or map, where commas and braces need quotes."""
    plain = in_yaml(value)
    if plain == value and re.search(r"[,{}\[\]:]", value):
        return "'" + value.replace("'", "''") + "'"
    return plain
