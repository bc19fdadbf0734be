"""Writes a checked syntax tree as DuckDB SQL in which no value can fail the statement.

The allow-list is the table of node classes at the end; every class has one method. Names become
text columns, CAST becomes TRY_CAST, and where SQL would compare or count with text it is refused
with the cast written out: DuckDB would cast there itself and fail the batch on the first 'n/a'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

from sqlglot import exp

from mappings import functions
from mappings.arguments import call
from mappings.casts import as_text, cast, common, kind_of_type
from mappings.errors import ValueRefused
from mappings.expressions import Scope
from mappings.nodes import SIGNS, integer, named, needs_cast, path_of, refusal, written
from mappings.paths import Path, in_yaml, quote, sql_text
from mappings.typed import GROWTH_LIMIT, NUMBERS, TIMES, Kind, Typed, broken, present, refs_of


class Emitter:
    """Turns syntax trees into `Typed` pieces in one scope. Raises ValueRefused."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self._bound: frozenset[str] = frozenset()

    def value(self, parsed: Path | exp.Expr) -> Typed:
        """Return the SQL of a parsed value."""
        if isinstance(parsed, Path):
            return self._path(parsed)
        try:
            return self.emit(parsed)
        except RecursionError:
            raise ValueRefused("is nested too deep.", "make the expression flatter.") from None

    def emit(self, node: exp.Expr) -> Typed:
        """Return the SQL of one node of the tree."""
        if path := path_of(node):
            return self._name(path, node)
        handler = _NODES.get(type(node))
        if handler is None:
            raise refusal(node)
        found = handler(self, node)
        if found.growth > GROWTH_LIMIT:
            raise ValueRefused(
                f"`{written(node)[:60]}` could make a text {GROWTH_LIMIT} times as long.",
                "replace with shorter texts, in fewer steps.",
            )
        return found

    def _name(self, path: Path, node: exp.Expr) -> Typed:
        first = path.members[0]
        if first in self._bound and len(path.members) == 1:
            return Typed(quote(str(first)), "text", str(first))
        if self._bound:
            raise ValueRefused(
                f"`{path.spelled}` stands inside a lambda, which sees its own name only.",
                "use the lambda's name, or do it outside.",
            )
        bare = not path.head_quoted and len(path.members) == 1
        if bare and functions.is_bare_function(str(first)):
            functions.find(str(first))
        return self._path(path)

    def _path(self, path: Path) -> Typed:
        constant = self.scope.setting(path)
        if constant is not None:
            return Typed(sql_text(constant), "text", path.spelled, literal=constant)
        sql = self.scope.text(path)
        return Typed(sql, "text", path.spelled, (sql,))

    def _literal(self, node: exp.Literal) -> Typed:
        text = str(node.this)
        if node.is_string:
            return Typed(sql_text(text), "text", written(node), literal=text)
        kind: Kind = "dbl" if "e" in text.lower() else "dec" if "." in text else "int"
        scale = len(text.partition(".")[2]) if kind == "dec" else 0
        return Typed(text, kind, text, literal=text, scale=scale)

    def _null(self, node: exp.Expr) -> Typed:
        return Typed("null", "null", "null")

    def _boolean(self, node: exp.Expr) -> Typed:
        word = "true" if node.this else "false"
        return Typed(word, "bool", word, literal=word)

    def _paren(self, node: exp.Expr) -> Typed:
        inner = self.emit(node.this)
        return replace(inner, sql=f"({inner.sql})", spelled=f"({inner.spelled})")

    def _cast(self, node: exp.Expr) -> Typed:
        to, sql_type = kind_of_type(node.args["to"], written(node.this))
        return cast(self.emit(node.this), to, self.scope, sql_type)

    def _compare(self, node: exp.Expr) -> Typed:
        left, right = self._alike(node, self.emit(node.this), self.emit(node.expression))
        return _made(f"({left.sql} {SIGNS[type(node)]} {right.sql})", "bool", node, left, right)

    def _alike(self, node: exp.Expr, left: Typed, right: Typed) -> tuple[Typed, Typed]:
        """Return both sides as one family; text against anything else is refused with the cast."""
        if "null" in (left.kind, right.kind) or _family(left) == _family(right):
            if left.kind in TIMES and left.kind != right.kind:
                return (cast(left, "instant", self.scope), cast(right, "instant", self.scope))
            return left, right
        for one, other in ((left, right), (right, left)):
            if one.kind == "text" and one.is_literal and other.kind in TIMES:
                fixed = cast(one, other.kind, self.scope)
                return (fixed, right) if one is left else (left, fixed)
        raise needs_cast(node, left, right)

    def _arithmetic(self, node: exp.Expr) -> Typed:
        left, right = self.emit(node.this), self.emit(node.expression)
        sign = SIGNS[type(node)]
        bare = path_of(node.this), path_of(node.expression)
        if isinstance(node, exp.Sub) and bare[0] and bare[1] and left.kind == right.kind == "text":
            one = f"{bare[0].spelled}-{bare[1].spelled}"
            *front, last = bare[0].spelled.rsplit(".", 1)
            name = ".".join([*front, quote(f"{last}-{bare[1].spelled}")])
            raise ValueRefused(
                f"`{one}` reads as a subtraction of two fields.",
                f"write {in_yaml(name)} for one field, or "
                f"{bare[0].spelled}::decimal - {bare[1].spelled}::decimal to subtract.",
            )
        if left.kind in TIMES or right.kind in TIMES:
            return self._time_arithmetic(node, left, right)
        for side in (left, right):
            if side.kind not in (*NUMBERS, "null", "interval"):
                raise needs_cast(node, left, right)
        kind = _number(left, right)
        sql = f"({left.sql} {sign} {right.sql})"
        if isinstance(node, exp.Div):
            kind = "dbl"
        elif isinstance(node, exp.Mul) and kind == "dec":
            return self._product(node, left, right)
        return _made(sql, kind, node, left, right)

    @staticmethod
    def _product(node: exp.Expr, left: Typed, right: Typed) -> Typed:
        # Scales add up, and 38 digits are all there is: a third factor of ten decimals would leave
        # eight digits before the point. Cutting a product back is dear, so it waits until then.
        if left.scale + right.scale > 20:
            left, right = (
                replace(p, sql=f"cast({p.sql} as decimal(28,10))", scale=10) if p.scale > 10 else p
                for p in (left, right)
            )
        made = _made(f"({left.sql} * {right.sql})", "dec", node, left, right)
        return replace(made, scale=left.scale + right.scale)

    def _time_arithmetic(self, node: exp.Expr, left: Typed, right: Typed) -> Typed:
        sign, kinds = SIGNS[type(node)], (left.kind, right.kind)
        sql = f"({left.sql} {sign} {right.sql})"
        if isinstance(node, exp.Add | exp.Sub):
            if left.kind in TIMES and right.kind == "interval":
                kind: Kind = "naive" if left.kind == "date" else left.kind
                return _made(sql, kind, node, left, right)
            if kinds == ("date", "int"):
                days = f"({left.sql} {sign} try_cast({right.sql} as integer))"
                return _made(days, "date", node, left, right)
            if isinstance(node, exp.Sub) and kinds == ("date", "date"):
                return _made(sql, "int", node, left, right)
        raise ValueRefused(
            f"`{written(node)}` does not go together.",
            "write x::timestamptz + interval '8 hours', or date_diff('day', a, b).",
        )

    def _logic(self, node: exp.Expr) -> Typed:
        word = "and" if isinstance(node, exp.And) else "or"
        left, right = self._condition(node.this), self._condition(node.expression)
        return _made(f"({left.sql} {word} {right.sql})", "bool", node, left, right)

    def _not(self, node: exp.Expr) -> Typed:
        inner = self._condition(node.this)
        return _made(f"(not {inner.sql})", "bool", node, inner)

    def _condition(self, node: exp.Expr) -> Typed:
        found = self.emit(node)
        if found.kind not in ("bool", "null"):
            raise ValueRefused(
                f"`{found.spelled}` is {named(found)}, not a condition.",
                f"write {found.spelled}::boolean, or compare it: {found.spelled} = '1'.",
            )
        return found

    def _is(self, node: exp.Expr) -> Typed:
        inner = self.emit(node.this)
        if isinstance(node.expression, exp.Null):
            return _made(f"({inner.sql} is null)", "bool", node, inner)
        if isinstance(node.expression, exp.Boolean):
            inner = self._condition(node.this)
            word = "true" if node.expression.this else "false"
            return _made(f"({inner.sql} is {word})", "bool", node, inner)
        raise refusal(node)

    def _in(self, node: exp.Expr) -> Typed:
        if not node.expressions:
            raise ValueRefused(
                f"`{written(node)}` needs a list of values.", "write x in ('a', 'b')."
            )
        left = self.emit(node.this)
        right = [self._alike(node, left, self.emit(e))[1] for e in node.expressions]
        sql = f"({left.sql} in ({', '.join(r.sql for r in right)}))"
        return _made(sql, "bool", node, left, *right)

    def _between(self, node: exp.Expr) -> Typed:
        value = self.emit(node.this)
        value, low = self._alike(node, value, self.emit(node.args["low"]))
        value, high = self._alike(node, value, self.emit(node.args["high"]))
        sql = f"({value.sql} between {low.sql} and {high.sql})"
        return _made(sql, "bool", node, value, low, high)

    def _like(self, node: exp.Expr) -> Typed:
        left, right = as_text(self.emit(node.this)), as_text(self.emit(node.expression))
        word = "ilike" if isinstance(node, exp.ILike) else "like"
        no = "not " if node.args.get("negate") else ""
        return _made(f"({left.sql} {no}{word} {right.sql})", "bool", node, left, right)

    def _regexp(self, node: exp.Expr) -> Typed:
        return call(
            "regexp_matches", [self.emit(node.this), self.emit(node.expression)], self.scope
        )

    def _join(self, node: exp.Expr) -> Typed:
        left, right = as_text(self.emit(node.this)), as_text(self.emit(node.expression))
        made = _made(f"({left.sql} || {right.sql})", "text", node, left, right)
        return replace(made, growth=left.growth + right.growth)

    def _negative(self, node: exp.Expr) -> Typed:
        inner = self.emit(node.this)
        if inner.kind not in NUMBERS:
            raise ValueRefused(
                f"`{inner.spelled}` is {named(inner)}, not a number.",
                f"write -{inner.spelled}::decimal.",
            )
        made = _made(f"(- {inner.sql})", inner.kind, node, inner)
        return replace(made, literal=f"-{inner.literal}") if inner.is_literal else made

    def _case(self, node: exp.Expr) -> Typed:
        tests: list[Typed] = []
        for branch in node.args["ifs"]:
            if node.this is None:
                tests.append(self._condition(branch.this))
                continue
            left, right = self._alike(node, self.emit(node.this), self.emit(branch.this))
            tests.append(_made(f"({left.sql} = {right.sql})", "bool", node, left, right))
        values = [self.emit(branch.args["true"]) for branch in node.args["ifs"]]
        default = node.args.get("default")
        if default is not None:
            values.append(self.emit(default))
        kind, values = common(values)
        pairs = list(zip(tests, values, strict=False))
        last = values[-1] if default is not None else None
        ending = f" else {last.sql}" if last else ""
        sql = " ".join(f"when {t.sql} then {v.sql}" for t, v in pairs)
        made = _made(f"(case {sql}{ending} end)", kind, node, *tests, *values)
        if not (made.meant or any(v.kind == "null" for v in values)):
            return made
        otherwise = broken(last) if last else present(made.refs)
        wrong = " ".join(f"when {t.sql} then {broken(v)}" for t, v in pairs)
        return replace(made, meant=True, special=f"(case {wrong} else {otherwise} end)")

    def _interval(self, node: exp.Expr) -> Typed:
        unit = str(node.args.get("unit") or "").lower().rstrip("s")
        amount = node.this.name if isinstance(node.this, exp.Literal) else ""
        if not amount.lstrip("-").isdigit() or len(amount) > 6 or unit not in functions.TRUNCATES:
            raise ValueRefused(f"`{written(node)}` is no interval.", "write interval '8 hours'.")
        return Typed(f"(interval '{amount} {unit}')", "interval", written(node), literal=amount)

    def _call(self, node: exp.Expr) -> Typed:
        functions.find(str(node.this))
        arguments = [
            self._lambda(a) if isinstance(a, exp.Lambda) else self.emit(a) for a in node.expressions
        ]
        return call(str(node.this), arguments, self.scope)

    def _lambda(self, node: exp.Expr) -> Typed:
        if self._bound or len(node.expressions) != 1:
            raise ValueRefused(
                f"`{written(node)}` is no simple lambda.", "write lambda x: upper(x), not nested."
            )
        name = node.expressions[0].name
        self._bound = frozenset({name})
        try:
            body = self.emit(node.this)
        finally:
            self._bound = frozenset()
        sql = f"lambda {quote(name)}: {body.sql}"
        return replace(body, sql=sql, kind="lambda", literal=body.kind)

    def _index(self, node: exp.Expr) -> Typed:
        inner = self.emit(node.this)
        index = integer(node.expressions[0]) if len(node.expressions) == 1 else None
        if index is None or inner.kind != "list":
            raise ValueRefused(
                f"`{written(node)}` is no place in a list.", "write list[0], or list[-1]."
            )
        # Ours counts from 0, DuckDB from 1; both read -1 as the last.
        place = index + 1
        return _made(f"{inner.sql}[{place + 1 if place >= 0 else place}]", "text", node, inner)


def _made(sql: str, kind: Kind, node: exp.Expr, *parts: Typed) -> Typed:
    return Typed(
        sql, kind, written(node), refs_of(parts), parts, any(p.meant for p in parts),
        growth=max((p.growth for p in parts), default=1.0),
        scale=max((p.scale for p in parts), default=0) if kind == "dec" else 0,
    )  # fmt: skip


def _family(piece: Typed) -> str:
    if piece.kind in NUMBERS:
        return "number"
    return "time" if piece.kind in TIMES else piece.kind


def _number(left: Typed, right: Typed) -> Kind:
    kinds = {left.kind, right.kind}
    return "dbl" if "dbl" in kinds else "dec" if "dec" in kinds else "int"


_Handler: TypeAlias = Callable[[Emitter, Any], Typed]
_NODES: dict[type[exp.Expr], _Handler] = {
    exp.Literal: Emitter._literal,
    exp.Null: Emitter._null,
    exp.Boolean: Emitter._boolean,
    exp.Paren: Emitter._paren,
    exp.Cast: Emitter._cast,
    exp.TryCast: Emitter._cast,
    exp.EQ: Emitter._compare,
    exp.NEQ: Emitter._compare,
    exp.LT: Emitter._compare,
    exp.LTE: Emitter._compare,
    exp.GT: Emitter._compare,
    exp.GTE: Emitter._compare,
    exp.NullSafeEQ: Emitter._compare,
    exp.NullSafeNEQ: Emitter._compare,
    exp.Add: Emitter._arithmetic,
    exp.Sub: Emitter._arithmetic,
    exp.Mul: Emitter._arithmetic,
    exp.Div: Emitter._arithmetic,
    exp.IntDiv: Emitter._arithmetic,
    exp.Mod: Emitter._arithmetic,
    exp.And: Emitter._logic,
    exp.Or: Emitter._logic,
    exp.Not: Emitter._not,
    exp.Is: Emitter._is,
    exp.In: Emitter._in,
    exp.Between: Emitter._between,
    exp.Like: Emitter._like,
    exp.ILike: Emitter._like,
    exp.RegexpLike: Emitter._regexp,
    exp.DPipe: Emitter._join,
    exp.Neg: Emitter._negative,
    exp.Case: Emitter._case,
    exp.Interval: Emitter._interval,
    exp.Anonymous: Emitter._call,
    exp.Bracket: Emitter._index,
}
"""The allow-list: every class of node that may stand in a mapping, and who writes it."""
