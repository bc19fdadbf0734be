"""Which members of a system's records are personal, as a mapping and the model's tags say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from sqlglot import exp

from mappings.errors import ValueRefused
from mappings.expressions import parse_value
from mappings.form import Child, Target
from mappings.load import LoadedMapping
from mappings.nodes import path_of
from mappings.paths import Member, Path
from warehouse.model import ENTITIES

Members: TypeAlias = tuple[str, ...]
EACH = "*"


@dataclass(frozen=True, slots=True)
class Personal:
    """Of a stream's records: what they become, and where what stands.

    `entities` are those of the mapping, the record's own first. `paths` are members that fill
    fields with a privacy tag, `keys` those that the record and its rows are known by, `parties`
    those that refer to a party, by field. `groups` are paths that speak of one person: name, phone
    and address of who receives. `*` stands for each place of a list.
    """

    entities: tuple[str, ...]
    paths: frozenset[Members]
    keys: frozenset[Members]
    parties: frozenset[tuple[str, Members]]
    groups: frozenset[frozenset[Members]] = frozenset()


def personal(mapping: LoadedMapping, others: frozenset[tuple[str, str]] = frozenset()) -> Personal:
    """Return the personal members that a mapping reads.

    `others` are (entity, field) whose tag is of somebody else: who sold, who was paid.
    """
    form = mapping.form
    targets: list[Target] = [form, *form.also.values()]
    paths: set[Members] = set()
    parties: set[tuple[str, Members]] = set()
    parts: list[tuple[Target | Child, str, Members]] = []
    for target in targets:
        parts.append((target, target.entity, ()))
        for name, child in target.children.items():
            entity = ENTITIES[target.entity].children.get(name) or child.entity or ""
            each = _members(child.each, ())
            head = (*each[0], EACH) if each and child.each != "rows" else ()
            parts.append((child, entity, head))
    of_one: dict[tuple[int, str], set[Members]] = {}
    for number, (part, entity, head) in enumerate(parts):
        for tagged, field, members in _fields(part, entity, head):
            if not tagged:
                parties.add((field, members))
            elif (entity, field) not in others:
                paths.add(members)
                if ENTITIES[entity].columns()[field].privacy != "note":
                    of_one.setdefault((number, _of_whom(field)), set()).add(members)
    keys = {m for k in (form.key, form.group) for m in _key(k)}
    return Personal(
        tuple(t.entity for t in targets), frozenset(paths), frozenset(keys), frozenset(parties),
        frozenset(map(frozenset, of_one.values())),
    )  # fmt: skip


def _of_whom(field: str) -> str:
    """Return what the fields of one person begin with: `ship_to` of `ship_to_phone`."""
    for head in ("ship_to", "customer", "contact", "payer", "payee", "buyer", "seller", "invoice"):
        if field.startswith(f"{head}_"):
            return head
    return ""


def _key(key: object) -> Iterator[Members]:
    for part in key if isinstance(key, (list, tuple)) else [key]:
        if part is not None:
            yield from _members(str(part), ())


def _fields(
    part: Target | Child, entity: str, head: Members
) -> Iterator[tuple[bool, str, Members]]:
    """Yield (has a tag, field, members) of the fields that have a tag or refer to a party."""
    columns = ENTITIES[entity].columns()
    for name, value in part.fields.items():
        column = columns.get(name)
        if column is not None and (column.privacy or column.ref == "party"):
            for members in _members(value.value, head):
                yield column.privacy is not None, name, members


def _members(text: str, head: Members) -> list[Members]:
    """Return the members that a value names, from the record inwards."""
    try:
        parsed = parse_value(text)
    except ValueRefused:
        return []
    paths = [parsed] if isinstance(parsed, Path) else list(_named(parsed))
    return [found for path in paths if (found := _from_record(path, head))]


def _named(tree: exp.Expr) -> Iterator[Path]:
    path = path_of(tree)
    if path is not None:
        yield path
        return
    for inner in tree.iter_expressions():
        yield from _named(inner)


def _from_record(path: Path, head: Members) -> Members:
    members: tuple[Member, ...] = path.members
    if not path.head_quoted and len(members) > 1:
        if members[0] == "connection":
            return ()
        if members[0] == "parent" and head:
            members, head = members[1:], ()
    return (*head, *(EACH if isinstance(m, int) else m for m in members))
