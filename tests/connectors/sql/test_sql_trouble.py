"""What goes wrong at a database: told in our words, by its own codes, without a secret or value."""

from __future__ import annotations

import logging
import sqlite3
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sql_world import (
    TABLE,
    Database,
    connector,
    failure,
    ids,
    pages,
    sqlite_database,
    through,
    world,
)
from tcp_door import Door

from connectors.base import ReadRequest
from connectors.errors import ConfigError, ContractBroken, Unavailable

PASSWORD = "Geheim#4711x"
INSERT = "insert into payments values (?, ?, ?, ?)"


def fill(database: Database, count: int) -> None:
    database.many(INSERT, [(n, "1.25", f"p{n}", "2026-05-31 10:00:00") for n in range(count)])


# --- what people do -----------------------------------------------------------------------------
def test_a_wrong_password_is_told_and_never_shown(
    postgres: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postgres.execute(TABLE["postgresql"])
    wrong = "Verkehrt#99/ü@x"
    url = postgres.url.replace("postgres@", "guarded:Verkehrt%2399%2F%C3%BC%40x@")
    config = postgres.settings() | {"url": "env:ERP_URL"}
    env = {"ERP_URL": url}
    with world(tmp_path / "world", postgres, config, env=env) as erp:
        done = erp.sync()
        assert done.error is not None
        assert (done.error.kind, done.error.retriable) == ("AuthError", False)
        assert "refused the user or its password" in done.error.what
        shown = f"{done} {caplog.text}"
        for path in (tmp_path / "world" / "home").rglob("*"):
            if path.is_file():
                shown += path.read_bytes().decode("utf-8", "replace")
    for secret in (wrong, "Verkehrt", "Verkehrt%2399", url):
        assert secret not in shown


def test_a_password_beside_the_url_reads_and_is_shown_nowhere(
    postgres: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    postgres.execute(TABLE["postgresql"], "grant select on payments to guarded")
    fill(postgres, 3)
    config = postgres.settings() | {
        "url": postgres.url.replace("postgres@", "guarded@"),
        "password": "env:P",
    }
    source = connector(config, secret=lambda reference: PASSWORD)
    assert ids(pages(source)) == ["0", "1", "2"]
    found = list(source.check())
    assert all(each.ok is not False for each in found)
    assert not any("may write" in each.what for each in found)
    assert PASSWORD not in f"{caplog.text} {found} {source!r} {vars(source)} {source.settings!r}"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [("/t", "/nowhere_t", "no such database"), ("postgres@", "nobody@", "refused the user")],
    ids=["database", "user"],
)
def test_a_database_or_user_that_is_not_there_is_told(
    before: str, after: str, words: str, postgres: Database
) -> None:
    url = postgres.url.replace(before, after, 1)
    found = failure(postgres.settings() | {"url": url})
    assert words in found.what
    assert not found.retriable


def test_a_right_that_is_missing_is_told(postgres: Database) -> None:
    postgres.execute(TABLE["postgresql"])
    config = postgres.settings() | {
        "url": postgres.url.replace("postgres@", f"guarded:{PASSWORD.replace('#', '%23')}@")
    }
    config["url"], url = "env:U", config["url"]
    error = failure(config, secret=lambda reference: url)
    assert (type(error), error.what) == (ConfigError, "The account may not read this.")


def test_a_database_that_is_not_there(postgres: Database) -> None:
    url = postgres.url.replace("@/", "@/no_such_")
    error = failure(postgres.settings() | {"url": url})
    assert isinstance(error, ConfigError | Unavailable)
    assert "no_such" not in error.what


@pytest.mark.parametrize(
    ("stream", "said"),
    [
        ({"table": "paymnts"}, "There is no table paymnts"),
        ({"key": "ID_"}, "There is no column ID_. Did you mean id?"),
        ({"changes": {"since": "updated"}}, "no column updated. Did you mean updated_at?"),
        ({"columns": ["payer", "amuont"]}, "no column amuont. Did you mean amount?"),
    ],
)
def test_wrong_names_are_told_with_what_may_be_meant(
    database: Database, stream: dict[str, Any], said: str
) -> None:
    error = failure(database.settings(**stream))
    assert isinstance(error, ConfigError)
    assert said in error.what
    if "table" in stream:
        assert "Did you mean payments?" in error.what
    found = [each for each in connector(database.settings(**stream)).check() if each.ok is False]
    assert [said in each.what for each in found] == [True]


@pytest.mark.parametrize("value", ["nan", "x1", "1.5", "infinity"])
def test_a_number_that_is_none_is_told(database: Database, value: str) -> None:
    database.many(INSERT, [(1, "1.25", value, "2026-05-31 10:00:00")])
    config = database.settings(changes={"number": "payer"})
    error = failure(config)
    assert (type(error), error.what) == (
        ConfigError, "The column payer holds what is no whole number.",
    )  # fmt: skip
    assert error.what in [each.what for each in connector(config).check()]


def test_a_query_that_is_wrong_is_told_in_the_databases_words(database: Database) -> None:
    config = database.settings(query="select id, amuont from payments")
    del config["streams"]["payments"]["table"]
    error = failure(config)
    assert isinstance(error, ConfigError)
    assert "amuont" in error.what
    assert "`query:`" in error.do


def test_a_value_in_a_databases_message_is_not_repeated(postgres: Database) -> None:
    postgres.execute("create table t (id text)", "insert into t values ('13800138000x')")
    config = postgres.settings(query="select id::int as id from t")
    del config["streams"]["payments"]["table"]
    error = failure(config)
    assert isinstance(error, ContractBroken)
    assert "13800138000x" not in str(error)


@pytest.mark.parametrize(
    ("broken", "came"), [(1000, 900), (950, 900), (1, 0)], ids=["last", "midst", "first"]
)
def test_what_came_before_a_statement_broke_is_handed_over(
    postgres: Database, broken: int, came: int
) -> None:
    """PostgreSQL sends rows as it finds them: its error comes behind them, in place of the end."""
    postgres.execute(
        "create table n as select generate_series(1, 1000) as id",
        "alter table n add primary key (id)",
        "do $$ begin execute format('alter database %I set enable_sort = off',"
        " current_database()); end $$",  # rows come by the index, one by one
    )
    config = postgres.settings(query=f"select id, 1 / (id - {broken}) as x from n") | {"rows": 100}
    del config["streams"]["payments"]["table"]
    with closing(connector(config).read(ReadRequest("payments"))) as reading:  # type: ignore[type-var]
        found = ids(list(islice(reading, came // 100)))
        assert found == [str(n) for n in range(1, came + 1)]
        with pytest.raises(ContractBroken, match=r"refused the statement .* 22012"):
            next(reading)


# --- what happens while nobody looks ------------------------------------------------------------
def test_a_column_gone_and_a_column_added(database: Database, tmp_path: Path) -> None:
    database.many(INSERT, [(1, "1.25", "a", "2026-05-31 10:00:00")])
    with world(tmp_path / "world", database, database.settings()) as erp:
        erp.sync()
        database.execute(
            "alter table payments add column note text", "update payments set note = 'n'"
        )
        done = erp.sync()
        assert (done.error, done.landed) == (None, 1)
        database.execute("alter table payments drop column payer")
        done = erp.sync()
        assert done.error is None
        assert any("`payer` is no column of the table" in line for line in done.warnings)
        database.execute("alter table payments rename column amount to amount_cny")
        done = erp.sync()
        assert done.error is not None
        assert "`amount_cny` is" in done.error.what
        assert erp.stored()[0][1] == "1.2500", "nothing is overwritten by nothing"


def test_a_table_gone_deletes_nothing(database: Database, tmp_path: Path) -> None:
    database.many(INSERT, [(1, "1.25", "a", "2026-05-31 10:00:00")])
    with world(tmp_path / "world", database, database.settings()) as erp:
        erp.sync()
        database.execute("drop table payments")
        done = erp.sync()
        assert done.error is not None
        assert "There is no table payments" in done.error.what
        assert (done.error.kind, done.deleted) == ("ConfigError", 0)
        assert len(erp.stored()) == 1


def test_a_lock_is_not_waited_for_for_ever(postgres: Database) -> None:
    postgres.execute(TABLE["postgresql"])
    with postgres.connect() as holder:
        holder.execute("lock table payments in access exclusive mode")
        began = time.monotonic()
        error = failure(postgres.settings() | {"timeout": "1s"})
    assert isinstance(error, Unavailable)
    assert time.monotonic() - began < 10


def test_a_server_that_hangs_is_left_after_the_timeout(postgres: Database, door: Door) -> None:
    postgres.execute(TABLE["postgresql"])
    fill(postgres, 5000)
    config = through(door.port, postgres, timeout="1s", rows=100)
    assert len(ids(pages(connector(config)))) == 5000
    source = connector(config)
    reading = source.read(ReadRequest("payments"))
    assert len(next(reading).keys) == 100
    door.shut()
    began = time.monotonic()
    with pytest.raises(Unavailable, match="did not answer within 1 s"):
        list(reading)
    assert time.monotonic() - began < 10


def test_a_server_that_says_nothing_is_left_after_the_connect_timeout(
    postgres: Database, door: Door
) -> None:
    door.shut()
    began = time.monotonic()
    error = failure(through(door.port, postgres, connect_timeout="2s"))
    assert isinstance(error, Unavailable)
    assert time.monotonic() - began < 15


def test_nobody_listening_is_unavailable(postgres: Database, door: Door) -> None:
    config = through(door.port, postgres)
    door.close()
    error = failure(config)
    assert (type(error), error.retriable) == (Unavailable, True)


def test_a_session_can_only_read(database: Database) -> None:
    import sqlalchemy as sa

    write = sa.text("insert into payments (id) values (1)")
    with (
        connector(database.settings()).session() as session,
        pytest.raises(sa.exc.DBAPIError, match=r"(?i)read.?only"),
    ):
        session.connection.execute(write)
    assert database.rows("select count(*) from payments") == [(0,)]


def test_a_read_is_one_snapshot(postgres: Database) -> None:
    postgres.execute(TABLE["postgresql"])
    fill(postgres, 1000)
    reading = connector(postgres.settings() | {"rows": 100}).read(ReadRequest("payments"))
    first = next(reading)
    postgres.execute("delete from payments where id > 500", "update payments set payer = 'x'")
    rest = list(reading)
    assert len(ids([first, *rest])) == 1000
    assert (rest[-1].complete, rest[-1].total) == (True, 1000)


def test_a_read_that_is_left_lets_the_database_go(postgres: Database) -> None:
    postgres.execute(TABLE["postgresql"])
    fill(postgres, 50_000)
    reading = connector(postgres.settings() | {"rows": 100}).read(ReadRequest("payments"))
    next(reading)
    reading.close()  # type: ignore[attr-defined]
    busy = "select count(*) from pg_stat_activity where application_name = 'isthmus'"
    until = time.monotonic() + 10
    while postgres.rows(busy) != [(0,)]:
        assert time.monotonic() < until
    postgres.execute("drop table payments")


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "erp.db").write_bytes(b"no database at all" * 100)
    database = sqlite_database(tmp_path)
    assert isinstance(failure(database.settings()), ContractBroken)


def test_a_sqlite_file_that_somebody_writes_is_waited_for(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path)
    database.execute(TABLE["sqlite"])
    holder = sqlite3.connect(tmp_path / "erp.db", isolation_level=None)
    holder.execute("begin exclusive")
    error = failure(database.settings() | {"connect_timeout": "0.2s"})
    holder.close()
    assert (type(error), error.retriable) == (Unavailable, True)
    assert pages(connector(database.settings()))[-1].complete


def test_a_long_statement_on_sqlite_is_broken_off(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path)
    endless = (
        "with recursive n(id) as (select 1 union all select id + 1 from n) "
        "select max(id) as id from n"
    )
    config = database.settings(query=endless) | {"timeout": "0.3s"}
    database.execute(TABLE["sqlite"])
    del config["streams"]["payments"]["table"]
    began = time.monotonic()
    error = failure(config)
    assert isinstance(error, Unavailable)
    assert time.monotonic() - began < 10


def test_a_message_that_would_hold_the_password_does_not(postgres: Database) -> None:
    postgres.execute(TABLE["postgresql"])
    config = postgres.settings(table=PASSWORD) | {"password": "env:P"}
    error = failure(config, secret=lambda reference: PASSWORD)
    assert "There is no table [secret]" in error.what
    assert PASSWORD not in f"{error} {error.args}"
    assert not any(PASSWORD in f"{each}" for each in connector(
        config, secret=lambda reference: PASSWORD
    ).check())  # fmt: skip


def test_a_read_in_which_rows_are_missing_proves_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy as sa

    from connectors.sql import statements

    fill(database, 10)
    assert [page.complete for page in pages(connector(database.settings()))] == [False, True]
    for count in (9, 11):
        monkeypatch.setattr(statements, "count", lambda source, n=count: sa.select(sa.literal(n)))
        for mode in ("full", "sweep"):
            found = pages(connector(database.settings()), mode=mode)
            assert [page.complete for page in found] == [False, False]
            assert "not proved complete: 10 " in found[-1].warnings[0]
