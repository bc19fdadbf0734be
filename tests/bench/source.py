"""A loopback server that answers prepared pages of orders from memory, in a process of its own."""

from __future__ import annotations

import json
import multiprocessing
import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

PAGE = 250


def order(number: int, rng: random.Random) -> dict[str, object]:
    """Return one nested order of about 800 bytes with 2.5 lines on average."""
    lines = [
        {
            "id": f"{number}-{n}",
            "sku": f"SKU-{rng.randrange(5000):05d}",
            "title": f"Article {rng.randrange(5000)} in a box of {rng.randrange(1, 13)}",
            "quantity": rng.randrange(1, 9),
            "price": f"{rng.randrange(100, 90000) / 100:.2f}",
        }
        for n in range(1 + number % 4)
    ]
    total = sum(round(float(x["price"]) * 100) * int(x["quantity"]) for x in lines)  # type: ignore[call-overload]
    return {
        "id": number,
        "name": f"#{number}",
        "created_at": f"2026-0{1 + number % 9}-11T08:00:00Z",
        "updated_at": f"2026-10-01T{number % 24:02d}:{number % 60:02d}:00Z",
        "currency": "CNY",
        "total_price": f"{total / 100:.2f}",
        "financial_status": "paid" if number % 3 else "pending",
        "customer": {"id": f"c{number % 997}", "email": f"c{number % 997}@example.test"},
        "shipping_address": {"city": "Hangzhou", "line": f"Road {number % 4000}", "zip": "310000"},
        "note": "leave it at the door, please" * (number % 3),
        "line_items": lines,
    }


def pages(count: int) -> list[bytes]:
    """Return the page bodies of `count` orders."""
    rng = random.Random(7)
    orders = [order(n, rng) for n in range(1, count + 1)]
    found = []
    for start in range(0, count, PAGE):
        end = start + PAGE
        cursor = str(end) if end < count else None
        body = {"data": orders[start:end], "next_cursor": cursor, "total": count}
        found.append(json.dumps(body).encode())
    return found


def _serve(count: int, port: int) -> None:
    import uvicorn

    bodies = pages(count)
    nothing = json.dumps({"data": [], "next_cursor": None, "total": 0}).encode()

    async def app(scope: dict, receive: object, send: object) -> None:  # type: ignore[type-arg]
        query = parse_qs(scope["query_string"].decode())
        body = bodies[int(query.get("cursor", ["0"])[0]) // PAGE]
        if "updated_since" in query and "cursor" not in query:
            body = nothing
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": body})  # type: ignore[operator]

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", lifespan="off")  # type: ignore[arg-type]


@contextmanager
def running(count: int) -> Iterator[str]:
    """Serve `count` orders; yields the base URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(count, port))
    process.start()
    try:
        while process.is_alive():
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()
