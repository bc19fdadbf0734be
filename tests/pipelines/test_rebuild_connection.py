"""One connection made anew from its landing: all as it was, in the store and for analysts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from answers import answer, differing
from synced_sample import Synced, synced_sample

from connectors.base import utc_now
from connectors.errors import ConfigError
from pipelines.repair import rebuild
from pipelines.sample.story import tell
from warehouse.errors import StoreDamaged
from warehouse.store import open_store

pytestmark = [pytest.mark.slow]
BEGAN = datetime.now(UTC)
OTHERWISE = ("load_id", "unify_run", "loaded_at", "since_run", "until_run")
"""Which load or unification wrote a row: that is another one."""


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    made = synced_sample(tmp_path_factory.mktemp("home"), tell(orders=700))
    yield made
    made.close()


def rows(path: Path, *schemas: str) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(path), read_only=True) as con:
        found = con.execute(
            "select schema_name, table_name from duckdb_tables()"
            " where list_contains(?, schema_name)"
            " and table_name not in ('meta', 'changes', 'unifications')",
            [list(schemas)],
        ).fetchall()
        return {
            f"{schema}.{table}": con.execute(
                f'select columns(lambda c: not list_contains({list(OTHERWISE)}, c))'
                f' from "{schema}"."{table}" order by all'
            ).fetchall()
            for schema, table in found
        }  # fmt: skip


@pytest.mark.parametrize("connection", ["erp", "shop"])
def test_what_is_made_anew_equals_what_was(synced: Synced, connection: str) -> None:
    home = synced.space.home
    stored = rows(home.store, "source", "history", "unified", "ops")
    published = answer(home.current, BEGAN)
    assert sum(map(len, stored.values())) > 500
    with open_store(home) as store:
        store.con.execute(f"delete from source.orders where connection = '{connection}'")
        store.con.execute(f"update source.parties set name = 'x' where connection = '{connection}'")
    done = rebuild(synced.space, utc_now, connection=connection)
    assert done.publish.error is None
    assert (done.report.left_out, done.report.streams > 1) == ([], True)
    again = rows(home.store, "source", "history", "unified", "ops")
    assert {name for name in stored if again[name] != stored[name]} == set()
    assert differing(published, answer(home.current, BEGAN)) == {}
    assert not [o.error for o in synced.sync([connection]).values() if o.error], "it goes on"


def test_what_was_never_landed_is_refused(synced: Synced) -> None:
    with pytest.raises(ConfigError, match="Nothing was ever landed"):
        rebuild(synced.space, utc_now, connection="nobody")


def test_without_a_store_there_is_nothing_to_keep_the_others_of(synced: Synced) -> None:
    store = synced.space.home.store
    aside = store.rename(store.with_name("aside"))
    with pytest.raises(StoreDamaged, match="without a connection"):
        rebuild(synced.space, utc_now, connection="erp")
    aside.rename(store)
