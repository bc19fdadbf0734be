"""Every style of paging gives the whole list, or says why it cannot."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.body import Body
from connectors.errors import ContractBroken, PaginationLoop
from connectors.paging import (
    MAX_EMPTY,
    CursorPaging,
    LastPaging,
    NextPaging,
    OffsetPaging,
    OnePage,
    PagePaging,
    Step,
    Turn,
    next_of,
    walk,
)
from connectors.records import field_text

PLACE = "http://shop.example/list"
LAST = field_text(("id",))


class Server:
    """A list cut into pages of given sizes, spoken to in one style."""

    def __init__(self, style: str, pages: list[list[str]]) -> None:
        self.style = style
        self.pages = pages
        self.items = [item for page in pages for item in page]
        self.asked: list[Step] = []

    def fetch(self, step: Step, received: int, number: int) -> Turn:
        self.asked.append(step)
        at = getattr(self, f"_{self.style}")(step)
        page = self.pages[at] if at < len(self.pages) else []
        more = at + 1 < len(self.pages)
        mark = f"p{at + 1}"
        body = {
            "data": [{"id": item} for item in page],
            "cursor": mark if more else None,
            "next": f"/list?at={mark}" if more else "",
            "has_more": more,
        }
        header = f'</list?at={mark}>; rel="next", </list>; rel="first"' if more else ""
        return turn(page, received, number, body, {"link": header})

    def _cursor(self, step: Step) -> int:
        return int(str(step.params.get("c", "p0"))[1:])

    def _next(self, step: Step) -> int:
        return int((step.link or "p0").rsplit("p", 1)[1])

    _link = _next

    def _page(self, step: Step) -> int:
        return int(step.params["page"]) - 1

    def _offset(self, step: Step) -> int:
        ends = [0]
        for page in self.pages:
            ends.append(ends[-1] + len(page))
        return ends.index(int(step.params["o"]))

    def _last(self, step: Step) -> int:
        if "after" not in step.params:
            return 0
        return next(i for i, p in enumerate(self.pages) if p and p[-1] == step.params["after"]) + 1


def turn(page, received, number, body=None, headers=None) -> Turn:
    records = [json.dumps({"id": item}).encode() for item in page]
    whole = Body(json.dumps(body if body is not None else {}).encode())
    return Turn(whole, headers or {}, records, page, received + len(page), number, PLACE)


STYLES = {
    "cursor": CursorPaging(("cursor",), "c"),
    "page": PagePaging("page"),
    "offset": OffsetPaging("o"),
    "next": NextPaging(("next",)),
    "link": NextPaging(None),
    "last": LastPaging(LAST, "id", "after"),
}
MORE = {
    "cursor": CursorPaging(("cursor",), "c", ("has_more",)),
    "page": PagePaging("page", more=("has_more",)),
    "offset": OffsetPaging("o", more=("has_more",)),
    "next": NextPaging(("next",), ("has_more",)),
    "link": NextPaging(None, ("has_more",)),
    "last": LastPaging(LAST, "id", "after", ("has_more",)),
}


def split(sizes: list[int]) -> list[list[str]]:
    items = iter(range(sum(sizes)))
    return [[f"k{next(items)}" for _ in range(size)] for size in sizes]


@pytest.mark.parametrize("more", [False, True], ids=["plain", "with more"])
@pytest.mark.parametrize("style", STYLES)
@given(sizes=st.lists(st.integers(0, 6), max_size=8))
def test_any_split_gives_the_whole_list(style, more, sizes):
    """Empty pages in the middle end the styles that end at an empty page, unless more says so."""
    pages = split(sizes)
    endless = style in ("cursor", "next", "link") or (style == "page" and more)
    if not endless:
        pages = [page for page in pages if page]
    server = Server(style, pages)
    paging = (MORE if more else STYLES)[style]
    turns = list(walk(paging, server.fetch))
    assert [key for one, _ in turns for key in one.keys] == server.items
    assert turns[-1][1] is None


@given(sizes=st.lists(st.integers(1, 4), min_size=1, max_size=6), at=st.integers(0, 5))
@pytest.mark.parametrize("style", ["cursor", "next", "link", "last"])
def test_a_walk_goes_on_where_it_was_left(style, sizes, at):
    server = Server(style, split(sizes))
    turns = list(walk(STYLES[style], server.fetch))
    step = turns[min(at, len(turns) - 1)][1]
    if step is None:
        return
    again = list(walk(STYLES[style], Server(style, split(sizes)).fetch, step.state))
    head = [key for one, _ in turns[: turns.index(turns[min(at, len(turns) - 1)]) + 1]
            for key in one.keys]  # fmt: skip
    assert head + [key for one, _ in again for key in one.keys] == server.items


def test_one_page_is_one_request():
    server = Server("cursor", split([3, 3]))
    assert len(list(walk(OnePage(), server.fetch))) == 1


def test_offset_advances_by_what_came_not_by_what_was_asked():
    paging = OffsetPaging("o", {"limit": 500})
    server = Server("offset", split([100, 100, 7]))
    list(walk(paging, server.fetch))
    assert [step.params["o"] for step in server.asked] == [0, 100, 200, 207]
    assert all(step.params["limit"] == 500 for step in server.asked)


def test_a_short_page_is_not_taken_for_the_last():
    server = Server("page", split([5, 2, 5]))
    assert sum(len(one.keys) for one, _ in walk(STYLES["page"], server.fetch)) == 12


def test_the_number_of_pages_ends_the_walk_without_a_further_request():
    asked = []

    def fetch(step, received, number):
        asked.append(step)
        return turn([f"k{number}"], received, number, {"pages": 3})

    list(walk(PagePaging("page", start=0, pages=("pages",)), fetch))
    assert [step.params["page"] for step in asked] == [0, 1, 2]


# --- circles ---------------------------------------------------------------------------------
@pytest.mark.parametrize("period", [1, 2, 3, 7])
@pytest.mark.parametrize("style", STYLES)
def test_pages_that_come_again_are_a_loop_after_any_period(style, period):
    asked = []

    def fetch(step, received, number):
        asked.append(step)
        at = (number - 1) % period
        page = [f"k{at}a", f"k{at}b"]
        # The cursor is ever new: only the page itself tells.
        body = {"cursor": f"c{number}", "next": f"/list?{number}", "clock": number}
        return turn(page, received, number, body, {"link": f"</l?{number}>; rel=next"})

    with pytest.raises(PaginationLoop, match=r"came before|was asked for before"):
        list(walk(STYLES[style], fetch))
    shifted = period == 1 and STYLES[style].shifts
    assert len(asked) <= period + 1 + shifted


@pytest.mark.parametrize("style", [name for name, one in STYLES.items() if one.shifts])
def test_the_last_page_comes_once_more_where_records_came_in_before_it(style):
    pages = [["b"], ["b"], []]  # an `a` was added between the first two requests

    def fetch(step, received, number):
        return turn(pages[number - 1], received, number, {})

    assert [len(one.records) for one, _ in walk(STYLES[style], fetch)] == [1, 1, 0]


def test_a_list_that_ends_with_the_page_before_goes_in_a_circle():
    def fetch(step, received, number):
        return turn(["a", "b"], received, number, {"pages": 2})  # the parameter is ignored

    with pytest.raises(PaginationLoop, match="page 2 came before"):
        list(walk(PagePaging("page", pages=("pages",)), fetch))


@pytest.mark.parametrize("period", [1, 2, 5])
def test_a_cursor_that_goes_back_is_a_loop(period):
    def fetch(step, received, number):
        return turn([f"k{number}"], received, number, {"cursor": f"c{number % period}"})

    with pytest.raises(PaginationLoop):
        list(walk(STYLES["cursor"], fetch))


def test_empty_pages_that_promise_more_are_a_loop():
    asked = []

    def fetch(step, received, number):
        asked.append(step)
        return turn([], received, number, {"cursor": f"c{number}", "has_more": True})

    with pytest.raises(PaginationLoop, match="empty"):
        list(walk(MORE["cursor"], fetch))
    assert len(asked) == MAX_EMPTY + 1


def test_an_unknown_starting_after_that_starts_again_is_a_loop():
    """Seen on a payment server: a starting_after that it does not know gives the first page."""
    with pytest.raises(PaginationLoop):
        list(walk(STYLES["last"], lambda step, received, n: turn(["a", "b"], received, n)))


def test_pages_without_keys_are_told_apart_by_their_bytes():
    def fetch(step, received, number):
        records = [b'{"n":%d}' % number] if number < 5 else []
        return Turn(Body(b"{}"), {}, records, [None] * len(records), received, number, PLACE)

    assert len(list(walk(PagePaging("page"), fetch))) == 5


def test_more_without_a_cursor_is_a_broken_contract():
    def fetch(step, received, number):
        return turn(["a"], received, number, {"has_more": True})

    with pytest.raises(ContractBroken, match="no cursor"):
        list(walk(MORE["cursor"], fetch))


def test_keyset_paging_needs_its_field():
    def fetch(step, received, number):
        return Turn(Body(b"{}"), {}, [b'{"n":1}'], ["1"], 1, number, PLACE)

    with pytest.raises(ContractBroken, match="'id'"):
        list(walk(STYLES["last"], fetch))


@pytest.mark.parametrize(
    ("header", "target"),
    [
        ('<https://a.example/x?page=2>; rel="next"', "https://a.example/x?page=2"),
        ('</a>; rel="prev", </b>; rel="next"', "/b"),
        ("</b>; rel=next", "/b"),
        ('</b>; title="x"; rel="start next"', "/b"),
        ('</b,c>; rel="next"', "/b,c"),
        ('</b>; rel="prev"', None),
        ("", None),
        ("garbage", None),
    ],
)
def test_link_headers(header, target):
    assert next_of(header) == target
