"""Phone numbers that the rules of SQL do not know: other countries', read by the library."""

from __future__ import annotations

from typing import Any

from warehouse.matching import normal

# Several numbers may stand in one field.
SPLIT = r"[,;/|、，；]|\s{2,}| 或 "


def said_sql(source: str) -> str:
    """Return the SQL of (id, said, is_contact): each number that a row says, as it says it."""
    parts = [
        f"select id, trim(unnest(regexp_split_to_array({column}, '{SPLIT}'))) as said "
        f"from {source} where {column} is not null"
        for column in ("phone", "contact_phone")
    ]
    parts.append(
        f"select id, i.value from (select id, unnest(identifiers) as i from {source}) "
        "where i.scheme = 'phone' and i.value is not null"
    )
    return " union all ".join(parts)


def foreign_sql(source: str) -> str:
    """Return the SQL of the distinct numbers with a sign of another country."""
    return (
        f"select distinct said from ({said_sql(source)}) "
        rf"where regexp_matches(said, '^\s*(\+|00)') and {normal.phone('said')} is null "
        "and not contains(said, '*')"
    )


def read(texts: list[str]) -> list[list[Any]]:
    """Return one column: E.164, null where it is no number that can exist."""
    import phonenumbers

    def one(text: str) -> str | None:
        said = "+" + text.strip()[2:] if text.strip().startswith("00") else text
        try:
            number = phonenumbers.parse(said, "CN")
        except phonenumbers.NumberParseException:
            return None
        # Chinese numbers were read before; what is left of them is a placeholder.
        if number.country_code == 86 or not phonenumbers.is_valid_number(number):
            return None
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    return [[one(t) for t in texts]]
