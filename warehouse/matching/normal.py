"""Identifiers in one form, as SQL over plain texts; null where the value identifies nobody."""

from __future__ import annotations

from warehouse.ddl import literal
from warehouse.matching.words import NO_DOMAIN, NO_MAILBOX
from warehouse.model.party import Party

_CHECKED = str(Party.columns()["uscc"].rule).replace("value", "x")


def _one(value: str, body: str) -> str:
    """Give the expression the name x, so that it is computed once a row."""
    return f"list_transform([{value}], lambda x: {body})[1]"


def squeezed(text: str) -> str:
    """Return the SQL of a text in upper case without blanks and dashes."""
    return rf"regexp_replace(upper({text}), '[\s\-_.·]+', '', 'g')"


def uscc(text: str) -> str:
    """Return the SQL of a 统一社会信用代码 that the model's rule holds valid.

    I, O, S and Z are not in its alphabet: they are 1, 0, 5 and 2 misread. One sign repeated passes
    the check and is nobody's.
    """
    fixed = f"translate({squeezed(text)}, 'IOSZ', '1052')"
    return _one(
        fixed,
        "if(regexp_full_match(x, '[1-9A-HJ-NP-RTUW-Y][1-9A-HJ-NP-RTUW-Y][0-9]{6}"
        f"[0-9A-HJ-NP-RTUW-Y]{{10}}') and {_CHECKED} and length(replace(x, x[9], '')) > 6 and "
        "not contains('1234567890123456789012', x), x, null)",
    )


def organisation_code(text: str) -> str:
    """Return the SQL of the nine signs of the 组织机构代码 inside an old tax number of 15 signs."""
    return _one(
        squeezed(text),
        "if(regexp_full_match(x, '[1-9][0-9]{5}[0-9A-Z]{8}[0-9X]') and "
        "length(replace(substr(x, 7), x[7], '')) > 2, substr(x, 7), null)",
    )


def citizen(text: str) -> str:
    """Return the SQL of a valid identity number of 18 signs (GB 11643: ISO 7064 MOD 11-2)."""
    return _one(
        squeezed(text),
        "if(regexp_full_match(x, '[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|"
        "3[01])[0-9]{3}[0-9X]') and '10X98765432'[(list_sum(list_transform(range(1, 18), lambda i: "
        "x[i]::integer * ([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])[i])) % 11 + 1)"
        "::integer] = x[18], x, null)",
    )


def foreign_number(text: str) -> str:
    """Return the SQL of a number of another form (passport, abroad): no check sign to go by."""
    return _one(
        squeezed(text),
        "if(regexp_full_match(x, '[A-Z]{0,3}[0-9]{6,12}') and length(replace(x, x[-1], '')) > 1 "
        "and not contains('1234567890123', regexp_extract(x, '[0-9]+')), x, null)",
    )


def digits(text: str) -> str:
    """Return the SQL of a phone's digits and mask signs, without trunk and Chinese prefix."""
    bare = rf"regexp_replace(translate(lower({text}), 'x•＊', '***'), '[^0-9*+]+', '', 'g')"
    return rf"regexp_replace({bare}, '^(\+|00)?86(0?1[3-9]|0[1-9]|[2-9][0-9]{{8,10}}$)', '\2')"


def mobile(x: str) -> str:
    """Return the SQL of whether the digits are a Chinese mobile number that someone may have."""
    return (
        f"(regexp_full_match({x}, '1[3-9][0-9]{{9}}') and "
        f"not regexp_full_match({x}, '1[3-9][0-9](00000000|0{{4}}[0-9]{{4}}|12345678|87654321)') "
        f"and {x} not in ('13800138000', '13900139000', '13123456789', '13012345678') "
        f"and length(replace(substr({x}, 4), {x}[-1], '')) > 0 "
        f"and length(replace({x}, {x}[-1], '')) > 2)"
    )


def phone(text: str) -> str:
    """Return the SQL of E.164 for Chinese mobile and landline numbers, null for any other text.

    Other countries' numbers go through the library (`phones.py`).
    """
    return _one(
        digits(text),
        f"case when {mobile('x')} then '+86' || x "
        rf"when {mobile('substr(x, 2)')} and x[1] = '0' then '+86' || substr(x, 2) "
        "when regexp_full_match(x, '0(10|2[0-9]|[3-9][0-9]{2})[2-9][0-9]{6,7}') "
        "and length(replace(substr(x, 5), x[-1], '')) > 1 "
        "and not contains('0123456789012', substr(x, -7)) "
        "then '+86' || substr(x, 2) end",
    )


def tail(text: str) -> str:
    """Return the SQL of the first three and last four digits of a mobile number, masked or not."""
    return _one(
        digits(text),
        "case when regexp_full_match(x, '1[3-9][0-9][*]{3,6}[0-9]{4}') "
        "and substr(x, -4) not in ('0000') then substr(x, 1, 3) || substr(x, -4) "
        f"when {mobile('x')} then substr(x, 1, 3) || substr(x, -4) end",
    )


def email(text: str) -> str:
    """Return the SQL of a mail address in lower case, null for masked and placeholder ones."""
    boxes = ", ".join(literal(b) for b in NO_MAILBOX)
    domains = ", ".join(literal(d) for d in NO_DOMAIN)
    return _one(
        rf"regexp_replace(lower({text}), '\s+|^mailto:', '', 'g')",
        r"if(regexp_full_match(x, '[a-z0-9._%+\-'']{1,64}@[a-z0-9\-]+(\.[a-z0-9\-]+)+') "
        f"and split_part(x, '@', 1) not in ({boxes}) and split_part(x, '@', 2) not in ({domains}) "
        "and length(replace(split_part(x, '@', 1), x[1], '')) > 0, x, null)",
    )
