"""What a database's error means, by its own codes: never the statement, its values or its URL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

from connectors.errors import AuthError, ConfigError, ConnectorError, ContractBroken, Unavailable

Meaning: TypeAlias = Literal[
    "auth", "database", "table", "column", "right", "syntax", "late", "locked", "value", "tls"
]

SQLSTATES: dict[str, Meaning] = {
    "28000": "auth", "28P01": "auth", "3D000": "database", "42P01": "table", "42703": "column",
    "42501": "right", "42601": "syntax", "42883": "syntax", "42702": "syntax", "42701": "syntax",
    "57014": "late", "55P03": "locked",
}  # fmt: skip
MYSQL: dict[int, Meaning] = {
    1044: "right", 1045: "auth", 1698: "auth", 1049: "database", 1146: "table", 1054: "column",
    1142: "right", 1143: "right", 1227: "right", 1064: "syntax", 1060: "syntax", 1317: "late",
    3024: "late", 1969: "late", 1205: "locked", 2026: "tls",
}  # fmt: skip
MSSQL: dict[int, Meaning] = {
    18456: "auth", 18452: "auth", 4060: "database", 208: "table", 207: "column", 229: "right",
    230: "right", 262: "right", 102: "syntax", 156: "syntax", 8156: "syntax", 1222: "locked",
}  # fmt: skip
ORACLE: dict[int, Meaning] = {
    1017: "auth", 28000: "auth", 28001: "auth", 12514: "database", 942: "table", 904: "column",
    1031: "right", 1741: "syntax", 933: "syntax", 936: "syntax", 907: "syntax", 918: "syntax",
}  # fmt: skip
WORDS: tuple[tuple[str, Meaning], ...] = (
    ("password authentication failed", "auth"),
    ("no password supplied", "auth"),
    ("authentication failed", "auth"),
    ("no pg_hba.conf entry", "auth"),
    ('role ".*" does not exist', "auth"),  # psycopg has no code for what ends a connection
    ('database ".*" does not exist', "database"),
    ("access denied", "auth"),
    ("login failed", "auth"),
    ("adaptive server connection failed", "auth"),
    ("certificate", "tls"),
    ("no such table", "table"),
    ("no such column", "column"),
    ("syntax error", "syntax"),
    ("database is locked", "locked"),
    ("interrupted", "late"),
    ("malformed", "value"),
    ("not a database", "value"),
)
QUOTED: frozenset[Meaning] = frozenset({"table", "column", "syntax"})
"""Meanings whose message names things of the statement only, and is needed to mend it."""


def meaning(error: BaseException) -> Meaning | None:
    """Return what a driver's error means, None where it is not known."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str) and state in SQLSTATES:
        return SQLSTATES[state]
    number = _number(error)
    for package, codes in (("pymysql", MYSQL), ("pymssql", MSSQL), ("oracledb", ORACLE)):
        if type(error).__module__.startswith(package) and number in codes:
            return codes[number]
    said = str(error).lower()
    return next((what for words, what in WORDS if re.search(words, said)), None)


def _number(error: BaseException) -> int:
    first: Any = error.args[0] if error.args else None
    if isinstance(first, tuple) and first:  # pymssql: ((number, message), …)
        first = first[0]
    if isinstance(first, int):
        return first
    found = getattr(first, "code", 0)  # oracledb
    return found if isinstance(found, int) else 0


@contextmanager
def told(place: str, *, is_query: bool = False) -> Iterator[None]:
    """Turn what SQLAlchemy and the drivers raise into a ConnectorError that quotes no value."""
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    try:
        yield
    except ConnectorError as error:
        error.place = error.place or place
        raise
    except DBAPIError as error:
        raise explained(error.orig or error, place, is_query=is_query) from None
    except (SQLAlchemyError, OSError) as error:
        raise explained(error, place, is_query=is_query) from None
    except Exception as error:
        if not _of_driver(error):
            raise
        raise explained(error, place, is_query=is_query) from None


def _of_driver(error: BaseException) -> bool:
    roots = {kind.__module__.split(".")[0] for kind in type(error).__mro__}
    return bool(roots & {"psycopg", "pymysql", "pymssql", "oracledb", "sqlite3"})


def explained(error: BaseException, place: str, *, is_query: bool = False) -> ConnectorError:
    """Return the ConnectorError for a driver's error."""
    what = meaning(error)
    said = f" ({_first_line(error)})" if what in QUOTED else ""
    where = "`query:`" if is_query else "`table:` and the columns named"
    made: dict[Meaning, ConnectorError] = {
        "auth": AuthError(
            "The database refused the user or its password.",
            "check the secret that `url:` or `password:` names; the account may be locked.",
        ),
        "database": ConfigError(
            "There is no such database on that server.", "check the database's name in `url:`."
        ),
        "table": ConfigError(
            f"The table is not there, or the account does not see it{said}.",
            f"check {where}; a client of the database lists its tables.",
        ),
        "column": ConfigError(
            f"A column is not there{said}.",
            "correct its name in `query:`, or write `null as …` where there is no such column."
            if is_query
            else f"check {where}; `isthmus check` lists what is there.",
        ),
        "right": ConfigError(
            "The account may not read this.", "grant SELECT on it to the account of `url:`."
        ),
        "syntax": ConfigError(f"The database does not understand the statement{said}.",
                              f"check {where}."),
        "late": Unavailable(
            "The database broke the statement off: it took too long.",
            "look for locks and a missing index, or raise `timeout`.",
        ),
        "locked": Unavailable(
            "The table is locked by another session.", "run again when that has ended."
        ),
        "value": ContractBroken(
            "The database's file is damaged or no database.", "ask its owner to check it."
        ),
        "tls": Unavailable(
            "The connection could not be secured: the server's certificate was not accepted.",
            "check sslmode, sslrootcert or ssl_ca in `url:`.",
        ),
    }  # fmt: skip
    if what is not None:
        found = made[what]
        found.place = place
        found.args = (f"{place}: {found.what}",)
        return found
    code = getattr(error, "sqlstate", None) or _number(error) or ""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"DataError", "ProgrammingError", "NotSupportedError"}:
        return ContractBroken(
            f"The database refused the statement ({type(error).__name__}"
            f"{f' {code}' if code else ''}).",
            f"try {where} in a client of the database: a value may not be what its column says.",
            place=place,
        )
    return Unavailable(
        f"The database does not answer as it should ({type(error).__name__}"
        f"{f' {code}' if code else ''}).",
        "check host, port and network, and the server's log; then run again.",
        place=place,
    )


def _first_line(error: BaseException) -> str:
    """Return the message's first line: what follows may show a part of the statement."""
    diagnosis = getattr(getattr(error, "diag", None), "message_primary", None)
    last: Any = error.args[-1] if error.args else error
    last = last[-1] if isinstance(last, tuple) and last else last
    said = diagnosis or (last.decode("utf-8", "replace") if isinstance(last, bytes) else str(last))
    return re.sub(r"\s+", " ", said.strip().splitlines()[0] if said.strip() else "")[:200].rstrip(
        "."
    )
