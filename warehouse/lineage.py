"""Finds things in the published file, and tells of each value the record that it is from.

Reads that file alone, through the locked reader. Values are as published; who won is asked by the
functions of `survive.py` with the priority that the file was made with.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import duckdb

from warehouse import ddl, mask, survive, winners
from warehouse.ddl import columns_of, literal, quote
from warehouse.model import ENTITIES, children_of

_TITLES = ("number", "name", "subject", "title", "sku", "code", "tracking_number")
_PLACE = ("batch", "position", "mapping", "version", "record_key")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Match:
    """A thing that a key may mean: its golden id, its title, and `by` what it was found."""

    id: UUID
    title: str
    by: str


@dataclass(slots=True)
class Told:
    """All that is known of one thing.

    `records` are its living records, the best placed first: what `xref` says, where they stand in
    the landing, and `values` by field. `values` are those of the golden row, `winners` the own id
    of the record that each is from. `newest` is the mapping's version at the newest load of
    (connection, stream). `documents` are the records that carry an order out, those of several
    orders too, with role and share. `children` are the rows that it owns, by entity.
    """

    entity: str
    id: UUID
    title: str
    values: Row
    winners: Mapping[str, UUID]
    records: Sequence[Row]
    newest: Mapping[tuple[str, str], Row]
    documents: Sequence[Row] = ()
    children: dict[str, list[Row]] = field(default_factory=dict)
    projected_at: str = ""


def find(con: duckdb.DuckDBPyConnection, entity: str, key: str, secret: bytes) -> list[Match]:
    """Return the things of the header `entity` that `key` may mean, ordered by title.

    It is a golden id (also one that leads to another thing now), connection/stream/key of a record,
    or the value of a field that is unique enough to be referred to. `secret` is the key of masked
    values: a phone or e-mail is compared by its hash.
    """
    parts = list(_by_id(entity, key) if _uuid(key) else ())
    forms = _forms(key, secret)
    if key.count("/") >= 2:
        parts.append(_by_record(entity, key, forms))
    parts += _by_value(entity, forms)
    own, table = quote(f"{entity}_id"), f"main.{quote(ENTITIES[entity].table)}"
    rows = con.execute(
        f"SELECT g.{own}, {_title(entity)}, min(f.how) "
        f"FROM ({' UNION ALL '.join(parts)}) f(id, how) "
        f"JOIN {table} g ON g.{own} = f.id GROUP BY ALL ORDER BY 2, 1 LIMIT 100"
    ).fetchall()
    return [Match(*row) for row in rows]


def tell(con: duckdb.DuckDBPyConnection, entity: str, id: UUID, *, lines: bool = False) -> Told:
    """Return where the values of a thing are from; `lines` adds the rows that it owns."""
    own = quote(f"{entity}_id")
    mine = f"{own} = {literal(str(id))}::UUID"
    names = list(ENTITIES[entity].columns())
    golden = _rows(
        con,
        f"SELECT {_title(entity)} AS title, {columns_of(names, 'g')} "
        f"FROM main.{quote(ENTITIES[entity].table)} g WHERE g.{mine}",
    )[0]
    meta = dict(con.execute("SELECT name, value FROM ops.meta").fetchall())
    priority = json.loads(meta.get("priority") or "{}")
    unified = ddl.unified_table(entity).names
    ranked = survive.ranked(entity, winners.members(entity, also=_PLACE), priority, unified)
    chosen = f"(SELECT * FROM ({ranked}) WHERE {mine})"
    won = survive.winners(entity, priority, unified, "own_id")
    said = ", ".join(f"{value} AS {quote(name)}" for name, value in won.items())
    from_ = _rows(con, f"SELECT {said} FROM {chosen}")[0]
    places = columns_of(("connection", "stream", "source_key", "own_id", "is_lead", *_PLACE), "r")
    seen = "r.first_seen_at, r.synced_at AS landed_at"
    records = _rows(
        con,
        f"SELECT {places}, {seen}, x.method, x.score, x.rule, x.evidence, x.valid_from, "
        f"{columns_of(names, 'r')} FROM {chosen} r JOIN main.xref x "
        f"ON x.entity = {literal(entity)} AND x.own_id = r.own_id ORDER BY r.survive_rank",
    )
    told = Told(
        entity, id, str(golden["title"] or ""), {n: golden[n] for n in names},
        {n: own_id for n, own_id in from_.items() if own_id is not None}, records,
        _newest(con, records), projected_at=meta.get("projected_at", ""),
    )  # fmt: skip
    if entity == "order":
        told.documents = _rows(
            con,
            "SELECT connection, stream, source_key, role, share FROM main.order_documents "
            f"WHERE {mine} ORDER BY role = 'placed' DESC, connection, stream, source_key",
        )
    if lines:
        for child in children_of(entity):
            told.children[child.entity] = _rows(
                con,
                "SELECT connection, stream, parent_key, source_key, line, "
                f"{columns_of(child.columns())} FROM main.{quote(child.table)} "
                f"WHERE {mine} ORDER BY connection, stream, parent_key, line",
            )
    return told


def _rows(con: duckdb.DuckDBPyConnection, sql: str) -> list[Row]:
    found = con.execute(sql)
    names = [str(d[0]) for d in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _newest(
    con: duckdb.DuckDBPyConnection, records: Sequence[Row]
) -> Mapping[tuple[str, str], Row]:
    streams = {(str(r["connection"]), str(r["stream"])) for r in records}
    return {
        (connection, stream): row
        for connection, stream in streams
        for row in _rows(
            con,
            f"SELECT mapping, loaded_at FROM ops.batches WHERE connection = {literal(connection)} "
            f"AND stream = {literal(stream)} ORDER BY load_id DESC, batch DESC LIMIT 1",
        )
    }


def _title(entity: str) -> str:
    known = [n for n in _TITLES if n in ENTITIES[entity].columns()]
    return f"coalesce({', '.join(f'g.{quote(n)}' for n in known)}, '')" if known else "''"


def _uuid(key: str) -> UUID | None:
    try:
        return UUID(key)
    except ValueError:
        return None


def _by_id(entity: str, key: str) -> Iterator[str]:
    id = f"{literal(str(_uuid(key)))}::UUID"
    yield f"SELECT {id}, {literal(f'{entity}_id')}"
    yield (
        "SELECT golden_id, 'forwarding' FROM main.forwardings "
        f"WHERE entity = {literal(entity)} AND old_id = {id}"
    )


def _by_record(entity: str, key: str, forms: Mapping[str, str]) -> str:
    connection, stream, own = key.split("/", 2)
    keys = {own, forms["own"], forms["own_party"]}
    return (
        f"SELECT golden_id, 'record' FROM main.xref WHERE entity = {literal(entity)} "
        f"AND connection = {literal(connection)} AND stream = {literal(stream)} "
        f"AND source_key IN ({', '.join(map(literal, sorted(keys)))})"
    )


def _by_value(entity: str, forms: Mapping[str, str]) -> Iterator[str]:
    """Yield the SELECTs of the things of which a record has the value, or an identifier is it."""
    plain = ", ".join(literal(forms[n]) for n in ("plain", "pseudonym", "party_key"))
    cls = ENTITIES[entity]
    own, table = quote(f"{entity}_id"), f"main.{quote(cls.table)}"
    for name, col in cls.columns().items():
        if not col.natural:
            continue
        found = literal(name)
        if col.privacy:
            hashed = literal(forms.get(col.privacy, forms["id_no"]))
            yield f"SELECT {own}, {found} FROM {table} WHERE {quote(f'{name}_hash')} = {hashed}"
        else:
            yield (
                f"SELECT x.golden_id, {found} FROM (SELECT connection, stream, source_key FROM "
                f"{ddl.source_table(entity).full} WHERE {quote(name)} IN ({plain})) s "
                "JOIN main.xref x USING (connection, stream, source_key) "
                f"WHERE x.entity = {literal(entity)}"
            )
    if "party_identifier" in cls.children.values():
        hashes = ", ".join(literal(forms[n]) for n in ("phone", "email", "id_no"))
        yield (
            f"SELECT {own}, scheme FROM main.party_identifiers "
            f"WHERE value_hash IN ({hashes}) OR (scheme = 'uscc' AND value IN ({plain}))"
        )


def _forms(key: str, secret: bytes) -> Mapping[str, str]:
    """Return what stands in the published file for `key`, by what it may be."""
    said = "k.said"
    forms = {
        kind: mask.hash_sql(mask.normal_sql(kind, said)) for kind in ("phone", "email", "id_no")
    } | {
        "plain": said,
        "pseudonym": mask.pseudonym(said),
        "party_key": mask.party_key(said),
        "own": mask.pseudonym("k.own"),
        "own_party": mask.party_key("k.own"),
    }
    own = key.split("/", 2)[-1]
    with duckdb.connect() as con:
        mask.use_key(con, secret)
        row = con.execute(
            f"SELECT {', '.join(forms.values())} FROM (SELECT ?::VARCHAR AS said, "
            "?::VARCHAR AS own) k",
            [key, own],
        ).fetchone()
    return dict(zip(forms, ["" if v is None else str(v) for v in row or ()], strict=True))
