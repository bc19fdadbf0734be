"""Casts inside expressions: always TRY_CAST, with the rules that TRY_CAST itself lacks."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from mappings import sqltypes
from mappings.errors import ValueRefused
from mappings.expressions import Scope
from mappings.typed import NUMBERS, TIMES, Kind, Typed

_WHOLE = {
    exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT, exp.DType.INT128,
    exp.DType.UTINYINT, exp.DType.USMALLINT, exp.DType.UINT, exp.DType.UBIGINT,
}  # fmt: skip
_KINDS: dict[exp.DType, Kind] = {
    exp.DType.DECIMAL: "dec",
    exp.DType.DOUBLE: "dbl",
    exp.DType.FLOAT: "dbl",
    exp.DType.TEXT: "text",
    exp.DType.VARCHAR: "text",
    exp.DType.BOOLEAN: "bool",
    exp.DType.DATE: "date",
    exp.DType.TIMESTAMPTZ: "instant",
}
WIDE = "decimal(28,10)"
"""What `::decimal` means here: DuckDB's own is DECIMAL(18,3), which rounds in silence."""


def kind_of_type(to: exp.DataType, spelled: str) -> tuple[Kind, str]:
    """Return the kind and SQL type of a cast's target; raises ValueRefused."""
    base = to.this
    if base in _WHOLE:
        return "int", "bigint"
    if base == exp.DType.ARRAY and [e.this for e in to.expressions] == [exp.DType.TEXT]:
        return "list", "varchar[]"
    if base in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ, exp.DType.DATETIME):
        raise ValueRefused(
            f"`{spelled}::timestamp` would drop the time's zone.",
            f"write {spelled}::timestamptz; text without offset is read in the stream's zone.",
        )
    if base not in _KINDS:
        raise ValueRefused(
            f"`{spelled}` cannot be cast to {to.sql(dialect='duckdb')}.",
            "cast to text, decimal, bigint, double, boolean, date, timestamptz or text[].",
        )
    kind = _KINDS[base]
    if kind != "dec" or not to.expressions:
        return kind, WIDE if kind == "dec" else ""
    sizes = [int(p.name) for p in to.expressions if p.name.isdigit()]
    width, scale = (*sizes, 0)[:2]
    if not 1 <= width <= 38 or scale > width:
        raise ValueRefused(
            f"`{spelled}::decimal({width},{scale})` is no type.",
            "a decimal has 1 to 38 digits, of them the second number behind the point.",
        )
    return "dec", f"decimal({width},{scale})"


def cast(piece: Typed, to: Kind, scope: Scope, sql_type: str = "") -> Typed:
    """Return `piece` as another kind; null where it does not fit. Raises ValueRefused."""
    sql_type = sql_type or {"dec": WIDE, "int": "bigint", "list": "varchar[]"}.get(to, "")
    if piece.kind == "null":
        plain = {"text": "varchar", "instant": "timestamptz", "naive": "timestamp", "dbl": "double"}
        name = sql_type or plain.get(to) or {"bool": "boolean"}.get(to, to)
        return replace(piece, sql=f"cast(null as {name})")
    if piece.kind == to and to not in ("dec", "text"):
        return piece
    sql = _cast_sql(piece, to, scope, sql_type)
    if sql is None:
        raise ValueRefused(f"`{piece.spelled}` cannot become {to}.", "cast to text first.")
    spelled = f"{piece.spelled}::{_spelled(to)}"
    scale = sizes(sql_type)[1] if to == "dec" else 0
    return Typed(
        sql, to, spelled, piece.refs, (piece,), piece.meant, growth=piece.growth, scale=scale
    )


def _cast_sql(piece: Typed, to: Kind, scope: Scope, sql_type: str) -> str | None:
    inner, kind = piece.sql, piece.kind
    if to == "text":
        return f"cast({inner} as varchar)" if kind not in ("text", "lambda") else inner
    if kind == "text":
        return {
            "int": sqltypes.whole(inner),
            "dec": sqltypes.decimal(inner, *sizes(sql_type)) if to == "dec" else "",
            "dbl": f"try_cast({inner} as double)",
            "bool": sqltypes.boolean(inner, scope.words),
            "date": sqltypes.date(inner, scope.zone),
            "instant": sqltypes.instant(inner, scope.zone),
            "naive": f"try_cast({inner} as timestamp)",
            "list": f"try_cast({inner} as varchar[])",
        }.get(to)
    if kind in NUMBERS and to in (*NUMBERS, "bool"):
        name = {"int": "bigint", "dbl": "double", "bool": "boolean"}.get(to, sql_type)
        return f"try_cast({inner} as {name})"
    if kind == "bool" and to in NUMBERS:
        return f"try_cast({inner} as {sql_type or 'double'})"
    if kind == "naive" and scope.zone and to in ("instant", "date"):
        return (
            sqltypes.instant(f"cast({inner} as varchar)", scope.zone)
            if to == "instant"
            else (f"try_cast({inner} as date)")
        )
    if kind in TIMES and to in TIMES:
        name = {"date": "date", "instant": "timestamptz", "naive": "timestamp"}[to]
        return f"try_cast({inner} as {name})"
    return None


def sizes(sql_type: str) -> tuple[int, int]:
    """Return width and scale of a decimal type as it is written."""
    width, scale = sql_type.partition("(")[2].rstrip(")").split(",")
    return int(width), int(scale)


def _spelled(kind: Kind) -> str:
    return {
        "dec": "decimal", "int": "bigint", "dbl": "double", "bool": "boolean",
        "instant": "timestamptz", "list": "text[]",
    }.get(kind, kind)  # fmt: skip


def as_text(piece: Typed) -> Typed:
    """Return `piece` as text."""
    if piece.kind == "text":
        return piece
    if piece.kind in ("lambda", "interval"):
        raise ValueRefused(f"`{piece.spelled}` is no value.", "write a field or a text.")
    sql = f"cast({piece.sql} as varchar)"
    kind: Kind = "null" if piece.kind == "null" else "text"
    return replace(piece, sql=sql, kind=kind, parts=(piece,), special="")


def common(pieces: list[Typed]) -> tuple[Kind, list[Typed]]:
    """Return the kind that all of `pieces` share, and the pieces as that kind (else text)."""
    kinds = {p.kind for p in pieces if p.kind != "null"}
    if not kinds:
        return "text", [replace(p, sql="cast(null as varchar)") for p in pieces]
    if len(kinds) == 1:
        return kinds.pop(), pieces
    if kinds <= set(NUMBERS):
        kind: Kind = "dbl" if "dbl" in kinds else "dec"
        return kind, pieces
    return "text", [p if p.kind == "null" else as_text(p) for p in pieces]
