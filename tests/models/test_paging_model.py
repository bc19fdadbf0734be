"""Any split of a list into pages, in any style: the whole list, or an error with a type."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args

import hypothesis.strategies as st
from hypothesis import given, settings

from connectors.body import Body
from connectors.errors import ConnectorError
from connectors.paging import (
    MAX_EMPTY,
    CursorPaging,
    LastPaging,
    NextPaging,
    OffsetPaging,
    PagePaging,
    Paging,
    Step,
    Turn,
    walk,
)
from connectors.records import cut, field_text
from tests.faults.shop import Style

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
HERE = "http://shop.example/orders"
MORE = ("has_more",)


def paging_of(style: Style, *, more: bool) -> Paging:
    told = MORE if more else None
    paging: dict[Style, Paging] = {
        "cursor": CursorPaging(("cursor",), "cursor", told),
        "page": PagePaging("page", {"limit": 5}, 1, told),
        "offset": OffsetPaging("offset", {"limit": 5}, told),
        "next": NextPaging(("next",), told),
        "link": NextPaging(None, told),
        "last": LastPaging(field_text(("id",)), "id", "after", told),
    }
    return paging[style]


@dataclass
class Source:
    """A list cut into pages of any size, empty ones too; `asked` counts requests."""

    style: Style
    pages: Sequence[int]
    truthful: bool = True
    asked: int = 0

    def fetch(self, step: Step, received: int, number: int) -> Turn:
        self.asked += 1
        starts = [sum(self.pages[:n]) for n in range(len(self.pages) + 1)]
        at = self._page(step, starts)
        size = self.pages[at] if at < len(self.pages) else 0
        first = starts[min(at, len(self.pages))]
        rows = [{"id": f"k{first + n}"} for n in range(size)]
        more = at + 1 < len(self.pages)
        body: dict[str, Any] = {"data": rows, "has_more": more if self.truthful else True}
        headers = {}
        if more:
            body |= {"cursor": f"c{at + 1}", "next": f"/orders?p={at + 1}"}
            headers["link"] = f'</orders?p={at + 1}>; rel="next"'
        answer = Body(json.dumps(body).encode())
        page = cut(answer, ("data",), (("id",),), None)
        return Turn(
            answer, headers, page.records, page.keys, received + len(rows), number, HERE
        )  # fmt: skip

    def _page(self, step: Step, starts: Sequence[int]) -> int:
        """Return which page is meant; offset and keyset skip empty ones, as sources do."""
        if self.style in ("next", "link"):
            return int(step.link.rpartition("=")[2]) if step.link else 0
        if self.style == "cursor":
            return int(str(step.params.get("cursor", "c0"))[1:])
        if self.style == "page":
            return int(step.params["page"]) - 1
        place = int(step.params["offset"]) if self.style == "offset" else 0
        if self.style == "last" and "after" in step.params:
            place = int(str(step.params["after"])[1:]) + 1
        pages = [n for n, size in enumerate(self.pages) if size and starts[n] == place]
        return pages[0] if pages else len(self.pages)


SPLITS = st.lists(st.integers(0, 7), max_size=MAX_EMPTY)


@settings(max_examples=2_000 if FULL else 150, deadline=None)
@given(style=st.sampled_from(get_args(Style)), pages=SPLITS, more=st.booleans())
def test_any_split_gives_the_whole_list_or_a_typed_error(
    style: Style, pages: list[int], more: bool
) -> None:
    source = Source(style, pages)
    found: list[str | None] = []
    refused: ConnectorError | None = None
    try:
        for turn, _ in walk(paging_of(style, more=more), source.fetch):
            found += turn.keys
    except ConnectorError as error:
        refused = error
    if refused is not None:
        assert more
        assert 0 in pages or not pages
        assert refused.do
        return
    whole = [f"k{n}" for n in range(sum(pages))]
    if style == "page" and not more and 0 in pages:
        # An empty page is the end of numbered pages that say nothing of more.
        whole = whole[: sum(pages[: pages.index(0)])]
    if style in ("offset", "last") and more and pages and not pages[0]:
        assert found in ([], whole)
        return
    assert found == whole
    assert source.asked <= len(pages) + 1


@settings(max_examples=1_000 if FULL else 100, deadline=None)
@given(style=st.sampled_from(get_args(Style)), pages=SPLITS)
def test_a_list_that_always_promises_more_ends(style: Style, pages: list[int]) -> None:
    source = Source(style, pages, truthful=False)
    found: list[str | None] = []
    with suppress(ConnectorError):
        for turn, _ in walk(paging_of(style, more=True), source.fetch):
            found += turn.keys
    assert source.asked <= len(pages) + MAX_EMPTY + 2
    assert found == [f"k{n}" for n in range(len(found))]
