"""Constructors of columns, so that an entity reads as a list of its fields."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, TypeAlias

from warehouse.model.base import Column, Kind, Privacy

Text: TypeAlias = str | None
Number: TypeAlias = Decimal | None
Whole: TypeAlias = int | None
Flag: TypeAlias = bool | None
# Dates and instants stay text in the pydantic class: it documents rows, it does not parse them.
Moment: TypeAlias = str | None
Day: TypeAlias = str | None
Json: TypeAlias = Any


def _column(kind: Kind, en: str, zh: str, about: str, **more: Any) -> Column:
    return Column(kind=kind, en=en, zh=zh, about=about, **more)


def text(
    en: str,
    zh: str,
    about: str,
    *,
    natural: bool = False,
    privacy: Privacy | None = None,
    person_only: bool = False,
) -> Column:
    """Return a text column."""
    return _column("text", en, zh, about, natural=natural, privacy=privacy, person_only=person_only)


def ruled(
    en: str,
    zh: str,
    about: str,
    rule: str,
    rule_en: str,
    rule_zh: str,
    **more: Any,
) -> Column:
    """Return a text column whose present value must meet `rule` (SQL over the word `value`)."""
    return _column("text", en, zh, about, rule=rule, rule_en=rule_en, rule_zh=rule_zh, **more)


def key(en: str, zh: str, about: str, *, ref: str, resolved: str) -> Column:
    """Return a reference as the source said it; unified rows carry the golden id in `resolved`."""
    return _column("text", en, zh, about, ref=ref, resolved=resolved)


def organization(zh: str, about: str) -> Column:
    """Return the own legal entity that a document or record belongs to."""
    return key("Organisation", zh, about, ref="organization", resolved="organization_id")


def currency(en: str = "Currency", zh: str = "币种") -> Column:
    """Return an ISO 4217 code."""
    return ruled(
        en,
        zh,
        "ISO 4217 code of the amounts of the row",
        "regexp_full_match(value, '[A-Z]{3}')",
        "three capital letters (ISO 4217), CNY and not RMB",
        "三个大写字母（ISO 4217），写 CNY 而非 RMB",
    )


def money(en: str, zh: str, about: str, *, positive: bool = False) -> Column:
    """Return an amount in major units of the row's currency."""
    return _column("money", en, zh, about, **_sign(positive))


def price(en: str, zh: str, about: str, *, positive: bool = True) -> Column:
    """Return a price of one unit in major units, with up to ten decimals."""
    return _column("price", en, zh, about, **_sign(positive))


def rate(en: str, zh: str, about: str) -> Column:
    """Return a rate, written as a fraction (0.13 is 13 %)."""
    return _column("rate", en, zh, about)


def quantity(en: str, zh: str, about: str, *, positive: bool = False) -> Column:
    """Return a quantity in the unit of the row."""
    return _column("quantity", en, zh, about, **_sign(positive))


def integer(en: str, zh: str, about: str, *, positive: bool = True) -> Column:
    """Return a whole number."""
    return _column("integer", en, zh, about, **_sign(positive))


def instant(en: str, zh: str, about: str) -> Column:
    """Return a moment in UTC between 1970 and 2200 (DuckDB accepts the years -290000 to 294000)."""
    return _column(
        "instant",
        en,
        zh,
        about,
        rule="value >= timestamptz '1970-01-01 00:00:00+00' "
        "and value < timestamptz '2200-01-01 00:00:00+00'",
        rule_en="between 1970 and 2200",
        rule_zh="在 1970 年与 2200 年之间",
    )


def date(en: str, zh: str, about: str) -> Column:
    """Return a business date between 1900 and 2200."""
    return _column(
        "date",
        en,
        zh,
        about,
        rule="value >= date '1900-01-01' and value < date '2200-01-01'",
        rule_en="between 1900 and 2200",
        rule_zh="在 1900 年与 2200 年之间",
    )


def flag(en: str, zh: str, about: str) -> Column:
    """Return a yes or no."""
    return _column("boolean", en, zh, about)


def word(en: str, zh: str, about: str, *words: str) -> Column:
    """Return a word of a closed list; the source's own word is kept in `<field>_raw`."""
    return _column("word", en, zh, about, words=words)


def json(en: str, zh: str, about: str) -> Column:
    """Return a list or object as the source sent it."""
    return _column("json", en, zh, about)


def note(en: str, zh: str, about: str) -> Column:
    """Return text that people typed freely; it may hold names and phone numbers."""
    return _column("text", en, zh, about, privacy="note")


def country() -> Column:
    """Return an ISO 3166-1 code."""
    return ruled(
        "Country",
        "国家",
        "ISO 3166-1 alpha-2 code",
        "regexp_full_match(value, '[A-Z]{2}')",
        "two capital letters (ISO 3166-1)",
        "两个大写字母（ISO 3166-1）",
    )


def created() -> Column:
    """Return when the source made the record."""
    return instant("Created at source", "源系统创建时间", "When the source made the record")


def updated() -> Column:
    """Return when the source changed the record last."""
    return instant("Updated at source", "源系统更新时间", "When the source says it last changed")


def _sign(positive: bool) -> dict[str, str]:
    if not positive:
        return {}
    return {"rule": "value >= 0", "rule_en": "not negative", "rule_zh": "不能为负"}
