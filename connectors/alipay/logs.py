"""Lists by time, page by page in stretches: each is proved by the count that the gateway tells.

Entries are only added, so a page's number is where a read goes on. A list whose count changes
while it is paged has moved: the stretch is begun anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from connectors.alipay.catalogue import Log
from connectors.alipay.settings import AlipaySettings
from connectors.alipay.signing import BEIJING
from connectors.base import Page, ReadRequest
from connectors.body import parse_path
from connectors.changes import read_bookmark, write_bookmark
from connectors.errors import ContractBroken, PaginationLoop, Unavailable
from connectors.records import Cut, cut
from connectors.whose import MEMBER

if TYPE_CHECKING:
    from connectors.alipay.api import Api

LAG = timedelta(seconds=5)
"""Entries younger than this may not be listed yet."""
ANEW = 5
"""So often a stretch that moves is begun anew."""
_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(slots=True)
class _Place:
    """Where a walk stands: the stretch, its next page, entries received, the count told."""

    low: datetime
    high: datetime
    page: int = 1
    count: int = 0
    total: int = -1


class Timed:
    """One read of one list; `pages` does it."""

    def __init__(self, api: Api, log: Log, settings: AlipaySettings, request: ReadRequest) -> None:
        self._api, self._log, self._settings, self._request = api, log, settings, request
        before, resume = read_bookmark(request.bookmark, request.mode)
        self._before = before
        self._resume = resume if resume.get("mode") == request.mode else {}
        self._ceiling = self._latest()
        begun = self._resume.get("begun")
        self._begun = datetime.fromisoformat(begun) if begun else self._ceiling
        self._reached = before

    def pages(self) -> Iterator[Page]:
        """Yield the entries of each stretch, the oldest first; a sweep yields none."""
        if self._request.mode == "sweep":
            return
        place: _Place | None = self._begin()
        while place is not None:
            place = yield from self._stretch(place)
        if (
            self._reached is not None
        ):  # what came late behind its first stretches is looked for again
            self._reached = min(self._reached, self._begun)
        yield Page([], [], self._mark(write_bookmark(self._reached)))

    def _begin(self) -> _Place | None:
        since = datetime.combine(self._settings.since, time(), BEIJING)
        low = since
        if self._request.mode == "changed" and self._before is not None:
            low = max(self._before - self._settings.lookback, since)
        found = self._resume
        if "window" in found:
            made = self._place(datetime.fromisoformat(found["window"]))
            high, page, total = (found.get(name) for name in ("high", "page", "total"))
            try:
                is_ours = type(page) is int and type(total) is int and page > 0
                is_ours &= found.get("rows") == self._settings.rows  # else pages are others
                if made is not None and is_ours:
                    made.high = datetime.fromisoformat(high or "").astimezone(UTC)
                    made.page, made.total, made.count = page or 1, total or 0, found["count"]
            except (KeyError, TypeError, ValueError):
                made = self._place(low)
            return made
        return self._place(low)

    def _place(self, low: datetime) -> _Place | None:
        """Return the stretch that begins at `low`; None where the moment of the read is reached."""
        if low >= self._ceiling:
            return None
        return _Place(low, min(low + self._settings.window, self._ceiling))

    def _latest(self) -> datetime:
        return (self._api.now() - LAG).replace(microsecond=0)

    def _stretch(self, place: _Place) -> Iterator[Page] | Any:
        """Yield the pages of a stretch; return the next one, None at the end."""
        anew, seen = 0, b""
        while True:
            found, total, raw = self._page(place)
            self._ceiling = min(self._ceiling, self._latest())  # an answer tells the true time
            place.high = min(place.high, self._ceiling)
            if place.total >= 0 and total != place.total:
                anew += 1
                if anew > ANEW:
                    raise Unavailable(
                        f"The list of {self._log.name} changed under each of {ANEW} reads.",
                        "run again at a quieter time, or make window: shorter.",
                    )
                place, seen = _Place(place.low, place.high), b""
                continue
            place.total, place.count = total, place.count + len(found.keys)
            if found.keys and raw == seen:
                raise PaginationLoop(
                    f"Page {place.page} of {self._log.name} is the page before.", "ask the vendor."
                )
            seen, place.page = raw, place.page + 1
            if place.count >= total:
                break
            if not found.keys:
                raise ContractBroken(
                    f"The list of {self._log.name} ends after {place.count} of {total} entries.",
                    "run again; ask the vendor if it stays so.",
                )
            yield Page(found.records, found.keys, self._going_on(place))
        if self._reached is None or self._reached < place.high:
            self._reached = place.high
        following = self._place(place.high)
        after = self._going_on(following or _Place(place.high, place.high))
        yield Page(found.records, found.keys, after)
        return following

    def _page(self, place: _Place) -> tuple[Cut, int, bytes]:
        answer, node = self._api.ask(
            self._log.method,
            {
                "start_time": place.low.astimezone(BEIJING).strftime(_FORMAT),
                "end_time": place.high.astimezone(BEIJING).strftime(_FORMAT),
                "page_no": str(place.page),
                "page_size": str(self._settings.rows),
            },
        )
        body = answer.body
        total = body.text((node, "total_size")) if body is not None else None
        if body is None or total is None or not total.isdecimal():
            raise ContractBroken(
                f"The list of {self._log.name} does not tell its total_size.",
                "ask the vendor; nothing of this page was taken.", place=answer.place,
            )  # fmt: skip
        said = body.text((node, "page_no"))
        if said is not None and said != str(place.page):
            raise PaginationLoop(
                f"Page {place.page} of {self._log.name} was asked for, page {said} came.",
                "ask the vendor; nothing of this page was taken.", place=answer.place,
            )  # fmt: skip
        if total == "0" and body.look((node, "detail_list")) is None:
            return Cut([], [], []), 0, b""
        found = cut(body, (node, "detail_list"), [parse_path(self._log.key)], None)
        return found, int(total), b"\n".join(found.records)

    def _going_on(self, place: _Place) -> dict[str, Any]:
        resume = {
            "mode": self._request.mode, "begun": self._begun.isoformat(),
            "window": place.low.astimezone(UTC).isoformat(),
            "high": place.high.astimezone(UTC).isoformat(), "page": place.page,
            "count": place.count, "total": place.total, "rows": self._settings.rows,
        }  # fmt: skip
        return self._mark(write_bookmark(self._before, resume))

    def _mark(self, made: dict[str, Any]) -> dict[str, Any]:
        return {MEMBER: self._settings.app_id, **made}
