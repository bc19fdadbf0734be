"""One field of a row: its text, its typed value, and the condition under which it is broken.

Text and value stand side by side, because null in the source and null by a failed cast are two
things. What DuckDB does in silence is checked here: decimals rounded to the scale, fractions
rounded to integers, `1_000`, `1e-30` as 0, years beyond sense.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mappings import sqltypes
from mappings.casts import sizes
from mappings.errors import ValueRefused, did_you_mean
from mappings.form import Value
from mappings.paths import sql_text
from mappings.typed import Typed, broken, present
from warehouse.model.base import Column

_WORD_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Habits:
    """Habits of the system that a mapping states once."""

    keep_blank: bool = False
    blank_text_is_null: bool = False
    words: Mapping[str, str] | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class FieldSql:
    """The SQL of one field, in three layers: text, value (over `text`), outputs (over both).

    `bad` is true for a broken value and `reason` says why, as SQL; `warning` is null or the text.
    """

    name: str
    text: str  # SQL of the text, in the first layer
    value: str  # SQL of the value over the alias of the text
    bad: str
    reason: str
    warning: str | None = None
    raw: bool = False

    @property
    def text_alias(self) -> str:
        """The alias of the text in the first layer."""
        return f"t_{self.name}"

    @property
    def value_alias(self) -> str:
        """The alias of the value in the second layer."""
        return f"v_{self.name}"


def field_sql(name: str, column: Column, form: Value, piece: Typed, habits: Habits) -> FieldSql:
    """Return the SQL of a field; raises ValueRefused where form and column do not go together."""
    if form.words and column.kind not in ("word", "boolean", "text"):
        raise ValueRefused(f"{name} is {column.kind}: it has no words.", "write a path or a cast.")
    if piece.kind == "lambda":
        raise ValueRefused("a lambda is no value.", "give it to list_transform.")
    direct = piece.refs == (piece.sql,) or piece.is_literal or piece.kind == "null"
    if piece.kind == "null":
        text = "cast(null as varchar)"
    elif piece.kind == "text":
        text = piece.sql if direct else f"try({piece.sql})"
    else:
        text = f"try(cast({piece.sql} as varchar))"
    alias = f"t_{name}"
    shown, value = alias, f"v_{name}"
    zone = form.zone or habits.zone
    kind = column.kind
    null_rule = _lost(piece, form, habits, kind) if not direct and not form.nullable else None

    if kind == "word":
        return _word(name, column, form, text, null_rule)
    if kind == "text":
        return _text(name, column, form, text, habits, null_rule)
    conversions = {
        "integer": f"try_cast({shown} as bigint)",
        "instant": sqltypes.instant(shown, zone),
        "date": sqltypes.date(shown, zone),
        "boolean": sqltypes.boolean(shown, form.words or habits.words or {}),
        "json": f"(case when left(ltrim({shown}), 1) in ('{{', '[') and json_valid({shown}) "
        f"then cast({shown} as json) else to_json({shown}) end)",
    }
    converted = conversions.get(kind) or sqltypes.decimal(shown, *sizes(column.sql_type))
    if form.words and form.otherwise is not None and kind == "boolean":
        default = sqltypes.boolean(sql_text(form.otherwise), {})
        converted = f"(case when {shown} is not null then coalesce({converted}, {default}) end)"
    reasons: list[tuple[str, str]] = []  # conditions on a value that is there
    failed, rules = _checks(kind, column, shown, value)
    reasons += rules
    if column.rule:
        reasons.append((f"not ({over(column.rule, value)})", sql_text(column.rule_en)))
    blank_ok = "" if habits.keep_blank else f" and not {sqltypes.is_blank(shown)}"
    gone = f"({shown} is not null{blank_ok})" if not form.nullable else "false"
    lost = f" or {null_rule}" if null_rule else ""
    wrong = _any_of(reasons)
    if kind == "json":
        bad = null_rule or "false"
    else:
        bad = f"(case when {value} is null then ({gone}{lost}) else ({wrong}) end)"
    why = " ".join(f"when {condition} then {text_}" for condition, text_ in reasons)
    reason = (
        f"case when {shown} is null then 'is null although the source has a value' "
        f"when {value} is null then {failed} {why} else 'is broken' end"
    )
    return FieldSql(name, text, converted, bad, reason)


def over(rule: str, value: str) -> str:
    """Return a rule of the model over the column `value`."""
    return re.sub(r"\bvalue\b", value, rule)


def _lost(piece: Typed, form: Value, habits: Habits, kind: str) -> str | None:
    """Return the condition (first layer) that an expression's null is not meant."""
    if not piece.refs:
        return None
    condition = f"coalesce(try({broken(piece)}), true)" if piece.meant else present(piece.refs)
    if kind != "text" and not habits.keep_blank:
        joined = f"concat({', '.join(piece.refs)})"
        condition = f"({condition} and not {sqltypes.is_blank(joined)})"
    return condition


def _checks(kind: str, column: Column, text: str, value: str) -> tuple[str, list[tuple[str, str]]]:
    """Return the SQL of the reason for a failed cast, and (condition, reason) of a wrong value."""
    if kind == "integer":
        fraction = f"not regexp_full_match({text}, {sqltypes.INTEGER})"
        failed = (
            f"case when regexp_full_match({text}, {sqltypes.INTEGER}) "
            "then 'does not fit the column' else 'is not a whole number' end"
        )
        return failed, [(fraction, "'is not a whole number'")]
    if column.scale is not None:
        return _decimals(column, text, value)
    failed = {
        "instant": "'is not a moment in time'",
        "date": "'is not a date'",
        "boolean": "'is neither yes nor no'",
    }.get(kind, "'is broken'")
    return failed, []


def _decimals(column: Column, text: str, value: str) -> tuple[str, list[tuple[str, str]]]:
    width, scale = sizes(column.sql_type)
    whole = width - scale
    # One pass over the usual text settles all: digits, no more decimals than kept but zeros.
    usual = rf"'\s*[-+]?[0-9]*(\.[0-9]{{0,{scale}}}0*)?\s*'"
    odd = f"not regexp_full_match({text}, {usual})"
    failed = (
        f"case when coalesce(isfinite(try_cast({text} as double)), false) "
        "then 'does not fit the column' else 'is not a number' end"
    )
    wide = f"try_cast({text} as decimal(38,{38 - whole}))"
    tiny = f"({value} = 0 and regexp_matches({text}, '^[^eE]*[1-9]'))"  # 1e-30 is 0 in any type
    exact = f"regexp_matches({text}, '[eE]') and {wide} = {value} and not {tiny}"
    return failed, [
        (f"{odd} and contains({text}, '_')", "'is not a number'"),
        (f"{odd} and not ({exact})", "'has more decimals than the column keeps'"),
    ]


def _any_of(reasons: list[tuple[str, str]]) -> str:
    # CASE narrows the rows from condition to condition, OR in a projection computes all of them.
    whens = " ".join(f"when {condition} then true" for condition, _ in reasons)
    return f"case {whens} else false end" if reasons else "false"


def _text(
    name: str, column: Column, form: Value, text: str, habits: Habits, lost: str | None
) -> FieldSql:
    alias, value = f"t_{name}", f"v_{name}"
    converted = alias
    if form.words:
        if form.inline:
            guess = did_you_mean(form.inline[0], ["stream", "by", "words", "else", "nullable"])
            raise ValueRefused(
                f"`{form.inline[0]}` is no member known here.{guess}",
                "words of a text field stand under `words:`.",
            )
        otherwise = alias if form.otherwise is None else sql_text(form.otherwise)
        converted = f"(case {alias} {_whens(form.words)} else {otherwise} end)"
        converted = f"(case when {alias} is not null then {converted} end)"
    # A blank in a field of fixed form (currency, tax number) or a reference says nothing.
    strict = column.rule is not None or column.ref is not None
    if habits.blank_text_is_null or (strict and not habits.keep_blank):
        converted = f"(case when trim({alias}) = '' then null else {converted} end)"
    conditions = [(f"contains({value}, chr(0))", "'holds a zero character'")]
    if column.rule:
        conditions.append((f"not ({over(column.rule, value)})", sql_text(column.rule_en)))
    bad = f"({_any_of(conditions)})"
    if lost:
        bad = f"(case when {alias} is null then {lost} else {bad} end)"
    why = " ".join(f"when {c} then {r}" for c, r in conditions)
    reason = f"case {why} else 'is null although the source has a value' end"
    return FieldSql(name, text, converted, bad, reason)


def _word(name: str, column: Column, form: Value, text: str, lost: str | None) -> FieldSql:
    known = {*column.words, "unknown"}
    for word in (*form.words.values(), *((form.otherwise,) if form.otherwise else ())):
        if word not in known:
            guess = did_you_mean(word, sorted(known))
            members = ["value", "stream", "by", "words", "else", "nullable", "zone"]
            slip = [i for i in form.inline if form.words[i] == word]
            member = did_you_mean(slip[0], members) if slip else ""
            raise ValueRefused(
                f"{word!r} is no word of {name}.{guess or member}",
                f"use one of: {', '.join(sorted(known))}.",
            )
    alias = f"t_{name}"
    own = ", ".join(sql_text(w) for w in sorted(known))
    plain = f"lower(trim({alias}))"
    fallback = sql_text(form.otherwise or "unknown")
    if form.words:
        # The source's own words come first; ours are taken as they are where nothing else is said.
        same = "" if form.otherwise else f"case when {plain} in ({own}) then {plain} end, "
        found = f"coalesce(case {alias} {_whens(form.words)} end, {same}{fallback})"
    else:
        found = f"(case when {plain} in ({own}) then {plain} else {fallback} end)"
    value = f"(case when {alias} is null or trim({alias}) = '' then null else {found} end)"
    warning = None
    if form.otherwise in (None, "unknown"):
        meant = [w for w, ours in form.words.items() if ours == "unknown"] + ["unknown"]
        listed = ", ".join(sql_text(w) for w in meant)
        warning = (
            f"case when v_{name} = 'unknown' and {alias} not in ({listed}) "
            f"then '{name}: unknown word: ' || left({alias}, {_WORD_LENGTH}) end"
        )
    bad = "false"
    if lost:
        bad = f"({alias} is null and {lost})"
    reason = "'is null although the source has a value'"
    return FieldSql(name, text, value, bad, reason, warning, raw=True)


def _whens(words: Mapping[str, str]) -> str:
    return " ".join(f"when {sql_text(w)} then {sql_text(ours)}" for w, ours in words.items())
