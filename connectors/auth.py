"""How a request proves who asks: small parts that add headers or parameters."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.errors import AuthError

_EARLY = timedelta(seconds=60)  # a token about to expire would do so on its way


class Auth:
    """No credentials; the base of the others."""

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add what proves who asks."""
        return

    def sign(
        self, method: str, path: str, headers: MutableMapping[str, str], content: bytes | None
    ) -> None:
        """Add the headers that prove this very request; called for each attempt, after `apply`."""
        return

    def prepare(self, headers: Mapping[str, str], params: Mapping[str, str]) -> None:
        """Send what requests `apply` may need (for a token), before a place is taken for this."""
        self.apply(dict(headers), dict(params))

    def renew(self) -> bool:
        """Get fresh credentials after a 401; False when they are the same as before."""
        return False


class HeaderAuth(Auth):
    """Header values read from references; read again after a 401 (a rotated secret file)."""

    def __init__(self, values: Callable[[], Mapping[str, str]]) -> None:
        self._read = values
        self._values = values()

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add the headers."""
        headers.update(self._values)

    def renew(self) -> bool:
        """Read the references again."""
        before, self._values = self._values, self._read()
        return before != self._values


class QueryAuth(HeaderAuth):
    """The same in query parameters."""

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add the parameters."""
        params.update(self._values)


def bearer(token: Callable[[], str]) -> Auth:
    """Return `Authorization: Bearer <token>`."""
    return HeaderAuth(lambda: {"Authorization": f"Bearer {token()}"})


def basic(user: Callable[[], str], password: Callable[[], str]) -> Auth:
    """Return HTTP Basic credentials, UTF-8 (RFC 7617)."""

    def values() -> dict[str, str]:
        pair = base64.b64encode(f"{user()}:{password()}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}

    return HeaderAuth(values)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and how long it lives."""

    value: str
    seconds: float


class OAuth2(Auth):
    """Client credentials (RFC 6749 section 4.4): one fetch at a time, renewed before it expires.

    `fetch` asks the token endpoint and raises a ConnectorError when it cannot.
    """

    def __init__(self, fetch: Callable[[], Token], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._expires: datetime | None = None
        self._applied = threading.local()

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add the bearer token, fetching it first where there is none that lives."""
        with self._lock:
            if self._expires is None or self._now() >= self._expires:
                self._renew()
            token = self._token
        self._applied.token = token
        headers["Authorization"] = f"Bearer {token}"

    def renew(self) -> bool:
        """Fetch a new token unless another thread has already replaced the refused one."""
        refused = getattr(self._applied, "token", "")
        with self._lock:
            if self._token == refused:
                self._renew()
            return self._token != refused

    def _renew(self) -> None:
        token = self._fetch()
        if not token.value:
            raise AuthError("The token endpoint answered without a token.", "check auth.oauth2.")
        self._token = token.value
        life = timedelta(seconds=max(token.seconds, 0))
        self._expires = self._now() + max(life - _EARLY, life / 2)
