"""Every mart and every column of it says what it means, in English and in Chinese."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse import headers, marts, public, reader
from warehouse.errors import StoreError


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    path = tmp_path_factory.mktemp("file") / "empty.duckdb"
    path.write_bytes(public.empty_file({}))
    with duckdb.connect(str(path), read_only=True) as opened:
        yield opened


@pytest.mark.parametrize("mart", marts.in_order(), ids=lambda m: m.name)
def test_a_file_tells_of_the_columns_that_its_view_has(
    con: duckdb.DuckDBPyConnection, mart: marts.Mart
) -> None:
    has = [d[0] for d in con.execute(f"SELECT * FROM mart.{mart.name} LIMIT 0").description]
    assert [f.name for f in mart.columns] == has
    assert mart.en
    assert mart.zh


@pytest.mark.parametrize("macro", marts.macros(), ids=lambda m: m.name)
def test_a_macro_tells_of_the_columns_that_it_answers(
    con: duckdb.DuckDBPyConnection, macro: marts.Mart
) -> None:
    answer = con.execute(f"SELECT * FROM mart.{macro.name}(DATE '2026-05-01')")
    assert [f.name for f in macro.columns] == [d[0] for d in answer.description]
    ((comment,),) = con.execute(
        f"SELECT comment FROM duckdb_functions() WHERE function_name = '{macro.name}'"
    ).fetchall()
    assert comment == f"{macro.en} · {macro.zh}"
    told = con.execute(
        f"SELECT count(*) FROM ops.dictionary WHERE table_name = '{macro.name}' AND chinese <> ''"
    ).fetchall()
    assert told == [(len(macro.columns) + 1,)]


def test_readers_may_ask_every_macro() -> None:
    assert {m.name for m in marts.macros()} == reader.MART


def test_comments_stand_in_the_file_and_in_the_dictionary(con: duckdb.DuckDBPyConnection) -> None:
    lacking = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'mart' "
        "AND (comment IS NULL OR NOT regexp_matches(comment, '^.+ · .*[一-鿿]'))"
    ).fetchall()
    assert lacking == []
    unlike = con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'mart' EXCEPT ALL "
        "SELECT table_name, column_name, sql_type FROM ops.dictionary "
        "WHERE schema_name = 'mart' AND column_name IS NOT NULL AND chinese <> ''"
    ).fetchall()
    assert unlike == []
    said = con.execute(
        "SELECT v.comment, d.english, d.chinese FROM (SELECT schema_name, view_name, comment "
        "FROM duckdb_views() UNION ALL SELECT schema_name, table_name, comment "
        "FROM duckdb_tables()) v JOIN ops.dictionary d ON d.schema_name = 'mart' "
        "AND d.table_name = v.view_name AND d.column_name IS NULL WHERE v.schema_name = 'mart'"
    ).fetchall()
    assert len(said) == len(marts.in_order())
    assert all(comment == f"{en} · {zh}" for comment, en, zh in said)


def test_a_header_is_read_until_the_first_other_line() -> None:
    header = headers.read(
        "-- grain: one row\n-- en: One\n--   and the same.\n-- zh: 一行，\n--   同上。\n"
        "-- of order: number, total as worth\n-- column: x | X | 某 | What | 1\n"
        "-- column: y | Y | 乙\n-- Why it is so.\nselect 1;\n".replace("What | 1", "What: 1"),
        "a.sql",
    )
    assert header.said == {"grain": "one row", "en": "One and the same.", "zh": "一行，同上。"}
    assert [(f.name, f.en, f.about) for f in header.columns] == [
        ("number", "Order number", "Number that people use for the order"),
        ("worth", "Total", "What the customer owes, tax included"),
        ("x", "X", "What: 1"),
        ("y", "Y", ""),
    ]
    assert header.sql == "-- Why it is so.\nselect 1"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("-- column: x | X", "line of a column"),
        ("-- column: x |  | 某", "line of a column"),
        ("-- of ship: number", "no entity"),
        ("-- of order: nummer", "no column"),
        ("-- grain: two", "twice"),
        ("-- of order: number, number", "told twice"),
    ],
)
def test_a_header_that_means_nothing_is_refused(line: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        headers.read(f"-- grain: one row\n{line}\nselect 1", "a.sql")
    assert caught.value.place == "a.sql"


def test_another_folder_stands_by_itself(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("-- grain: one row\n-- column: n | N | 数\nselect 1 as n")
    with duckdb.connect() as con:
        con.execute("CREATE SCHEMA mart; CREATE VIEW mart.a AS SELECT 1 AS n")
        (table,) = marts.described(con, tmp_path)
    assert [(f.name, f.sql_type, f.zh) for f in table.fields] == [("n", "INTEGER", "数")]
