"""A12: statements of an analyst who wants more than to read, through `isthmus query`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.attacks.attempt import Attempt, Task, measured, said
from tests.attacks.world import command, environment, published
from warehouse.reader import QueryError, run_query

ID, TITLE = "A12", "SQL of analysts that does more than read"
CANARY = "canary-of-a-foreign-file-81c2"


def statements(outside: Path, writable: Path) -> list[str]:
    """Return statements; `outside` holds the canary, `writable` must stay empty."""
    o, w = outside, writable
    return [
        f"select * from read_text('{o}')",
        f"select * from read_blob('{o}')",
        f"select * from read_csv('{o}')",
        f"select * from read_csv_auto('{o}')",
        f"select * from read_json('{o}')",
        f"select * from read_json_objects('{o}')",
        f"select * from read_ndjson_auto('{o}')",
        f"select * from read_parquet('{o}')",
        f"select * from parquet_scan('{o}')",
        f"select * from '{o}'",
        f"from '{o}'",
        f'select * from "{o}"',
        f"describe select * from '{o}'",
        f"summarize '{o}'",
        f"describe '{o}'",
        f"select * from glob('{o.parent}/*')",
        f"select * from sniff_csv('{o}')",
        f"select * from parquet_kv_metadata('{o}')",
        f"select * from read_duckdb('{o}')",
        "select * from read_text('/proc/self/environ')",
        "select * from read_text('/etc/passwd')",
        f"select (select content from read_text('{o}'))",
        f"from (from read_text('{o}'))",
        f"with a as (from read_text('{o}')) select a.content from a",
        f"select x from (values (1)) t(x) union all select 1 from read_text('{o}')",
        f"select * from orders where number in (select content from read_text('{o}'))",
        f"select * from orders order by (select count(*) from read_text('{o}'))",
        f"explain analyze select * from read_text('{o}')",
        f"select unnest(array(from read_text('{o}')))",
        f"pivot (from read_text('{o}')) on filename in ('a') using count(*)",
        f"copy (select 1) to '{w}/a.csv'",
        f"copy orders to '{w}/a.parquet' (format parquet)",
        f"explain copy (select 1) to '{w}/a.csv'",
        f"explain analyze copy (select 1) to '{w}/a.csv'",
        f"export database '{w}'",
        f"import database '{w}'",
        f"copy orders from '{o}'",
        f"attach '{w}/x.duckdb'",
        f"attach '{w}/x.duckdb' as x (type sqlite)",
        "detach isthmus",
        f"create table t as select 1; attach '{w}/y.duckdb'",
        "attach ':memory:' as m",
        "install httpfs",
        "install httpfs from 'http://127.0.0.1:9'",
        "load httpfs",
        "force install spatial",
        f"load '{w}/x.duckdb_extension'",
        "update extensions",
        "select * from 'http://127.0.0.1:9/x.csv'",
        "select * from read_csv('s3://a/b')",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset enable_external_access",
        "set global threads = 64",
        "set memory_limit = '1TB'",
        "set variable x = 1",
        "set schema = 'ops'",
        "set home_directory = '/'",
        f"set log_query_path = '{w}/log'",
        "pragma enable_profiling",
        "pragma database_list",
        f"pragma profiling_output = '{w}/p'",
        "pragma disable_checkpoint_on_shutdown",
        f"select * from enable_logging(storage => 'file', storage_path => '{w}')",
        "call enable_logging()",
        "call pragma_version()",
        "call force_checkpoint()",
        "select * from query('select 1')",
        "select * from query_table(['orders'])",
        "select * from duckdb_secrets()",
        "select * from duckdb_settings()",
        "from which_secret('a', 's3')",
        "select * from duckdb_logs()",
        "select * from duckdb_temporary_files()",
        "select * from duckdb_extensions()",
        "select * from duckdb_memory()",
        "select * from duckdb_external_file_cache()",
        "select * from sql_auto_complete('a')",
        "select getenv('PATH')",
        "select current_setting('temp_directory')",
        "select json_execute_serialized_sql('{}')",
        "select getvariable('mask_inner')",
        "select * from arrow_scan(0, 0, 0)",
        "select * from arrow_scan_dumb(1, 1, 1)",
        "select * from pandas_scan(1)",
        "select * from python_map_function(1)",
        "select * from seq_scan('orders')",
        "select write_log('x')",
        "select nextval('s')",
        "select * from sqlite_scan('/x', 'y')",
        "select * from postgres_scan('', '', '')",
        "insert into unified.orders select * from unified.orders",
        "update orders set number = 'x'",
        "delete from unified.orders",
        "truncate unified.orders",
        "drop schema unified cascade",
        "drop view main.orders",
        "alter table unified.orders add column z int",
        "create or replace view main.orders as select 1",
        "create temp table t as select 1",
        "create macro f() as table from read_text('/etc/passwd')",
        "create type e as enum ('a')",
        "create secret s (type s3)",
        "create sequence s",
        "create index i on unified.orders (id)",
        "comment on table unified.orders is 'x'",
        "begin",
        "commit",
        "checkpoint",
        "vacuum analyze",
        "prepare p as select 1",
        "execute p",
        "deallocate p",
        "use memory",
        "grant all on a to b",
        "select 1; select 2",
        "select 1; drop table unified.orders",
        "select 1 /* ; */; delete from orders",
        ";",
        "",
        "--",
        "\0",
        "select 1 \0 ; drop table x",
        ".shell id",
        ".open x",
        "\\! id",
    ]


BOUNDED = {
    "cross join": "select count(*) from range(1000000) a, range(1000000) b "
    "where a.range % 7 = b.range % 5",
    "endless recursion": "with recursive t(n) as (select 1 union all select n + 1 from t) "
    "select count(*) from t",
    "a text of 10 GB": "select length(repeat('x', 10000000000))",
    "a list of 1e10": "select len(range(10000000000))",
    "all texts in one": "select string_agg(repeat('x', 1000), '') from range(100000000)",
    "sort of 1e10": "select max(a) from (select range as a from range(10000000000) "
    "order by hash(range) limit 5000000)",
    "aggregate of lists": "select list(range) from range(10000000000)",
    "window": "select sum(x) from "
    "(select row_number() over (order by hash(range)) as x from range(1000000000))",
    "patterns": "select regexp_matches(repeat('a', 1000000), '(a*)*b') from range(1000000)",
    "padding": "select lpad('x', 2000000000, 'y')",
    "factorial": "select sum(factorial(range::int % 30)) from range(100000000000)",
}

NESTED = {
    "100,000 brackets": "select " + "(" * 100_000 + "1" + ")" * 100_000,
    "100,000 sums": "select " + "+".join("1" for _ in range(100_000)),
    "100,000 nots": "select " + "not " * 100_000 + "true",
    "20,000 subqueries": "select * from (" * 20_000 + "select 1" + ")" * 20_000,
    "100,000 lists": "select " + "[" * 100_000 + "]" * 100_000,
    "100,000 casts": "select 1" + "::int" * 100_000,
    "100,000 unions": " union all ".join("select 1" for _ in range(20_000)),
    "100,000 columns": "select " + ",".join(f"{n} as c{n}" for n in range(100_000)),
    "nested CASE": "select " + "case when true then " * 20_000 + "1" + " end" * 20_000,
    "a megabyte name": 'select 1 as "' + "x" * 1_000_000 + '"',
}


STUCK = """
import sys
from warehouse import reader
from pipelines.cli import main, query
reader.TIMEOUT, query.GRACE = 1.0, 2.0
sys.exit(main(["query", "select levenshtein(repeat('a', 1000000), repeat('b', 1000000))"]))
"""


def attempts(task: Task) -> Iterator[Attempt]:
    """Run each statement through the command line, the heavy ones against a clock."""
    home = published(task.inner("home"))
    outside, writable = task.inner("outside") / "secret.csv", task.inner("writable")
    outside.write_text(f"{CANARY}\n")
    defs = task.inner("defs")
    before = _digest(home.current)
    with environment(ISTHMUS_HOME=str(home.root), ISTHMUS_DEFS=str(defs), ISTHMUS_LANG="en"):
        for number, sql in enumerate(statements(outside, writable)):
            if task.quick and number % 6:
                continue
            yield _statement(f"A12.{number}", sql, home.current, writable, before)
        yield _stuck()
    for number, (name, sql) in enumerate(BOUNDED.items()):
        if not task.quick or number in (0, 2):
            yield _bounded(f"A12.b{number}", name, sql, home.current, 0.5 if task.quick else 2.0)
    for number, (name, sql) in enumerate(NESTED.items()):
        if not task.quick:
            yield _nested(f"A12.n{number}", name, sql, home.current)


def _statement(number: str, sql: str, file: Path, writable: Path, before: str) -> Attempt:
    code, out, err = command("query", "-", given=sql)
    shown = sql[:90]
    if CANARY in out + err or "root:" in out or "PATH=" in out:
        return Attempt(number, shown, "succeeded", "it read what is no business of it")
    if list(writable.iterdir()) or _digest(file) != before:
        return Attempt(number, shown, "succeeded", "it wrote")
    if "Traceback" in err or "unexpected" in err.lower():
        return Attempt(number, shown, "succeeded", f"crashed: {err[:120]}")
    if code == 0:
        return Attempt(number, shown, "succeeded", f"it was answered: {out[:120]!r}")
    return Attempt(number, shown, "refused", err.strip().splitlines()[0][:150])


def _bounded(number: str, name: str, sql: str, file: Path, seconds: float) -> Attempt:
    with measured() as cost:
        try:
            rows = sum(1 for _ in run_query(file, sql, timeout=seconds).rows)
            result = "handled", f"{rows} rows"
        except QueryError as error:
            result = "bounded", said(error)
        except Exception as error:
            result = "succeeded", f"crashed: {said(error)}"
    detail = f"{result[1]}; {cost.megabytes:.0f} MB, {cost.seconds:.1f} s"
    if cost.seconds > seconds + 20 or cost.megabytes > 1_500:
        return Attempt(number, name, "succeeded", f"not bounded: {detail}")
    return Attempt(number, name, result[0], detail)  # type: ignore[arg-type]


CHILD = """
import sys
from pathlib import Path
from warehouse.errors import WarehouseError
from warehouse.reader import run_query
try:
    list(run_query(Path(sys.argv[1]), sys.stdin.read(), timeout=20).rows)
    print("handled")
except WarehouseError as error:
    print("refused", type(error).__name__, str(error)[:80])
"""


def _nested(number: str, name: str, sql: str, file: Path) -> Attempt:
    """Run in a process of its own: what overflows a stack would take this one with it."""
    begun = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, str(file)],
            input=sql,
            text=True,
            capture_output=True,
            timeout=90,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Attempt(number, name, "succeeded", "no end within 90 s")
    detail = f"{done.stdout.strip()[:150]} in {time.monotonic() - begun:.0f} s"
    word = done.stdout.partition(" ")[0].strip()
    if done.returncode or word not in ("handled", "refused"):
        tail = done.stderr.strip().splitlines()[-1:] or [""]
        return Attempt(number, name, "succeeded", f"exit {done.returncode}: {tail[0][:150]}")
    return Attempt(number, name, "bounded" if word == "refused" else "handled", detail)


def _stuck() -> Attempt:
    """Ask for one value that takes hours: the function does not listen to an interrupt."""
    name, begun = "one value of 1e12 steps", time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-c", STUCK], capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        return Attempt("A12.stuck", name, "succeeded", "no end within 120 s, limit 1 s")
    detail = f"exit {done.returncode} after {time.monotonic() - begun:.0f} s: {done.stderr[:100]}"
    ok = done.returncode == 1 and "could not be stopped" in done.stderr
    return Attempt("A12.stuck", name, "bounded" if ok else "succeeded", detail)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
