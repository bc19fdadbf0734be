"""Answers as the contract sheet prints them, for the simulator and for tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from connectors.simulated import Simulated

Record = dict[str, Any]
HERE = timezone(timedelta(hours=8))
WORDS = {
    "0": "在途", "1": "揽收", "2": "疑难", "3": "签收", "4": "退签", "5": "派件", "6": "退回",
    "7": "转单", "8": "清关", "10": "待清关", "11": "清关中", "12": "已清关", "13": "清关异常",
    "14": "拒签", "101": "已下单", "102": "待揽收", "103": "已揽收", "1001": "到达派件城市",
    "1002": "干线", "301": "本人签收", "302": "派件异常后签收", "303": "代签", "304": "驿站签收",
    "401": "已销单", "501": "投柜",
}  # fmt: skip


def stamp(at: datetime) -> str:
    """Write a time as the system does: Beijing's, without an offset."""
    return at.astimezone(HERE).strftime("%Y-%m-%d %H:%M:%S")


def event(at: datetime, said: str, code: str = "0", place: str = "", **more: Any) -> Record:
    """Return one event of a parcel."""
    return {
        "time": stamp(at), "ftime": stamp(at), "context": said, "location": place or None,
        "status": WORDS.get(code, code), "statusCode": code, "areaCode": None,
        "areaName": place or None, "areaCenter": None,
    } | more  # fmt: skip


def parcel(com: str, num: str, events: list[Record], **more: Any) -> Record:
    """Return the answer for a parcel; `events` newest first. Its state is that of the newest."""
    state = events[0]["statusCode"] if events else "0"
    return {
        "message": "ok", "nu": num, "ischeck": "1" if state[:1] == "3" else "0", "com": com,
        "status": "200", "condition": "F00", "state": state, "data": events,
    } | more  # fmt: skip


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return an account that knows two parcels, one of them at its end."""
    from connectors.kuaidi100.simulator import Kuaidi100Simulator

    app = Kuaidi100Simulator("CUSTOMER01", "sample-key-0001", now=now)
    sent = event(now() - timedelta(hours=30), "【上海转运中心】已发出", "0", "上海")
    signed = event(now() - timedelta(hours=2), "【杭州市】已签收，签收人：本人", "3", "杭州")
    app.put("yuantong", "YT9693083639795", [signed, sent])
    app.put("shunfeng", "SF1234567890123", [sent], phone="13800138000")
    asked = (
        "select * from (values ('圆通', 'YT9693083639795', null),"
        " ('SF', 'SF1234567890123', '8000')) as parcels (carrier, number, phone_last4)"
    )
    return Simulated(
        app, {"customer": "CUSTOMER01", "key": "env:K100_KEY"}, {"K100_KEY": "sample-key-0001"},
        streams={"tracks": {"wants": asked}},
    )  # fmt: skip
