"""Answers as the contract sheet prints them, for the simulator and for tests."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

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
