from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from source_rows import MOMENT, Loader

from warehouse.errors import StoreError
from warehouse.home import Home
from warehouse.project import project
from warehouse.publish import publish
from warehouse.reader import QueryError, QueryRefused, QueryTimeout, open_reader, run_query
from warehouse.store import open_store
from warehouse.unify import unify


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Home(tmp_path_factory.mktemp("home")).make()
    with open_store(home) as store:
        Loader(store.con).put(
            "order",
            [{"key": str(n), "number": f"N{n}", "total": Decimal("12345678901234.5678"),
              "placed_at": MOMENT} for n in range(3)],
        )  # fmt: skip
        unify(store, now=MOMENT)
        project(store, home, privacy="masked", key=b"0" * 32, now=MOMENT)
    publish(home, now=MOMENT)
    return home.current


def test_the_printed_query_works(published: Path) -> None:
    result = run_query(published, "select count(*), sum(total) from unified.orders")
    assert list(result.rows) == [(3, Decimal("37037036703703.7034"))]
    assert result.types == ["BIGINT", "DECIMAL(38,4)"]
    row = next(run_query(published, "from orders select placed_at order by number limit 1").rows)
    assert row == (datetime(2026, 3, 1, 8, tzinfo=UTC),)
    assert str(row[0].tzinfo) == "UTC"


def test_nothing_is_printed_among_the_rows(published: Path) -> None:
    """DuckDB would draw a bar into the output of a query that takes two seconds."""
    with closing(open_reader(published)) as con:
        said = con.execute("select current_setting('enable_progress_bar')").fetchone()
    assert said == (False,)


@pytest.mark.parametrize(
    "sql",
    [
        "with a as (select 1 as x) select * from a", "from mart.orders", "describe unified.orders",
        "show all tables", "summarize unified.orders", "explain select 1", "values (1), (2)",
        "explain analyze select count(*) from orders", "select * from range(3)", "show tables",
        "select * from mart.paid_not_in_stock", "select * from mart.stock_position",
        "pivot orders on connection in ('shop') using count(*)", "select * from ops.dictionary",
        "select list_transform([1, 2], lambda x: x + 1)", "select 'enable_logging('",
        "select table_name from duckdb_tables()", "select 1;",
    ],
)  # fmt: skip
def test_questions_are_answered(published: Path, sql: str) -> None:
    assert run_query(published, sql).columns


HOSTILE = [
    "select * from read_csv('/etc/passwd')", "select * from read_text('/etc/passwd')",
    "select * from read_blob('/etc/passwd')", "select * from read_json('/etc/passwd')",
    "select * from read_parquet('/etc/x')", "select * from '/etc/passwd'", "from 'x.parquet'",
    "select * from glob('/etc/*')", "select * from sniff_csv('/etc/passwd')",
    "select * from read_duckdb('/etc/x')", "select * from parquet_metadata('/etc/x')",
    "copy (select 1) to 'out.csv'", "copy orders to 'out.parquet'", "export database 'out'",
    "import database 'out'", "attach 'other.duckdb'", "detach isthmus", "install httpfs",
    "load httpfs", "load icu", "set threads = 8", "reset threads", "set variable x = 1",
    "set lock_configuration = false", "pragma enable_profiling", "pragma database_list",
    "select * from enable_logging(storage='file', storage_config={'path': 'leak'})",
    "call enable_logging()", "select * from \"enable_logging\"()", "call checkpoint()",
    "select * from query('select * from enable_logging()')", "checkpoint", "vacuum",
    "select * from query_table('orders')", "select write_log('x')", "select getenv('HOME')",
    "select * from json_execute_serialized_sql(json_serialize_sql('select 1'))",
    "select current_setting('temp_directory')", "select * from duckdb_secrets()",
    "select * from duckdb_settings()", "select * from arrow_scan(1, 2, 3)",
    "select * from pandas_scan(1)", "select * from (select * from read_text('/etc/passwd'))",
    "select (select count(*) from read_text('/etc/passwd'))",
    "with a as materialized (from read_text('/etc/passwd')) from a",
    "explain analyze select * from read_text('/etc/passwd')",
    "insert into unified.orders select * from unified.orders", "update orders set number = 'x'",
    "delete from orders", "drop table orders", "truncate orders", "alter table orders add z int",
    "create table x as select 1", "create temp table x as select 1",
    "create table memory.main.x (a int)", "create view x as select 1", "create macro f() as 1",
    "create secret (type s3)", "comment on table orders is 'x'", "begin", "use memory",
    "prepare p as select 1", "select 1; drop table orders", "select 1; select 2", "",
    "select 1 \0 ; drop table x",
    "select sleep_ms(100)", "explain copy orders to 'out.csv'", "pivot orders on connection",
    "select * from 'http://127.0.0.1:1/x.csv'", "merge into orders using orders on true",
]  # fmt: skip


@pytest.mark.parametrize("sql", HOSTILE)
def test_what_does_more_than_read_is_refused(
    published: Path, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = published.read_bytes()
    with pytest.raises(QueryError) as caught:
        list(run_query(published, sql).rows)
    assert caught.value.do
    assert "Traceback" not in str(caught.value)
    assert published.read_bytes() == before
    assert not list(tmp_path.iterdir())


LOCKED = [
    "select * from read_csv('/etc/passwd')", "copy (select 1) to 'out.csv'", "install httpfs",
    "attach 'other.duckdb'", "set enable_external_access = true", "from '/etc/passwd'",
    "set lock_configuration = false", "load 'x.duckdb_extension'", "drop table isthmus.orders",
    "insert into isthmus.ops.meta values ('a', 'b')", "select * from glob('/*')",
]  # fmt: skip


@pytest.mark.parametrize("sql", LOCKED)
def test_the_connection_itself_is_locked_too(published: Path, sql: str) -> None:
    import duckdb

    con = open_reader(published)
    try:
        with pytest.raises(duckdb.Error):
            con.execute(sql).fetchall()
        assert con.execute("select count(*) from unified.orders").fetchall() == [(3,)]
    finally:
        con.close()


def test_variables_of_the_program_are_no_tables(published: Path) -> None:
    import pyarrow as pa

    secret = pa.table({"a": [1]})
    with pytest.raises(QueryError, match="secret"):
        run_query(published, "select * from secret")
    assert secret.num_rows == 1


@pytest.mark.parametrize("sql", ["selec 1", "select nothing from orders", "select * from nowhere"])
def test_wrong_sql_is_said_in_one_line(published: Path, sql: str) -> None:
    with pytest.raises(QueryError) as caught:
        run_query(published, sql)
    assert not isinstance(caught.value, QueryRefused)
    assert "\n" not in str(caught.value)


def test_a_cast_that_fails_while_rows_are_fetched_is_a_query_error(published: Path) -> None:
    with pytest.raises(QueryError, match=r"(?i)conver"):
        list(run_query(published, "select number::integer from orders").rows)


def test_a_long_answer_is_stopped(published: Path) -> None:
    sql = "select count(*) from range(100000000) a, range(1000) b where a.range * b.range % 7 = 3"
    began = time.monotonic()
    with pytest.raises(QueryTimeout, match=r"0\.2 s"):
        list(run_query(published, sql, timeout=0.2).rows)
    assert time.monotonic() - began < 10


def test_a_limit_takes_no_more_than_it_says(published: Path) -> None:
    rows = run_query(published, "select range from range(10000000000)", limit=2500).rows
    assert sum(1 for _ in rows) == 2500
    assert list(run_query(published, "select 1", limit=0).rows) == []


def test_rows_stream(published: Path) -> None:
    rows: Iterator[tuple[int]] = run_query(published, "select * from range(1000000000)").rows
    assert [next(rows) for _ in range(3)] == [(0,), (1,), (2,)]
    rows.close()  # type: ignore[attr-defined]


def test_nothing_published_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="isthmus sync"):
        run_query(tmp_path / "unified.duckdb", "select 1")
    (tmp_path / "broken.duckdb").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="cannot be read"):
        run_query(tmp_path / "broken.duckdb", "select 1")


def test_reading_imports_neither_model_nor_parser() -> None:
    code = "import sys, warehouse.reader, warehouse.export; print(*sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = set(done.stdout.split())
    assert not loaded & {"pydantic", "sqlglot", "dagster", "pyarrow", "warehouse.model"}


@pytest.mark.parametrize(
    "sql",
    ["select LPAD('x', 2000000000, 'y')", "select upper(repeat('ab', 10000001))",
     "with a as (select rpad('x', 20000000, 'y') as t) select length(t) from a"],
)  # fmt: skip
def test_one_value_may_not_take_all_memory(published: Path, sql: str) -> None:
    with pytest.raises(QueryRefused, match="10000000 characters"):
        run_query(published, sql)
    assert list(run_query(published, "select length(lpad('x', 1000, 'y'))").rows) == [(1000,)]


@pytest.mark.parametrize(
    "sql",
    [
        "select path from duckdb_databases",
        "select * from system.main.DUCKDB_DATABASES",
        "show duckdb_databases",
        "summarize pragma_database_list",
        "with a as (from pg_settings) from a",
        "select * from orders where number in (select path from duckdb_databases)",
        "pivot pg_settings on name in ('x') using count(*)",
        "table duckdb_logs",
        "select * from duckdb_of_a_later_release",
    ],
)
def test_where_the_file_lies_and_how_the_process_is_set_is_not_told(
    sql: str, published: Path
) -> None:
    with pytest.raises(QueryRefused, match="may not be read here"):
        run_query(published, sql)


def test_what_the_file_is_made_of_is_told(published: Path) -> None:
    for view in ("duckdb_columns", "duckdb_tables", "duckdb_views", "pg_class", "pg_tables"):
        assert list(run_query(published, f"select count(*) from {view}").rows)
