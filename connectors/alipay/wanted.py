"""Trades and refunds that are asked for one by one, by the numbers that `wants` gives; balances."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from connectors.alipay.catalogue import Asked, Balance
from connectors.base import Page, ReadRequest
from connectors.body import Body, parse_path
from connectors.details import answered
from connectors.records import cut
from connectors.whose import MEMBER

if TYPE_CHECKING:
    from connectors.alipay.api import Api

MANY = 100
"""Records of one page."""
STEP = 20
"""Rows wanted that are asked for together."""


def pages(api: Api, asked: Asked, request: ReadRequest, of: str) -> Iterator[Page]:
    """Yield what the platform knows of each row of `request.wanted`; a sweep yields none."""
    if request.mode == "sweep":
        return
    records, keys = list[bytes](), list[str | None]()
    unknown, blank = 0, 0

    def ask(row: Mapping[str, str | None]) -> tuple[list[bytes], list[str | None]] | None:
        said = {name: row.get(name) or None for name in asked.wants}
        if not (said.get("trade_no") or said.get("out_trade_no")):
            return None
        answer, node = api.ask(asked.method, said)
        if answer.outcome == "skip":
            return [], []
        raw = answer.body.look((node,)) if answer.body is not None else None
        inner = Body(bytes(raw or b"{}"), answer.place)
        one = cut(inner, (), [parse_path(name) for name in asked.key], None)
        return (one.records, one.keys) if one.keys and one.keys[0] else ([], [])

    def page() -> Page:
        notes = []
        if unknown:
            notes.append(f"{asked.title}: {unknown} of those asked for are not known there.")
        if blank:
            notes.append(f"{asked.title}: {blank} rows name neither trade_no nor out_trade_no.")
        return Page(records, keys, {MEMBER: of}, warnings=tuple(notes))

    rows = islice(request.wanted, request.limit)
    while some := list(islice(rows, STEP)):
        answers, error = answered(some, ask)
        for _, found in answers:
            if found is None:
                blank += 1
            elif not found[0]:
                unknown += 1
            else:
                records += found[0]
                keys += found[1]
        if error is not None:  # a quota, say: what was answered was asked for and is kept
            yield page()
            raise error
        if len(records) >= MANY:
            yield Page(records, keys, {MEMBER: of})
            records, keys = [], []
    yield page()


def balance(api: Api, source: Balance, request: ReadRequest, of: str) -> Iterator[Page]:
    """Yield the one record of the balance as it is now, named by the app; a sweep yields none."""
    if request.mode == "sweep":
        return
    answer, node = api.ask(source.method, {})
    found = answer.body.level((node,)) if answer.body is not None else None
    members = dict(found) if isinstance(found, dict) else {}
    record = msgspec.json.encode({"app_id": of, **members})
    yield Page([record], [of], {MEMBER: of})
