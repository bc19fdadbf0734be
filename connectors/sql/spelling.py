"""A query written for SQL Server in the spelling of SQLite, for trials on a copy of the tables."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

from connectors.errors import ConfigError

if TYPE_CHECKING:
    from sqlglot import exp


def to_sqlite(query: str) -> str:
    """Return a query of SQL Server as SQLite has it; raises ConfigError where it cannot be read.

    `for json path` becomes json_group_array(json_object(…)), concat becomes ||.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(query, read="tsql")
    except SqlglotError as error:
        raise ConfigError(
            f"The query is not SQL Server's SQL: {str(error).splitlines()[0]}", "correct it."
        ) from None
    for select in list(tree.find_all(exp.Select)):
        if select.args.get("for_") is not None:
            _as_json(select)
    for call in list(tree.find_all(exp.Concat)):
        call.replace(_joined(call.expressions))
    return tree.sql(dialect="sqlite", pretty=True)


def _as_json(select: exp.Select) -> None:
    from sqlglot import exp

    pairs: list[exp.Expression] = []
    for column in select.expressions:
        pairs += [exp.Literal.string(column.alias_or_name), column.unalias()]
    record = exp.Anonymous(this="json_object", expressions=pairs)
    select.set("expressions", [exp.Anonymous(this="json_group_array", expressions=[record])])
    select.set("for_", None)


def _joined(parts: list[exp.Expression]) -> exp.Expression:
    """Return texts joined as SQL Server's concat does it: null counts as the empty text."""
    from sqlglot import exp

    texts = [p if p.is_string else exp.func("coalesce", p, exp.Literal.string("")) for p in parts]
    return exp.paren(reduce(lambda left, right: exp.DPipe(this=left, expression=right), texts))
