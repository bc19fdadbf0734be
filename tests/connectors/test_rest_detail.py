"""A call for each record: a few at a time, in order, and what one that fails does."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from rest_parts import Time, context, keys, read

from connectors.base import ReadRequest
from connectors.details import each
from connectors.errors import ConfigError, QuotaUsed
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings

SPEC = {
    "path": "/orders",
    "records": "data",
    "key": "id",
    "total": "total",
    "detail": {"path": "/orders/{key}/full", "record": "order", "workers": "3"},
}


class Shop(httpx.BaseTransport):
    """Lists orders by key alone; `odd` are the answers to the details of some."""

    def __init__(self, ids: list[str], odd: dict[str, httpx.Response] | None = None) -> None:
        self.ids, self.odd = ids, odd or {}
        self.asked: list[str] = []
        self.now, self.most = 0, 0
        self.lock = threading.Lock()
        self.meet: threading.Barrier | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        if path.startswith("/orders/"):
            return self._detail(path)
        data = {"data": [{"id": one} for one in self.ids], "total": len(self.ids)}
        return self._say(200, data)

    def _detail(self, path: str) -> httpx.Response:
        with self.lock:
            self.asked.append(path)
            self.now += 1
            self.most = max(self.most, self.now)
        if self.meet is not None:
            self.meet.wait(5)
        with self.lock:
            self.now -= 1
        key = path.split("/")[2]
        if key in self.odd:
            return self._say(*self.odd[key])
        return self._say(200, {"order": {"id": key, "lines": [1, 2]}})

    @staticmethod
    def _say(status: int, body: Any) -> httpx.Response:
        data = json.dumps(body).encode()
        headers = {"content-type": "application/json", "content-length": str(len(data))}
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(data))


def connector(shop: Shop, spec: dict[str, Any] | None = None, **more: Any) -> RestConnector:
    settings = {"base_url": "http://shop.example", "allow_plain_http": "true", "attempts": "1",
                "streams": {"orders": {**SPEC, **(spec or {})}}, **more}  # fmt: skip
    return RestConnector(RestSettings.model_validate(settings), context(Time(), shop))


def test_details_stand_in_the_places_of_their_records_and_at_most_so_many_are_under_way():
    shop = Shop([f"o{n}" for n in range(12)])
    shop.meet = threading.Barrier(3)  # three must be under way at once, or this would not end
    one = connector(shop)
    pages = read(one, "orders")
    assert keys(pages) == shop.ids
    assert [json.loads(r) for p in pages for r in p.records] == [
        {"id": key, "lines": [1, 2]} for key in shop.ids
    ]
    assert pages[-1].complete
    assert shop.most == 3
    assert one.context.stats.requests == 13


@pytest.mark.parametrize("outcome", ["skip", "empty"])
def test_a_detail_that_the_table_passes_over_leaves_its_record_out_and_proves_no_scan(outcome):
    shop = Shop(["a", "b", "c"], {"b": (200, {"code": 9})})
    one = connector(shop, {"answers": [{"when": "code = 9", "is": outcome}]})
    pages = read(one, "orders")
    assert keys(pages) == ["a", "c"]
    assert not pages[-1].complete
    assert any("1 records were left out" in text for p in pages for text in p.warnings)


def test_a_detail_that_fails_ends_the_read_before_its_page():
    shop = Shop(["a", "b", "c"], {"b": (404, {"message": "no such order"})})
    with pytest.raises(ConfigError, match="no such order"):
        read(connector(shop), "orders")


def test_keys_are_one_value_of_the_url_and_never_lead_elsewhere():
    shop = Shop(["../x", "..", "a/b?c#d", "é"])
    assert keys(read(connector(shop), "orders")) == shop.ids
    assert sorted(shop.asked) == sorted(
        f"/orders/{key}/full" for key in ("..%2Fx", "a%2Fb%3Fc%23d", "%C3%A9")
    )


def test_a_sweep_and_a_preview_ask_for_no_more_than_they_show():
    shop = Shop([f"o{n}" for n in range(9)])
    assert keys(read(connector(shop), "orders", mode="sweep")) == shop.ids
    assert shop.asked == []
    assert len(keys(read(connector(shop), "orders", limit=2))) == 2
    assert len(shop.asked) == 2


@pytest.mark.parametrize(
    "detail", [{"path": "/orders"}, {"path": "http://x/{key}"}, {"path": "/o/{key}", "workers": 99}]
)
def test_settings_that_cannot_work_are_refused(detail):
    with pytest.raises(ValueError, match="detail"):
        connector(Shop([]), {"detail": detail})


# --- the part by itself ------------------------------------------------------------------------
def test_items_before_a_failure_are_handed_over_and_no_more_are_begun():
    begun: list[int] = []

    def fetch(n: int) -> int:
        begun.append(n)
        if n == 5:
            raise ZeroDivisionError
        return n * n

    found: list[tuple[int, int]] = []
    with pytest.raises(ZeroDivisionError):
        found.extend(each(range(1000), fetch, workers=4))
    assert found == [(n, n * n) for n in range(5)]
    assert max(begun) < 20


@pytest.mark.parametrize("workers", [1, 4])
def test_one_who_stops_early_leaves_the_rest_unasked(workers):
    begun: list[int] = []
    pages = each(range(1000), lambda n: begun.append(n) or n, workers=workers)
    assert next(pages) == (0, 0)
    pages.close()
    assert len(begun) <= 8


@pytest.mark.parametrize(("rate", "fits"), [("4/d", True), ("1/d", False), ("3/s", True)])
def test_a_quota_that_leaves_nothing_for_details_is_refused(rate, fits):
    """Else each run would use the quota up for the list, and land nothing."""
    shop = Shop(["a", "b", "c"])
    one = connector(shop, rate=rate)
    if fits:
        assert keys(read(one, "orders")) == shop.ids
        return
    with pytest.raises(ConfigError, match="would never be whole"):
        read(one, "orders")
    assert shop.asked == []


class Paged(Shop):
    """Lists the orders behind a key or a number, five a page."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/orders":
            return super().handle_request(request)
        after = request.url.params.get("after", "")
        begin = (int(request.url.params.get("page", "1")) - 1) * 5
        left = [one for one in self.ids if one > after][begin:]
        data = [{"id": one} for one in left[:5]]
        return self._say(200, {"data": data, "total": len(self.ids), "more": len(left) > 5})


BEHIND = {"paging": {"last": "id", "param": "after", "more": "more"}}
NUMBERED = {"paging": {"page": "page", "size": "5"}}


@pytest.mark.parametrize(
    ("shop", "spec"), [(Shop, {}), (Paged, BEHIND)], ids=["one page", "behind a key"]
)
@pytest.mark.parametrize("mode", ["changed", "full"])
@pytest.mark.parametrize("workers", ["1", "4"])
def test_a_quota_smaller_than_a_page_brings_every_run_on(shop, spec, mode, workers):
    """The bookmark stands inside the page: no detail that was asked for is asked for again."""
    there = shop([f"o{n:02d}" for n in range(12)])
    detail = {**SPEC["detail"], "workers": workers}
    bookmark, came, runs, last = None, [], 0, False
    while not last:  # each run has a day of its own: nothing keeps what the one before used
        one = connector(there, {**spec, "detail": detail}, rate="4/d")
        reading = one.read(ReadRequest("orders", mode, bookmark))
        try:
            for page in reading:
                assert page.resumed == bool(runs)
                came += page.keys
                bookmark, last = json.loads(json.dumps(page.bookmark)), page.complete
        except QuotaUsed:
            runs += 1
        one.close()
        assert runs < 9
    assert came == there.ids
    assert len(there.asked) == 12
    assert "resume" not in bookmark


def test_a_page_that_a_read_cannot_go_on_inside_is_asked_for_whole():
    """Pages by number shift: what stands on the second one now is not what will stand there."""
    there = Paged([f"o{n:02d}" for n in range(12)])
    for rate, first in (("11/d", 5), ("4/d", 3)):  # the quota ends on the second page, on the first
        pages = connector(there, NUMBERED, rate=rate).read(ReadRequest("orders"))
        page = next(pages)
        assert page.keys == there.ids[:first]
        assert page.bookmark.get("resume", {}).get("inside") == (None if first == 5 else "o02")
        with pytest.raises(QuotaUsed):
            next(pages)


def test_a_key_that_left_its_page_lets_the_page_come_whole():
    there = Paged([f"o{n:02d}" for n in range(7)])
    one = connector(there, BEHIND, rate="4/d")
    first = one.read(ReadRequest("orders"))
    page = next(first)
    assert page.keys == ["o00", "o01", "o02"]
    there.ids.remove("o02")
    again = connector(there, BEHIND).read(ReadRequest("orders", "changed", page.bookmark))
    assert [key for one in again for key in one.keys] == there.ids
