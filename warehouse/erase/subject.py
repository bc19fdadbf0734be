"""Whom an erasure is about: the records of one party, its values, the documents tied to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

import duckdb

from warehouse import ddl, meant, temptables
from warehouse.ddl import literal, quote
from warehouse.erase.words import STRONG, Value
from warehouse.identity import golden_id_sql
from warehouse.mask import is_plain_key, normal_sql
from warehouse.model import ENTITIES, HEADERS
from warehouse.resolve import references
from warehouse.ruled import Record

_OF_PERSON = frozenset({"customer_key", "contact_key", "party_key", "supplier_key"})
"""References that say whose a document is; who sold or wrote it is not whom it is about."""
_BY_DOCUMENT = frozenset({"order", "shipment", "payment", "refund", "return", "invoice", "ticket",
                          "lead", "opportunity"})  # fmt: skip
"""What a document may be tied by: what refers to the person's order is the person's."""
OTHERS = frozenset({
    ("payment", "account"), ("payment", "payee_name"), ("payment", "payee_account"),
    ("invoice", "seller_name"), ("invoice", "seller_tax_number"), ("invoice", "drawer"),
    ("location", "contact_name"), ("location", "contact_phone"), ("payout", "failure_reason"),
})  # fmt: skip
"""Tagged fields of documents that are not about whom the document is made out to."""
_VALUES = frozenset({"name", "phone", "email", "id_no", "openid", "bank"})
_ADDRESSES = frozenset({"address", "full_address", "line1", "line2", "ship_to_address"})
_ADDRESS_LEAST = 8


class Row(NamedTuple):
    """A source row that tells of the subject, where it was landed and by which record."""

    entity: str
    connection: str
    stream: str
    source_key: str
    record_key: str | None
    batch: int
    position: int


@dataclass(slots=True)
class Subject:
    """A person in the store. `rows` are the party's own, `documents` those tied to it.

    `values` are all that the party's rows say of the person; `shared` those of them that another
    party says too: they name nobody. `said` are values that stand in the documents only.
    """

    golden: UUID
    ids: list[UUID]
    records: list[Record]
    kind: str | None = None
    rows: list[Row] = field(default_factory=list)
    documents: list[Row] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    shared: set[Value] = field(default_factory=set)
    said: list[Value] = field(default_factory=list)


def find(con: duckdb.DuckDBPyConnection, word: str) -> list[UUID]:
    """Return the parties that `word` may mean (`meant.find`): none is chosen."""
    return sorted({m.golden_id for m in meant.find(con, "party", word)})


def of(con: duckdb.DuckDBPyConnection, golden: UUID) -> Subject:
    """Return all that the store tells of a party."""
    members = meant.members(con, "party", golden)
    found = Subject(golden, [m.own_id for m in members], [m.record for m in members])
    keys = [tuple(m.record) for m in members]
    temptables.fill(
        con, "erase_party",
        {"connection": "VARCHAR", "stream": "VARCHAR", "source_key": "VARCHAR"}, keys,
    )  # fmt: skip
    row = con.execute("SELECT kind FROM unified.parties WHERE party_id = ?", [golden]).fetchall()
    found.kind = row[0][0] if row else None
    found.rows = _rows(con, "party", "erase_party")
    found.values = sorted(set(_values(con, "party", "erase_party")) | set(_keys(found.records)),
                          key=lambda v: (v.kind, v.text))  # fmt: skip
    found.shared = _shared(con, found.values)
    found.documents = list(_documents(con, golden, found.records))
    known = {v.text for v in found.values}
    found.said = [v for v in _said(con, found.documents) if v.text not in known]
    return found


def _keys(records: Collection[Record]) -> Iterator[Value]:
    """Yield the keys that are no plain number of a system: a phone, a mail, a name."""
    for record in records:
        if not is_plain_key(record.source_key):
            yield Value("key", record.source_key)


def _rows(con: duckdb.DuckDBPyConnection, entity: str, keys: str) -> list[Row]:
    """Return the rows of `entity` and its history whose keys stand in the temp table `keys`."""
    parts = " UNION ".join(
        f"SELECT connection, stream, source_key, record_key, batch, position FROM {table.full} "
        f"SEMI JOIN {keys} USING (connection, stream, source_key)"
        for table in (ddl.source_table(entity), ddl.history_table(entity))
    )
    told = con.execute(f"{parts} ORDER BY ALL").fetchall()
    return [Row(entity, *row) for row in told if row[4] is not None]


def _values(con: duckdb.DuckDBPyConnection, entity: str, keys: str) -> Iterator[Value]:
    """Yield what the rows of `entity` under `keys`, their children and their history say."""
    for child in (entity, *ENTITIES[entity].children.values()):
        key = "source_key" if child == entity else "parent_key"
        for table in (ddl.source_table(child), ddl.history_table(child)):
            kept = (
                f"{table.full} t SEMI JOIN {keys} k ON k.connection = t.connection "
                f"AND k.stream = t.stream AND k.source_key = t.{key}"
            )
            for name, column in ENTITIES[child].columns().items():
                if column.privacy is None or (child, name) in OTHERS:
                    continue
                kind = "t.scheme" if child == "party_identifier" else literal(column.privacy)
                sql = (
                    f"SELECT DISTINCT {kind}, t.{quote(name)}::VARCHAR FROM {kept} "
                    f"WHERE t.{quote(name)} IS NOT NULL"
                )
                for said, text in con.execute(sql).fetchall():
                    yield from _value(name, str(said), str(text))


def _value(name: str, kind: str, text: str) -> Iterator[Value]:
    text = text.strip()
    if kind == "address":
        if name in _ADDRESSES and len(text) >= _ADDRESS_LEAST:
            yield Value("address", text)
    elif kind in _VALUES:
        if len(text) > 1:
            yield Value(kind, text)
    elif kind != "note" and len(text) > 5 and not is_plain_key(text):
        yield Value("id_no", text)


def _shared(con: duckdb.DuckDBPyConnection, values: Sequence[Value]) -> set[Value]:
    """Return the values that a party of another record says too."""
    found: set[Value] = set()
    for entity in ("party", "party_identifier", "address"):
        table = ddl.source_table(entity)
        key = "source_key" if entity == "party" else "parent_key"
        for name, column in ENTITIES[entity].columns().items():
            kinds = STRONG if entity == "party_identifier" else {column.privacy}
            asked = [v for v in values if v.kind in kinds and v.kind != "key"]
            if column.privacy is None or not asked:
                continue
            for value in asked:
                same = con.execute(
                    f"SELECT 1 FROM {table.full} t ANTI JOIN erase_party k ON "
                    "k.connection = t.connection AND k.stream = t.stream "
                    f"AND k.source_key = t.{key} "
                    f"WHERE {normal_sql(value.kind, f't.{quote(name)}')} = "
                    f"{normal_sql(value.kind, '$text')} LIMIT 1",
                    {"text": value.text},
                ).fetchall()
                if same:
                    found.add(value)
    return found


# --- documents ------------------------------------------------------------------------------------


def _documents(
    con: duckdb.DuckDBPyConnection, golden: UUID, records: Sequence[Record]
) -> Iterator[Row]:
    """Yield the source rows of documents that are the person's: by reference, and by document."""
    things: dict[str, set[UUID]] = {e: set() for e in HEADERS}
    for entity in HEADERS:
        for name, column in references(entity):
            if column.ref == "party" and name in _OF_PERSON and entity != "party":
                things[entity] |= _golden(con, entity, str(column.resolved), {golden})
    moved = True
    while moved:
        moved = False
        for entity in HEADERS:
            new = _tied(con, entity, things, golden) - things[entity]
            things[entity] |= new
            moved = moved or bool(new)
    for entity in HEADERS:
        if entity != "party" and _has_personal(entity):
            yield from _source_rows(con, entity, things[entity], records)


def _has_personal(entity: str) -> bool:
    return any(
        c.privacy for e in (entity, *ENTITIES[entity].children.values())
        for c in ENTITIES[e].columns().values()
    )  # fmt: skip


def _golden(
    con: duckdb.DuckDBPyConnection, entity: str, column: str, ids: Collection[UUID]
) -> set[UUID]:
    rows = con.execute(
        f"SELECT {quote(f'{entity}_id')} FROM {ddl.unified_table(entity).full} "
        f"WHERE {quote(column)} IN (SELECT unnest(?::UUID[]))",
        [[str(i) for i in ids]],
    ).fetchall()
    return {row[0] for row in rows}


def _tied(
    con: duckdb.DuckDBPyConnection, entity: str, things: dict[str, set[UUID]], golden: UUID
) -> set[UUID]:
    """Return the things of `entity` that refer to a document of the person and to nobody else.

    Lines tie their document where all of them that refer to one refer to the person's.
    """
    found: set[UUID] = set()
    for name, column in references(entity):
        ids = things.get(str(column.ref), set())
        if column.ref in _BY_DOCUMENT and ids and not name.startswith("parent_"):
            found |= _golden(con, entity, str(column.resolved), ids)
    for child in ENTITIES[entity].children.values():
        for _, column in references(child):
            ids = things.get(str(column.ref), set())
            if column.ref in _BY_DOCUMENT and ids:
                own = quote(f"{entity}_id")
                rows = con.execute(
                    f"SELECT {own} FROM {ddl.unified_table(child).full} "
                    f"WHERE {quote(str(column.resolved))} IS NOT NULL GROUP BY {own} HAVING "
                    f"bool_and({quote(str(column.resolved))} IN (SELECT unnest(?::UUID[])))",
                    [[str(i) for i in ids]],
                ).fetchall()
                found |= {row[0] for row in rows}
    others = [
        f"({quote(str(c.resolved))} IS NOT NULL AND {quote(str(c.resolved))} <> {_id(golden)})"
        for n, c in references(entity)
        if c.ref == "party" and n in _OF_PERSON
    ]
    if found and others:
        own = quote(f"{entity}_id")
        rows = con.execute(
            f"SELECT {own} FROM {ddl.unified_table(entity).full} WHERE {own} IN "
            f"(SELECT unnest(?::UUID[])) AND ({' OR '.join(others)})",
            [[str(i) for i in found]],
        ).fetchall()
        found -= {row[0] for row in rows}
    return found


def _id(golden: UUID) -> str:
    return f"{literal(str(golden))}::UUID"


def _source_rows(
    con: duckdb.DuckDBPyConnection, entity: str, ids: Collection[UUID], records: Sequence[Record]
) -> Iterator[Row]:
    """Yield the source rows of things, of deleted ones too, and those that name the person's key.

    A row that is deleted, or whose reference found several, is tied by the key in its connection.
    """
    source = ddl.source_table(entity).full
    tests = [
        f"(connection, {quote(name)}) IN (SELECT connection, source_key FROM erase_party)"
        for name, column in references(entity)
        if column.ref == "party" and name in _OF_PERSON
    ]
    dead = f" OR (is_deleted AND ({' OR '.join(tests)}))" if tests and records else ""
    listed = ", ".join(_id(i) for i in sorted(ids)) or "NULL::UUID"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE erase_rows AS "
        f"SELECT connection, stream, source_key FROM {source} s WHERE "
        f"(connection, stream, source_key) IN (SELECT (connection, stream, source_key) FROM "
        f"unified.xref WHERE entity = {literal(entity)} AND golden_id IN ({listed})) "
        f"OR (is_deleted AND {golden_id_sql(entity, 's')} IN ({listed})){dead}"
    )
    yield from _rows(con, entity, "erase_rows")


def _said(con: duckdb.DuckDBPyConnection, documents: Sequence[Row]) -> list[Value]:
    """Return what the documents say of the person, or of whom the person named in them."""
    found: set[Value] = set()
    for entity in {row.entity for row in documents}:
        keys = {(r.connection, r.stream, r.source_key) for r in documents if r.entity == entity}
        temptables.fill(
            con, "erase_rows",
            {"connection": "VARCHAR", "stream": "VARCHAR", "source_key": "VARCHAR"}, sorted(keys),
        )  # fmt: skip
        found |= set(_values(con, entity, "erase_rows"))
    return sorted(found, key=lambda v: (v.kind, v.text))
