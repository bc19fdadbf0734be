"""F8, F9 and F17: answers that are no page although the status says so."""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import httpx

from tests.faults import shop
from tests.faults.case import Case, Result, Size, settle
from tests.faults.network_play import Ask, Player, Trouble, went_well
from tests.faults.network_tries import MAIN, ORDERS, Lasting, calls, change, fail_everywhere
from tests.faults.shop import STYLES, Style
from tests.faults.world import World, world

JSON = "application/json"


def answer(name: str, body: bytes, kind: str = JSON, status: int = 200, **headers: str) -> Trouble:
    """Return the trouble of one fixed answer."""

    def play(request: httpx.Request, _ask: Ask) -> httpx.Response:
        named = {n.replace("_", "-"): value for n, value in headers.items()}
        return httpx.Response(
            status,
            headers={"content-type": kind, "content-length": str(len(body)), **named},
            stream=httpx.ByteStream(body),
            request=request,
        )

    return Trouble(name, play)


def body_of(response: httpx.Response) -> bytes:
    """Return the bytes of the shop's answer as they would be sent."""
    assert isinstance(response.stream, httpx.ByteStream)
    return b"".join(response.stream)


def rewritten(name: str, rewrite: Callable[[bytes], bytes], **headers: str) -> Trouble:
    """Return the trouble of the right page in other bytes, under other headers."""

    def play(request: httpx.Request, ask: Ask) -> httpx.Response:
        page = ask()
        named: Mapping[str, str] = {n.replace("_", "-"): value for n, value in headers.items()}
        body = rewrite(body_of(page))
        return httpx.Response(
            200,
            headers={**page.headers, "content-length": str(len(body)), **named},
            stream=httpx.ByteStream(body),
            request=request,
        )

    return Trouble(name, play)


# --- F8 --------------------------------------------------------------------------------------
GOOD = {
    "errcode": 0,
    "success": True,
    "message": "成功",
    "Result": {"ResponseStatus": {"IsSuccess": True}},
}
OK = "errcode = 0 and success = true and Result.ResponseStatus.IsSuccess = true"
TYPED = "ContractBroken"
ENVELOPES = tuple(
    Lasting(answer(name, body.encode()), TYPED, ("says that it failed", word), tries=1)
    for name, body, word in (
        ("errcode", '{"errcode":40001,"errmsg":"invalid credential","data":[],"total":0}',
         "invalid credential"),
        ("success false", '{"errcode":0,"success":false,"message":"服务忙","data":[],'
         '"Result":{"ResponseStatus":{"IsSuccess":true}},"has_more":false}', "服务忙"),
        ("IsSuccess false", '{"Result":{"ResponseStatus":{"IsSuccess":false,"Errors":[{"Message":'
         '"会话信息已丢失"}]}}}', "does not hold"),
    )
)  # fmt: skip


def envelopes(style: Style, folder: Path) -> Result:
    """Answer each request of a read with each envelope of an error, under a rule `ok:`."""
    return _refused(style, folder, ENVELOPES, extra=f"timeout: 5s\n    ok: {OK}")


# --- F9 --------------------------------------------------------------------------------------
def page_of(title: str) -> bytes:
    """Return a web page as gateways and portals show it."""
    return f"<!DOCTYPE html>\n<html><head><title>{title}</title></head></html>".encode()


WEB = tuple(
    Lasting(answer(name, body, kind), TYPED, words, tries=1)
    for name, body, kind, words in (
        ("login page", page_of("Sign in"), "text/html; charset=utf-8", ("web page", "text/html")),
        ("captcha", b"\r\n  " + page_of("请完成验证"), JSON, ("web page", JSON)),
        ("maintenance", b"<?xml version='1.0'?><maintenance/>", "application/xml",
         ("web page or XML", "application/xml", "maintenance page")),
        ("plain text", b"System upgrading, back at 06:00", "text/plain",
         ("not JSON", "text/plain")),
    )
)  # fmt: skip
LOGIN = Lasting(
    answer("redirect to login", b"", "text/html", 302, location="https://sso.example/login?t=1"),
    "Refused", ("redirects", "sso.example/login", "not followed"), tries=1,
)  # fmt: skip


def pages(style: Style, folder: Path) -> Result:
    """Answer each request of a read with each kind of web page."""
    return _refused(style, folder, (*WEB, LOGIN))


def _refused(
    style: Style, folder: Path, lasting: tuple[Lasting, ...], extra: str = "timeout: 5s"
) -> Result:
    result = Result()
    with world(folder, style=style, owed=True, extra=extra) as made:
        for collection in made.shop.collections.values():
            collection.envelope = dict(GOOD)
        player = Player(made)
        fail_everywhere(result, "first load", player, lasting)
        went_well(result, "after a failed first load", player.sync())
        for turn in range(len(lasting) if style in MAIN else 1):
            change(made)
            turned = lasting[turn:] + lasting[:turn]
            fail_everywhere(result, f"incremental read, turn {turn}", player, turned)
            went_well(result, "after a failed read", player.sync())
        result.fired = player.fired
        return settle(made, result)


# --- F17 -------------------------------------------------------------------------------------
READABLE = (
    rewritten("BOM", lambda body: codecs.BOM_UTF8 + body),
    rewritten("gzip", gzip.compress, content_encoding="gzip"),
    rewritten("gzip in two members", lambda b: gzip.compress(b[:9]) + gzip.compress(b[9:]),
              content_encoding="gzip"),
    rewritten("gb18030, labelled", lambda body: body.decode().encode("gb18030"),
              content_type="application/json; charset=GBK"),
    rewritten("UTF-16", lambda body: body.decode().encode("utf-16")),
    rewritten("UTF-8 labelled GBK", bytes, content_type="application/json; charset=gbk"),
)  # fmt: skip
UNREADABLE = (
    Lasting(rewritten("no gzip", bytes, content_encoding="gzip"), TYPED, ("says gzip",), 1),
    Lasting(rewritten("brotli", bytes, content_encoding="br"), TYPED, ("only gzip",), 1),
    Lasting(
        rewritten("gb18030 mislabelled", lambda body: body.decode().encode("gb18030"),
                  content_type="application/json; charset=utf-8"),
        TYPED, ("not UTF-8", "encoding: gb18030"), 1,
    ),
    Lasting(
        rewritten("gzip cut", lambda body: gzip.compress(body)[:-9], content_encoding="gzip"),
        "Unavailable", ("cut off",),
    ),
)  # fmt: skip


def chinese(made: World, first: int = 1) -> None:
    """Commit orders with Chinese numbers, so that mojibake is a wrong value to the judge."""
    for number in range(first, ORDERS + 1):
        made.versions[number] = version = made.versions.get(number, -1) + 1
        record = shop.order(number, made.clock.at, version) | {
            "name": f"订单〇{number}-{version}𠮷"
        }
        made.shop.put("orders", record)
    made.wait(60)


def encodings(style: Style, folder: Path) -> Result:
    """Answer each request of a read in every encoding that can be known and that cannot."""
    result = Result()
    with world(folder, style=style, owed=True) as made:
        made.shop.collections["orders"].envelope = dict(GOOD)  # not ASCII, on empty pages, too
        chinese(made)
        player = Player(made)
        for turn in range(len(READABLE) if style in MAIN else 2):
            for at in range(1, calls(style) + 1):
                player.order(READABLE[(turn + at) % len(READABLE)], at)
            went_well(result, f"known encodings, turn {turn}", player.sync(full=turn > 0))
            player.clear()
            chinese(made)
        for turn in range(2):
            turned = UNREADABLE[turn:] + UNREADABLE[:turn]
            fail_everywhere(result, f"unknown encodings, turn {turn}", player, turned)
            went_well(result, "after a failed read", player.sync())
            chinese(made)
        made.publish()
        result.fired = player.fired
        return settle(made, result)


def cases(size: Size) -> list[Case]:
    """Return the cases of F8, F9 and F17; none of them is quick."""
    rows: list[tuple[str, Callable[[Style, Path], Result], tuple[int, int]]] = [
        ("F8", envelopes, (1 + len(ENVELOPES), 2)),
        ("F9", pages, (2 + len(WEB), 2)),
        ("F17", encodings, (len(READABLE) + 2, 4)),
    ]
    return [
        Case(row, f"{row}-{style}", partial(play, style), calls(style) * reads[style not in MAIN])
        for row, play, reads in rows
        for style in STYLES
        if size == "full"
    ]
