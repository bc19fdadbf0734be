"""A call for each record: a few at a time, in order, and what one that fails does."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest
from rest_parts import Time, context, keys, read

from connectors.details import each
from connectors.errors import ConfigError
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


@pytest.mark.parametrize(("rate", "fits"), [("4/d", True), ("3/d", False), ("3/s", True)])
def test_a_page_whose_details_no_run_could_ask_for_is_refused(rate, fits):
    """Else each run would use the quota up for the same page, and land nothing."""
    shop = Shop(["a", "b", "c"])
    one = connector(shop, rate=rate)
    if fits:
        assert keys(read(one, "orders")) == shop.ids
        return
    with pytest.raises(ConfigError, match="would never be whole"):
        read(one, "orders")
    assert shop.asked == []
