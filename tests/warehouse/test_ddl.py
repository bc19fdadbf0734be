from __future__ import annotations

import uuid

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from warehouse import ddl, public
from warehouse.identity import (
    NAMESPACE,
    child_id,
    child_id_sql,
    golden_id,
    golden_id_sql,
    uuid5_sql,
)
from warehouse.model import ENTITIES
from warehouse.upgrades import store_tables

UGLY = ["a", 'A"b', "a'b", 'a"; drop table x; --', "名", " ", "select", '""', "\\", "a\nb"]


@pytest.mark.parametrize("name", UGLY)
def test_any_name_is_quoted(name: str) -> None:
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE {ddl.quote(name)} ({ddl.quote(name)} INTEGER)")
        rows = con.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal"
        ).fetchall()
    assert rows == [(name, name)]


@pytest.mark.parametrize("text", [*UGLY, ""])
def test_any_text_is_a_literal(text: str) -> None:
    assert duckdb.execute(f"SELECT {ddl.literal(text)}").fetchall() == [(text,)]


def test_what_cannot_be_written_is_refused() -> None:
    with pytest.raises(ValueError, match="not a name"):
        ddl.quote("")
    with pytest.raises(ValueError, match="not a name"):
        ddl.quote("a\0b")
    with pytest.raises(ValueError, match="NUL"):
        ddl.literal("a\0b")


def test_source_tables_have_the_agreed_frame() -> None:
    names = [n for n, _ in ddl.source_columns("order")]
    assert names[:3] == ["connection", "stream", "source_key"]
    assert names[-14:] == [
        "ext", "record_key", "version", "row_hash", "batch", "position", "mapping",
        "first_seen_at", "synced_at", "load_id", "is_deleted", "deleted_at", "delete_reason",
        "newer_in_quarantine",
    ]  # fmt: skip
    assert names[names.index("status") + 1] == "status_raw"
    lines = [n for n, _ in ddl.source_columns("order_line")]
    assert lines[:5] == ["connection", "stream", "parent_key", "source_key", "line"]
    assert lines[-2:] == ["ext", "load_id"]
    assert [n for n, _ in ddl.history_columns("order")] == [*names, "valid_from", "valid_to"]
    assert dict(ddl.source_columns("order"))["total"] == "DECIMAL(18,4)"


def test_unified_tables_have_ids_and_resolved_references() -> None:
    names = [n for n, _ in ddl.unified_columns("order")]
    assert names[0] == "order_id"
    assert names[names.index("customer_key") + 1] == "party_id"
    assert {"ext", "first_seen_at", "synced_at"} <= set(names)
    assert not {"is_deleted", "load_id", "row_hash"} & set(names)
    assert [n for n, _ in ddl.unified_columns("order_line")][:2] == ["order_line_id", "order_id"]


@pytest.mark.parametrize("tables", [store_tables, public.all_tables], ids=["store", "published"])
def test_no_table_has_a_column_twice_or_without_comment(tables: object) -> None:
    found = list(tables())  # type: ignore[operator]
    assert len({t.full for t in found}) == len(found)
    for table in found:
        assert len(set(table.names)) == len(table.names), table.full
        assert table.en
        assert table.zh
        for field in table.fields:
            assert " · " in field.comment, (table.full, field.name)
            assert not field.comment.startswith(" · ")


def test_an_id_is_the_one_of_the_standard() -> None:
    # RFC 9562, appendix A.4: the name www.example.com in the namespace of names.
    assert str(uuid.uuid5(uuid.NAMESPACE_DNS, "www.example.com")) == (
        "2ed6657d-e927-568b-95e1-2665a8aea6a2"
    )
    assert golden_id("order", "shop", "orders", "1") == uuid.uuid5(NAMESPACE, "order/shop/orders/1")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
                min_size=1, max_size=20))  # fmt: skip
def test_ids_in_sql_equal_those_in_python(keys: list[str]) -> None:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE s (connection VARCHAR, stream VARCHAR, source_key VARCHAR)")
        con.executemany("INSERT INTO s VALUES ('shop', '订单', ?)", [[k] for k in keys])
        rows = con.execute(
            f"SELECT source_key, {golden_id_sql('order', 's')} AS id, "
            f"{child_id_sql('order_line', 'id', 's.source_key')} FROM s"
        ).fetchall()
    for key, said, child in rows:
        assert said == golden_id("order", "shop", "订单", key)
        assert child == child_id("order_line", said, key)


def test_a_null_key_has_no_id() -> None:
    assert duckdb.execute(f"SELECT {uuid5_sql('NULL::varchar')}").fetchall() == [(None,)]


def test_ids_of_owned_rows_do_not_meet() -> None:
    """A parent 'a/b' with a line 'c' is not a parent 'a' with a line 'b/c'."""
    left = child_id("order_line", golden_id("order", "s", "o", "a/b"), "c")
    right = child_id("order_line", golden_id("order", "s", "o", "a"), "b/c")
    assert left != right


def test_families_put_the_owner_first() -> None:
    assert ddl.families("order") == ["order", "order_line"]
    assert set(ddl.families()) == set(ENTITIES)
