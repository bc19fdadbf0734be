"""The functions that a mapping may call: what they take, what they give, how they are written.

Left out on purpose: what changes from run to run (`now`, `random`), what can fill the memory from
a short text (`repeat`, `lpad`, `range`), aggregates, table functions, and what reads files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.errors import ValueRefused, did_you_mean


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `args` has a code an argument, `?` marks optional ones, a last `*` repeats.

    Codes: t text, n number, i integer, b boolean, d date or instant, l list, a anything, f lambda;
    literals: T text, I integer, R regular expression, F time format, P date part.
    `kind` is the kind of the result; `number` (that of the first number), `first` (that of the
    first argument), `joined` (what all of them have in common). `sql` is written with {0}, {1}…,
    {all}; empty: the name itself.
    """

    args: str
    kind: str
    sql: str = ""
    meant: str = ""  # nullif, coalesce, case: how a null that is meant passes through


FUNCTIONS: Mapping[str, Function] = {
    # text
    "lower": Function("t", "text"),
    "upper": Function("t", "text"),
    "trim": Function("t T?", "text"),
    "ltrim": Function("t T?", "text"),
    "rtrim": Function("t T?", "text"),
    "length": Function("t", "int"),
    "reverse": Function("t", "text"),
    "left": Function("t i", "text"),
    "right": Function("t i", "text"),
    "substr": Function("t i i?", "text"),
    "substring": Function("t i i?", "text"),
    "replace": Function("t T T", "text"),
    "split_part": Function("t T i", "text"),
    "starts_with": Function("t t", "bool"),
    "ends_with": Function("t t", "bool", "suffix({0}, {1})"),
    "contains": Function("t t", "bool"),
    "strpos": Function("t t", "int"),
    "instr": Function("t t", "int"),
    "strip_accents": Function("t", "text"),
    "nfc_normalize": Function("t", "text"),
    "md5": Function("t", "text"),
    "concat": Function("a*", "text"),
    "concat_ws": Function("T a*", "text"),
    "regexp_matches": Function("t R", "bool"),
    "regexp_full_match": Function("t R", "bool"),
    "regexp_extract": Function("t R I?", "text"),
    "regexp_replace": Function("t R T", "text", "regexp_replace({0}, {1}, {2}, 'g')"),
    # choice
    "coalesce": Function("a*", "joined", meant="coalesce"),
    "ifnull": Function("a a", "joined", "coalesce({all})", meant="coalesce"),
    "nullif": Function("a a", "first", meant="nullif"),
    "if": Function("b a a", "joined", "case when {0} then {1} else {2} end", meant="case"),
    "greatest": Function("a*", "joined"),
    "least": Function("a*", "joined"),
    # numbers
    "abs": Function("n", "number"),
    "round": Function("n I?", "number"),
    "floor": Function("n", "number"),
    "ceil": Function("n", "number"),
    "ceiling": Function("n", "number", "ceil({0})"),
    "trunc": Function("n", "number"),
    "sign": Function("n", "int"),
    "sqrt": Function("n", "dbl"),
    "isnan": Function("n", "bool", "isnan(try_cast({0} as double))"),
    # time
    "strptime": Function("t F", "naive", "try_strptime({0}, {1})"),
    "try_strptime": Function("t F", "naive"),
    "strftime": Function("d F", "text"),
    "date_part": Function("P d", "int", "try_cast(date_part({0}, {1}) as bigint)"),
    "date_trunc": Function("P d", "first_d"),
    "date_diff": Function("P d d", "int"),
    "datediff": Function("P d d", "int", "date_diff({0}, {1}, {2})"),
    "year": Function("d", "int"),
    "month": Function("d", "int"),
    "day": Function("d", "int"),
    "hour": Function("d", "int"),
    "minute": Function("d", "int"),
    "last_day": Function("d", "date"),
    "make_date": Function(
        "i i i", "date",
        "(case when {0} between 1 and 9999 and {1} between 1 and 12 and {2} between 1 and 31 "
        "then make_date({0}, {1}, {2}) end)",
    ),
    "to_timestamp": Function(
        "n", "instant",
        "(case when {0} between 0 and 7258118400 then to_timestamp(try_cast({0} as double)) end)",
    ),
    "epoch": Function("d", "dbl", "try_cast(epoch({0}) as double)"),
    # lists of text
    "string_split": Function("t T", "list"),
    "array_to_string": Function("l T", "text"),
    "list_contains": Function("l t", "bool"),
    "len": Function("l", "int"),
    "list_transform": Function("l f", "list"),
    "list_filter": Function("l f", "list"),
    "list_distinct": Function("l", "list"),
    "list_sort": Function("l", "list"),
    # ours
    "instant_ms": Function("a", "instant"),
    "dotnet_date": Function("t", "instant"),
    "cents": Function("a t", "dec"),
}  # fmt: skip

DATE_PARTS = (
    "year", "quarter", "month", "week", "day", "hour", "minute", "second", "isodow", "dow", "doy",
    "isoyear", "decade", "century",
)  # fmt: skip
TRUNCATES = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")

# A wrong specifier in a constant format fails the whole statement, not the row.
SPECIFIERS = frozenset("abcdfghjmnpuwxyzABGHIMSTUVWXYZ%")

_INSTEAD: Mapping[str, str] = {
    "epoch_ms": "write instant_ms(x): epoch_ms is a time without zone, 8 hours off in China.",
    "make_timestamp": "write instant_ms(x).",
    "to_date": "write strptime(x, '%Y%m%d').",
    "to_char": "write strftime(x, '%Y-%m-%d').",
    "nvl": "write coalesce(x, y).",
    "isnull": "write `x is null`.",
    "iif": "write if(condition, a, b).",
    "try": "leave it out: every field stands in TRY already.",
    "len_utf8": "write length(x).",
    "position": "write strpos(text, part).",
    "extract": "write date_part('year', x::date).",
    "json_extract": "write the path itself (customer.id).",
    "json_extract_string": "write the path itself (customer.id).",
    "struct_extract": "write the path itself (customer.id).",
    "list_extract": "write the place in brackets: list[0].",
    "row_number": "write `key: position` where the system has no key.",
    "lookup": "write a word map: {value: x, paid: confirmed, else: unknown}.",
    "decode": "write a word map: {value: x, paid: confirmed, else: unknown}.",
}
_MOVING = {
    "now", "today", "current_date", "current_timestamp", "current_time", "current_localtime",
    "current_localtimestamp", "localtime", "localtimestamp", "get_current_time", "random", "uuid",
    "gen_random_uuid", "nextval", "current_user", "session_user", "current_schema",
    "current_database", "current_catalog", "current_role",
}  # fmt: skip
_BOMBS = {
    "repeat", "lpad", "rpad", "range", "generate_series", "format", "printf", "array_resize",
    "list_resize", "bar", "string_agg", "translate",
}  # fmt: skip
_AGGREGATES = {
    "sum",
    "count",
    "min",
    "max",
    "avg",
    "first",
    "last",
    "any_value",
    "list",
    "array_agg",
}
_TABLES = {"unnest", "read_csv", "read_json", "read_text", "read_blob", "read_parquet", "glob"}


def find(name: str) -> Function:
    """Return the function called `name`; raises ValueRefused with what to write instead."""
    low = name.lower()
    if low in FUNCTIONS:
        return FUNCTIONS[low]
    what = f"the function {name} is not allowed in a mapping."
    if low in _INSTEAD:
        raise ValueRefused(what, _INSTEAD[low])
    if low in _MOVING:
        raise ValueRefused(
            f"{name} gives another value at each run.",
            f'a replay must give the same rows; a field of that name is written "{name}".',
        )
    if low in _BOMBS:
        raise ValueRefused(what, "it can fill the memory from one short text; use || or concat.")
    if low in _AGGREGATES:
        raise ValueRefused(what, "a value is made of one record; sum in a query on the store.")
    if low in _TABLES or low.startswith(("read_", "duckdb_", "pragma_", "sqlite_", "parquet_")):
        raise ValueRefused(what, "it makes rows; lists become rows by `children:`.")
    guess = did_you_mean(low, FUNCTIONS)
    raise ValueRefused(what + guess, f"allowed are: {', '.join(sorted(FUNCTIONS))}.")


def is_bare_function(name: str) -> bool:
    """Return whether SQL would call `name` although it has no parentheses."""
    return name.lower() in _MOVING
