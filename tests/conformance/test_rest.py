"""The suite on the generic `rest` connector, in each style of paging, over its own simulator."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.rest import RestConnector
from connectors.rest.simulator import Collection, RestSimulator
from connectors.testing import Bench, ConformanceSuite

SECRET = "canary-Tok3n/with+odd=signs"
CHANGES = {"since": "updated_at", "param": "updated_since", "lookback": "10m"}


class RestBench(Bench):
    """A shop whose orders are paged by a cursor, with OAuth 2."""

    connector = RestConnector
    stream = "orders"
    page_size = 5
    secrets: ClassVar[Mapping[str, str]] = {"env:SHOP_SECRET": SECRET}
    paging: ClassVar[dict[str, Any]] = {"cursor": "next_cursor", "param": "cursor"}
    style: ClassVar[str] = "cursor"

    def boot(self) -> Any:
        self.shop = RestSimulator(
            {"orders": Collection(paging=self.style)},
            token="none yet", secret=SECRET, now=self.clock.now,
        )  # fmt: skip
        self.rows: dict[str, str] = {}
        return self.shop

    def settings(self) -> dict[str, Any]:
        stream: dict[str, Any] = {
            "path": "/orders", "records": "data", "key": "id", "params": {"limit": "5"},
            "changes": CHANGES, "total": "total",
        }  # fmt: skip
        if self.paging:
            stream["paging"] = self.paging
        return {
            "base_url": "http://shop.example",
            "allow_plain_http": "true",
            "auth": {
                "oauth2": {
                    "token_url": "http://shop.example/oauth/token",
                    "client_id": "isthmus",
                    "client_secret": "env:SHOP_SECRET",
                }
            },
            "answers": [{"when": "code = 429", "is": "throttled"}],
            "ok": "ok is null or ok = true",
            "streams": {"orders": stream},
        }

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        yield good | {"base_url": "ftp://shop.example"}
        yield good | {"base_url": "http://shop.example", "allow_plain_http": "false"}
        yield good | {"rate": "fast"}
        yield good | {"streams": {}}
        yield good | {"streams": {"orders": {"path": "/orders"}}}

    def put(self, number: int, version: int, at: datetime) -> str:
        key = f"o{number}"
        self.shop.put("orders", {"id": key, "updated_at": at.isoformat(), "note": f"v{version}"})
        self.rows[key] = f"v{version}"
        return key

    def delete(self, number: int) -> None:
        self.shop.delete("orders", f"o{number}")
        del self.rows[f"o{number}"]

    def living(self) -> Mapping[str, str]:
        return self.rows

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["note"])

    def is_page(self, request: Any) -> bool:
        return request.url.path == "/orders"

    def clamp(self, size: int) -> None:
        self.shop.collections["orders"].max_page_size = size

    def expire(self) -> None:
        self.shop.token = "ended"

    def throttled_body(self) -> bytes:
        return b'{"code":429,"message":"slow down"}'

    def error_body(self) -> bytes:
        return b'{"ok":false,"message":"the index is being built","data":[],"total":0}'

    def with_link(self, body: bytes, url: str) -> Any:
        return json.dumps(json.loads(body) | {"next": url, "has_more": True}).encode()


NO_LINK = "this style of paging follows no link: the next page is asked for by a parameter"
ANEW = "pages by number or offset shift, so an interrupted read begins anew"
WHOLE = "without changes: every read is whole; the landing leaves out what it has already"


class TestCursor(ConformanceSuite):
    title = "cursor"
    bench = RestBench
    not_applicable: ClassVar = {"foreign_next_link": NO_LINK}


class LinkBench(RestBench):
    paging: ClassVar[dict[str, Any]] = {"next": "next"}
    style = "next"


class TestNextLink(ConformanceSuite):
    title = "next link"
    bench = LinkBench


class KeysetBench(RestBench):
    paging: ClassVar[dict[str, Any]] = {"last": "id", "param": "starting_after", "more": "has_more"}
    style = "last"


class TestKeyset(ConformanceSuite):
    title = "keyset"
    bench = KeysetBench
    not_applicable: ClassVar = {"foreign_next_link": NO_LINK}


class PageBench(RestBench):
    paging: ClassVar[dict[str, Any]] = {"page": "page", "size": "limit"}
    style = "page"


class TestPageNumber(ConformanceSuite):
    title = "page number"
    bench = PageBench
    not_applicable: ClassVar = {"foreign_next_link": NO_LINK, "killed_again_and_again": ANEW}


class OffsetBench(RestBench):
    paging: ClassVar[dict[str, Any]] = {"offset": "offset", "limit": "limit"}
    style = "offset"


class TestOffset(ConformanceSuite):
    title = "offset"
    bench = OffsetBench
    not_applicable: ClassVar = {"foreign_next_link": NO_LINK, "killed_again_and_again": ANEW}


class SnapshotBench(RestBench):
    def settings(self) -> dict[str, Any]:
        settings = super().settings()
        del settings["streams"]["orders"]["changes"]
        return settings


class TestSnapshot(ConformanceSuite):
    title = "snapshot"
    bench = SnapshotBench
    not_applicable: ClassVar = {
        "foreign_next_link": NO_LINK,
        "only_what_changed": WHOLE,
        "nothing_new": WHOLE,
        "late_commit": "a stream that is read whole every time goes by no stamp",
    }
