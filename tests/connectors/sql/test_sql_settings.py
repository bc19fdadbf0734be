"""What `config:` of a `sql` connection may say, and what is refused before anything is reached."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from connectors import registry
from connectors.base import ChangedSince, Context, Growing, Snapshot
from connectors.changes import parse_stamp
from connectors.errors import ConfigError
from connectors.sql import SqlConnector, SqlSettings
from connectors.sql.address import KINDS, read_url
from connectors.sql.engine import Options, Watch, make_engine
from connectors.sql.places import read_place, write_place
from connectors.sql.query import check_query
from connectors.sql.stamps import Stamps, stamps_like

naive = datetime.fromisoformat

SHANGHAI = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def settings(**more: Any) -> SqlSettings:
    said: dict[str, Any] = {"url": "env:U", "streams": {"s": {"table": "t", "key": "id"}}}
    return SqlSettings.model_validate(said | more)


def stream(**said: Any) -> SqlSettings:
    return settings(streams={"s": {"key": "id"} | said})


def test_it_is_installed_under_its_name() -> None:
    assert registry.load("sql") is SqlConnector


def test_streams_say_how_they_change() -> None:
    changes: list[dict[str, Any] | None] = [
        {"since": ["b", "a"], "lookback": "1h"}, {"number": "n"}, {"rowversion": "ufts"}, None,
    ]  # fmt: skip
    said = {
        f"s{n}": {"table": "t", "key": ["x", "y"], "changes": each}
        for n, each in enumerate(changes)
    }
    found = SqlConnector(settings(streams=said), Context("erp")).streams()
    assert [each.changes for each in found.values()] == [
        ChangedSince("b, a", "", timedelta(hours=1)), Growing("n"), Growing("ufts"), Snapshot(),
    ]  # fmt: skip
    assert {(each.key, each.stable_order, each.can_sweep) for each in found.values()} == {
        (("x", "y"), True, True)
    }


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"url": "postgresql://u:geheim12@h/d"}, "a password stands in the URL"),
        ({"url": "db2://u@h/d"}, "no way to speak to 'db2'"),
        ({"url": "postgresql+asyncpg://u@h/d"}, "The driver 'asyncpg' is not spoken"),
        ({"url": "postgresql://u@h/d?service=x"}, "the parameter 'service', which is not used"),
        ({"url": "mysql://u@h/d?read_default_file=/etc/x"}, "'read_default_file'"),
        ({"url": "mssql://u@h/d?odbc_connect=x"}, "'odbc_connect'"),
        ({"url": "not a url"}, "cannot be read"),
        ({"url": "{{ env.U }}"}, "'{{' is not used here"),
        ({"url": "sqlite:///x.db"}, "a SQLite file needs folder"),
        ({"password": "geheim12"}, "must be a reference"),
        ({"isolation": "READ UNCOMMITTED"}, "READ COMMITTED"),
        ({"streams": {}}, "at least 1 item"),
        ({"streams": {"Bad Name": {"table": "t", "key": "id"}}}, "must be small letters"),
        ({"strems": {}}, "Extra inputs"),
    ],
)
def test_settings_that_are_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        settings(**config)
    assert said in str(caught.value)
    assert "geheim12" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "write either table or query"),
        ({"table": "t", "query": "select 1 as id"}, "write either table or query"),
        ({"query": "select 1 as id", "schema": "dbo"}, "schema goes with table"),
        ({"table": "t", "columns": ["a"], "skip": ["b"]}, "either columns or skip"),
        ({"table": "t", "key": []}, "at least 1 item"),
        ({"table": "t", "key": ["a", "a"]}, "twice"),
        ({"table": "t", "decode": {"a": "rot13"}}, "no such text encoding"),
        ({"table": "t", "changes": {}}, "needs one of since"),
        ({"table": "t", "changes": {"since": "a", "number": "b"}}, "has since and number"),
        ({"table": "t", "changes": {"number": "b", "lookback": "1h"}}, "lookback goes with since"),
        ({"table": "t", "changes": {"since": "a", "behind": 5}}, "behind goes with number"),
        ({"table": "t", "changes": {"since": "a", "format": "%d/%m/%Y"}}, "in this order"),
        ({"table": "t", "changes": {"since": "a", "format": "isoo"}}, "write iso, epoch"),
    ],
)
def test_streams_that_are_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        stream(**said)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "query",
    [
        "drop table t", "select 1; drop table t", "delete from t", " ", "-- nothing",
        "select 1) as q; delete from t --", "select 1) union (select 2", "(select 1",
        "select * into other from t", "with x as (delete from t returning *) select * from x",
        "select 'a", "exec sp_who", "select 1 /* ", "select * from t for update",
    ],
)  # fmt: skip
def test_queries_that_are_refused(query: str) -> None:
    with pytest.raises(ConfigError):
        check_query(query)
    with pytest.raises(ValidationError, match="Do: "):
        stream(query=query)


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("select 1 as id ; ", "select 1 as id"),
        ("with x as (select 1 as id) select * from x", None),
        ("select 'a;b' as id -- ; drop", None),
        ('select "delete", [update], `drop` from t', None),
        ("select deleted, inserted_at from t where a = '12:30' and b::text = ':x'", None),
    ],
)
def test_queries_that_are_taken(query: str, kept: str | None) -> None:
    assert check_query(query) == (query if kept is None else kept)


def test_a_url_settles_its_driver() -> None:
    assert {name: read_url(f"{name}://h/d").drivername for name in KINDS} == {
        "sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql",
        "mariadb": "mariadb+pymysql", "mssql": "mssql+pymssql", "oracle": "oracle+oracledb",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["postgresql", "mysql", "mssql", "oracle"])
def test_a_driver_that_is_missing_is_told_by_its_extra(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from connectors.sql.address import Target

    url = read_url(f"{name}://u@10.0.0.1/d")
    monkeypatch.setitem(sys.modules, url.get_driver_name(), None)
    options = Options(None, "utf-8", "UTC", 1, 1, None)
    with pytest.raises(ConfigError, match=rf"isthmus\[{KINDS[name].extra}\]"):
        make_engine(Target(url, KINDS[name], ("10.0.0.1",)), options, Watch(1))


@pytest.mark.parametrize(
    "values",
    [
        (5, "a'b/ü"),
        (datetime(2026, 1, 1, 1, 2, 3, 4, tzinfo=UTC), 2**70),
        (naive("2026-01-01"), date(2026, 1, 2)),
    ],
)
def test_a_place_is_written_exactly(values: tuple[Any, ...]) -> None:
    import json

    assert read_place(json.loads(json.dumps(write_place(values))), 2) == values


def test_a_place_that_has_no_exact_text_is_none() -> None:
    for value in (1.5, b"x", None, "a\0b", True):
        assert write_place([value]) is None
    for odd in (None, "x", [["int", "x"]], [["eval", "1"]], [[1]], [["int", "1"], ["int", "2"]]):
        assert read_place(odd, 1) == ()


FOLD = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, the first time


@pytest.mark.parametrize("at", [FOLD, FOLD + timedelta(hours=1), FOLD - timedelta(hours=1)])
def test_a_lower_bound_in_the_hour_that_comes_twice_leaves_nothing_out(at: datetime) -> None:
    stamps = Stamps("naive", BERLIN)
    low = stamps.bound(at, lower=True)
    for seconds in range(0, 7200, 600):  # rows changed at or after the bound's instant
        row = (at + timedelta(seconds=seconds)).astimezone(BERLIN).replace(tzinfo=None)
        assert row >= low


@pytest.mark.parametrize(
    ("sample", "pattern", "written"),
    [
        ("2026-01-02 03:04:05", "auto", "2026-01-01 08:00:00"),
        ("2026-01-02T03:04:05.123", "auto", "2026-01-01T08:00:00"),
        ("2026-01-02T03:04:05Z", "auto", "2026-01-01T00:00:00Z"),
        ("2026-01-02 03:04:05+09:00", "auto", "2026-01-01 09:00:00+09:00"),
        ("2026-01-02", "auto", "2026-01-01"),
        ("20260102030405", "%Y%m%d%H%M%S", "20260101080000"),
        (1767225600, "auto", 1767225600),
        (1767225600000, "auto", 1767225600000),
        (naive("2026-01-02"), "auto", naive("2026-01-01 08:00:00")),
        (datetime(2026, 1, 2, tzinfo=UTC), "auto", datetime(2026, 1, 1, tzinfo=UTC)),
        (date(2026, 1, 2), "auto", date(2026, 1, 1)),
    ],
)
def test_bounds_are_written_like_the_newest_stamp(sample: Any, pattern: str, written: Any) -> None:
    stamps = stamps_like(sample, "any", SHANGHAI, pattern, "mssql")
    bound = stamps.bound(datetime(2026, 1, 1, tzinfo=UTC), lower=True)
    assert bound == written
    if isinstance(bound, str) and len(bound) > 10:
        assert parse_stamp(bound, SHANGHAI, pattern.replace("auto", "iso")) == datetime(
            2026, 1, 1, tzinfo=UTC
        )


@pytest.mark.parametrize("sample", ["yes", "03/01/2026", 7, True, b"x", "2026-1-2 3:4"])
def test_what_is_no_stamp_is_told(sample: Any) -> None:
    with pytest.raises(ConfigError):
        stamps_like(sample, "any", SHANGHAI, "auto", "sqlite")


@pytest.mark.parametrize("user", ["reader:p@ss/w#rd", "reader@server:pw", "reader:p@Geheim"])
def test_an_at_sign_that_is_not_encoded_is_no_host(user: str) -> None:
    with pytest.raises(ConfigError, match="more than one @") as refused:
        read_url(f"postgresql://{user}@127.0.0.1:5432/erp")
    told = str(refused.value)
    assert "%40" in told
    assert not any(part in told for part in ("ss/w", "Geheim", "pw"))
    encoded = user.replace("@", "%40").replace("/", "%2F")
    assert read_url(f"postgresql://{encoded}@127.0.0.1:5432/erp").host == "127.0.0.1"
