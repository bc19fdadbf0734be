"""The macros of `unified_as_of`: what the store believed at a moment.

Believed at a moment is what had landed, was loaded and unified by then: the answer is that of the
last unification that had begun (`ops.unifications`). Of each stream it knew the batches of the
loads before it, and a version stood for it if it landed with these and its successor did not. Who
was which thing is asked of `xref` and its history, and survivorship is that of `survive.py` with
the company's priority of now. For a moment before the first unification that the store remembers
(`rebuild` forgets them) what had landed by then counts.

The ids that references resolve to are left out: neither the rules of references nor the history of
what is referred to are published. `unified_as_of.xref` finds them by key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from warehouse import ddl, survive, winners
from warehouse.ddl import Field, Table, columns_of, literal, quote
from warehouse.identity import child_id_sql
from warehouse.model import ENTITIES
from warehouse.ops_tables import XREF
from warehouse.survive import Priority

SCHEMA = "unified_as_of"
ENTITIES_OF = ("order", "order_line", "stock_level", "party")
_PLACES = ("entity", "connection", "stream", "source_key", "golden_id", "own_id", "is_lead",
           "method", "score", "rule", "evidence")  # fmt: skip
# DuckDB 1 reads no zone behind minutes without seconds: '2026-03-01 12:00+08'.
_MOMENT = (
    r"regexp_replace(CAST(moment AS VARCHAR), '^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d)([+-].*|[Zz])$', "
    r"'\1:00\2')::TIMESTAMPTZ"
)
_WHEN = (
    f"asked AS (SELECT {_MOMENT} AS said), "
    "run AS (SELECT any_value(a.said) AS said, max(u.load_id) AS upto, "
    "coalesce(max(u.unified_at), any_value(a.said)) AS stood FROM asked a "
    "LEFT JOIN ops.unifications u ON u.unified_at <= a.said)"
)
_SEEN = (
    "seen AS (SELECT b.connection, b.stream, max(b.ended_at) AS upto FROM ops.batches b "
    "WHERE b.load_id <= (SELECT upto FROM run) OR ((SELECT upto FROM run) IS NULL "
    "AND b.ended_at <= (SELECT said FROM run)) GROUP BY ALL)"
)


def tables() -> Iterator[Table]:
    """Return the macros as tables: what each answers."""
    for entity in ENTITIES_OF:
        table = ddl.unified_table(entity)
        yield Table(
            SCHEMA, table.name, f"{table.en}; as believed at a moment", f"{table.zh}（某时刻所知）",
            _fields(entity), entity,
        )  # fmt: skip
    fields = tuple(f for f in XREF.fields if f.name in _PLACES)
    yield Table(
        SCHEMA, XREF.name, f"{XREF.en}; as believed at a moment", f"{XREF.zh}（某时刻所知）", fields
    )  # fmt: skip


def statements(priority: Priority) -> Iterator[str]:
    """Yield the statements that make the macros and their comments."""
    for table in tables():
        if table.entity is None:
            select = f"WITH {_WHEN} {_named()}"
        elif ENTITIES[table.entity].parent:
            select = _children(table.entity, priority)
        else:
            select = _headers(table.entity, priority)
        yield f"CREATE MACRO {table.full}(moment) AS TABLE {select}"
        yield f"COMMENT ON MACRO TABLE {table.full} IS {literal(f'{table.en} · {table.zh}')}"


def _fields(entity: str) -> tuple[Field, ...]:
    resolved = {c.resolved for c in ENTITIES[entity].columns().values()}
    fields = ddl.unified_table(entity).fields
    return tuple(f for f in fields if f.name not in resolved and not f.private)


def _named(entity: str | None = None) -> str:
    """Return the SELECT of `xref` as of the moment."""
    mine = f" AND entity = {literal(entity)}" if entity else ""
    stood = "(SELECT stood FROM run)"
    names = columns_of(_PLACES)
    # Not the view `unified.xref`: its name is ambiguous in a file called unified.duckdb.
    return (
        f"SELECT {names} FROM main.xref WHERE valid_from <= {stood}{mine} UNION ALL "
        f"SELECT {names} FROM history.xref WHERE valid_from <= {stood} AND valid_to > {stood}{mine}"
    )


def _versions(entity: str, columns: Iterable[str]) -> str:
    """Return the SELECT of a header's records as they stood, `is_current` if they stand still."""
    current, past = ddl.source_table(entity).full, ddl.history_table(entity).full
    return (
        f"SELECT {columns_of(columns, 'v')}, v.valid_from, v.is_current FROM ("
        f"SELECT *, synced_at AS valid_from, NULL::TIMESTAMPTZ AS valid_to, true AS is_current "
        f"FROM {current} UNION ALL BY NAME SELECT *, false AS is_current FROM {past}) v "
        "JOIN seen b ON b.connection = v.connection AND b.stream = v.stream "
        "AND v.valid_from <= b.upto AND (v.valid_to IS NULL OR v.valid_to > b.upto)"
    )


def _members(entity: str, *, several: bool) -> str:
    names = ddl.unified_table(entity).names
    kept = [n for n in ddl.source_table(entity).names if n in names or n == "is_deleted"]
    # Written out where it is read: what is read twice is made whole, whatever id is asked for.
    return winners.members(
        entity, f"({_versions(entity, kept)})", f"({_named(entity)})",
        ("valid_from", "is_current"), several=several,
    )  # fmt: skip


def _headers(entity: str, priority: Priority) -> str:
    own, names = quote(f"{entity}_id"), [f.name for f in _fields(entity)]
    values = survive.values(entity, priority, names)
    said = ", ".join(f"{value} AS {quote(name)}" for name, value in values.items())
    all_names = ddl.unified_table(entity).names
    ranked = survive.ranked(entity, _members(entity, several=True), priority, all_names)
    return (
        f"WITH {_WHEN}, {_SEEN} SELECT {own}, {said} FROM ({ranked}) GROUP BY {own} UNION ALL "
        f"SELECT {own}, {columns_of(values)} FROM {_members(entity, several=False)}"
    )


def _children(entity: str, priority: Priority) -> str:
    """Return the children of the best placed record that has any, as `merged.py` chooses them."""
    owner = str(ENTITIES[entity].parent)
    of_owner = quote(f"{owner}_id")
    made = {
        f"{owner}_id": f"o.{of_owner}",
        # Of a masked key nobody can tell the id.
        f"{entity}_id": "CASE WHEN NOT starts_with(s.source_key, 'masked:') THEN "
        f"{child_id_sql(entity, 'o.own_id', 's.source_key')} END",
    }
    columns = [f.name for f in _fields(entity)]
    kept = columns_of(n for n in columns if n not in made)
    current, past = ddl.source_table(entity).full, ddl.history_table(entity).full
    rows = (
        f"(SELECT {kept}, NULL::TIMESTAMPTZ AS valid_from, true AS is_current FROM {current} "
        f"UNION ALL SELECT {kept}, valid_from, false FROM {past}) s "
        "ON s.connection = o.connection AND s.stream = o.stream AND s.parent_key = o.source_key "
        "AND s.is_current = o.is_current AND (o.is_current OR s.valid_from = o.valid_from)"
    )
    said = ", ".join(made.get(n, f"s.{quote(n)}") + f" AS {quote(n)}" for n in columns)
    names = ddl.unified_table(owner).names
    ranked = survive.ranked(owner, _members(owner, several=True), priority, names)
    return (
        f"WITH {_WHEN}, {_SEEN} SELECT * FROM (SELECT {said} FROM ({ranked}) o JOIN {rows} "
        f"QUALIFY rank() OVER (PARTITION BY o.{of_owner} ORDER BY o.survive_rank) = 1) UNION ALL "
        f"SELECT {said} FROM {_members(owner, several=False)} o JOIN {rows}"
    )
