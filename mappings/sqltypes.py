"""Text to typed SQL: every conversion total, no silent rounding of integers, instants with zones.

Facts behind it (seen on DuckDB 1.5.5 and 2.0.0): `try_cast('1.10' as bigint)` is 1 and of `0x1F`
31; a date cast from `2026-01-01T20:00:00Z` is the day in UTC; casting an instant to TIMESTAMP drops
its zone; `epoch_ms` is naive. The session's TimeZone is the stream's zone while these run.
"""

from __future__ import annotations

from collections.abc import Mapping

from mappings.paths import sql_text

INTEGER = r"'\s*[-+]?[0-9]+(\.0*)?\s*'"
BLANK = r"'[\s\x{a0}\x{3000}\x{feff}]*'"
_NAIVE = (
    r"'\s*[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,2}"
    r"([ T][0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?)?\s*'"
)
_FALSE = ("false", "f", "0", "no", "n")

# Units of ISO 4217 with another exponent than two.
NO_DECIMALS = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
]  # fmt: skip
THREE_DECIMALS = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
FOUR_DECIMALS = ["CLF", "UYW"]


def is_blank(text: str) -> str:
    """Return the condition that `text` holds nothing but blanks (no-break and ideographic too)."""
    return f"regexp_full_match({text}, {BLANK})"


def whole(text: str) -> str:
    """Return `text` as BIGINT; null for a fraction, hexadecimal or digits with underscores."""
    return f"(case when regexp_full_match({text}, {INTEGER}) then try_cast({text} as bigint) end)"


def decimal(text: str, width: int, scale: int) -> str:
    """Return `text` as DECIMAL(width,scale), null where it is no number.

    Text to a DECIMAL of more than 18 digits takes 14 microseconds a value (1.5.5), a hundred times
    as long as one of 18: ordinary numbers go through the narrow type, which is exact for them.
    """
    plain = f"try_cast({text} as decimal({width},{scale}))"
    if width <= 18:
        return plain
    kept = min(scale, 9)
    shape = rf"'\s*[-+]?[0-9]{{0,{18 - kept}}}(\.[0-9]{{0,{kept}}})?\s*'"
    narrow = f"cast(try_cast({text} as decimal(18,{kept})) as decimal({width},{scale}))"
    return f"(case when regexp_full_match({text}, {shape}) then {narrow} else {plain} end)"


def instant(text: str, zone: str | None = None) -> str:
    """Return `text` as TIMESTAMPTZ; text without offset is read in `zone` (None: the session's)."""
    plain = f"try_cast({text} as timestamptz)"
    if zone is None:
        return plain
    return (
        f"try(case when regexp_full_match({text}, {_NAIVE}) "
        f"then timezone({sql_text(zone)}, try_cast({text} as timestamp)) else {plain} end)"
    )


def date(text: str, zone: str | None = None) -> str:
    """Return `text` as DATE; one with a time is the day of that instant in `zone`."""
    moment = instant(text, zone)
    day = (
        f"try_cast({moment} as date)"
        if zone is None
        else f"try_cast(timezone({sql_text(zone)}, {moment}) as date)"
    )
    return f"(case when length(trim({text})) <= 10 then try_cast({text} as date) else {day} end)"


def boolean(text: str, words: Mapping[str, str]) -> str:
    """Return `text` as BOOLEAN; `words` (是: true) come before DuckDB's own."""
    own = f"try_cast({text} as boolean)"
    if not words:
        return own
    whens = " ".join(
        f"when {sql_text(word)} then {'false' if meant.lower() in _FALSE else 'true'}"
        for word, meant in words.items()
    )
    return f"(case {text} {whens} else {own} end)"


def instant_of_ms(text: str) -> str:
    """Return milliseconds since 1970 (UTC) as TIMESTAMPTZ; null outside 1970 to 2200.

    The range stands before `make_timestamptz`, which raises.
    """
    return (
        f"(case when regexp_full_match({text}, '\\s*[0-9]{{1,15}}\\s*') "
        f"and try_cast({text} as bigint) < 7258118400000 "
        f"then make_timestamptz(try_cast({text} as bigint) * 1000) end)"
    )


def dotnet_date(text: str) -> str:
    """Return `/Date(1700000000000+0800)/` as TIMESTAMPTZ: the offset does not move the instant."""
    digits = (
        f"regexp_extract({text}, '^\\\\?/Date\\(([0-9]{{1,15}})([-+][0-9]{{4}})?\\)\\\\?/$', 1)"
    )
    return instant_of_ms(digits)


def minor_units(amount: str, currency: str) -> str:
    """Return an integer of minor units (fen, cents) in major units: exact, by ISO 4217 exponent."""
    code = f"upper(trim({currency}))"

    def listed(codes: list[str]) -> str:
        return ", ".join(sql_text(c) for c in codes)

    factor = (
        f"case when {code} in ({listed(NO_DECIMALS)}) then 1.0000 "
        f"when {code} in ({listed(THREE_DECIMALS)}) then 0.0010 "
        f"when {code} in ({listed(FOUR_DECIMALS)}) then 0.0001 "
        f"when regexp_full_match({code}, '[A-Z]{{3}}') then 0.0100 end"
    )
    return f"(try_cast({whole(amount)} as decimal(24,0)) * cast(({factor}) as decimal(5,4)))"
