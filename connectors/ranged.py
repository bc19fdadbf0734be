"""A file in pieces: asked for by Range, each piece an ordinary request of the client.

So a file of any size is read in bounded memory, under the client's host pin, deadline, caps and
retries. Whatever proves who asks is the client's own `auth`: a signed link needs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from connectors.errors import ContractBroken, Unavailable
from connectors.http import Answer, HttpClient, Request

TRIES = 3
_RANGE = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


def pieces(
    client: HttpClient, link: str, total: int, *, piece: int, start: int = 0
) -> Iterator[bytes]:
    """Yield the file at `link`, which has `total` bytes, in its order, from byte `start` on.

    A server that knows no Range answers the whole file, which must fit into the client's caps.
    Raises Unavailable where it is cut off again and again, ContractBroken where it is another.
    """
    at = start
    while at < total:
        data = _piece(client, link, at, min(piece, total - at), total)
        yield data
        at += len(data)


def _piece(client: HttpClient, link: str, at: int, size: int, total: int) -> bytes:
    """Return the bytes from `at` on: `size` of them, or all where no range was answered."""
    headers = {"Range": f"bytes={at}-{at + size - 1}", "Accept-Encoding": "identity"}
    for _ in range(TRIES):
        answer = client.send(Request(link=link, headers=headers, raw=True))
        other = _other(answer, at, size, total)
        wanted = size if answer.status == 206 else total
        if not other and len(answer.data) == wanted:
            return answer.data
    if other or len(answer.data) > wanted:
        raise ContractBroken(
            "The file is not the one that was announced"
            f" ({other or f'{len(answer.data)} bytes came where {wanted} are'}).",
            "run again; else ask the vendor.", place=answer.place, request_id=answer.request_id,
        )  # fmt: skip
    raise Unavailable(
        f"The file was cut off {TRIES} times ({len(answer.data)} of {wanted} bytes from {at} on).",
        "the next run tries again.", place=answer.place, request_id=answer.request_id,
    )  # fmt: skip


def _other(answer: Answer, at: int, size: int, total: int) -> str:
    """Say how an answer is not for what was asked; "" where it is."""
    if answer.status != 206:
        return "it comes whole, and came in pieces before" if at else ""
    found = _RANGE.fullmatch(answer.headers.get("content-range", ""))
    if found and [int(text) for text in found.groups()] == [at, at + size - 1, total]:
        return ""
    said = answer.headers.get("content-range", "nothing")[:60]
    return f"{at}-{at + size - 1}/{total} was asked for and {said} came"
