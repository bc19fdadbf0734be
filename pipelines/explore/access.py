"""Who may look: the names under which the workbench answers, and the token of a shared one.

On loopback whoever works on this machine may look, as with any program of theirs. Elsewhere a token
is asked for: once in the address (`?token=…`), then in a cookie that scripts cannot read.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "isthmus_explore"
HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Say whether an address is reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(slots=True)
class Door:
    """Lets requests through that ask by a known name, and with the token where there is one.

    `names` are the hosts that a request may name (empty: any); a page elsewhere that leads a
    browser here under its own name gets nothing (DNS rebinding).
    """

    app: ASGIApp
    token: str = ""
    names: frozenset[str] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = [(k, v) for k, v in message["headers"] if k.decode() not in HEADERS]
                message["headers"] = known + [(k.encode(), v.encode()) for k, v in HEADERS.items()]
            await send(message)

        refused = self._refusal(scope)
        await (refused or self.app)(scope, receive, headed)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if self.names and _host(headers.get("host", "")) not in self.names:
            return PlainTextResponse("Not the name of this workbench.", 421)
        if not self.token:
            return None
        if _same(_cookies(headers).get(COOKIE, ""), self.token):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if _same(query.pop("token", ""), self.token):
            path = "/" + scope["path"].lstrip("/\\")  # `//host` would lead elsewhere
            answer = RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)
            answer.set_cookie(COOKIE, self.token, httponly=True, samesite="strict", path="/",
                              secure=scope.get("scheme") == "https")  # fmt: skip
            return answer
        return PlainTextResponse(
            "This workbench asks for its token: open the address that `isthmus explore` printed.",
            401,
        )


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def _host(header: str) -> str:
    """Return the name of a Host header without its port."""
    if header.startswith("["):
        return header.partition("]")[0].lstrip("[").lower()
    return header.partition(":")[0].lower()


def _cookies(headers: Mapping[str, str]) -> dict[str, str]:
    try:
        found = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return {}
    return {name: morsel.value for name, morsel in found.items()}
