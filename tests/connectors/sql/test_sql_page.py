"""docs/sql.md: its example runs as printed, and it names every setting, database and extra."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from sql_world import sqlite_database

from connectors.sql import SqlSettings, StreamSettings
from connectors.sql.address import KINDS
from connectors.sql.streams import ChangesSettings
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT, Workspace
from warehouse.reader import run_query

PAGE = (PROJECT / "docs" / "sql.md").read_text("utf-8")
TABLES = (
    "create table so_order (id integer primary key, code text, customer_id text, currency text,"
    " total text, created_at text, modified_at text)",
    "create table so_line (id integer primary key, order_id integer, product_id integer,"
    " quantity text, price text)",
    "create table product (id integer primary key, code text, name text, group_id integer)",
    "create table product_group (id integer primary key, name text)",
    "insert into so_order values (1, 'SO-1', 'C1', 'CNY', '12.50', '2026-05-01 10:00:00', null)",
    "insert into so_line values (1, 1, 1, '2', '6.25')",
    "insert into product values (1, 'A-1', 'Box', null)",
)


BLOCKS = re.findall(r"```yaml\n# (?:defs|mappings)/.*?\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("with_lines", [False, True])
def test_the_example_runs_as_printed(tmp_path: Path, with_lines: bool) -> None:
    defs, mapping, stream, children = BLOCKS
    if with_lines:
        table = re.search(r"      orders:\n.*?(?=      products:)", defs, re.DOTALL)
        assert table
        defs, mapping = defs.replace(table[0], stream), mapping + children
    (tmp_path / "files").mkdir()
    database = sqlite_database(tmp_path / "files")
    database.execute(*TABLES)
    folder = f'url: "env:ERP_DB_URL"\n    folder: {tmp_path / "files"}'
    for name, text in (
        ("defs/erp/defs.yaml", re.sub(r'url: "env:ERP_DB_URL".*', folder, defs)),
        ("maps/erp/orders.yaml", mapping),
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    space = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"),
            "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "ISTHMUS_MAPPINGS": str(tmp_path / "maps"),
            "ERP_DB_URL": database.url,
        }
    )
    try:
        done = sync_stream(space, "erp", "orders")
        assert (done.error, done.inserted, done.warnings) == (None, 1, {})
        assert unify_publish(space).error is None
        sql = "select sku, quantity::int, unit_price::float from unified.order_lines"
        wanted = [("A-1", 2, 6.25)] if with_lines else []
        assert [tuple(row) for row in run_query(space.home.current, sql).rows] == wanted
        lines = space.connection("erp").connector().check()
        assert [each for each in lines if each.ok is False] == []
    finally:
        space.control.close()


@pytest.mark.parametrize("model", [SqlSettings, StreamSettings, ChangesSettings])
def test_the_page_names_every_setting(model: type[SqlSettings]) -> None:
    for name, info in model.model_fields.items():
        assert re.search(rf"[`{{]{info.alias or name}\b", PAGE), name
        assert info.description


def test_the_page_names_every_database_its_extra_and_its_parameters() -> None:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    extras.pop("server")  # drivers of our own storage
    assert {kind.extra for kind in KINDS.values() if kind.extra} == set(extras)
    for kind in KINDS.values():
        assert f"| {kind.title}" in PAGE
        assert not kind.extra or f"`isthmus[{kind.extra}]`" in PAGE
        for name in kind.parameters:
            assert f"`{name}`" in PAGE


def test_the_schema_for_editors_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    from pipelines.cli import main

    assert main(["connectors", "--schema", "sql"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert {"url", "streams", "schema"} <= set(schema["properties"])
