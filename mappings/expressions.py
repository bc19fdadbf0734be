"""Values of a mapping: a path, a literal, or one DuckDB scalar expression whose names are paths.

A value that matches the path grammar never reaches sqlglot (`from`, `desc`, `current_date`,
`select` are fields). Everything else is parsed, checked node by node against an allow-list, and
written anew by `mappings.emit`, so nothing that was not understood gets into the SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError

from mappings.errors import ValueRefused
from mappings.paths import Path, in_yaml, is_literal, parse_path, quote, refuse_odd_name

MAX_LENGTH = 4000
_CASTS = {k: v for k, v in DuckDB.Parser.FUNCTION_PARSERS.items() if k in {"CAST", "TRY_CAST"}}
_CASE = {k: v for k, v in DuckDB.Parser.NO_PAREN_FUNCTION_PARSERS.items() if k == "CASE"}


class MappingDialect(DuckDB):
    """DuckDB's grammar in which every call keeps its name and its arguments in order.

    sqlglot would turn `if` into CASE, `string_split` into STR_SPLIT, `to_timestamp` and `epoch_ms`
    into one class, and `decimal` into DECIMAL(18,3); with these tables empty it does not.
    """

    class Parser(DuckDB.Parser):  # type: ignore[valid-type, misc]
        """The parser without sqlglot's own functions and types."""

        FUNCTIONS: ClassVar[dict[str, Any]] = {}
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = _CASTS
        NO_PAREN_FUNCTIONS: ClassVar[dict[Any, Any]] = {}
        NO_PAREN_FUNCTION_PARSERS: ClassVar[dict[str, Any]] = _CASE
        TYPE_CONVERTERS: ClassVar[dict[Any, Any]] = {}


_DIALECT = MappingDialect()


class Scope(Protocol):
    """What names mean where an expression stands, and the habits of its system."""

    words: Mapping[str, str]
    zone: str | None

    def text(self, path: Path) -> str:
        """Return the SQL of the text at `path`, a column; raises ValueRefused."""
        ...

    def setting(self, path: Path) -> str | None:
        """Return the constant that `path` names (`connection.currency`), None for a member."""
        ...


def parse_value(value: str) -> Path | exp.Expr:
    """Return the path that `value` is, else its syntax tree; raises ValueRefused."""
    path = parse_path(value)
    return path if path is not None else parse_expression(value)


def parse_expression(value: str) -> exp.Expr:
    """Return the syntax tree of an expression that is no path; raises ValueRefused."""
    text = value.strip()
    if len(text) > MAX_LENGTH:
        raise ValueRefused(f"is longer than {MAX_LENGTH} characters.", "split the rule up.")
    if not is_literal(text):
        _refuse_cut(text)
        refuse_odd_name(text)
    try:
        trees = _DIALECT.parse(text)
    except (ParseError, TokenError) as error:
        raise ValueRefused(
            f"`{_short(text)}` is no path and no expression ({_reason(error)}).", _advice(text)
        ) from None
    except RecursionError:
        raise ValueRefused("is nested too deep.", "make the expression flatter.") from None
    if len(trees) != 1 or trees[0] is None:
        raise ValueRefused("holds several statements.", "write one expression, without `;`.")
    return trees[0]


def _refuse_cut(text: str) -> None:
    """Refuse text that ends inside a quote (YAML cuts a plain value at ` #`), and comments."""
    inside = ""
    for spot, sign in enumerate(text):
        if inside:
            if sign == inside:
                inside = ""
        elif sign in "'\"":
            inside = sign
        elif text.startswith(("--", "/*"), spot):
            raise ValueRefused("holds an SQL comment.", "write it as a YAML comment after ` #`.")
        elif sign == ";":
            raise ValueRefused("holds several statements.", "write one expression, without `;`.")
    if inside:
        raise ValueRefused(
            f"`{_short(text)}` ends inside a quote: YAML cuts an unquoted value at ` #`.",
            "quote the whole value of this line: '…' around it, quotes inside doubled.",
        )


def _advice(text: str) -> str:
    head = text.split(".")[0].split(" ")[0]
    if head and head.replace("_", "").isalnum() and head == text:
        return f"write {in_yaml(quote(text))} for the field of that name."
    if all(ch.isalnum() or ch in "_. []" for ch in text) and "." in text:
        quoted = ".".join(p if p.endswith("]") else quote(p) for p in text.split("."))
        return f"a name that is an SQL word stands in double quotes: {in_yaml(quoted)}."
    return "names that are SQL words or hold other signs stand in double quotes."


def _reason(error: Exception) -> str:
    first = str(error).splitlines()[0] if str(error) else "cannot be read"
    return first.split(". Line")[0].rstrip(".")


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
