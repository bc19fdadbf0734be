"""From which columns a mart's column is made, found by sqlglot in the marts' own SQL.

What a column only joins, filters or sorts by is not its origin; which tables a mart reads at all
stands in `Mart.reads`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from warehouse import marts, ops_tables, public, recon_tables
from warehouse.ddl import Table
from warehouse.marts import Mart

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.lineage import Node
    from sqlglot.schema import Schema


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A column of a table that a value is made from; no column where its rows are counted."""

    schema: str
    table: str
    column: str = ""


Origins = Mapping[str, tuple[Origin, ...]]
"""Of each column of one mart."""


def of_marts(told: Iterable[Table]) -> dict[str, Origins]:
    """Return the origins of every column of every mart and macro, by the mart's name.

    `told` are the marts as `public.mart_tables` returns them. Golden tables are called by the
    schema that analysts know, `unified`. Another mart's column is an origin like any other.
    """
    from sqlglot.schema import MappingSchema

    by_schema: dict[str, dict[str, object]] = {}
    tables = (
        *public.golden_tables(), *public.source_tables(), *public.history_tables(),
        *ops_tables.PUBLIC_OPS, *recon_tables.STORED, *told,
    )  # fmt: skip
    for table in tables:
        columns = {field.name: "text" for field in table.fields}  # their types do not matter here
        by_schema.setdefault(table.schema, {})[table.name] = columns
    schema = MappingSchema({**by_schema}, dialect="duckdb")
    return {m.name: of_sql(m.sql, schema) for m in (*marts.in_order(), *marts.macros())}


def of_sql(sql: str, schema: Schema | dict[str, Any]) -> dict[str, tuple[Origin, ...]]:
    """Return the origins of each column of a SELECT; `schema` knows the tables' columns."""
    import sqlglot
    from sqlglot import exp
    from sqlglot.lineage import lineage

    tree = sqlglot.parse_one(sql, dialect="duckdb")
    _by_position(tree)
    found = lineage(  # what is not read here need not be trimmed: that takes most of the time
        None,
        tree,
        schema=schema,
        dialect="duckdb",
        trim_selects=False,
        copy=False,
    )
    nodes = found if isinstance(found, dict) else {found.name: found}
    named = {cte.alias: cte.this for cte in tree.find_all(exp.CTE)}
    return {name: tuple(sorted(set(_origins(node, named)))) for name, node in nodes.items()}


def bases(origin: Origin, of: Mapping[str, Origins]) -> tuple[Origin, ...]:
    """Return what `origin` is made from in the end: columns of no mart."""
    found: set[Origin] = set()
    left, seen = [origin], set()
    while left:
        one = left.pop()
        if one in seen:
            continue
        seen.add(one)
        if one.schema != "mart":
            found.add(one)
        elif one.column:
            left += of.get(one.table, {}).get(one.column, ())
        else:  # rows of a mart: those of the tables that it reads
            left += _read(next(m for m in marts.in_order() if m.name == one.table))
    return tuple(sorted(found))


def _read(mart: Mart) -> Iterator[Origin]:
    for name in mart.reads:
        schema, _, table = name.partition(".")
        yield Origin(_public(schema), table)


def _by_position(tree: exp.Expr) -> None:
    """Make each `union by name` one by position, which is what sqlglot follows."""
    from sqlglot import exp

    for union in list(tree.find_all(exp.Union)):
        if not union.args.get("by_name"):
            continue
        sides = [_branches(union.left), _branches(union.right)]
        names = list(dict.fromkeys(n for side in sides for one in side for n in one.named_selects))
        for one in (one for side in sides for one in side):
            said = {column.alias_or_name: column for column in one.selects}
            blank = (exp.alias_(exp.Null(), name) for name in names)
            one.set("expressions", [said.get(n, b) for n, b in zip(names, blank, strict=True)])
        union.set("by_name", False)


def _branches(query: exp.Expr) -> list[exp.Select]:
    from sqlglot import exp

    if isinstance(query, exp.Union):
        return [*_branches(query.left), *_branches(query.right)]
    if isinstance(query, exp.Subquery):
        return _branches(query.this)
    return [query] if isinstance(query, exp.Select) else []


def _origins(node: Node, named: Mapping[str, exp.Expr]) -> Iterator[Origin]:
    from sqlglot import exp

    for leaf in node.walk():
        if leaf.downstream:
            continue
        if isinstance(leaf.source, exp.Table):
            column = leaf.name.rpartition(".")[2].strip('"')
            yield Origin(_public(leaf.source.db), leaf.source.name, column)
        elif isinstance(leaf.source, exp.Select) and leaf.expression.find(exp.AggFunc):
            yield from _counted(leaf.source, named, frozenset())


def _counted(
    query: exp.Expr, named: Mapping[str, exp.Expr], above: frozenset[str]
) -> Iterator[Origin]:
    """Yield the tables whose rows a query goes through, by way of its own named queries too."""
    from sqlglot import exp

    for table in query.find_all(exp.Table):
        if table.db:
            yield Origin(_public(table.db), table.name)
        elif table.name in named and table.name not in above:
            yield from _counted(named[table.name], named, above | {table.name})


def _public(schema: str) -> str:
    """Return the schema by which analysts know a table: golden rows stand in `main`."""
    return "unified" if schema == "main" else schema
