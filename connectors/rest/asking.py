"""Turn a stream's settings and a step of its paging into a request, and an answer into a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from connectors.body import Body, Path, parse_path
from connectors.changes import Window, format_stamp
from connectors.condition import Condition, parse_condition
from connectors.errors import ContractBroken, QuotaUsed
from connectors.http import Answer, HttpClient, Request
from connectors.outcome import Rule
from connectors.paging import Step, Turn
from connectors.records import Cut, cut, show
from connectors.rest.client import compiled, resolved
from connectors.rest.detail import Detailer, make_detailer
from connectors.rest.settings import RestSettings
from connectors.rest.streams import Place, StreamSettings
from connectors.rest.values import json_constant


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for the pages of one stream."""

    client: HttpClient
    spec: StreamSettings
    zone: tzinfo
    params: Mapping[str, str]
    constants: Mapping[str, Any]
    headers: Mapping[str, str]
    records: Path
    key: tuple[Path, ...]
    stamp: Path | None
    ok: Condition | None
    message: Path
    rules: tuple[Rule, ...]
    detail: Detailer | None = None

    def fetch(self, window: Window, step: Step, received: int, number: int) -> Turn:
        """Get one page."""
        answer = self.client.send(self._request(window, step))
        page = self.cut(answer)
        if answer.outcome == "ok" and answer.body and not page.records and self.ok is None:
            _no_error(answer.body, answer.place)
        return Turn(
            body=answer.body,
            headers=answer.headers,
            records=page.records,
            keys=page.keys,
            received=received + len(page.records),
            number=number,
            place=answer.place,
            stamps=page.stamps,
            odd=_odd(answer, number),
            listed=page.listed,
            status=answer.status,
        )

    def detailed(self, turn: Turn, *, whole: bool = True) -> tuple[Turn, str, QuotaUsed | None]:
        """Put the detail in each record's place; see `Detailer.detailed`."""
        return (turn, "", None) if self.detail is None else self.detail.detailed(turn, whole=whole)

    def cut(self, answer: Answer) -> Cut:
        """Cut the answer into records; nothing where the table says empty or skip."""
        if answer.body is None or answer.outcome != "ok":
            return Cut([], [], [])
        return cut(answer.body, self.records, self.key, self.stamp)

    def _request(self, window: Window, step: Step) -> Request:
        common: dict[str, Any] = {
            "method": self.spec.method, "headers": self.headers, "ok": self.ok,
            "message": self.message, "rules": self.rules,
        }  # fmt: skip
        if step.link is not None:
            body = dict(self.constants) if self.spec.method == "POST" else None
            return Request(path=self.spec.path, link=step.link, json=body, **common)
        query: dict[str, str] = dict(self.params)
        body = dict(self.constants) if self.spec.method == "POST" else None
        paging, changes = self.spec.paging, self.spec.changes
        for name, value in step.params.items():
            _put(self._place(paging), name, value, query, body)
        if changes is not None:
            bounds = ((changes.param, window.since), (changes.until, window.until))
            for bound, at in bounds:
                if bound is not None and at is not None:
                    text = format_stamp(at, changes.format, self.zone)
                    value = int(text) if changes.format in ("epoch", "epoch_ms") else text
                    _put(self._place(changes), bound, value, query, body)
        return Request(path=self.spec.path, params=query, json=body, **common)

    def _place(self, settings: Any) -> Place:
        place: Place | None = getattr(settings, "in_", None) or self.spec.in_
        return place or "query"


_ERRORS: tuple[tuple[Path, bool], ...] = (
    (("success",), False), (("ok",), False), (("isSuccess",), False),
    (("ResponseStatus", "IsSuccess"), False), (("Result", "ResponseStatus", "IsSuccess"), False),
    (("errcode",), True), (("errno",), True), (("error_code",), True), (("errorCode",), True),
)  # fmt: skip
"""Members that many systems say a failure with, under HTTP 200: false, or a number but 0."""
_NUMBER = re.compile("-?[1-9][0-9]*")


def _no_error(body: Body, place: str) -> None:
    """Raise ContractBroken where a page without records is an error's envelope."""
    for path, numbered in _ERRORS:
        said = body.text(path)
        if said is None or (said != "false" if not numbered else not _NUMBER.fullmatch(said)):
            continue
        raise ContractBroken(
            f"The page has no record, and its {show(path)} is {said[:20]}: that is an error.",
            "set ok: to what holds on a good answer; where this is an empty list, "
            "answers: [{when: …, is: empty}].", place=place,
        )  # fmt: skip


def _odd(answer: Answer, number: int) -> str:
    """Return why the page is no proof of what the list holds; "" for a plain answer."""
    if answer.outcome != "ok":
        return f"page {number} was answered with HTTP {answer.status}, which is: {answer.outcome}"
    if answer.body is None:
        return f"page {number} was answered with HTTP {answer.status} and no body"
    return ""


def _put(
    place: Place, name: str, value: str | int, query: dict[str, str], body: dict[str, Any] | None
) -> None:
    if place == "query" or body is None:
        query[name] = str(value)
        return
    *outer, last = (str(step) for step in parse_path(name))
    level = body
    for step in outer:  # never write into the constants: copy on the way down
        inner = level.get(step)
        level[step] = dict(inner) if isinstance(inner, dict) else {}
        level = level[step]
    level[last] = value


def make_asker(
    settings: RestSettings,
    spec: StreamSettings,
    client: HttpClient,
    zone: tzinfo,
    secret: Callable[[str], str],
) -> Asker:
    """Prepare the asking of one stream; resolves the references among its constants."""
    ok = spec.ok or settings.ok
    return Asker(
        client=client,
        spec=spec,
        zone=zone,
        params=resolved(spec.params, secret),
        constants=json_constant(spec.constants, secret),
        headers=resolved(spec.headers, secret),
        records=parse_path(spec.records),
        key=tuple(parse_path(part) for part in spec.key),
        stamp=parse_path(spec.changes.since) if spec.changes else None,
        ok=parse_condition(ok) if ok else None,
        message=parse_path(spec.message or settings.message),
        rules=compiled(spec.answers),
        detail=make_detailer(settings, spec, client, secret),
    )


def total_of(turn: Turn, path: Path | None) -> int | None:
    """Return the source's own count in a page; raises ContractBroken where it is no number."""
    if path is None or turn.body is None:
        return None
    text = turn.body.text(path)
    if text is None:
        return None
    if not text.isdigit() or len(text) > 15:
        raise ContractBroken(
            f"total: is {text[:40]!r}, not a number.", "set total: to the number of all records.",
            place=turn.place,
        )  # fmt: skip
    return int(text)
