"""A matcher for tests: records of one `code` are one thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import pytest

from warehouse import ddl
from warehouse.home import Home
from warehouse.identity import golden_id_sql
from warehouse.matching.rulings import Rulings
from warehouse.store import Store, open_store


def by_code(entity: str, code: str = "code") -> Any:
    """Return a matcher that joins the living records of one `code`; dead ones join them."""

    def match(con: duckdb.DuckDBPyConnection, rulings: Rulings, changed: str | None) -> None:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE fake_links AS WITH rows AS (SELECT "
            f"{golden_id_sql(entity, 's')} AS id, s.* FROM {ddl.source_table(entity).full} s) "
            f"SELECT r.id, first(r.id) OVER (PARTITION BY coalesce(r.{code}, r.id::varchar) "
            "ORDER BY r.first_seen_at, r.connection, r.stream, r.source_key) AS golden_id "
            "FROM rows r"
        )
        con.execute(
            f"INSERT INTO matching_moved SELECT '{entity}', coalesce(n.id, l.id), l.golden_id, "
            "n.golden_id FROM fake_links n FULL JOIN (SELECT * FROM identity.links "
            f"WHERE entity = '{entity}') l ON l.id = n.id "
            "WHERE l.golden_id IS DISTINCT FROM n.golden_id"
        )
        con.execute(f"DELETE FROM identity.links WHERE entity = '{entity}'")
        con.execute(
            f"INSERT INTO identity.links SELECT '{entity}', id, golden_id, "
            "if(id = golden_id, 'founder', 'deterministic'), 1.0, 'code', 'code' FROM fake_links"
        )

    return match


def store_by_code(*entities: str) -> Any:
    """Return the fixture of a store in which records of one code are one thing."""

    @pytest.fixture
    def store(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
        monkeypatch.setattr("warehouse.unify.MATCHERS", {e: by_code(e) for e in entities})
        with open_store(home) as opened:
            yield opened

    return store
