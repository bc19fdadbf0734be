"""Feeds: each read goes on at the token of the last; deletions are told in their order."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from rest_parts import TOKEN as SECRET
from rest_parts import Time, context, read

from connectors.base import Feed, Page
from connectors.errors import ConfigError, ContractBroken, PaginationLoop, Refused
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings

TOKEN = {"path": "/changes", "records": "items", "key": "id",
         "feed": {"cursor": "next", "param": "since", "deleted": "gone = true"}}  # fmt: skip
LINK = {
    "path": "/changes",
    "records": "value",
    "key": "id",
    "feed": {"cursor": '"@delta"', "next": '"@next"', "deleted": '"@removed" is not null'},
}


class Changes(httpx.BaseTransport):
    """A list of changes, `size` a page; its token is the place in the list."""

    def __init__(self, items: list[dict[str, Any]], size: int = 2) -> None:
        self.items, self.size = items, size
        self.asked: list[str | None] = []
        self.old: set[str] = set()
        self.deaf = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = urlsplit(str(request.url))
        asked = parse_qs(url.query).get("since", [None])[0]
        self.asked.append(asked)
        at = 0 if self.deaf else int(asked or 0)
        if asked in self.old:
            return self._say(410, {"message": "token is too old"})
        page = self.items[at : at + self.size]
        end = at + len(page)
        if url.path.endswith("/links"):
            name = "@next" if end < len(self.items) else "@delta"
            return self._say(200, {"value": page, name: f"http://shop.example/links?since={end}"})
        return self._say(200, {"items": page, "next": str(end)})

    @staticmethod
    def _say(status: int, body: Any) -> httpx.Response:
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(data))}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(data))


def connector(
    server: httpx.BaseTransport, spec: dict[str, Any] = TOKEN, **more: Any
) -> RestConnector:
    settings = {"base_url": "http://shop.example", "allow_plain_http": "true", "attempts": "1",
                "streams": {"changes": spec}, **more}  # fmt: skip
    return RestConnector(RestSettings.model_validate(settings), context(Time(), server))


def told(pages: list[Page]) -> list[str]:
    """Return what the pages say, in order: +key for a record, -key for a deletion."""
    return [("-" if p.kind == "deletions" else "+") + str(key) for p in pages for key in p.keys]


def items(*texts: str) -> list[dict[str, Any]]:
    return [{"id": t[1:], **({"gone": True, "@removed": {}} if t[0] == "-" else {})} for t in texts]


@pytest.mark.parametrize("spec", [TOKEN, {**LINK, "path": "/links"}], ids=["token", "link"])
def test_each_read_goes_on_where_the_last_one_ended(spec):
    server = Changes(items("+a", "+b", "-a", "+c", "+a"))
    one = connector(server, spec)
    stream = one.streams()["changes"]
    assert stream.changes == Feed("the list of changes")
    assert (stream.deletes, stream.can_sweep) == (("changed",), False)
    first = read(one, "changes")
    assert told(first) == ["+a", "+b", "-a", "+c", "+a"]
    assert read(one, "changes", first[-1].bookmark)[-1].bookmark == first[-1].bookmark
    server.items += items("-b", "+d")
    second = read(one, "changes", first[-1].bookmark)
    assert told(second) == ["-b", "+d"]
    server.asked.clear()
    assert told(read(one, "changes", second[-1].bookmark, mode="full")) == told(first + second)
    assert server.asked[0] is None
    assert not any(page.complete for page in first + second)


@pytest.mark.parametrize("spec", [TOKEN, {**LINK, "path": "/links"}], ids=["token", "link"])
def test_a_read_goes_on_after_every_page(spec):
    """A crash after any page loses nothing: what comes again is the same."""
    server = Changes(items("+a", "-a", "+a", "+b", "-b", "+c"))
    one = connector(server, spec)
    whole = read(one, "changes")
    for n in range(len(whole)):
        state: dict[str, bool] = {}
        for text in told(whole[: n + 1]) + told(read(one, "changes", whole[n].bookmark)):
            state[text[1:]] = text[0] == "+"
        assert state == {"a": True, "b": False, "c": True}


def test_a_token_that_is_too_old_begins_anew_and_says_so():
    server = Changes(items("+a", "+b", "+c"))
    one = connector(server)
    old = read(one, "changes")[-1].bookmark
    server.old = {"3"}
    server.items += items("+d")
    pages = read(one, "changes", old)
    assert told(pages) == ["+a", "+b", "+c", "+d"]
    assert any("does not know the feed's token" in text for p in pages for text in p.warnings)


def test_a_token_of_this_very_read_that_is_too_old_ends_it():
    server = Changes(items("+a", "+b", "+c"))
    server.old = {"2"}
    with pytest.raises(ConfigError, match="too old"):
        read(connector(server), "changes", {"token": "2"})


@pytest.mark.parametrize("first", [True, False])
def test_a_system_that_ignores_the_token_is_noticed(first):
    server = Changes(items("+a", "+b", "+c"))
    server.deaf = True
    with pytest.raises(PaginationLoop, match="circle"):
        read(connector(server), "changes", None if first else {"token": "2"})


def test_records_without_a_token_are_an_error():
    spec = {**TOKEN, "feed": {"cursor": "nowhere", "param": "since"}}
    with pytest.raises(ContractBroken, match=r"feed\.cursor"):
        read(connector(Changes(items("+a")), spec), "changes")


def test_a_link_to_another_host_is_refused():
    class Foreign(Changes):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            return self._say(200, {"value": items("+a"), "@next": "http://evil.example/links"})

    with pytest.raises(Refused):
        read(connector(Foreign([]), LINK), "changes")


class Echo(Changes):
    """Writes the secret that it was sent into its links, or is one with it."""

    whole = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.params.get("token") == SECRET
        said = json.loads(super().handle_request(request).read())
        for name in ("@next", "@delta"):
            if name in said:
                said[name] += f"&token={quote(SECRET, safe='')}"
        if self.whole:
            said["next"] = SECRET
        return self._say(200, said)


AUTH = {"query": {"token": "env:SHOP_TOKEN"}}


def test_a_link_that_has_the_secret_in_it_is_kept_without():
    server = Echo(items("+a", "+b", "+c"))
    one = connector(server, {**LINK, "path": "/links"}, auth=AUTH)
    pages = read(one, "changes")
    assert [page.bookmark["token"][-8:] for page in pages] == ["?since=2", "?since=3"]
    server.items += items("+d")
    assert told(read(one, "changes", pages[-1].bookmark)) == ["+d"]


def test_a_token_that_is_the_secret_is_not_kept():
    server = Echo(items("+a"))
    server.whole = True
    with pytest.raises(ContractBroken, match="holds a secret") as raised:
        read(connector(server, auth=AUTH), "changes")
    assert SECRET not in str(raised.value)


def test_an_event_list_asks_for_the_details_of_what_is_there():
    class Events(Changes):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.startswith("/orders/"):
                return self._say(200, {"id": request.url.path[8:], "total": 5})
            return super().handle_request(request)

    one = connector(Events(items("+a", "-b", "+c")), {**TOKEN, "detail": {"path": "/orders/{key}"}})
    pages = read(one, "changes")
    assert told(pages) == ["+a", "-b", "+c"]
    assert [json.loads(r)["total"] for p in pages for r in p.records] == [5, 5]


def test_preview_and_sweep():
    one = connector(Changes(items("+a", "+b", "+c")))
    assert told(read(one, "changes", limit=1)) == ["+a"]
    assert read(one, "changes", mode="sweep") == []


@pytest.mark.parametrize(
    "more",
    [
        {"paging": {"next": "next"}},
        {"total": "total"},
        {"changes": {"since": "at", "param": "s"}},
        {"feed": {"cursor": "next"}},
        {"feed": {"cursor": "next", "param": "p", "next": "n"}},
    ],
)
def test_settings_that_contradict_are_refused(more):
    with pytest.raises(ValueError, match="feed"):
        connector(Changes([]), {**TOKEN, **more})
