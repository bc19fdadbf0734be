"""A feed through landing and store: what it says is gone is gone, what comes back is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import small_shop
from still_clock import StillClock

from pipelines.sync import sync_stream
from warehouse.landing import Landing
from warehouse.store import open_store

FEED = """\
      customers:
        path: /changes
        records: items
        key: id
        feed: {cursor: next, param: since, deleted: gone = true}
"""


class Changes(httpx.BaseTransport):
    """A list of changes whose token is the place in it."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        at = int(request.url.params.get("since", 0))
        page = self.items[at : at + 3]
        data = json.dumps({"items": page, "next": str(at + len(page))}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(data))}
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(data))

    def say(self, *texts: str) -> None:
        for text in texts:
            number = len(self.items)
            at = f"2026-03-01T08:00:{number:02d}+00:00"
            gone = {"gone": True} if text[0] == "-" else {"name": f"n{number}", "updated_at": at}
            self.items.append({"id": text[1:], **gone})


def test_deletions_and_returns_of_a_feed_reach_the_store(tmp_path: Path):
    space = small_shop.workspace(tmp_path, "http://127.0.0.1:9")
    path = space.defs / "shop" / "defs.yaml"
    text = path.read_text()
    begin, end = text.index("      customers:"), text.index("      orders:")
    path.write_text(text[:begin] + FEED + text[end:])
    server, clock = Changes(), StillClock()

    def living() -> list[str]:
        with open_store(space.home) as store:
            return [
                key
                for (key,) in store.con.execute(
                    "select source_key from source.parties where not is_deleted order by 1"
                ).fetchall()
            ]

    def run() -> tuple[str, int]:
        clock.wait(hours=1)
        done = sync_stream(
            space, "shop", "customers", now=clock.now, pause=clock.pause, transport=server
        )
        assert done.error is None, str(done.error)
        return done.status, done.read

    server.say("+a", "+b", "-a", "+c", "-c", "+d", "+c")
    run()
    assert living() == ["b", "c", "d"]
    assert run() == ("ok", 0)
    server.say("+a", "-b")
    run()
    assert living() == ["a", "c", "d"]
    landed = Landing(space.home.landing).batches("shop", "customers")
    assert {one.sidecar.mode for one in landed} == {"feed"}
    space.control.close()
