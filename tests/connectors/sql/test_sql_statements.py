"""The statements of five databases as stored text: SQL Server's and Oracle's are compiled, not run.

Run this file to write the texts anew after a change that is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mssql, mysql, oracle, postgresql, sqlite

from connectors.sql import statements as st
from connectors.sql.copying import statement_text
from connectors.sql.engine import Options, session
from connectors.sql.statements import Column, Source
from connectors.sql.types import TEXT, Shape

naive = datetime.fromisoformat

STORED = Path(__file__).parent / "statements"
DIALECTS: dict[str, Any] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),
    "mysql": mysql.dialect(),
    "mssql": mssql.dialect(),
    "oracle": oracle.dialect(),
}
LOW, HIGH, BEYOND = naive("2026-01-01"), naive("2026-01-02 08:30:00"), naive("2026-01-03")
QUERY = "select o.id, o.ts::text as ts -- '12:30'\nfrom \"Order\" o where o.name like '%x%'"


def source(database: str) -> Source:
    names = ["cSOCode", "Line No", "cCusName", "dmodify", "dcreate", "tz", "order"]
    return Source(
        database,
        st.table_clause("SO_SOMain", "dbo", names),
        (
            Column("cSOCode", TEXT),
            Column("Line No", Shape("int")),
            Column("cCusName", TEXT, "gb18030"),
            Column("dmodify", Shape("naive")),
            Column("dcreate", Shape("naive")),
            Column("tz", Shape("instant")),
            Column("order", Shape("any")),
        ),
        ("cSOCode", "Line No"),
        ("dmodify",),
    )


def by_rowversion(database: str) -> Source:
    clause = st.table_clause("SO_SOMain", None, ["ID", "ufts"])
    is_own = database == "mssql"
    columns = (Column("ID", Shape("int")), Column("ufts", Shape("int"), is_rowversion=is_own))
    return Source(database, clause, columns, ("ID",), ("ufts",))


def of_query(database: str) -> Source:
    columns = (Column("id", Shape("int")), Column("ts", TEXT))
    return Source(database, st.query_clause(QUERY, ["id", "ts"]), columns, ("id",), ("ts",))


def compiled(database: str) -> Iterator[str]:
    plain, moved, query = source(database), by_rowversion(database), of_query(database)
    two = Source(plain.database, plain.clause, plain.columns, plain.key, ("dmodify", "dcreate"))
    asked: dict[str, sa.Select[Any]] = {
        "a full read, in the order of the key": st.rows(plain),
        "gone on with after a row": st.rows(plain, after=("SO-1", 7)),
        "changed rows": st.rows(plain, by_move=True, low=LOW, high=HIGH, beyond=BEYOND),
        "changed rows, gone on with inside equal stamps": st.rows(
            plain, by_move=True, low=LOW, high=HIGH, beyond=BEYOND, after=(LOW, "SO-1", 7)
        ),
        "the first of two stamps": st.rows(two, by_move=True, low=LOW, high=HIGH),
        "by rowversion": st.rows(moved, by_move=True, low=100, high=2000),
        "the greatest stamp": st.greatest(plain),
        "the greatest rowversion": st.greatest(moved),
        "a query": st.rows(query, by_move=True, low="2026-01-01", high="2026-01-02"),
        "some rows": st.rows(query, limit=10),
        "all keys": st.keys(plain),
        "how many": st.count(plain),
        "a key that comes twice": st.repeated(plain),
    }
    if database == "mssql":
        asked["the last settled rowversion"] = st.active_rowversion()
    if (clock := st.clock(database)) is not None:
        asked["the clock"] = clock
    options = Options(None, "utf-8", "Asia/Shanghai", 600, 15, None)
    yield "-- the session\n" + "\n".join(f"{line};" for line in session(database, options))
    for title, select in asked.items():
        text = select.compile(
            dialect=DIALECTS[database], compile_kwargs={"render_postcompile": True}
        )
        yield f"-- {title}\n" + "\n".join(map(str.rstrip, str(text).splitlines())) + ";"
    if database == "postgresql":
        text = statement_text(asked["changed rows, gone on with inside equal stamps"])
        yield "-- as COPY reads it: values written out\n" + "\n".join(
            map(str.rstrip, text.splitlines())
        )


@pytest.mark.parametrize("database", DIALECTS)
def test_statements_are_those_stored(database: str) -> None:
    stored = (STORED / f"{database}.sql").read_text("utf-8")
    assert "\n\n".join(compiled(database)) + "\n" == stored


def test_values_stand_in_no_statement_but_that_of_copy() -> None:
    for database in DIALECTS:
        for text in compiled(database):
            assert "SO-1" not in text or text.startswith("-- as COPY")


@pytest.mark.parametrize("value", ["o'b", "x\\", "\\'; drop table t --", "%s :a", "全角'"])
def test_a_value_that_is_written_out_stays_one_value(value: str) -> None:
    from sqlglot import exp, parse_one

    text = statement_text(st.rows(of_query("postgresql"), by_move=True, low=value, high=value))
    found = parse_one(text, dialect="postgres")
    values = [each.this for each in found.find_all(exp.Literal) if each.this == value]
    assert len(values) == 2


if __name__ == "__main__":
    for each in DIALECTS:
        (STORED / f"{each}.sql").write_text("\n\n".join(compiled(each)) + "\n", "utf-8")
