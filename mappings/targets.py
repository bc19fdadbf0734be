"""Puts the SELECT of a target or a child together from the SQL of its fields.

Three layers, so that nothing is computed twice: texts of expressions, typed values over them,
checks over both. A plain path needs no first layer of its own, its text is a column already.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from mappings.native import Native, Types, typed_fields
from mappings.paths import quote, sql_text
from mappings.values import FieldSql

PATHS = "record_paths"


@dataclass(slots=True)
class Row:
    """What one row of a target or child is made of; SQL over its source's columns.

    `key` has a part an entry, empty for `position`. `extra` is (name, JSON column). `natives` are
    the fields that may do without text.
    """

    key: list[str] = field(default_factory=list)
    fields: list[FieldSql] = field(default_factory=list)
    extra: list[tuple[str, str]] = field(default_factory=list)
    key_names: list[str] = field(default_factory=list)
    natives: list[Native] = field(default_factory=list)

    def typed(self, types: Types) -> Row:
        """Return the row over `typed_source`: fields whose columns fit are taken as they are."""
        return replace(self, fields=typed_fields(self.fields, self.natives, types))

    def ext(self) -> str:
        """Return the SQL of the ext column; null where none of its members is there."""
        if not self.extra:
            return "cast(null as json)"
        columns = ", ".join(f"cast({column} as varchar)" for _, column in self.extra)
        pairs = ", ".join(f"{sql_text(name)}, {column}" for name, column in self.extra)
        return f"case when coalesce({columns}) is not null then json_object({pairs}) end"

    def texts(self) -> list[str]:
        """Return the first layer: text of keys and fields."""
        keys = [f"{part} as k_{at}" for at, part in enumerate(self.key)]
        return keys + [f"{f.text} as {quote(f.text_alias)}" for f in self.fields]

    def values(self) -> list[str]:
        """Return the second layer: typed values."""
        return [f"{f.value} as {quote(f.value_alias)}" for f in self.fields]

    def source_key(self) -> str:
        """Return the key of the row, null where a part is missing."""
        return _joined("k", len(self.key))

    def outputs(self) -> list[str]:
        """Return the model's columns, words with their raw column."""
        found = []
        for one in self.fields:
            found.append(f"{quote(one.value_alias)} as {quote(one.name)}")
            if one.raw:
                found.append(f"{quote(one.text_alias)} as {quote(one.name + '_raw')}")
        return found

    def errors(self, more: Sequence[tuple[str, str]] = ()) -> str:
        """Return the list of 'field: reason'; `more` are further (condition, text)."""
        checks: list[tuple[str, str]] = list(more)
        for at, name in enumerate(self.key_names):
            label = f"key: {name} " if len(self.key) > 1 else "key: "
            checks.append((f"nullif(trim(k_{at}), '') is null", sql_text(label + "is missing")))
        checks += [
            (one.bad, f"{sql_text(one.name + ': ')} || ({one.reason})")
            for one in self.fields
            if one.bad != "false"
        ]
        return _listed(checks)

    def warnings(self) -> str:
        """Return the list of 'field: reason: word'."""
        return _listed([
            (f"{quote(one.value_alias)} = 'unknown' and ({one.warning}) is not null", one.warning)
            for one in self.fields
            if one.warning
        ])  # fmt: skip


def _joined(prefix: str, count: int) -> str:
    """Return the parts of a key joined; a blank part is none, though it keeps its own spaces."""
    parts = [f"case when trim({prefix}_{at}) <> '' then {prefix}_{at} end" for at in range(count)]
    return " || '/' || ".join(f"({part})" for part in parts)


def _listed(checks: Sequence[tuple[str, str]]) -> str:
    # One flag for all decides; the list is built for the few rows that need it. A list with lambdas
    # over every row costs as much as the whole mapping.
    if not checks:
        return "cast([] as varchar[])"
    flag = " or ".join(condition for condition, _ in checks)
    texts = ", ".join(f"case when {condition} then {text} end" for condition, text in checks)
    return (
        f"case when {flag} then list_filter([{texts}], lambda e: e is not null) "
        "else cast([] as varchar[]) end"
    )


def target_select(
    row: Row, *, where: str | None, record_key: list[str], version: str | None, deleted: str | None,
    deleted_bad: str | None, source: str = PATHS,
) -> str:  # fmt: skip
    """Return the SELECT of a target over `source` (columns: `TargetPlan`)."""
    own = [f"{part} as rk_{at}" for at, part in enumerate(record_key)]
    texts = [*row.texts(), *own, f"{version or 'cast(null as varchar)'} as row_version"]
    texts.append(f"{deleted or 'false'} as row_deleted")
    texts.append(f"{deleted_bad or 'false'} as deleted_bad")
    key = _joined("rk", len(record_key))
    more = [("deleted_bad", sql_text("deleted: is neither yes nor no"))] if deleted_bad else []
    columns = [
        "n", f"{row.source_key()} as source_key", f"{key} as record_key",
        "nullif(trim(row_version), '') as version", "coalesce(row_deleted, false) as deleted",
        *row.outputs(), f"{row.ext()} as ext", f"{row.errors(more)} as errors",
        f"{row.warnings()} as warnings",
    ]  # fmt: skip
    filtered = f"\nwhere {where}" if where else ""
    return (
        f"select {_lines(columns)}\nfrom (select {_lines(['*', *row.values()])}\n"
        f"from (select {_lines(['*', *texts])}\nfrom {source}{filtered}))"
    )


def record_select(record_key: list[str], version: str | None, source: str = PATHS) -> str:
    """Return the SELECT of all records over `source` (`StreamPlan.records`)."""
    own = [f"{part} as rk_{at}" for at, part in enumerate(record_key)]
    own.append(f"{version or 'cast(null as varchar)'} as row_version")
    key = _joined("rk", len(record_key))
    return (
        f"select n, {key} as record_key, nullif(trim(row_version), '') as version\n"
        f"from (select {_lines(['n', *own])}\nfrom {source})"
    )


@dataclass(frozen=True, slots=True)
class ChildSource:
    """Where the elements of a child come from: SQL over `record_paths`.

    `elements` is the list, `text` what it was made of (empty: nothing can be wrong with it);
    `parent` the columns of the record that the child names; `columns` the
    members of an element (SQL over `e`), `shared` what they share.
    """

    elements: str
    text: str
    parent: Sequence[str]
    shared: Sequence[str]
    columns: Sequence[str]
    where: str | None
    by_position: bool


def child_select(row: Row, source: ChildSource, *, where: str | None, records: str = PATHS) -> str:
    """Return the SELECT of a child over `records` (columns: `ChildPlan`)."""
    parent = list(source.parent)
    key = "cast(line as varchar)" if source.by_position else row.source_key()
    more = [("is_void", sql_text("each: is not a list of records"))]
    if not source.by_position:
        more.append(("twins > 1 and source_key is not null",
                     sql_text("key: stands twice in its parent")))  # fmt: skip
    twins = [] if source.by_position else ["count(*) over (partition by n, source_key) as twins"]
    columns = [
        "n", "line", "source_key", *row.outputs(), f"{row.ext()} as ext",
        f"{row.errors(more)} as errors", f"{row.warnings()} as warnings",
    ]  # fmt: skip
    # What is no list becomes [null], so that a row is there to say so. The first condition holds
    # for whole vectors of ordinary records, and then nothing is copied.
    whole = "l"
    if source.text:
        whole = (
            f"case when l is not null then l when {source.text} is null "
            f"or trim({source.text}) = '' then null else [null] end"
        )
    lists = f"select {_lines(['*', f'{source.elements} as l'])}\nfrom {records}" + (
        f"\nwhere {where}" if where else ""
    )
    inner = (
        f"select {_lines(['n', *parent, 'unnest(l) as e', 'generate_subscripts(l, 1) as line'])}\n"
        f"from (select {_lines(['n', *parent, f'{whole} as l'])}\nfrom ({lists}))"
    )
    if source.shared:
        inner = f"select *, {', '.join(source.shared)}\nfrom ({inner})"
    cut = _lines(["n", *parent, "line", "e is null as is_void", *source.columns])
    child_where = f"\nwhere is_void or {source.where}" if source.where else ""
    keyed = (
        f"select {_lines(['*', f'{key} as source_key', *row.values()])}\n"
        f"from (select {_lines(['*', *row.texts()])}\n"
        f"from (select {cut}\nfrom ({inner})){child_where})"
    )
    if twins:
        keyed = f"select *, {twins[0]}\nfrom ({keyed})"
    return f"select {_lines(columns)}\nfrom ({keyed})"


def _lines(items: Sequence[str]) -> str:
    return ",\n  ".join(items)
