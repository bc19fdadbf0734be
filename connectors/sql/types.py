"""What becomes of a column: how it is selected, and as which Arrow type it lands.

Every database's types come down to eleven kinds. What Arrow has no exact form for lands as text in
the database's own spelling: nothing is rounded on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from sqlalchemy import types as t
from sqlalchemy.dialects.postgresql import DOMAIN

if TYPE_CHECKING:
    import pyarrow as pa

Name: TypeAlias = Literal[
    "int", "float", "float32", "decimal", "bool", "date", "naive", "instant", "text", "bytes", "any"
]
"""`naive` is a date and time without a zone, read in the connection's; `instant` one that the
database knows in UTC; `bytes` lands as hexadecimal text; of `any` nothing is known but the values,
which land as text."""

MAX_DIGITS = 38
BINARY = frozenset({"RAW", "ROWVERSION", "TIMESTAMP", "BIT", "TINYBLOB", "MEDIUMBLOB", "LONGBLOB"})
"""Types of bytes that are none of SQLAlchemy's general ones: SQL Server's `timestamp` is its
rowversion; a `bit` of MySQL comes as bytes."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How one column lands. `fixed` says that the database fills it with blanks.

    `narrow` is a varchar of SQL Server whose collation sorts it otherwise than the N'…' that a
    driver compares it with: a read cannot go on behind such a value.
    """

    name: Name
    precision: int = 0
    scale: int = 0
    fixed: bool = False
    narrow: bool = False

    def arrow(self) -> pa.DataType:
        """Return the Arrow type."""
        import pyarrow as pa

        if self.name == "decimal":
            return pa.decimal128(self.precision, self.scale)
        return {
            "int": pa.int64(),
            "float": pa.float64(),
            "float32": pa.float32(),
            "bool": pa.bool_(),
            "date": pa.date32(),
            "naive": pa.timestamp("us"),
            "instant": pa.timestamp("us", "UTC"),
        }.get(self.name, pa.string())


TEXT = Shape("text")


def shape_of(kind: Any, database: str) -> Shape:
    """Return how a column of the reflected type `kind` lands, in the database called `database`."""
    if database == "sqlite":  # a declared type binds nobody there: values stand as they were put
        return Shape("any")
    if isinstance(kind, DOMAIN):
        return shape_of(kind.data_type, database)
    word = type(kind).__name__.upper()
    if word in ("MONEY", "SMALLMONEY") and database == "mssql":
        return Shape("decimal", 19 if word == "MONEY" else 10, 4)
    if isinstance(kind, t.Boolean) or (word == "BIT" and database == "mssql"):
        return Shape("bool")
    if isinstance(kind, t.Integer) and not isinstance(kind, t.Numeric):  # Oracle's NUMBER is both
        wide = getattr(kind, "unsigned", False) and isinstance(kind, t.BigInteger)
        return Shape("decimal", 20, 0) if wide else Shape("int")
    if isinstance(kind, t.Float):
        single = word == ("FLOAT" if database == "mysql" else "REAL")
        return Shape("text" if database == "oracle" else "float32" if single else "float")
    if isinstance(kind, t.Numeric):
        return _number(kind.precision, kind.scale, database)
    if isinstance(kind, t.DateTime):
        return Shape("instant" if _knows_zone(kind, word, database) else "naive")
    if isinstance(kind, t.Date):
        return Shape("date")
    if isinstance(kind, t.String):
        sorted_apart = database == "mssql" and (kind.collation or "").startswith("SQL_")
        narrow = sorted_apart and not word.startswith("N")
        return Shape("text", fixed=word in ("CHAR", "NCHAR"), narrow=narrow)
    if isinstance(kind, t.LargeBinary | t.BINARY | t.VARBINARY) or word in BINARY:
        return Shape("bytes")
    return Shape("text")


def _number(precision: int | None, scale: int | None, database: str) -> Shape:
    if precision is None or not 0 < precision <= MAX_DIGITS:
        return TEXT
    if scale is None:
        if database != "oracle":
            return TEXT
        scale = 0
    if not 0 <= scale <= precision:
        return TEXT
    return Shape("decimal", precision, scale)


def _knows_zone(kind: Any, word: str, database: str) -> bool:
    if database == "mysql":  # the server turns it into the session's zone, which is UTC here
        return word == "TIMESTAMP"
    return bool(getattr(kind, "timezone", False) or getattr(kind, "local_timezone", False)) or (
        word == "DATETIMEOFFSET"
    )


POSTGRES = {
    16: Shape("bool"), 20: Shape("int"), 21: Shape("int"), 23: Shape("int"), 26: Shape("int"),
    700: Shape("float32"), 701: Shape("float"), 1082: Shape("date"), 1114: Shape("naive"),
    1184: Shape("instant"), 25: TEXT, 1043: TEXT, 1042: Shape("text", fixed=True),
    17: Shape("bytes"),
}  # fmt: skip
"""Types of a query's columns by PostgreSQL's own numbers (pg_type.oid)."""

MYSQL_TIMESTAMP = 7


def shape_said(described: Any, database: str) -> Shape:
    """Return how a query's column lands by what the driver's cursor says of it."""
    if database == "postgresql":
        code = described.type_code
        if code == 1700:
            return _number(described.precision, described.scale, database)
        return POSTGRES.get(code, Shape("any"))
    if database == "mysql" and described[1] == MYSQL_TIMESTAMP:
        return Shape("instant")
    if database == "oracle":
        return Shape("any", fixed=described[1].name in ("DB_TYPE_CHAR", "DB_TYPE_NCHAR"))
    return Shape("any", narrow=database == "mssql")
