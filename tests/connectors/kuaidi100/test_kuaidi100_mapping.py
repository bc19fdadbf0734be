"""What the mapping makes of a parcel and its events, by values worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mapping_runs import Result, run

from connectors.kuaidi100.sample import WORDS
from pipelines.workspace import PROJECT

TEXT = (PROJECT / "mappings" / "kuaidi100" / "tracks.yaml").read_text("utf-8")


def said(**more: Any) -> dict[str, Any]:
    """The contract's sample as it is landed."""
    return {
        "asked": {"com": "yuantong", "num": "YT9693083639795", "name": "圆通速递"},
        "message": "ok", "nu": "YT9693083639795", "ischeck": "1", "com": "yuantong",
        "status": "200", "condition": "F00", "state": "3",
        "data": [
            {"key": "b", "time": "2026-11-20 19:10:30", "ftime": "2026-11-20 19:10:30",
             "context": "【杭州市】已签收，签收人：本人", "location": "", "status": "签收",
             "areaName": "浙江,杭州市", "areaCode": "CN330100000000"},
            {"key": "a", "time": "2026-11-19 08:01:12", "ftime": "2026-11-19 08:01:12",
             "context": "【上海转运中心】已发出", "location": "上海", "status": "在途",
             "statusCode": "1002"},
        ],
    } | more  # fmt: skip


def mapped(folder: Path, *records: dict[str, Any], zone: str = "Europe/Berlin") -> Result:
    return run(TEXT, list(records), folder, zone=zone)


def test_the_sample_of_the_contract(tmp_path: Path):
    found = mapped(tmp_path, said())
    (row,) = found.rows
    assert row["errors"] == []
    left = datetime(2026, 11, 19, 0, 1, 12, tzinfo=UTC)
    arrived = datetime(2026, 11, 20, 11, 10, 30, tzinfo=UTC)
    wanted = {
        "number": "YT9693083639795", "tracking_number": "YT9693083639795",
        "carrier_code": "yuantong", "carrier_name": "圆通速递", "status": "delivered",
        "shipped_at": left, "delivered_at": arrived, "source_updated_at": arrived,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    events = [
        tuple(one[name] for name in ("source_key", "occurred_at", "code", "status", "description",
                                     "place", "area_code", "tracking_number"))
        for one in found.children["events"]
    ]  # fmt: skip
    assert events == [
        ("b", arrived, "签收", "delivered", "【杭州市】已签收，签收人：本人", "浙江,杭州市",
         "CN330100000000", "YT9693083639795"),
        ("a", left, "1002", "in_transit", "【上海转运中心】已发出", "上海", None,
         "YT9693083639795"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("codes", "status"),
    [
        ("1 103", "shipped"),
        ("0 7 8 10 11 12 1001 1002", "in_transit"),
        ("5 501", "out_for_delivery"),
        ("3 301 302 303 304", "delivered"),
        ("4", "returned"),
        ("2 6 13 14", "exception"),
        ("101 102", "pending"),
        ("401", "cancelled"),
    ],
)
def test_states_of_parcels_and_events(tmp_path: Path, codes: str, status: str):
    for code in codes.split():
        event = {"key": "a", "time": "2026-11-19 08:01:12", "statusCode": code}
        word = {"key": "b", "time": "2026-11-19 08:01:12", "status": WORDS[code]}
        events = [event, word] if len(code) < 3 else [event]
        found = mapped(tmp_path, said(state=code, ischeck="0", data=events))
        assert found.column("status") == [status]
        assert {one["status"] for one in found.children["events"]} == {status}
        assert (found.rows[0]["delivered_at"] is not None) == (status == "delivered")


def test_what_nobody_knows_keeps_its_word_and_a_broken_time_is_told(tmp_path: Path):
    later = said(state="77", data=[{"key": "a", "time": "yesterday", "status": "飞行"}])
    bare = said(state=None, ischeck="1", data=[])
    found = mapped(tmp_path, later, bare)
    assert found.column("status") == ["unknown", "delivered"]
    assert found.column("status_raw") == ["77", "3"]
    assert any("shipped_at" in error for error in found.errors[0])
    assert found.errors[1] == []
    (event,) = found.children["events"]
    assert (event["status"], event["status_raw"]) == ("unknown", "飞行")
    assert any("occurred_at" in error for error in event["errors"])
