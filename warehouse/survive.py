"""Which record's value stands in a golden row, field by field.

Over the living members of a group, the first that knows the field wins, in this order: the company
file's list of connections (`entity.field`, else `entity`), the record that leads (the order as it
was placed, the gateway's payment), the source's own stamp, how complete the record is, its own id.
No moment of ours counts, so any order of syncs ends in the same values; and nothing counts that a
mask takes away or changes, so the published file tells the same winners as the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from warehouse import ddl, mask
from warehouse.ddl import literal, quote
from warehouse.matching import payments, shipments
from warehouse.model import ENTITIES

Priority = Mapping[str, Sequence[str]]
"""`entity` or `entity.field` -> connections, the first wins (FORMS.md section 2)."""

ANY = frozenset({"is_customer", "is_supplier", "is_employee"})
"""Flags that are true as soon as one member says so: a customer of one system supplies another."""

_RANK = "survive_rank"


def ranked(entity: str, members: str, priority: Priority, names: Sequence[str]) -> str:
    """Return a SELECT of `members` with their places in the group.

    `members` is a relation with the columns of the unified table, one row a member, the golden id
    in the id column, `own_id` and `is_lead`. `names` are its columns that rows carry.
    """
    cls, own = ENTITIES[entity], quote(f"{entity}_id")
    # Notes and lists are not published of masked rows.
    kept = [n for n, c in cls.columns().items() if c.privacy != "note" and c.kind != "json"]
    model = [n for n in kept if n in names]
    stamps = [f"m.{n}" for n in ("source_updated_at", "source_created_at") if n in names]
    since = f"coalesce({', '.join(stamps)})" if stamps else "NULL"
    filled = " + ".join(f"(m.{quote(n)} IS NOT NULL)::INT" for n in model) or "0"
    rest = [f"{since} DESC NULLS LAST", f"({filled}) DESC", "connection", "stream", "own_id"]
    orders = {_RANK: [*_lead(entity), *_places(priority.get(entity)), *rest]}
    for field in _own_lists(entity, priority, names):
        orders[_rank_of(field)] = [*_places(priority[f"{entity}.{field}"]), *orders[_RANK]]
    windows = [
        f"row_number() OVER (PARTITION BY {own} ORDER BY {', '.join(by)}) AS {quote(name)}"
        for name, by in orders.items()
    ]
    select = f"SELECT m.*, {', '.join(windows)} FROM {members} m"
    won = [
        f"{_first(quote(n), n, priority, entity, _knows(entity, n, ()))} OVER (PARTITION BY {own}) "
        f"AS {quote(f'survive_{n}')}"
        for n in deciding(entity, names)
    ]
    return f"SELECT *, {', '.join(won)} FROM ({select})" if won else select


def values(entity: str, priority: Priority, names: Sequence[str]) -> dict[str, str]:
    """Return the aggregate of each column of the unified table that is in `names`.

    To be asked of `ranked` (no alias), grouped by the id. Where the winner of `currency` does not
    know an amount, one in another currency does not stand in for it; nor does a person's name for
    an organisation's.
    """
    found: dict[str, str] = {}
    for field in ddl.unified_table(entity).fields:
        name = field.name
        if name in names and name != f"{entity}_id":
            found[name] = _value(entity, name, priority, names)
    return found


def winners(
    entity: str, priority: Priority, names: Sequence[str], said: str = "connection"
) -> dict[str, str]:
    """Return for each field of the model that is in `names` the connection that gave its value.

    `said` is another column of the members, told in its place. To be asked of `ranked` as `values`
    are. A flag that one member says is of the first that does.
    """
    found: dict[str, str] = {}
    for name in ENTITIES[entity].columns():
        if name in names:
            known = _knows(entity, name, names)
            found[name] = _first(said, name, priority, entity, known)
            if _of_lead(entity, name):
                told = f"arg_min_null({quote(name)}, {_RANK})"
                found[name] = f"CASE WHEN {told} IS NOT NULL THEN arg_min_null({said}, {_RANK}) END"
            if name in ANY:
                says = _first(said, name, priority, entity, quote(name))
                found[name] = f"coalesce({says}, {found[name]})"
    return found


def alone(entity: str, names: Sequence[str]) -> dict[str, str]:
    """Return what `winners` does, for a thing of one record: no aggregates."""
    return {
        name: f"CASE WHEN {_knows(entity, name, ())} THEN connection END"
        for name in ENTITIES[entity].columns()
        if name in names
    }


def _value(entity: str, name: str, priority: Priority, names: Sequence[str]) -> str:
    col = ENTITIES[entity].columns().get(name)
    said = quote(name)
    match name:
        case "first_seen_at":
            return f"min({said})"
        case "synced_at":
            return f"max({said})"
        case "unify_run":
            return f"any_value({said})"
        case "connection" | "stream" | "source_key" | "ext":
            return f"arg_min_null({said}, {_RANK})"
    if _of_lead(entity, name):
        return f"arg_min_null({said}, {_RANK})"
    if name in ANY:
        return f"bool_or({said})"
    if name.endswith("_raw") and name.removesuffix("_raw") in names:
        word = name.removesuffix("_raw")  # the source's word of the record whose word stands
        known = _knows(entity, word, names)
        kept = _first(said, word, priority, entity, known, keep_null=True)
        return f"coalesce({kept}, {_first(said, word, priority, entity, 'true')})"
    if col is not None and col.kind == "word":
        known = _first(said, name, priority, entity, _knows(entity, name, names))
        return f"coalesce({known}, any_value({said}))"
    field = name
    if col is None:  # a resolved id follows the field that refers
        refers = [n for n, c in ENTITIES[entity].columns().items() if c.resolved == name]
        field = refers[0] if refers else name
    return _first(said, field, priority, entity, _knows(entity, name, names))


def _of_lead(entity: str, name: str) -> bool:
    """Whether only the record that leads tells the field.

    The documents of an order carry parts of it, or take something back: their sums are no sums of
    what was placed.
    """
    word = name.removesuffix("_raw")
    col = ENTITIES[entity].columns().get(word)
    return entity == "order" and col is not None and (col.kind == "money" or word == "kind")


def _knows(entity: str, name: str, names: Sequence[str]) -> str:
    """Return the condition under which a member knows the field.

    A name or address that a person's record tells is not told of an organisation: it would be
    published in clear. Numbers are masked by what they are.
    """
    col, said = ENTITIES[entity].columns().get(name), quote(name)
    if col is not None and col.kind == "word":
        return f"{said} <> 'unknown'"
    if col is not None and col.kind in ("money", "price") and "currency" in names:
        return f"{said} IS NOT NULL AND (currency IS NULL OR currency = survive_currency)"
    kind = _kind(entity, name)
    if kind in names:
        return f"{said} IS NOT NULL AND {of_the_kind(str(kind))}"
    return f"{said} IS NOT NULL"


def of_the_kind(kind: str, alias: str = "") -> str:
    """Return the condition of members whose values may stand beside the kind that won."""
    head = f"{alias}." if alias else ""
    return (
        f"({head}{quote(f'survive_{kind}')} IS DISTINCT FROM 'organization' "
        f"OR {head}{quote(kind)} = 'organization')"
    )


def _kind(entity: str, name: str) -> str | None:
    """Return the column of the kind that `name` is masked by, unless it is masked in any case."""
    col = ENTITIES[entity].columns().get(name)
    if col is None or not col.person_only or col.privacy == "phone":
        return None
    return mask.kind_of(entity, name)


def deciding(entity: str, names: Sequence[str]) -> list[str]:
    """Return the columns whose winner, `survive_<name>` of `ranked`, decides who may tell."""
    kinds = {_kind(entity, n) for n in names}
    return [n for n in ENTITIES[entity].columns() if n in names and (n == "currency" or n in kinds)]


def _first(
    said: str, field: str, priority: Priority, entity: str, known: str, *, keep_null: bool = False
) -> str:
    rank = quote(_rank_of(field)) if f"{entity}.{field}" in priority else _RANK
    how = "arg_min_null" if keep_null else "arg_min"
    return f"{how}({said}, {rank}) FILTER (WHERE {known})"


def _rank_of(field: str) -> str:
    return f"{_RANK}_{field}"


def _own_lists(entity: str, priority: Priority, names: Sequence[str]) -> list[str]:
    known = ENTITIES[entity].columns()
    return [n for n in known if n in names and f"{entity}.{n}" in priority]


def _lead(entity: str) -> list[str]:
    """Return what puts the record first that says what the thing is."""
    match entity:
        case "order":
            return ["is_lead IS TRUE DESC"]
        case "payment":
            return [payments.lead_rank("m")]
        case "shipment":
            return [shipments.lead_rank("m")]
    return []


def _places(connections: Sequence[str] | None) -> list[str]:
    if not connections:
        return []
    cases = " ".join(f"WHEN {literal(c)} THEN {n}" for n, c in enumerate(connections))
    return [f"CASE m.connection {cases} ELSE {len(connections)} END"]
