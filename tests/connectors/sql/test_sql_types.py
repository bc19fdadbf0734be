"""What reflection says of a column and how its values land, at databases that are not run, too."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.dialects import mssql, mysql, oracle

from connectors.sql.cells import Odd, said, table_of
from connectors.sql.statements import Column, Source, table_clause
from connectors.sql.types import TEXT, Shape, shape_of, shape_said

CHINESE, WESTERN = "Chinese_PRC_CI_AS", "SQL_Latin1_General_CP1_CI_AS"
REFLECTED: list[tuple[str, Any, Shape]] = [
    ("oracle", oracle.NUMBER(18, 2), Shape("decimal", 18, 2)),
    ("oracle", oracle.NUMBER(10), Shape("decimal", 10, 0)),
    ("oracle", oracle.NUMBER(), TEXT),
    ("oracle", oracle.NUMBER(5, -2), TEXT),
    ("oracle", oracle.FLOAT(), TEXT),
    ("oracle", oracle.DATE(), Shape("naive")),
    ("oracle", oracle.TIMESTAMP(), Shape("naive")),
    ("oracle", oracle.TIMESTAMP(timezone=True), Shape("instant")),
    ("oracle", oracle.TIMESTAMP(local_timezone=True), Shape("instant")),
    ("oracle", oracle.CHAR(20), Shape("text", fixed=True)),
    ("oracle", oracle.NVARCHAR2(20), TEXT),
    ("oracle", oracle.RAW(16), Shape("bytes")),
    ("mssql", mssql.TIMESTAMP(), Shape("bytes")),
    ("mssql", mssql.ROWVERSION(), Shape("bytes")),
    ("mssql", mssql.MONEY(), Shape("decimal", 19, 4)),
    ("mssql", mssql.BIT(), Shape("bool")),
    ("mssql", mssql.DATETIME2(), Shape("naive")),
    ("mssql", mssql.DATETIMEOFFSET(), Shape("instant")),
    ("mssql", mssql.IMAGE(), Shape("bytes")),
    ("mssql", mssql.CHAR(20, collation=CHINESE), Shape("text", fixed=True)),
    ("mssql", mssql.VARCHAR(20, collation=WESTERN), Shape("text", narrow=True)),
    ("mssql", mssql.NVARCHAR(20, collation=WESTERN), TEXT),
    ("mssql", mssql.UNIQUEIDENTIFIER(), TEXT),
    ("mysql", mysql.BIGINT(unsigned=True), Shape("decimal", 20, 0)),
    ("mysql", mysql.BIT(1), Shape("bytes")),
    ("mysql", mysql.LONGBLOB(), Shape("bytes")),
    ("mysql", mysql.TIMESTAMP(), Shape("instant")),
    ("mysql", mysql.DATETIME(), Shape("naive")),
    ("mysql", mysql.FLOAT(), Shape("float32")),
    ("sqlite", mysql.BIGINT(), Shape("any")),
]


@pytest.mark.parametrize(("database", "kind", "wanted"), REFLECTED)
def test_what_is_reflected_lands_exactly(database: str, kind: Any, wanted: Shape) -> None:
    assert shape_of(kind, database) == wanted


def test_a_querys_padding_is_known_where_the_driver_says_it() -> None:
    for name, fixed in (("DB_TYPE_CHAR", True), ("DB_TYPE_VARCHAR", False)):
        described = ("id", SimpleNamespace(name=name))
        assert shape_said(described, "oracle") == Shape("any", fixed=fixed)


def landed(shape: Shape, *values: Any, database: str = "oracle") -> tuple[list[Any], list[str]]:
    """Return values of one column as they land, and what is said of them."""
    column, odd = Column("c", shape), Odd()
    source = Source(database, table_clause("t", None, ["c"]), (column,), ("c",))
    return table_of(source, [column], [[v] for v in values], odd)["c"].to_pylist(), odd.lines()


def test_no_number_is_cut_to_a_whole_one() -> None:
    assert landed(Shape("int"), Decimal(2), 3, None) == ([2, 3, None], [])
    found, told = landed(Shape("int"), Decimal("1.10"), 3)
    assert found == ["1.10", "3"]
    assert "kept as text" in told[0]
    assert landed(Shape("int"), 1.5)[0] == ["1.5"]


def test_bytes_never_pass_for_text() -> None:
    for rowversion in ("0000000000000741", "00000000000007d1"):  # the first would read as UTF-8
        for shape in (TEXT, Shape("bytes"), Shape("any")):
            assert landed(shape, bytes.fromhex(rowversion))[0] == [rowversion]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(hours=12, minutes=5, seconds=5), "12:05:05"),
        (timedelta(seconds=59, microseconds=123456), "00:00:59.123456"),
        (timedelta(seconds=59, microseconds=500000), "00:00:59.5"),
        (-timedelta(hours=1, seconds=1), "-01:00:01"),
        (timedelta(hours=838, minutes=59, seconds=59), "838:59:59"),
    ],
)
def test_a_time_of_day_is_written_whole(value: timedelta, text: str) -> None:
    assert said(value) == text
