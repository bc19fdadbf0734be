"""F10 to F15: lists that go in circles, shrink, shift, mix, and repeat themselves."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.faults import shop
from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_answers import body_of
from tests.faults.network_play import Ask, Player, Trouble, failed_well, stamp, went_well
from tests.faults.network_tries import calls, change, is_resumable
from tests.faults.shop import STYLES, Style
from tests.faults.world import START, World, world

_encode = msgspec.json.Encoder(decimal_format="number").encode
LOOP = "go in a circle"
MOST_REQUESTS = 25


def page_of(ask: Ask, remake: Callable[[dict[str, Any]], dict[str, Any]]) -> httpx.Response:
    """Return the shop's page with other members; a body that is not re-made is as it was."""
    page = ask()
    raw: dict[str, msgspec.Raw] = msgspec.json.decode(body_of(page), type=dict[str, msgspec.Raw])
    records = msgspec.json.decode(raw.get("data", b"[]"), type=list[msgspec.Raw])
    body = _encode(remake({**raw, "data": records}))
    headers = {**page.headers, "content-length": str(len(body))}
    return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))


# --- F10 -------------------------------------------------------------------------------------
def again(period: int, from_request: int) -> Trouble:
    """From one request on, return the pages before it again and again."""
    kept: list[httpx.Response] = []
    number = 0

    def play(request: httpx.Request, ask: Ask) -> httpx.Response:
        nonlocal number
        number += 1
        if number <= from_request:
            page = ask()
            body, headers = body_of(page), dict(page.headers)
            kept.append(httpx.Response(200, headers=headers, stream=httpx.ByteStream(body)))
        page = kept[-1 - (-(number - from_request) % period if number > from_request else 0)]
        return httpx.Response(
            200, headers=page.headers, stream=httpx.ByteStream(body_of(page)), request=request
        )

    return Trouble(f"period {period}", play, rows=10)


def hollow() -> Trouble:
    """Return empty pages that promise more, each with a cursor of its own."""
    number = 0

    def play(request: httpx.Request, _ask: Ask) -> httpx.Response:
        nonlocal number
        number += 1
        link = f"/orders?limit=10&cursor=n{number}"
        body = {"data": [], "has_more": True, "next_cursor": f"n{number}", "next": link}
        return httpx.Response(
            200,
            headers={"content-type": "application/json", "link": f'<{link}>; rel="next"'},
            stream=httpx.ByteStream(_encode(body)),
            request=request,
        )

    return Trouble("empty pages for ever", play)


def circles(style: Style, folder: Path) -> Result:
    """Let the list go in a circle from every request on; it ends within a bound, typed."""
    result = Result()
    with world(folder, style=style) as made:
        if style in ("page", "offset"):  # the styles that can be told that there is more
            tell_more(made)
        player = Player(made)
        for full in (False, True):
            for at in (1, 3):
                for trouble in (again(1, at), again(2, max(at, 2)), hollow()):
                    player.order(trouble, times=math.inf)
                    outcome = player.sync(full=full)
                    player.clear()
                    said = f"{trouble.name} from request {at}"
                    kinds = ["PaginationLoop"]
                    if trouble.name.startswith("empty") and style in ("offset", "last"):
                        kinds.append("ContractBroken")
                    failed_well(result, said, outcome, kinds, "paging")
                    sent = len(player.tries)
                    result.expect(sent <= MOST_REQUESTS, f"{said}: {sent} requests")
                    went_well(result, "after a circle", player.sync(full=full))
                    change(made)
        went_well(result, "the other stream", player.sync("customers"))
        result.fired = player.fired
        return settle(made, result)


def tell_more(made: World) -> None:
    """Name `has_more` in the paging of the connection."""
    path = made.folder / "defs" / "shop" / "defs.yaml"
    text = path.read_text(encoding="utf-8")
    for old in ("size: limit}", "limit: limit}"):
        text = text.replace(old, f"{old[:-1]}, more: has_more}}")
    path.write_text(text, encoding="utf-8")
    made.space.control.close()
    made.space = made.discover()


# --- F11 -------------------------------------------------------------------------------------
def clamped(style: Style, folder: Path) -> Result:
    """Ask for 500 and get 7, or 3 from some request on: no record is passed over."""
    result = Result()
    with world(folder, style=style) as made:
        made.write_files("http://shop.example", limit=500)
        made.space.control.close()
        made.space = made.discover()
        player = Player(made)
        for size in (7, 12, 1, 34, 35):
            change(made)
            for collection in made.shop.collections.values():
                collection.max_page_size = size
            outcome = player.sync(full=size == 12)
            went_well(result, f"pages clamped to {size}", outcome)
            result.expect(outcome.read == 35, f"clamped to {size}: {outcome.read} read")
            result.fired += player.requests() > 1 or size == 35
        return settle(made, result)


# --- F12 -------------------------------------------------------------------------------------
def shifting(requests: Sequence[int], style: Style, folder: Path) -> Result:
    """Delete, add and move records before request n of an incremental read of four pages.

    Their stamps lie up to two hours apart, the lookback is ten minutes: what was passed over must
    come with the next two reads, none of them a full one.
    """
    result = Result()
    with world(folder, style=style) as made:
        went_well(result, "first load", made.sync())
        player = Player(made)
        victims, fresh = iter(range(1, 36)), iter(range(100, 200))

        def delete() -> None:
            made.delete(next(victims))

        def add() -> None:
            made.put(next(fresh))

        def move() -> None:
            number = next(victims)
            made.shop._rows["orders"].pop(str(number))  # an update re-orders the list
            made.put(number)

        gone: set[int] = set()
        for what in (delete, add, move):
            for at in requests:

                def play(_request: httpx.Request, ask: Ask, what: Any = what) -> httpx.Response:
                    what()
                    return ask()

                made.wait(14_400)
                for number in set(range(1, 36)) - gone:
                    made.put(number, at=made.clock.at - timedelta(minutes=120 - 3 * number))
                player.order(Trouble(what.__name__, play), at)
                said = f"{what.__name__} before request {at}"
                went_well(result, said, player.sync())
                player.clear()
                gone = {n for n in range(1, 36) if str(n) not in made.shop._rows["orders"]}
                made.wait(60)
                for _ in range(2):
                    went_well(result, f"{said}, then", player.sync())
                result.expect(not (lost := _missing(made)), f"{said}: lost for good: {lost}")
        result.fired = player.fired
        return settle(made, result)


def _missing(made: World) -> list[str]:
    """Return which orders are not in the store as the source has them, deletions apart."""
    made.publish(keep=False)
    return [x for x in made.judge().details if x.startswith(("lost: orders", "stale: orders"))]


# --- F13 -------------------------------------------------------------------------------------
TIED = 1_000


def ties(style: Style, folder: Path) -> Result:
    """Load 1,000 orders of one second among unordered ones, with a failure at a page's edge."""
    result = Result()
    with world(folder, style=style, orders=0) as made:
        made.write_files("http://shop.example", limit=100)
        made.space.control.close()
        made.space = made.discover()
        chance = random.Random(7)
        for number in range(1, TIED + 201):
            late = timedelta(seconds=0 if number <= TIED else chance.randrange(1, 10**6))
            made.put(number, at=START - timedelta(hours=1) - late)
        player = Player(made)
        for at in (6, 2, 1):

            def play(request: httpx.Request, _ask: Ask) -> httpx.Response:
                raise httpx.ReadError("reset", request=request)

            player.order(Trouble("reset", play), at, times=math.inf)
            failed_well(result, f"failed at page {at}", player.sync(), ["Unavailable"])
            player.clear()
        went_well(result, "1,200 orders", player.sync())
        made.wait(60)
        for number in range(1, TIED, 3):
            made.put(number, at=made.clock.at)
        made.wait(60)
        went_well(result, "333 changed in one second", player.sync())
        result.expect(not (lost := _missing(made)), f"lost until a full read: {lost}")
        result.fired = player.fired
        return settle(made, result)


# --- F14 -------------------------------------------------------------------------------------
def foreign(style: Style, folder: Path) -> Result:
    """Put another tenant's page, and another entity's without our keys, at request n."""
    result = Result()
    rule = "timeout: 5s\n    ok: tenant = 'ours'"
    with world(folder, style=style, extra=rule) as made:
        for collection in made.shop.collections.values():
            collection.envelope = {"tenant": "ours"}

        def theirs(members: dict[str, Any]) -> dict[str, Any]:
            rows = [shop.order(number, made.clock.at, 77) for number in range(1, 11)]
            return {**members, "tenant": "theirs", "data": rows}

        def other(members: dict[str, Any]) -> dict[str, Any]:
            return {n: v for n, v in members.items() if n != "data"} | {"lines": [{"sku": "A"}]}

        troubles = [
            Trouble(name, lambda request, ask, remake=remake: page_of(ask, remake))  # type: ignore[misc]
            for name, remake in (("another tenant", theirs), ("another entity", other))
        ]
        player = Player(made)
        for turn in range(4):
            change(made)
            for number in range(1, calls(style) + 1):
                at = min(number, 2) if is_resumable(style) else number
                trouble = troubles[(number + turn) % 2]
                player.order(trouble, at, times=math.inf)
                said = f"{trouble.name} at request {number}"
                word = "tenant = 'ours'" if "tenant" in trouble.name else "no data in the answer"
                failed_well(result, said, player.sync(), ["ContractBroken"], word)
                player.clear()
            went_well(result, "after foreign rows", player.sync())
        made.publish()
        result.fired = player.fired
        return settle(made, result)


# --- F15 -------------------------------------------------------------------------------------
def doubles(style: Style, folder: Path) -> Result:
    """Repeat records inside a page, and those of the page before on the next one."""
    result = Result()
    with world(folder, style=style) as made:
        last: list[msgspec.Raw] = []

        def inside(members: dict[str, Any]) -> dict[str, Any]:
            data = members["data"]
            last[:] = data[-3:]
            return {**members, "data": [*data[:3], *data]}

        def across(members: dict[str, Any]) -> dict[str, Any]:
            before = list(last)
            last[:] = members["data"][-3:]
            return {**members, "data": [*before, *members["data"]]}

        troubles = [
            Trouble(name, lambda request, ask, remake=remake: page_of(ask, remake), rows=3)  # type: ignore[misc]
            for name, remake in (("inside", inside), ("across", across))
        ]
        player = Player(made)
        for turn in range(4):
            change(made)
            last.clear()
            for at in range(1, 4):
                player.order(troubles[(turn + at) % 2], at)
            outcome = player.sync(full=turn == 2)
            player.clear()
            if style == "offset":  # it advances by what came: repeated records are passed over
                result.expect(outcome.error is None, f"turn {turn}: {outcome.error}")
                went_well(result, f"turn {turn}, then", player.sync())
            else:
                went_well(result, f"records come twice, turn {turn}", outcome)
        made.publish()
        result.expect(stamp(outcome.bookmark_after) is not None, "the bookmark never moved")
        result.fired = player.fired
        return settle(made, result)


# --- the cases -------------------------------------------------------------------------------
def cases(size: Size) -> list[Case]:
    """Return the cases of F10 to F15; the quick ones are those that once lost records."""
    rows: list[tuple[str, Callable[[Style, Path], Result], Callable[[Style], int]]] = [
        ("F10", circles, lambda style: 12),
        ("F11", clamped, lambda style: 5),
        ("F13", ties, lambda style: 3),
        ("F14", foreign, lambda style: 4 * calls(style)),
        ("F15", doubles, lambda style: 12),
    ]
    found = []
    for row, play, wanted in rows:
        for style in STYLES:
            if size == "full" or (row, style) == ("F15", "last"):
                found.append(Case(row, f"{row}-{style}", partial(play, style), wanted(style)))
    for style in STYLES if size == "full" else ("offset",):
        # Only these two pass records over; the others are here to show it.
        at = (2, 3, 4) if size == "full" and style in ("page", "offset") else (2,)
        found.append(Case("F12", f"F12-{style}", partial(shifting, at, style), 3 * len(at)))
    return found
