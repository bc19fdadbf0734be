"""A person is erased everywhere, others are untouched, and it stays so: the canary company."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import canary_company
import duckdb
import pytest
from canary_company import CANARIES, NAME, PHONE, Company

from connectors.base import utc_now
from pipelines.erase import Erasure, Several, Unknown
from warehouse.landing import Landing
from warehouse.store import open_store

pytestmark = pytest.mark.xdist_group("erase")
LINEAGE = ("load_id", "synced_at", "unify_run")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    with canary_company.running(tmp_path_factory.mktemp("canary")) as made:
        yield made


def rows(company: Company, schema: str = "source") -> dict[str, set[tuple[Any, ...]]]:
    """Return the rows of all tables of a schema without what says when they were written."""
    found = {}
    with open_store(company.space.home) as store:
        for (table,) in store.con.execute(
            "select table_name from duckdb_tables() where schema_name = ?", [schema]
        ).fetchall():
            names = [
                d[0] for d in store.con.execute(f'from "{schema}"."{table}" limit 0').description
                if d[0] not in LINEAGE
            ]  # fmt: skip
            listed = ", ".join(f'"{n}"::varchar' for n in names)
            some = store.con.execute(f'select {listed} from "{schema}"."{table}"').fetchall()
            if some:
                found[table] = set(some)
    return found


def test_whole(company: Company) -> None:
    home = company.space.home
    before_files = canary_company.homes_texts(home.root)
    print(before_files)
    assert set().union(*before_files.values()) == set(CANARIES)
    before = rows(company)
    done = Erasure(company.space, utc_now).erase(PHONE, why="request of the person", who="dpo")
    print(done)
    assert canary_company.homes_texts(home.root) == {}
