"""The signature of a request, as the vendor's own client for Python (8.2.0) makes it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from connectors.auth import Auth
from connectors.errors import ConfigError
from connectors.redact import Redactor

_XOR = b"0054f397c6234378b09ca7d3e5debce7"
"""The same for all customers; it stands in the vendor's client."""
_CODED = 32


def client_secret(app_id: str) -> tuple[str, str]:
    """Return the two parts of an app id: the client's id, and the client's secret decoded.

    The secret is "" where the part behind `_` has not 32 signs, as in the vendor's client. Raises
    ConfigError where these are no base64.
    """
    client, _, coded = app_id.partition("_")
    if len(coded) != _CODED or "_" in coded:
        return (client, "") if coded and "_" not in coded else ("", "")
    try:
        raw = base64.b64decode(coded)
    except ValueError:
        raise ConfigError(
            "The 32 signs of app_id are not what the system gives out.",
            "copy 应用ID anew from 第三方系统登录授权: <number>_<32 signs>.",
        ) from None
    mixed = bytes(one ^ two for one, two in zip(raw, _XOR, strict=False))
    return client, base64.b64encode(mixed).decode()


def _hmac(key: str, text: str) -> str:
    """Return base64 of the digest's hexadecimal text, not of the digest itself."""
    digest = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(digest.encode()).decode()


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks: the account (账套ID), the integration user, the app, language and organisation."""

    account: str
    user: str
    app_id: str
    secret: str
    language: int
    organisation: str

    def headers(self, path: str, at: datetime) -> dict[str, str]:
        """Return the headers that sign a POST to `path`."""
        client, key = client_secret(self.app_id)
        stamp = str(int(at.timestamp()))
        coded = quote(path, safe="/").replace("/", "%2F")
        what = f"POST\n{coded}\n\nx-api-nonce:{stamp}\nx-api-timestamp:{stamp}\n"
        who = f"{self.account},{self.user},{self.language},{self.organisation}"
        return {
            "X-Api-ClientID": client,
            "X-Api-Auth-Version": "2.0",
            "x-api-timestamp": stamp,
            "x-api-nonce": stamp,
            "x-api-signheaders": "x-api-timestamp,x-api-nonce",
            "X-Api-Signature": _hmac(key, what),
            "X-Kd-Appkey": self.app_id,
            "X-Kd-Appdata": base64.b64encode(who.encode()).decode(),
            "X-Kd-Signature": _hmac(self.secret, self.app_id + who),
        }


class Signed(Auth):
    """Signs each request; the server opens a session by itself, whose cookie the client keeps.

    `identify` resolves the secret; it is asked again when the credentials are refused, because a
    file may have been changed.
    """

    def __init__(
        self, identify: Callable[[], Identity], now: Callable[[], datetime], redactor: Redactor
    ) -> None:
        self._identify = identify
        self._now = now
        self._identity = identify()
        redactor.add(client_secret(self._identity.app_id)[1])

    def sign(
        self, method: str, path: str, headers: MutableMapping[str, str], content: bytes | None
    ) -> None:
        """Add the signature's headers."""
        headers.update(self._identity.headers(path, self._now()))

    def renew(self) -> bool:
        """Read the secret again."""
        before, self._identity = self._identity, self._identify()
        return before != self._identity
