"""What a node of the syntax tree spells, and why some are refused."""

from __future__ import annotations

from sqlglot import exp

from mappings.errors import ValueRefused
from mappings.expressions import MappingDialect
from mappings.paths import Member, Path, in_yaml, quote
from mappings.typed import NUMBERS, TIMES, Typed

SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "is not distinct from", exp.NullSafeNEQ: "is distinct from",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.IntDiv: "//", exp.Mod: "%",
}  # fmt: skip


_STATEMENTS = (
    exp.Command, exp.DDL, exp.DML, exp.Drop, exp.Alter, exp.Set, exp.Use, exp.Pragma, exp.Attach,
    exp.Detach, exp.Copy, exp.Describe, exp.Transaction, exp.Commit, exp.Rollback,
)  # fmt: skip


def path_of(node: exp.Expr) -> Path | None:
    """Return the path that a node spells, None where it is something else.

    sqlglot keeps DuckDB's 1-based index minus one: `a[0]` is -1, `a[-1]` is -2.
    """
    members: list[Member] = []
    while True:
        if isinstance(node, exp.Bracket) and len(node.expressions) == 1:
            index = integer(node.expressions[0])
            if index is None:
                return None
            members.append(index + 1)
            node = node.this
        elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
            members.append(node.expression.name)
            node = node.this
        elif isinstance(node, exp.Column) and all(
            isinstance(p, exp.Identifier) for p in node.parts
        ):
            members.extend(p.name for p in reversed(node.parts))
            head = node.parts[0]
            break
        elif isinstance(node, exp.Identifier):
            members.append(node.name)
            head = node
            break
        else:
            return None
    return Path(tuple(reversed(members)), bool(head.args.get("quoted")))


def integer(node: exp.Expr) -> int | None:
    """Return the whole number that a node is, None where it is something else."""
    sign = 1
    if isinstance(node, exp.Neg):
        sign, node = -1, node.this
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        return sign * int(node.name)
    return None


def written(node: exp.Expr) -> str:
    """Return the source text of a node, for messages."""
    path = path_of(node)
    if path:
        return path.spelled
    if isinstance(node, exp.Cast):
        return f"{written(node.this)}::{node.args['to'].sql(dialect=MappingDialect).lower()}"
    if type(node) in SIGNS:
        return f"{written(node.this)} {SIGNS[type(node)]} {written(node.expression)}"
    if isinstance(node, exp.Anonymous):
        return f"{node.this}({', '.join(written(e) for e in node.expressions)})"
    return node.sql(dialect=MappingDialect, comments=False)


def named(piece: Typed) -> str:
    """Return what a piece is, in words."""
    if piece.kind in NUMBERS:
        return "a number"
    return {
        "text": "text", "bool": "a yes or no", "date": "a date", "instant": "a moment",
        "naive": "a time without zone", "list": "a list", "interval": "a span of time",
        "lambda": "a lambda", "null": "null",
    }.get(piece.kind, piece.kind)  # fmt: skip


def cast_written(piece: Typed, to: str) -> str:
    """Return the piece with the cast that makes it `to`, as a mapping writes it."""
    inner = piece.spelled
    simple = piece.refs == (piece.sql,) or inner.endswith(")")
    return f"{inner}::{to}" if simple else f"({inner})::{to}"


def needs_cast(node: exp.Expr, left: Typed, right: Typed) -> ValueRefused:
    """Return the refusal of text against a number, with the cast written out."""
    sign = SIGNS.get(type(node), "=")
    arithmetic = isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.IntDiv | exp.Mod)

    def target(piece: Typed, other: Typed) -> str:
        if piece.kind != "text" or (piece.is_literal and not arithmetic):
            return piece.spelled
        if other.kind in NUMBERS or arithmetic:
            return cast_written(piece, "decimal")
        if other.kind == "bool":
            return cast_written(piece, "boolean")
        if other.kind == "date":
            return cast_written(piece, "date")
        return cast_written(piece, "timestamptz") if other.kind in TIMES else piece.spelled

    meant = f"{target(left, right)} {sign} {target(right, left)}"
    source = f"{left.spelled} {sign} {right.spelled}"
    if meant == source:
        return ValueRefused(
            f"`{source}` sets {named(left)} against {named(right)}.", "cast one of the two."
        )
    text = left if left.kind == "text" else right
    return ValueRefused(f"`{source}`: {text.spelled} is text until it is cast.", f"write {meant}.")


def refusal(node: exp.Expr) -> ValueRefused:
    """Return why a node is not allowed, with the spelling that was meant."""
    text = written(node)
    short = text if len(text) <= 60 else text[:57] + "…"
    if isinstance(node, exp.Alias):
        inner = path_of(node.this)
        name = f"{inner.spelled} {node.alias}" if inner else text
        return ValueRefused(
            f"`{short}` reads as an alias (AS).",
            f"write {in_yaml(quote(name))} for one field of that name; leave AS out.",
        )
    if isinstance(node, exp.Dot):
        last = node.expression
        owner = written(node.this)
        name = str(last.this) if isinstance(last, exp.Anonymous) else written(last)
        return ValueRefused(
            f"`{short}` calls a method.", f"write {name}({owner}): functions stand in front."
        )
    if isinstance(node, exp.Subquery | exp.Query | exp.Exists):
        return ValueRefused(
            f"`{short}` is a query.", "a value sees one record; join in a query on the store."
        )
    if isinstance(node, _STATEMENTS):
        return ValueRefused(f"`{short}` is a statement.", "write one expression.")
    if isinstance(node, exp.Window):
        return ValueRefused(f"`{short}` looks at other records.", "a value sees one record.")
    if isinstance(node, exp.JSONExtract | exp.JSONExtractScalar):
        return ValueRefused(f"`{short}` digs in JSON.", "write the path itself: customer.id.")
    if isinstance(node, exp.AtTimeZone):
        return ValueRefused(
            f"`{short}` moves a zone.", "write {value: x, zone: Asia/Tokyo} at the field."
        )
    if isinstance(node, exp.List | exp.Map | exp.Struct | exp.Array | exp.Func):
        name = quote(type(node).__name__.lower())
        return ValueRefused(
            f"`{short}` is not allowed in a mapping.",
            f"a member whose name is an SQL word stands in double quotes: {name}, a.{name}[0].",
        )
    return ValueRefused(
        f"`{short}` is not allowed in a mapping ({type(node).__name__}).",
        "names with other signs stand in double quotes; allowed are paths, literals, operators, "
        "CASE, casts and the functions of docs/mappings.md.",
    )
