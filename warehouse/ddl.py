"""Tables of the store, generated from the model; the one place where identifiers are quoted."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from warehouse.model import ENTITIES, HEADERS
from warehouse.model.base import Column

SCHEMAS: dict[str, tuple[str, str]] = {
    "source": ("One row a source record, as its system said it", "源层：每条源记录一行"),
    "unified": ("One row a real thing", "统一层：每个真实事物一行"),
    "unified_as_of": ("What was believed at a moment: macros", "某一时刻所知：表宏"),
    "mart": ("What analysts use first", "集市层：分析首选"),
    "recon": ("Breaks between systems", "对账层：系统间差异"),
    "history": ("Superseded versions with valid_from and valid_to", "历史层：被取代的版本"),
    "ops": ("Batches, quarantine, freshness, runs", "运行层：批次、隔离、新鲜度、运行"),
}
IDENTITY = "identity"
"""Schema of what the matchers keep; never published."""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table: SQL type, labels and the model's column where it comes from one.

    A `private` column serves the store's own work and is not published. A `lazy` one is virtual in
    its table until something fills it (`warehouse/lazy.py`).
    """

    name: str
    sql_type: str
    en: str
    zh: str
    about: str = ""
    model: Column | None = None
    private: bool = False
    lazy: bool = False

    @property
    def comment(self) -> str:
        """English · Chinese, and what it means."""
        head = f"{self.en} · {self.zh}"
        return f"{head}: {self.about}" if self.about else head


@dataclass(frozen=True, slots=True)
class Table:
    """A table and its columns in order."""

    schema: str
    name: str
    en: str
    zh: str
    fields: tuple[Field, ...]
    entity: str | None = None

    @property
    def full(self) -> str:
        """The quoted name with its schema."""
        return f"{quote(self.schema)}.{quote(self.name)}"

    @property
    def names(self) -> tuple[str, ...]:
        """The column names in order."""
        return tuple(f.name for f in self.fields)


def quote(name: str) -> str:
    """Return `name` as an SQL identifier. Raises ValueError for an empty name or a NUL."""
    if not name or "\0" in name:
        raise ValueError(f"not a name: {name!r}")
    return '"' + name.replace('"', '""') + '"'


def fields(
    *rows: tuple[str, str, str, str] | tuple[str, str, str, str, str],
) -> tuple[Field, ...]:
    """Return columns of name, SQL type, English and Chinese label, and what more is to be said."""
    return tuple(Field(*row) for row in rows)


def literal(text: str) -> str:
    """Return `text` as an SQL string literal. Raises ValueError for a NUL."""
    if "\0" in text:
        raise ValueError("a text with NUL cannot be written as a literal")
    return "'" + text.replace("'", "''") + "'"


def columns_of(names: Iterable[str], alias: str = "") -> str:
    """Return the names quoted and joined by commas, each behind `alias.` if one is given."""
    head = f"{alias}." if alias else ""
    return ", ".join(head + quote(n) for n in names)


CONNECTION = Field("connection", "VARCHAR", "Connection", "连接", "Name of the connection")
STREAM = Field("stream", "VARCHAR", "Stream", "数据流", "Stream of the connection")
SOURCE_KEY = Field(
    "source_key",
    "VARCHAR",
    "Source key",
    "源主键",
    "Key in the source; a child's inside its parent",
)
PARENT_KEY = Field("parent_key", "VARCHAR", "Parent key", "父记录主键", "Source key of the owner")
LINE = Field("line", "BIGINT", "Line", "序号", "Place in the list, from 1")
EXT = Field("ext", "JSON", "Extra fields", "扩展字段", "What the mapping keeps beyond the model")
LOAD_ID = Field("load_id", "BIGINT", "Load", "装载号", "The load (ops.batches) that wrote the row")
FIRST_SEEN = Field("first_seen_at", "TIMESTAMPTZ", "First seen at", "首次入库", "First load")
SYNCED = Field("synced_at", "TIMESTAMPTZ", "Synced at", "最近入库", "Load that wrote this version")
RUN = Field(
    "unify_run",
    "BIGINT",
    "Unification",
    "统一批次",
    "The unification that wrote the row",
    private=True,
)
_LINEAGE = (
    EXT,
    Field("record_key", "VARCHAR", "Record key", "记录主键", "Key of the record that made the row"),
    Field("version", "VARCHAR", "Version", "版本", "What orders two versions, as the source said"),
    Field("row_hash", "UBIGINT", "Row hash", "行哈希", "Over content, children and deletion"),
    Field("batch", "BIGINT", "Batch", "批次", "Sequence of the landed batch in its stream"),
    Field("position", "BIGINT", "Position", "行位置", "Record in its batch, from 1"),
    Field("mapping", "VARCHAR", "Mapping", "映射版本", "Version of the mapping that made the row"),
    FIRST_SEEN,
    SYNCED,
    LOAD_ID,
    Field("is_deleted", "BOOLEAN", "Deleted", "已删除", "Gone at the source"),
    Field("deleted_at", "TIMESTAMPTZ", "Deleted at", "删除时间", "When the deletion was learnt"),
    Field(
        "delete_reason", "VARCHAR", "Delete reason", "删除原因",
        "source_flag, tombstone_feed, absent_in_full_scan",
    ),
    Field(
        "newer_in_quarantine", "BOOLEAN", "Newer in quarantine", "新版本在隔离区",
        "A newer version of the record is broken and waits in ops.quarantine",
    ),
)  # fmt: skip
_VALIDITY = (
    Field("valid_from", "TIMESTAMPTZ", "Valid from", "生效时间", "From when the version stood"),
    Field("valid_to", "TIMESTAMPTZ", "Valid to", "失效时间", "When it was superseded"),
)


def _model_fields(entity: str, *, resolved: bool) -> Iterator[Field]:
    for name, col in ENTITIES[entity].columns().items():
        # DuckDB cannot replay a log that alters a table with a virtual column of JSON.
        lazy = col.sql_type != "JSON"
        yield Field(name, col.sql_type, col.en, col.zh, col.about, col, lazy=lazy)
        if col.kind == "word":
            yield Field(
                f"{name}_raw", "VARCHAR", f"{col.en} at source", f"{col.zh}（源值）",
                "The word as the source wrote it", lazy=True,
            )  # fmt: skip
        if resolved and col.resolved:
            yield Field(
                col.resolved, "UUID", f"{col.en} (id)", f"{col.zh}（统一编号）",
                f"Golden id that {name} refers to; null until it is known", lazy=True,
            )  # fmt: skip


def id_field(entity: str) -> Field:
    """Return the golden id column of an entity."""
    cls = ENTITIES[entity]
    return Field(
        f"{entity}_id", "UUID", f"{cls.en} id", f"{cls.zh}统一编号", "Golden id, never changes"
    )


@cache
def source_table(entity: str) -> Table:
    """Return `source.<table>` of an entity."""
    cls = ENTITIES[entity]
    model = tuple(_model_fields(entity, resolved=False))
    if cls.parent is None:
        fields = (CONNECTION, STREAM, SOURCE_KEY, *model, *_LINEAGE)
    else:
        fields = (CONNECTION, STREAM, PARENT_KEY, SOURCE_KEY, LINE, *model, EXT, LOAD_ID)
    return Table("source", cls.table, f"{cls.en}: {cls.about}", cls.zh, fields, entity)


@cache
def history_table(entity: str) -> Table:
    """Return `history.<table>` of an entity: its source table with the time each version stood."""
    base = source_table(entity)
    return Table(
        "history", base.name, f"{base.en}; superseded versions", f"{base.zh}（历史版本）",
        base.fields + _VALIDITY, entity,
    )  # fmt: skip


@cache
def unified_table(entity: str) -> Table:
    """Return `unified.<table>` of an entity."""
    cls = ENTITIES[entity]
    model = tuple(_model_fields(entity, resolved=True))
    own = id_field(entity)
    fields: tuple[Field, ...]
    if cls.parent is None:
        fields = (own, CONNECTION, STREAM, SOURCE_KEY, *model, EXT, FIRST_SEEN, SYNCED, RUN)
    else:
        owner = id_field(cls.parent)
        fields = (own, owner, CONNECTION, STREAM, PARENT_KEY, SOURCE_KEY, LINE, *model, EXT, RUN)
    return Table("unified", cls.table, f"{cls.en}: {cls.about}", cls.zh, fields, entity)


def source_columns(entity: str) -> list[tuple[str, str]]:
    """Return (name, SQL type) of `source.<table>` in order."""
    return [(f.name, f.sql_type) for f in source_table(entity).fields]


def history_columns(entity: str) -> list[tuple[str, str]]:
    """Return (name, SQL type) of `history.<table>` in order."""
    return [(f.name, f.sql_type) for f in history_table(entity).fields]


def unified_columns(entity: str) -> list[tuple[str, str]]:
    """Return (name, SQL type) of `unified.<table>` in order."""
    return [(f.name, f.sql_type) for f in unified_table(entity).fields]


def model_tables() -> Iterator[Table]:
    """Return source, history and unified tables of every entity."""
    for make in (source_table, history_table, unified_table):
        for entity in ENTITIES:
            yield make(entity)


def create(table: Table, *, into: str | None = None, real: Container[str] | None = None) -> str:
    """Return the statement that makes `table`.

    `into` replaces the quoted full name (a table of an attached database). With `real`, the lazy
    columns that are not in it are virtual.
    """
    body = ", ".join(
        f"{quote(f.name)} {f.sql_type}"
        if real is None or not f.lazy or f.name in real
        else f"{quote(f.name)} {f.sql_type} GENERATED ALWAYS AS (NULL::{f.sql_type}) VIRTUAL"
        for f in table.fields
    )
    return f"CREATE TABLE IF NOT EXISTS {into or table.full} ({body})"


def comments(table: Table, *, into: str | None = None) -> Iterator[str]:
    """Return the statements that comment a table and its columns."""
    full = into or table.full
    yield f"COMMENT ON TABLE {full} IS {literal(f'{table.en} · {table.zh}')}"
    for field in table.fields:
        yield comment(full, field)


def comment(full: str, field: Field) -> str:
    """Return the statement that comments one column of the table or view `full`."""
    return f"COMMENT ON COLUMN {full}.{quote(field.name)} IS {literal(field.comment)}"


def families(*headers: str) -> list[str]:
    """Return the named entities, each with its children behind it (all headers by default)."""
    chosen = headers or HEADERS
    return [e for h in chosen for e in (h, *ENTITIES[h].children.values())]
