"""A2: links to the next page and redirects that lead to a foreign host, counted at its socket."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from rest_parts import TOKEN, context, raw_server

from connectors.base import ReadRequest
from connectors.rest import RestConnector
from connectors.rest.settings import RestSettings
from tests.attacks.attempt import Attempt, Task, guarded_wire, refused

ID, TITLE = "A2", "next links and redirects to a foreign host"
AUTHS: dict[str, Any] = {
    "bearer": {"bearer": "env:SHOP_TOKEN"},
    "header": {"header": {"X-Api-Key": "env:SHOP_TOKEN"}},
    "query": {"query": {"key": "env:SHOP_TOKEN"}},
    "basic": {"basic": ["u", "env:SHOP_TOKEN"]},
}
REDIRECTS = (300, 301, 302, 303, 305, 307, 308)


def links(own: str, foreign: str) -> dict[str, str]:
    """Return links that leave `own` ("host:port"), some only to a careless reader."""
    host, port = own.split(":")
    there = foreign.split(":")[1]
    return {
        "absolute": f"http://{foreign}/orders", "capitals": f"HTTP://{foreign}/orders",
        "without scheme": f"//{foreign}/orders", "three slashes": f"///{foreign}/orders",
        "backslashes": f"\\\\{foreign}\\orders", "slash and backslash": f"/\\{foreign}/orders",
        "scheme and backslash": f"http:\\\\{foreign}/orders",
        "userinfo": f"http://{own}@{foreign}/orders", "escaped userinfo": f"http://{host}%40{foreign}/",
        "userinfo with colon": f"http://{host}:x@{foreign}/orders",
        "fragment": f"http://{foreign}#@{own}/", "question": f"http://{foreign}?@{own}/",
        "other port": f"http://{host}:{there}/orders", "no port": f"http://{host}/orders",
        "https": f"https://{own}/orders", "other name": f"http://localhost:{there}/orders",
        "own port, other name": f"http://localhost:{port}/orders",
        "IPv6": f"http://[::ffff:127.0.0.1]:{there}/", "decimal": f"http://2130706433:{there}/",
        "subdomain": f"http://{host}.evil.example:{there}/", "metadata": "http://169.254.169.254/",
        "file": "file:///etc/passwd", "gopher": f"gopher://{foreign}/_x",
        "javascript": "javascript:alert(1)", "data": "data:application/json,{}",
        "tab inside": f"ht\ttp://{foreign}/", "line break": f"\nhttp://{foreign}/",
        "line break in front of a header": f"/orders\r\nHost: {foreign}\r\n\r\nGET /",
        "blank in front": f" http://{foreign}/", "NUL": f"http://{foreign}\0.{own}/",
        "dots up": f"/../../../{foreign}/../", "long": f"http://{foreign}/" + "a" * 70_000,
        "semicolon": f"http://{foreign};@{own}/", "full-width": "http://evil．example/",
        "host header by @": f"@{foreign}/orders", "colon first": f":@{foreign}/orders",
        "empty user": f"http://@{foreign}/", "two at": f"http://{own}@{own}@{foreign}/",
    }  # fmt: skip


def attempts(task: Task) -> Iterator[Attempt]:
    """Serve every link in the body, in the Link header and as a redirect; also for a token."""
    answers: list[bytes] = []

    def talk(con: socket.socket) -> None:
        con.sendall(answers[0])

    with (
        raw_server(lambda con: con.sendall(_page())) as (foreign_url, arrived),
        raw_server(talk) as (own_url, asked),
    ):
        own, foreign = urlsplit(own_url).netloc, urlsplit(foreign_url).netloc
        number = 0
        for name, link in links(own, foreign).items():
            tricks = [("body", "next", _page(link)), ("Link header", "link", _header(link))]
            tricks += [(f"redirect {code}", "next", _redirect(code, link)) for code in REDIRECTS]
            for at, (kind, style, answer) in enumerate(tricks):
                number += 1
                if task.quick and number % 7:
                    continue
                answers[:] = [answer]
                auth = list(AUTHS)[(number + at) % len(AUTHS)]
                yield _tried(
                    f"A2.{number}", f"{name}, {kind}, {auth}", own_url, style, auth, arrived, asked
                )
        for code in REDIRECTS:
            number += 1
            answers[:] = [_redirect(code, f"{foreign_url}/token")]
            yield _tried(f"A2.{number}", f"token endpoint redirects {code}", own_url, "next",
                         "oauth2", arrived, asked)  # fmt: skip


def _tried(
    number: str, name: str, base: str, style: str, auth: str, arrived: list[bytes],
    asked: list[bytes],
) -> Attempt:  # fmt: skip
    before, own_before = len(arrived), len(asked)
    own = ("127.0.0.1", urlsplit(base).port)
    with guarded_wire() as wire:
        try:
            list(_connector(base, style, auth).read(ReadRequest("orders")))
            result = Attempt(number, name, "handled", "the link stayed inside")
        except Exception as error:
            result = refused(number, name, error)
    strange = [where for where in wire.reached if where != own]
    if len(arrived) > before or strange:
        seen = "with the token" if TOKEN.encode() in b"".join(arrived[before:]) else "without token"
        return Attempt(number, name, "succeeded", f"{seen}: {strange or arrived[-1][:80]!r}")
    hosts = {line for raw in asked[own_before:] for line in raw.lower().split(b"\r\n")
             if line.startswith(b"host:")}  # fmt: skip
    if len(hosts) > 1 or any(raw.count(b"HTTP/1.1\r\n") != 1 for raw in asked[own_before:]):
        return Attempt(number, name, "succeeded", f"a forged request: {hosts}")
    return result


def _connector(base: str, style: str, auth: str) -> RestConnector:
    proof = AUTHS.get(auth) or {
        "oauth2": {
            "token_url": f"{base}/token",
            "client_id": "c",
            "client_secret": "env:SHOP_TOKEN",
        }
    }
    stream = {"path": "/orders", "records": "data", "key": "id", "paging": {"next": style}}
    settings = {"base_url": base, "allow_private": "true", "auth": proof, "timeout": "2s",
                "attempts": "2", "streams": {"orders": stream}}  # fmt: skip
    return RestConnector(RestSettings.model_validate(settings), context())


def _answer(body: bytes, headers: bytes = b"", status: bytes = b"200 OK") -> bytes:
    length = str(len(body)).encode()
    return (b"HTTP/1.1 " + status + b"\r\nConnection: close\r\nContent-Length: " + length
            + b"\r\n" + headers + b"\r\n" + body)  # fmt: skip


def _page(link: str | None = None) -> bytes:
    return _answer(json.dumps({"data": [{"id": 1}], "next": link}).encode())


def _header(link: str) -> bytes:
    raw = f'Link: <{link}>; rel="next"\r\n'.encode()
    return _answer(b'{"data":[{"id":1}]}', raw)


def _redirect(code: int, link: str) -> bytes:
    return _answer(b"", f"Location: {link}\r\n".encode(), f"{code} Go".encode())
