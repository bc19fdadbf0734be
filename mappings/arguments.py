"""Calls of allowed functions: arguments checked against the function's signature."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache

from mappings import functions, sqltypes
from mappings.casts import as_text, cast, common
from mappings.errors import ValueRefused
from mappings.expressions import Scope
from mappings.functions import Function
from mappings.nodes import cast_written, named
from mappings.typed import NUMBERS, TIMES, Kind, Typed, broken, refs_of

_LITERALS = frozenset("TIRFP")


def call(name: str, arguments: list[Typed], scope: Scope) -> Typed:
    """Return the SQL of a call; raises ValueRefused."""
    known = functions.find(name)
    name = name.lower()
    if name == "length" and arguments and arguments[0].kind == "list":
        name, known = "len", functions.find("len")
    if name == "len" and arguments and arguments[0].kind == "text":
        name, known = "length", functions.find("length")
    fitted = [
        _fit(name, code, argument, scope)
        for code, argument in zip(_codes(name, known, len(arguments)), arguments, strict=True)
    ]
    kind, fitted = _kind(known, fitted)
    if name == "nullif":
        fitted = _same_family(fitted)
    sql = _sql(name, known, fitted, kind)
    spelled = f"{name}({', '.join(a.spelled for a in arguments)})"
    made = Typed(
        sql, kind, spelled, refs_of(tuple(fitted)), tuple(f for f in fitted if f.kind != "lambda"),
        any(f.meant for f in fitted), growth=_growth(name, fitted),
        scale=max((f.scale for f in fitted), default=0) if kind == "dec" else 0,
    )  # fmt: skip
    return _meant(known, made, fitted)


def _codes(name: str, known: Function, count: int) -> list[str]:
    codes = known.args.split()
    needed = [c for c in codes if not c.endswith(("?", "*"))]
    if codes[-1].endswith("*"):
        codes = codes[:-1] + [codes[-1][0]] * max(count - len(codes) + 1, 1)
    if not len(needed) <= count <= len(codes) or count == 0:
        plural = "s" if len(needed) != 1 else ""
        more = " or more" if "*" in known.args or "?" in known.args else ""
        raise ValueRefused(
            f"{name} takes {max(len(needed), 1)}{more} argument{plural}, not {count}.",
            "count the commas.",
        )
    return [c[0] for c in codes[:count]]


def _fit(name: str, code: str, piece: Typed, scope: Scope) -> Typed:
    if code in _LITERALS:
        return _literal(name, code, piece)
    if code == "f" and piece.kind == "lambda":
        if (piece.literal == "bool") != (name == "list_filter"):
            what = "a condition" if name == "list_filter" else "text"
            raise ValueRefused(f"the lambda of {name} must give {what}.", "write x <> ''.")
        return piece
    if "lambda" in (piece.kind, "lambda" if code == "f" else ""):
        raise ValueRefused(f"{name} is called with a wrong argument.", "see docs/mappings.md.")
    if code == "a" or piece.kind == "null":
        return piece if code == "a" else cast(piece, _wanted(code), scope)
    if code == "t":
        return as_text(piece)
    if code in "ni" and piece.kind in NUMBERS:
        return cast(piece, "int", scope) if code == "i" and piece.kind != "int" else piece
    fits = {"b": ("bool",), "d": TIMES, "l": ("list",)}.get(code, ())
    if piece.kind in fits:
        return piece
    to = {"n": "decimal", "i": "bigint", "b": "boolean", "d": "timestamptz", "l": "text[]"}[code]
    raise ValueRefused(
        f"{name} needs {_needed(code)}; {piece.spelled} is {named(piece)}.",
        f"write {cast_written(piece, to)}"
        + (f" or {cast_written(piece, 'date')}." if code == "d" else "."),
    )


def _wanted(code: str) -> Kind:
    wanted: dict[str, Kind] = {"t": "text", "n": "dec", "i": "int", "b": "bool", "l": "list"}
    return wanted.get(code, "instant")


def _needed(code: str) -> str:
    return {
        "n": "a number", "i": "a whole number", "b": "a condition", "d": "a date or moment",
        "l": "a list",
    }[code]  # fmt: skip


def _literal(name: str, code: str, piece: Typed) -> Typed:
    text = piece.literal
    if text is None or piece.kind != ("int" if code == "I" else "text"):
        what = "a whole number" if code == "I" else "a text in single quotes"
        raise ValueRefused(
            f"{name} takes {what} here, written out, not {piece.spelled}.",
            "a constant keeps the result's size known.",
        )
    if code == "I" and abs(int(text)) > 100:
        raise ValueRefused(f"{name} cannot use {text}.", "write a number up to 100.")
    if code == "R":
        _check_pattern(text)
    if code == "F":
        for found in re.finditer(r"%(-?)(.?)", text):
            if found[2] not in functions.SPECIFIERS or (found[1] and found[2] not in "dmyHIMSj"):
                raise ValueRefused(
                    f"{text!r} holds {found[0]!r}, which no time format has.",
                    "write for example '%Y-%m-%d %H:%M:%S'.",
                )
    if code == "P":
        parts = functions.TRUNCATES if name == "date_trunc" else functions.DATE_PARTS
        if text.lower() not in parts:
            raise ValueRefused(f"{text!r} is no part of a date.", f"use one of {', '.join(parts)}.")
    return piece


@cache
def _check_pattern(pattern: str) -> None:
    # A constant pattern is compiled when the statement is bound, outside of every TRY. Arrow's
    # engine is RE2, as DuckDB's is.
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        reason = str(error).rsplit(": ", 1)[-1]
        raise ValueRefused(
            f"{pattern!r} is no regular expression of RE2 ({reason}).",
            "RE2 has no look-around and no back references.",
        ) from None


def _kind(known: Function, fitted: list[Typed]) -> tuple[Kind, list[Typed]]:
    if known.kind == "joined":
        head = fitted[:1] if known.args.startswith("b") else []
        kind, rest = common(fitted[len(head) :])
        return kind, [*head, *rest]
    if known.kind in ("first", "number"):
        first = fitted[0]
        return ("text" if first.kind == "null" else first.kind), fitted
    if known.kind == "first_d":
        return fitted[1].kind if fitted[1].kind in TIMES else "instant", fitted
    if known.kind == "naive" and fitted[1].literal and re.search("%[zZ]", fitted[1].literal):
        return "instant", fitted
    return known.kind, fitted  # type: ignore[return-value]


def _same_family(fitted: list[Typed]) -> list[Typed]:
    left, right = fitted
    same = left.kind == right.kind or (left.kind in NUMBERS and right.kind in NUMBERS)
    if same or "null" in (left.kind, right.kind):
        return fitted
    if left.kind == "text":
        to = {"bool": "boolean", "date": "date"}.get(right.kind, "decimal")
        to = "timestamptz" if right.kind in ("instant", "naive") else to
        raise ValueRefused(
            f"nullif sets text against {named(right)}.",
            f"write nullif({left.spelled}, '{right.literal}')."
            if right.is_literal
            else f"write nullif({cast_written(left, to)}, {right.spelled}).",
        )
    raise ValueRefused(
        f"nullif sets {named(left)} against {named(right)}.", "take nullif before the cast."
    )


def _sql(name: str, known: Function, fitted: list[Typed], kind: Kind) -> str:
    sqls = [f.sql for f in fitted]
    if name == "cents":
        return sqltypes.minor_units(as_text(fitted[0]).sql, sqls[1])
    if name == "instant_ms":
        return sqltypes.instant_of_ms(as_text(fitted[0]).sql)
    if name == "dotnet_date":
        return sqltypes.dotnet_date(sqls[0])
    if name == "date_trunc" and kind == "date":
        return f"try_cast(date_trunc({sqls[0]}, {sqls[1]}) as date)"
    if name == "date_diff" or known.sql.startswith("date_diff"):
        sqls[1:] = [f"cast({s} as timestamptz)" for s in sqls[1:]]
    if known.sql:
        return known.sql.format(*sqls, all=", ".join(sqls))
    return f"{name}({', '.join(sqls)})"


def _growth(name: str, fitted: list[Typed]) -> float:
    growth = max((f.growth for f in fitted), default=1.0)
    size = [len((f.literal or "").encode()) for f in fitted]
    if name == "replace":
        return growth * max(1.0, size[2] / max(size[1], 1))
    if name == "regexp_replace":
        return growth * (1 + size[2])
    if name == "array_to_string":
        return growth * (1 + size[1])
    if name == "list_transform":
        return fitted[0].growth * max(1.0, fitted[1].growth)
    if name in ("concat", "concat_ws"):
        return sum(f.growth for f in fitted)
    return growth


def _meant(known: Function, made: Typed, fitted: list[Typed]) -> Typed:
    if known.meant == "nullif":
        return replace(made, meant=True, special=broken(fitted[0]))
    if known.meant == "coalesce" and made.meant:
        inner = " or ".join(broken(f) for f in fitted)
        return replace(made, special=f"(({made.sql}) is null and ({inner}))")
    if known.meant == "case" and (made.meant or any(f.kind == "null" for f in fitted)):
        test, yes, no = fitted
        wrong = f"(case when {test.sql} then {broken(yes)} else {broken(no)} end)"
        return replace(made, meant=True, special=wrong)
    return made
