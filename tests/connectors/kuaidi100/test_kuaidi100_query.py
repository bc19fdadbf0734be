"""The query that says which parcels are under way, on rows as the published store has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from connectors.kuaidi100.carriers import Carriers
from connectors.kuaidi100.query import query
from warehouse import ddl
from warehouse.mask import mask_sql

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGE = timedelta(days=45)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        made.execute("create schema unified")
        columns = ", ".join(f"{f.name} {f.sql_type}" for f in ddl.unified_table("shipment").fields)
        made.execute(f"create table unified.shipments ({columns})")
        yield made


def wanted(con: duckdb.DuckDBPyConnection, *rows: dict[str, Any], **more: str) -> list[Any]:
    """Return what the query gives on these rows; they left two days ago unless they say more."""
    con.execute("delete from unified.shipments")
    for row in rows:
        whole = {"shipped_at": NOW - timedelta(days=2), "status": "shipped"} | row
        marks = ", ".join("?" * len(whole))
        con.execute(
            f"insert into unified.shipments ({', '.join(whole)}) values ({marks})",
            list(whole.values()),
        )
    return con.execute(query(Carriers(more), NOW, AGE)).fetchall()


def parcel(number: str, carrier: str | None = "圆通", **more: Any) -> dict[str, Any]:
    return {"tracking_number": number, "carrier_name": carrier} | more


def track(number: str, status: str, code: str = "yuantong", **more: Any) -> dict[str, Any]:
    """A row that came of this connector."""
    return parcel(number, None, status=status, carrier_code=code, connection="post") | more


def test_one_row_a_parcel_whatever_words_the_rows_have(con: duckdb.DuckDBPyConnection):
    assert wanted(
        con,
        parcel("YT1", "圆通速递", ship_to_phone="138****8000"),
        parcel(" yt 1", None, carrier_code="YTO"),
        parcel("YT1", "圆通", carrier_code="own-code-7"),
        track("YT1", "in_transit"),
        parcel("SF2", "S.F. EXPRESS"),
    ) == [("shunfeng", "SF2", None), ("yuantong", "YT1", "8000")]


@pytest.mark.parametrize("end", ["delivered", "returned", "cancelled"])
def test_what_one_row_says_is_at_its_end_is_not_asked_for(con: duckdb.DuckDBPyConnection, end: str):
    assert wanted(con, parcel("YT1", status=end)) == []
    assert wanted(con, parcel("YT1"), track("YT1", end)) == []
    assert wanted(con, parcel("YT1"), track("YT1", end), parcel("YT1", "专线")) == []
    assert wanted(con, parcel("yt1 ", None), track("YT1", end)) == []


@pytest.mark.parametrize(
    "status", ["pending", "packed", "in_transit", "out_for_delivery", "exception", "unknown", None]
)
def test_the_others_are_asked_for(con: duckdb.DuckDBPyConnection, status: str | None):
    assert wanted(con, parcel("YT1"), track("YT1", status)) == [("yuantong", "YT1", None)]


def test_another_carriers_parcel_of_the_same_number_is_another(con: duckdb.DuckDBPyConnection):
    rows = (parcel("7500", "中通"), parcel("7500", "申通"), track("7500", "delivered", "zhongtong"))
    assert wanted(con, *rows) == [("shentong", "7500", None)]


def test_age_counts_from_when_it_left(con: duckdb.DuckDBPyConnection):
    edge = NOW - AGE
    old = edge - timedelta(seconds=1)
    assert len(wanted(con, parcel("YT1", shipped_at=edge))) == 1
    assert wanted(con, parcel("YT1", shipped_at=old)) == []
    for name in ("source_created_at", "first_seen_at"):  # where nobody says when it left
        assert len(wanted(con, parcel("YT1", shipped_at=None, **{name: edge}))) == 1
        assert wanted(con, parcel("YT1", shipped_at=None, **{name: old})) == []


def test_a_number_that_is_used_again_is_a_new_parcel(con: duckdb.DuckDBPyConnection):
    before = NOW - timedelta(days=250)
    rows = (track("YT1", "delivered", shipped_at=before), parcel("YT1", shipped_at=before))
    assert wanted(con, *rows, parcel("YT1")) == [("yuantong", "YT1", None)]


@pytest.mark.parametrize(
    ("phone", "last"),
    [
        ("13800138000", "8000"),
        ("+86 138-0013-8000", "8000"),
        ("021-12345678", "5678"),
        ("13800138000转12", "0012"),
        ("12345678", ""),  # under eleven digits the mask keeps two, which is no use
        ("95338", ""),
        (None, None),
    ],
)
def test_the_mask_leaves_the_last_four_digits_of_a_whole_phone(
    con: duckdb.DuckDBPyConnection, phone: str | None, last: str | None
):
    said = con.execute(f"select {mask_sql('phone', 'p')} from (select ?::varchar as p)", [phone])
    masked = said.fetchall()[0][0]
    assert wanted(con, parcel("YT1", ship_to_phone=masked)) == [("yuantong", "YT1", last)]


def test_names_of_ones_own_and_names_that_nobody_knows(con: duckdb.DuckDBPyConnection):
    rows = (parcel("A10001", "王氏专线"), parcel("B10001", "O'Neill"), parcel("C10001", None))
    assert wanted(con, *rows, 王氏专线="suning") == [
        ("suning", "A10001", None), ("O'Neill", "B10001", None), (None, "C10001", None),
    ]  # fmt: skip
    assert wanted(con, *rows, **{"O'Neill": "jd"})[1] == ("jd", "B10001", None)


def test_rows_without_a_number_are_none(con: duckdb.DuckDBPyConnection):
    assert wanted(con, parcel("  "), {"carrier_name": "圆通"}) == []
