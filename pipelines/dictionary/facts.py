"""All that the pages tell: tables, columns, keys, what is published of them, their origins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from pipelines.dictionary.streams import Fill, Fresh, Name, Read, Stream, read_streams
from warehouse import as_of, ddl, mart_lineage, marts, ops_tables, public, recon_tables, winners
from warehouse.ddl import Field, Table
from warehouse.mart_lineage import Origin, Origins
from warehouse.model import ENTITIES
from warehouse.policy import CLEAR, Policy, of_tag, policy

if TYPE_CHECKING:
    from pipelines.workspace import Workspace
    from warehouse.mask import PrivacyMode

KEYS: Mapping[str, tuple[str, ...]] = {
    "ops.batches": ("connection", "stream", "batch"),
    "ops.quarantine": ("id",),
    "ops.meta": ("name",),
    "ops.freshness": ("connection", "stream"),
    "ops.unifications": ("run",),
    "ops.runs": ("run", "connection", "stream"),
    "recon.breaks": ("break_id",),
    "recon.rules": ("rule",),
    "recon.roles": ("connection", "stream", "role"),
    "unified.xref": ("entity", "connection", "stream", "source_key"),
    "unified.forwardings": ("entity", "old_id"),
    "unified.order_documents": ("order_id", "connection", "stream", "source_key"),
}
"""Of tables that no entity and no header says the key of; a test holds them against rows."""


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """One column. `ref` is the table whose golden id it holds, `via` the column that it resolves.

    `origins` are the columns that it is made from, `bases` those that this comes to in the end,
    `fills` the lines of mappings that fill it, each with the column that it fills.
    """

    field: Field
    policy: Policy
    is_key: bool = False
    ref: str = ""
    via: str = ""
    origins: tuple[Origin, ...] = ()
    bases: tuple[Origin, ...] = ()
    fills: tuple[tuple[Fill, Origin], ...] = ()


@dataclass(frozen=True, slots=True)
class TableFacts:
    """One table, view or macro. `reads` and `read_by` are full names of other tables here."""

    schema: str
    name: str
    en: str
    zh: str
    kind: str
    grain: tuple[str, str]
    key: tuple[str, ...]
    columns: tuple[ColumnFacts, ...]
    entity: str = ""
    takes: str = ""
    sql: str = ""
    rows: int | None = None
    reads: tuple[str, ...] = ()
    read_by: tuple[str, ...] = ()
    streams: tuple[Stream, ...] = ()

    @property
    def full(self) -> str:
        """The name with its schema."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The whole dictionary of an installation, at the moment `made_at`."""

    tables: Mapping[str, TableFacts]
    streams: tuple[Stream, ...]
    mode: PrivacyMode
    made_at: datetime
    timezone: str
    published_at: str = ""
    breaks: Mapping[str, int] = field(default_factory=dict)


def gather(space: Workspace, now: datetime) -> Dictionary:
    """Return the dictionary of a workspace; what is published is asked where there is something."""
    company = space.company()
    told = _published(space)
    read = read_streams(space, told.fresh)
    mart_tables, origins = _of_marts()
    maker = _Maker(read, origins, company.privacy, told.rows)
    tables = {one.full: one for one in maker.tables(mart_tables)}
    return Dictionary(
        _linked(tables), read.streams, company.privacy, now.astimezone(UTC), company.timezone,
        told.published_at,
    )  # fmt: skip


@cache
def _of_marts() -> tuple[tuple[Table, ...], Mapping[str, Origins]]:
    """Return the marts with their types and origins: the same for every workspace."""
    found = public.mart_tables()
    return found, mart_lineage.of_marts(found)


@dataclass(slots=True)
class _Told:
    """What the published file says: rows by table, freshness by stream, when it was made."""

    rows: dict[str, int] = field(default_factory=dict)
    fresh: dict[Name, Fresh] = field(default_factory=dict)
    published_at: str = ""


def _published(space: Workspace) -> _Told:
    from warehouse import reader
    from warehouse.publish import pointer

    told = _Told()
    path = space.home.current
    if not path.exists():
        return told
    for schema, name, rows in reader.run_query(
        path, "SELECT schema_name, table_name, estimated_size FROM duckdb_tables() "
        "WHERE NOT internal"
    ).rows:  # fmt: skip
        told.rows[f"{'unified' if schema == 'main' else schema}.{name}"] = int(rows)
    for connection, stream, *rest in reader.run_query(
        path, "SELECT connection, stream, fresh_as_of, promise_seconds, lag_seconds, is_kept "
        "FROM ops.freshness"
    ).rows:  # fmt: skip
        told.fresh[connection, stream] = Fresh(*rest)
    told.published_at = str(pointer(space.home).get("published_at") or "")
    return told


@dataclass(slots=True)
class _Maker:
    """Makes the facts of tables out of what was read."""

    read: Read
    origins: Mapping[str, Origins]
    mode: PrivacyMode
    rows: Mapping[str, int]

    def tables(self, mart_tables: Sequence[Table]) -> Iterator[TableFacts]:
        """Yield the facts of every table that an analyst sees, the first to look at first."""
        known = {m.name: m for m in (*marts.in_order(), *marts.macros())}
        for table in sorted(mart_tables, key=lambda t: t.name):
            yield self._mart(table, known[table.name])
        for table in public.unified_views():
            yield self._model(table, "view")
        for table in winners.tables():
            yield self._model(table, "view")
        for table in as_of.tables():
            yield self._model(table, "macro")
        for table in public.source_tables():
            yield self._model(table, "table")
        for table in public.history_tables():
            yield self._model(table, "table")
        for table in (*recon_tables.STORED, *ops_tables.PUBLIC_OPS):
            yield self._model(table, "table")

    def _mart(self, table: Table, mart: marts.Mart) -> TableFacts:
        columns = tuple(self._mart_column(table, one, mart) for one in table.fields)
        reads = {_full(name) for name in mart.reads}
        return TableFacts(
            "mart", table.name, table.en, table.zh, "macro" if mart.takes else "view",
            (mart.grain.removeprefix("grain: "), ""), mart.key, columns,
            takes=mart.takes, sql=mart.sql, rows=self.rows.get(f"mart.{table.name}"),
            reads=tuple(sorted(reads)),
        )  # fmt: skip

    def _mart_column(self, table: Table, one: Field, mart: marts.Mart) -> ColumnFacts:
        made = self.origins.get(table.name, {}).get(one.name, ())
        ends = sorted({end for origin in made for end in mart_lineage.bases(origin, self.origins)})
        fills = [(fill, end) for end in ends for fill in self._fills(end.table, end.column)]
        ref = _things().get(one.name, "") if one.sql_type == "UUID" else ""
        return ColumnFacts(
            one, self._inherited(one, ends), one.name in mart.key, ref=ref,
            origins=made, bases=tuple(ends), fills=tuple(fills),
        )  # fmt: skip

    def _inherited(self, one: Field, ends: Sequence[Origin]) -> Policy:
        """Return what is published of a mart's column: what is of the one column it shows."""
        if one.model is not None and one.model.privacy and self.mode == "masked":
            return of_tag(one.model.privacy, person_only=one.model.person_only)
        if len(ends) != 1 or one.sql_type != "VARCHAR":
            return CLEAR
        entity = _entity_of(ends[0].table)
        table = ddl.unified_table(entity) if entity else None
        for base in table.fields if table else ():
            if table is not None and base.name == ends[0].column:
                return policy(table, base, self.mode)
        return CLEAR

    def _model(self, table: Table, kind: str) -> TableFacts:
        entity = table.entity or ""
        key = key_of(table, kind)
        columns = tuple(self._column(table, one, key) for one in table.fields)
        streams = [s for s in self.read.streams if entity and entity in s.entities]
        return TableFacts(
            table.schema, table.name, table.en, table.zh, kind, _grain(table, kind), key, columns,
            entity=entity, rows=self.rows.get(f"{table.schema}.{table.name}"),
            takes="moment" if kind == "macro" else "", streams=tuple(streams),
        )  # fmt: skip

    def _column(self, table: Table, one: Field, key: Sequence[str]) -> ColumnFacts:
        entity = table.entity or ""
        ref, via = "", ""
        is_golden = table.schema.startswith("unified")
        if is_golden and one.sql_type == "UUID":
            ref = _things().get(one.name, "")
            for name, col in ENTITIES[entity].columns().items() if entity else ():
                if col.resolved == one.name:
                    ref, via = f"unified.{ENTITIES[str(col.ref)].table}", name
            ref = "" if ref == f"unified.{table.name}" and not via else ref
        base = next(
            (n for n in (via, one.name.removesuffix("_raw"), one.name.removesuffix("_hash"))
             if n and (entity, n) in self.read.fills), one.name
        )  # fmt: skip
        of_entity = table.name == ENTITIES[entity].table if entity else False
        found = self.read.fills.get((entity, base), ()) if of_entity else ()
        fills = tuple((fill, Origin("source", table.name, base)) for fill in found)
        return ColumnFacts(one, policy(table, one, self.mode), one.name in key, ref, via,
                           fills=fills)  # fmt: skip

    def _fills(self, table: str, column: str) -> tuple[Fill, ...]:
        entity = _entity_of(table)
        if not entity or not column:
            return ()
        for name, col in ENTITIES[entity].columns().items():
            if col.resolved == column:
                column = name
        return self.read.fills.get((entity, column), ())


def _linked(tables: Mapping[str, TableFacts]) -> dict[str, TableFacts]:
    """Return the tables with those that read them, and marts with the streams behind them."""
    from dataclasses import replace

    by: dict[str, list[str]] = {name: [] for name in tables}
    for one in tables.values():
        for name in one.reads:
            if name in by:
                by[name].append(one.full)

    def behind(name: str, seen: frozenset[str]) -> set[Stream]:
        one = tables.get(name)
        if one is None or name in seen:
            return set()
        found = set(one.streams)
        for other in one.reads:
            found |= behind(other, seen | {name})
        return found

    return {
        name: replace(
            one,
            read_by=tuple(sorted(by[name])),
            reads=tuple(n for n in one.reads if n in tables),
            streams=tuple(sorted(behind(name, frozenset()), key=lambda s: (s.connection, s.name))),
        )
        for name, one in tables.items()
    }


def key_of(table: Table, kind: str) -> tuple[str, ...]:
    """Return the columns of which no two rows have the same values; empty where none are known."""
    entity = table.entity
    said = KEYS.get(f"{table.schema}.{table.name}")
    if said is not None or entity is None:
        return said or ()
    if table.schema in ("unified", "unified_as_of") and kind != "table":
        own = f"{entity}_id"
        return (own,) if own in table.names else ()
    if table.schema == "source":
        parent = ("parent_key",) if "parent_key" in table.names else ()
        return ("connection", "stream", *parent, "source_key")
    return ()


def _grain(table: Table, kind: str) -> tuple[str, str]:
    """Return what a row is, in English and Chinese; empty where the table's own text says it."""
    if table.entity is None:
        return "", ""
    cls = ENTITIES[table.entity]
    what, zh = cls.en.lower(), cls.zh
    of, of_zh = "", ""
    if cls.parent is not None:
        of = f" of one {ENTITIES[cls.parent].en.lower()}"
        of_zh = f"（属于一个{ENTITIES[cls.parent].zh}）"
    if table.name.endswith("_from"):
        return (
            f"one row a {what}: the connection that each value is from",
            f"每个{zh}一行：各值来自的连接",
        )
    if kind == "macro":
        return (
            f"one row a {what}{of}, as believed at the moment asked for",
            f"所问时刻的每个{zh}一行{of_zh}",
        )
    if table.schema == "unified":
        return f"one row a {what}{of}, over all systems", f"跨系统的每个真实{zh}一行{of_zh}"
    if table.schema == "history":
        return (
            f"one row a version of a {what} that was superseded{of}",
            f"每个被取代的{zh}版本一行{of_zh}",
        )
    return f"one row a {what}{of}, as one system says it", f"某一系统所述的每个{zh}一行{of_zh}"


def _things() -> dict[str, str]:
    """Return the table of each golden id's column."""
    return {f"{entity}_id": f"unified.{cls.table}" for entity, cls in ENTITIES.items()}


def _entity_of(table: str) -> str:
    return next((entity for entity, cls in ENTITIES.items() if cls.table == table), "")


def _full(name: str) -> str:
    schema, _, table = name.partition(".")
    return f"unified.{table}" if schema == "main" else name
