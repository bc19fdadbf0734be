"""Streams that must be told what to ask for: a query on the published store gives the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import pytest
import small_shop
from pydantic import BaseModel

from connectors.base import Connector, Finding, Page, ReadRequest, Snapshot, Stream
from connectors.rest.serve import serve
from mappings.yamltext import read_text
from pipelines import wanted as module
from pipelines.check import check_connection_file
from pipelines.connection import StreamSpec
from pipelines.extract import UNTOLD
from pipelines.sampling import first_records
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT, Workspace

DEFS = """\
type: pipelines.Connection
attributes:
  system: tracker
  streams:
    tracks: {wants: "select number, total as amount, placed_at as day from unified.orders
                     where total > 100 order by number"}
"""
MAPPING = "entity: party\nkey: id\nfields: {name: name}\n"
TRACKS = Stream("tracks", ("id",), Snapshot(), wants=("number", "amount"))


class Settings(BaseModel):
    """No settings."""


class Tracker(Connector):
    """Makes a record of each row that it is told."""

    name: ClassVar[str] = "tracker"
    Settings: ClassVar[type[BaseModel]] = Settings

    def streams(self) -> Mapping[str, Stream]:
        return {"tracks": TRACKS}

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for row in request.wanted:
            key = str(row["number"])
            yield Page([f'{{"id": "{key}", "name": "{row["amount"]}"}}'.encode()], [key], {})

    def check(self) -> Iterator[Finding]:
        return iter(())


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    from connectors import registry

    load, names = registry.load, registry.names
    monkeypatch.setattr(registry, "load", lambda n: Tracker if n == "tracker" else load(n))
    monkeypatch.setattr(registry, "names", lambda: [*names(), "tracker"])
    with serve(small_shop.shop(orders=5)) as url:
        made = small_shop.workspace(tmp_path, url)
        for name, text in (("defs/post/defs.yaml", DEFS), ("mappings/post/tracks.yaml", MAPPING)):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_text(text)
        yield Workspace.discover(small_shop.environment(tmp_path))
        made.control.close()


def test_the_rows_of_the_published_store_are_handed_to_the_connector(space: Workspace):
    nothing = sync_stream(space, "post", "tracks")  # nothing is published yet
    assert (nothing.status, nothing.read) == ("ok", 0)
    assert list(nothing.warnings) == [UNTOLD]
    sync_stream(space, "shop", "orders")
    assert unify_publish(space).error is None
    done = sync_stream(space, "post", "tracks")
    assert (done.status, done.error, done.read, done.warnings) == ("ok", None, 5, {})
    assert len(first_records(space.connection("post"), "tracks", 2)) == 2
    page = (PROJECT / "docs" / "kit.md").read_text(encoding="utf-8")
    query = read_text(re.findall(r"```yaml\n(.*?)```", page, re.S)[0]).data["streams"]["tracks"]
    assert rows(space.home.current, query["wants"], "carrier", "number") == []


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import duckdb

    path = tmp_path_factory.mktemp("published") / "unified.duckdb"
    with duckdb.connect(path) as con:
        con.execute("create table t as select i, (i / 3)::decimal(9, 2) as d from range(5) r(i)")
    return path


def rows(published: Path, sql: str, *wants: str) -> list[Mapping[str, str | None]]:
    stream = Stream("tracks", ("id",), Snapshot(), wants=wants)
    with module.wanted(published, stream, StreamSpec("tracks", wants=sql)) as found:
        return list(found)


def test_values_are_text_and_other_columns_are_left_out(published: Path):
    sql = """select 7 as a, 1.50::decimal(9, 2) as b, null as c, true as d, date '2026-03-01' as e,
             timestamptz '2026-03-01 08:00:00+08:00' as f, '中' as g, 1 as other"""
    assert rows(published, sql, *"abcdefg") == [
        {"a": "7", "b": "1.50", "c": None, "d": "true", "e": "2026-03-01",
         "f": "2026-03-01T00:00:00+00:00", "g": "中"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("", "needs to be told what to ask for"),
        ("select i from t", "has no column number"),
        ("select nothing as number from t", "does not run"),
        ("select 1 as number; select 2", "does not run"),
        ("copy t to '/tmp/x.csv'", "does not run"),
        ("select content as number from read_text('/etc/passwd')", "does not run"),
        ("select i as number from range(9) r(i)", "more than 8 rows"),
        ("select case when i > 1 then error('x') else 'a' end as number from t", "does not run"),
    ],
)
def test_a_query_that_cannot_be_used_is_said(published: Path, sql: str, said: str, monkeypatch):
    monkeypatch.setattr(module, "MOST_ROWS", 8)
    with pytest.raises(module.ConfigError, match=said):
        rows(published, sql, "number")


def test_the_connectors_own_query_stands_in_where_the_file_has_none(published: Path):
    stream = Stream("t", ("id",), Snapshot(), wants=("i",), query="select i from t order by i")
    with module.wanted(published, stream, StreamSpec("t")) as found:
        assert [row["i"] for row in found] == ["0", "1", "2", "3", "4"]


def test_the_checker_says_where_a_query_is_missing_or_in_vain(space: Workspace):
    path = space.defs / "post" / "defs.yaml"
    assert check_connection_file(path) == []
    path.write_text("type: pipelines.Connection\nattributes:\n  system: tracker\n")
    (missing,) = check_connection_file(path)
    assert "tracks" in str(missing)
    shop = space.defs / "shop" / "defs.yaml"
    text = shop.read_text().replace("[customers, orders]", '{orders: {wants: "select 1"}}')
    shop.write_text(text)
    (vain,) = check_connection_file(shop)
    assert vain.field == "attributes.streams.orders.wants"


def test_a_stream_that_wants_nothing_is_given_nothing(published: Path):
    assert rows(published, "select 1") == []
