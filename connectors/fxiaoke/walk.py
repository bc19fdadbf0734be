"""Walks an object by its ids, page by page; puts heads and their lines together.

The next page is asked for behind the last id, always with offset 0: the vendor's offsets end at
10,000, and what comes or goes meanwhile moves nothing over an edge. A page shorter than the system
gives is the last; a walk that proves what is gone goes on to an empty page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from connectors.errors import ContractBroken, PaginationLoop
from connectors.fxiaoke.api import Api, Filter
from connectors.fxiaoke.catalogue import KEY
from connectors.fxiaoke.describe import Fitted
from connectors.records import Cut, field_text

_HEX = re.compile("[0-9a-f]+")
_id = field_text((KEY,))


@dataclass(slots=True)
class Walk:
    """One walk: `filters` are what records must meet, `after` the id that it goes on behind.

    `proves`: what does not come is taken for gone, so only an empty page is the end. `key` is the
    member whose text comes with each record; `only` the fields that are asked for.
    """

    api: Api
    fitted: Fitted
    filters: Sequence[Filter] = ()
    after: str = ""
    proves: bool = False
    key: str = KEY
    only: Sequence[str] = ()
    size: int = 0
    seen: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Cut]:
        """Yield pages that are not empty."""
        while True:
            behind = [Filter(KEY, "GT", [self.after])] if self.after else []
            found = self.api.query(
                self.fitted, [*self.filters, *behind], key=self.key, only=self.only,
                limit=self.size,
            )  # fmt: skip
            page = found.cut
            if not page.records:
                return
            ids = page.keys if self.key == KEY else [_id(record) for record in page.records]
            self._rise(ids)
            yield page
            if len(page.records) < found.limit and not self.proves:
                return

    def _rise(self, ids: Sequence[str | None]) -> None:
        """Go on behind these ids; raises where one is missing, came before, or does not rise."""
        for one in ids:
            if not one:
                raise ContractBroken(f"A record of {self._api} has no _id.", "ask the vendor.")
            plain = _HEX.fullmatch(one) and _HEX.fullmatch(self.after or "0")
            if plain and one <= self.after:
                raise PaginationLoop(
                    f"{self._api} was not answered in the order that was asked for: {one[:40]} "
                    f"after {self.after[:40]}.",
                    "does a program between change requests? Else ask the vendor.",
                )
            if not plain:  # how the system sorts other texts is not known
                if one in self.seen:
                    raise PaginationLoop(
                        f"The pages of {self._api} go in a circle: {one[:40]} came before.",
                        "ask the vendor.",
                    )
                self.seen.add(one)
            self.after = one

    @property
    def _api(self) -> str:
        return self.fitted.object.api


@dataclass(slots=True)
class Documents:
    """Heads of one page, each with its lines; `stamps` are those of both."""

    keys: list[str | None]
    records: list[bytes]
    stamps: list[str | None]


def documents(
    api: Api, page: Cut, head: Fitted, lines: Fitted | None, each: str
) -> Documents:  # fmt: skip
    """Return the records of a page, with all their lines where the object has some."""
    records = [head.record(record) for record in page.records]
    if lines is None:
        return Documents(page.keys, records, page.stamps)
    mine: dict[str | None, list[bytes]] = {key: [] for key in page.keys}
    stamps = list(page.stamps)
    keys = [key for key in page.keys if key]
    for some in (keys[at : at + api.rows] for at in range(0, len(keys), api.rows)):
        walk = Walk(api, lines, [Filter(lines.link, "IN", some)], key=lines.link)
        for found in walk.pages():
            stamps += found.stamps
            for owner, record in zip(found.keys, found.records, strict=True):
                if owner not in mine:
                    raise ContractBroken(
                        f"{lines.object.api} was answered for another head than was asked for.",
                        "does a program between change requests? Else ask the vendor.",
                    )
                mine[owner].append(lines.record(record))
    made = [
        _with_list(record, each, mine[key])
        for key, record in zip(page.keys, records, strict=True)
    ]  # fmt: skip
    return Documents(page.keys, made, stamps)


def _with_list(record: bytes, each: str, lines: Sequence[bytes]) -> bytes:
    """Return a record with one member more: the list of its lines, byte by byte as they came."""
    body = record.rstrip()[:-1].rstrip()
    comma = b"" if body.endswith(b"{") else b","
    return body + comma + b'"' + each.encode() + b'":[' + b",".join(lines) + b"]}"


def by_ids(api: Api, head: Fitted, ids: Sequence[str]) -> Cut:
    """Return the records that have these ids, `rows` of them at most; one that is gone is not."""
    made = Cut([], [], [])
    for page in Walk(api, head, [Filter(KEY, "IN", ids)]).pages():
        made.records.extend(page.records)
        made.keys.extend(page.keys)
        made.stamps.extend(page.stamps)
        if len(made.keys) >= len(ids):
            break
    return made
