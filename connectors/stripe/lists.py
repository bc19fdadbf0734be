"""Lists and single objects of the API: asked for, walked to their end, cut into records."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from connectors.body import Body
from connectors.condition import parse_condition
from connectors.errors import (
    ConnectorError,
    ContractBroken,
    PaginationLoop,
    Throttled,
    Unavailable,
)
from connectors.http import Answer, HttpClient, Request
from connectors.outcome import Rule
from connectors.records import cut
from connectors.redact import Redactor
from connectors.stripe.streams import Listed

LIMIT = 100
"""Members of one page; the API gives no more."""

_ID = re.compile(r"[A-Za-z0-9_]{1,255}")
_KEY, _STAMP = (("id",),), ("created",)
_BROKEN = (409, 429, 500, 502, 503, 504)

RULES = (
    # Stripe decides by this header where it sends it; "skip" hands the answer to `_ask`.
    Rule("skip", _BROKEN, header=("stripe-should-retry", "false")),
    Rule("throttled", (429,)),
    Rule("retry", (409,)),
)
_MISSING = Rule("skip", (400, 404), parse_condition("error.code = 'resource_missing'"))
_DENIED = Rule("skip", (403,))


class Denied(Exception):
    """The key may not read the list; raised only where the caller asked for it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One page of a list. `place` resumes the walk behind it, None at the end of the list."""

    records: list[bytes]
    keys: list[str | None]
    place: dict[str, Any] | None
    date: datetime | None
    repaired: int = 0


class Lists:
    """Asks one account for its lists; `whole` says whether members named at expand: come whole."""

    size = LIMIT

    def __init__(self, client: HttpClient, redactor: Redactor, *, whole: bool = True) -> None:
        self.client = client
        self._redactor = redactor
        self._whole = whole

    def walk(
        self,
        listed: Listed,
        bounds: Mapping[str, str],
        place: Mapping[str, Any] | None = None,
        *,
        ask_leave: bool = False,
        limit: int | None = None,
    ) -> Iterator[Part]:
        """Yield the pages of a list, or those behind `place`.

        A walk goes on behind the last member that it got. Where that was deleted meanwhile, it
        goes on from the second in which the member was made: some come twice, none is passed
        over. Raises Denied under `ask_leave` where the key lacks the right.
        """
        after = str(place["after"]) if place else ""
        until = int(place["until"]) if place else None
        restarted = False
        seen = {after}
        while True:
            params = {"limit": str(limit or self.size), **bounds}
            if restarted:
                params.pop("created[lt]", None)
                params["created[lte]"] = str(until)
            if after:
                params["starting_after"] = after
            if listed.expand and self._whole:
                params["expand[0]"] = f"data.{listed.expand}"
            rules = (_MISSING, _DENIED) if ask_leave else (_MISSING,)
            answer = self._ask(listed.path, params, rules)
            if answer.outcome == "skip":
                if answer.status == 403:
                    raise Denied(self._says(answer))
                if not after:
                    raise self._broken(answer, f"the list is missing ({self._says(answer)})")
                restarted, after, seen = True, "", {""}
                continue
            part = self._part(answer)
            if part.place is None:
                yield part
                return
            after, until = part.place["after"], part.place["until"]
            if after in seen:
                raise PaginationLoop(
                    f"The pages go in a circle: the one behind {after} came before.",
                    "ask the vendor.", place=answer.place, request_id=answer.request_id,
                )  # fmt: skip
            seen.add(after)
            yield part

    def fetch(self, listed: Listed, key: str) -> bytes | None:
        """Return one object as it stands now; None where it is deleted or never was."""
        if _ID.fullmatch(key) is None:
            raise ContractBroken(
                f"An event names {key[:40]!r}, which is no id.", "ask the vendor.",
                place=listed.path,
            )  # fmt: skip
        params = {"expand[0]": listed.expand} if listed.expand and self._whole else {}
        answer = self._ask(f"{listed.path}/{key}", params, (_MISSING,))
        if answer.outcome == "skip":
            return None
        if answer.body is None or answer.body.text(("id",)) != key:
            raise self._broken(answer, f"{key} was asked for and another object came")
        if answer.body.text(("deleted",)) == "true":
            return None
        return cut(answer.body, (), _KEY, _STAMP).records[0]

    def _ask(self, path: str, params: Mapping[str, str], rules: tuple[Rule, ...]) -> Answer:
        answer = self.client.send(Request(path, params, rules=rules))
        if answer.outcome == "skip" and answer.status in _BROKEN:
            kind: type[ConnectorError] = Throttled if answer.status == 429 else Unavailable
            raise kind(
                f"Stripe will not answer this for now (HTTP {answer.status}: {self._says(answer)})",
                "the next run tries again; tell Stripe the request id if it stays so.",
                place=answer.place, request_id=answer.request_id,
            )  # fmt: skip
        return answer

    def _part(self, answer: Answer) -> Part:
        body = answer.body
        if body is None or body.text(("object",)) != "list":
            raise self._broken(answer, "it is no list")
        page = cut(body, ("data",), _KEY, _STAMP)
        more = body.text(("has_more",))
        if more not in ("true", "false"):
            raise self._broken(answer, "the list does not say whether it goes on")
        place = None
        if more == "true":
            last = page.keys[-1] if page.keys else None
            made = page.stamps[-1] if page.stamps else None
            if last is None or made is None or not made.isdigit():
                raise self._broken(answer, "the list goes on behind a member without id or time")
            place = {"after": last, "until": int(made)}
        return Part(page.records, page.keys, place, answer.date, body.repaired)

    def _says(self, answer: Answer) -> str:
        body = answer.body
        text = (body.text(("error", "message")) if body else None) or "no message in the body"
        return self._redactor.text(text)[:300]

    @staticmethod
    def _broken(answer: Answer, what: str) -> ContractBroken:
        return ContractBroken(
            f"The answer is not what the API promises: {what}.", "ask the vendor.",
            place=answer.place, request_id=answer.request_id,
        )  # fmt: skip


def place_of(resume: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return where a walk goes on; None for what no part's `place` is."""
    place = resume.get("place")
    if not isinstance(place, dict) or type(place.get("until")) is not int:
        return None
    return place if isinstance(place.get("after"), str) and "begun" in resume else None


def decoded(record: bytes, kind: Any, place: str) -> Any:
    """Read the few members of a record that a strategy needs; raises ContractBroken."""
    try:
        return msgspec.json.decode(record, type=kind)
    except msgspec.DecodeError as error:
        raise ContractBroken(
            f"A record is not as the API promises ({error}).", "ask the vendor.", place=place
        ) from None


def is_live(record: bytes) -> bool | None:
    """Return whether a record is of live data; None where it does not say."""
    said = Body(record).text(("livemode",))
    return None if said is None else said == "true"
