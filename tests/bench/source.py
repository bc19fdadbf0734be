"""A loopback server that answers pages of orders from memory, in a process of its own.

`GET /orders?limit=&cursor=&updated_since=` filters as a real shop does (stamp not below the bound,
oldest first). `PUT /version/<n>/<step>` makes `n` further versions of the data: each changes every
`step`-th order. `GET /expected` says what a reader must then hold.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msgspec

PAGE = 250
FIRST = datetime(2024, 3, 1, tzinfo=UTC)
SPAN = timedelta(days=90)
_MASK = 0xFFFFFFFF


def order(number: int, count: int, version: int = 0) -> dict[str, Any]:
    """Return one nested order of about 800 bytes with 1 to 4 lines, 2.5 on average.

    Stamps of the first version are spread evenly over 90 days, later versions follow one a day.
    """
    draw = (number * 2654435761 + version * 40503) & _MASK
    lines = []
    total = 0
    for n in range(1 + number % 4):
        draw = (draw * 1664525 + 1013904223) & _MASK
        quantity, cents = 1 + (draw >> 8) % 8, 100 + (draw >> 11) % 89_900
        total += quantity * cents
        lines.append(
            {
                "id": f"{number}-{n}",
                "sku": f"SKU-{(draw >> 5) % 5000:05d}",
                "title": f"Article {(draw >> 3) % 5000} in a box of {1 + draw % 12}",
                "quantity": quantity,
                "price": f"{cents // 100}.{cents % 100:02d}",
            }
        )
    created = FIRST + SPAN * (number / count)
    stamp = created
    if version:  # spread over half a day, so that a lookback of minutes meets few of them again
        stamp = FIRST + SPAN + timedelta(days=version, seconds=number * 7919 % 43_200)
    return {
        "id": number,
        "name": f"#{number}",
        "created_at": f"{created:%Y-%m-%dT%H:%M:%SZ}",
        "updated_at": f"{stamp:%Y-%m-%dT%H:%M:%SZ}",
        "currency": "CNY",
        "total_price": f"{total // 100}.{total % 100:02d}",
        "financial_status": "paid" if number % 3 else "pending",
        "customer": {"id": f"c{number % 997}", "email": f"c{number % 997}@example.test"},
        "shipping_address": {"city": "Hangzhou", "line": f"Road {number % 4000}", "zip": "310000"},
        "note": "leave it at the door, please" * (number % 3),
        "line_items": lines,
    }


class Orders:
    """The data in memory: bodies by number, and which numbers changed since the first version."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.bodies: list[bytes] = []
        self.stamps: list[str] = []
        self.cents: list[int] = []
        for number in range(1, count + 1):
            self._keep(order(number, count))
        self.base = list(self.stamps)
        self.changed: dict[int, tuple[bytes, str, int]] = {}
        self.asked: dict[str, list[int]] = {}

    def _keep(self, one: dict[str, Any]) -> None:
        self.bodies.append(msgspec.json.encode(one))
        self.stamps.append(one["updated_at"])
        self.cents.append(_cents(one))

    def version(self, version: int, step: int) -> None:
        """Go to the data after `version` rounds of changes; 0 is the first again."""
        for index, (body, stamp, cents) in self.changed.items():
            self.bodies[index], self.stamps[index], self.cents[index] = body, stamp, cents
        self.changed.clear()
        self.asked.clear()
        for done in range(1, version + 1):
            for index in range(done % step, self.count, step):
                old = (self.bodies[index], self.stamps[index], self.cents[index])
                self.changed.setdefault(index, old)
                one = order(index + 1, self.count, done)
                self.bodies[index] = msgspec.json.encode(one)
                self.stamps[index], self.cents[index] = one["updated_at"], _cents(one)

    def since(self, bound: str) -> list[int]:
        """Return the indexes of orders not older than `bound`, oldest change first."""
        if bound in self.asked:
            return self.asked[bound]  # a side that filters its first load must not wait for us
        at = datetime.fromisoformat(bound.replace(" ", "+")).astimezone(UTC)
        low = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        old = [i for i in range(bisect_left(self.base, low), self.count) if i not in self.changed]
        new = [i for i in self.changed if self.stamps[i] >= low]
        self.asked = {bound: old + sorted(new, key=lambda i: (self.stamps[i], i))}
        return self.asked[bound]

    def page(self, query: dict[str, list[str]]) -> bytes:
        """Return one page's body."""
        start = int(query.get("cursor", ["0"])[0])
        size = int(query.get("limit", [str(PAGE)])[0])
        if "updated_since" in query:
            found = self.since(query["updated_since"][0])
            total, members = len(found), [self.bodies[i] for i in found[start : start + size]]
        else:
            total, members = self.count, self.bodies[start : start + size]
        more = f'"{start + size}"' if start + size < total else "null"
        tail = f'],"next_cursor":{more},"total":{total}}}'
        return b'{"data":[' + b",".join(members) + tail.encode()

    def expected(self) -> dict[str, Any]:
        """Return what a faithful copy holds: orders, lines, sum of totals as text."""
        cents = sum(self.cents)
        lines = sum(1 + number % 4 for number in range(1, self.count + 1))
        return {
            "orders": self.count,
            "lines": lines,
            "total": f"{cents // 100}.{cents % 100:02d}",
            "changed": len(self.changed),
        }

    def answer(self, path: str, query: str) -> bytes:
        """Answer a request by its path."""
        if path == "/orders":
            return self.page(parse_qs(query))
        if path.startswith("/version/"):
            self.version(*map(int, path.split("/")[2:]))
        return json.dumps(self.expected()).encode()


def _cents(one: dict[str, Any]) -> int:
    return int(one["total_price"].replace(".", ""))


def serve(count: int, port: int) -> None:
    """Serve `count` orders until the process is ended."""
    import uvicorn

    orders = Orders(count)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = orders.answer(scope["path"], scope["query_string"].decode())
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")


def ask(url: str, path: str, method: str = "GET") -> dict[str, Any]:
    """Ask the server something about itself."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url + path, method=method)) as reply:
        return dict(json.load(reply))


@contextmanager
def running(count: int) -> Iterator[str]:
    """Serve `count` orders; yields the base URL. Raises RuntimeError when the server dies."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "tests.bench.source", str(count), str(port)]
    with subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2]) as process:
        try:
            while process.poll() is None:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                raise RuntimeError(f"the source ended with {process.returncode}")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
