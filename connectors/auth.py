"""How a request proves who asks: small parts that add headers or parameters."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from connectors.errors import AuthError, Unavailable
from connectors.tokens import Kept, OwnTokens, Token, TokenStore, Turn

__all__ = ["Auth", "HeaderAuth", "Kept", "KeptToken", "OAuth2", "Place", "QueryAuth", "Token",
           "TokenStore", "Turn", "Within", "basic", "bearer", "digest"]  # fmt: skip

_EARLY = 60.0  # seconds: a token about to expire would do so on its way
_LONGEST = 10 * 366 * 86400.0
Place: TypeAlias = Callable[[Kept, MutableMapping[str, str], MutableMapping[str, str]], None]
"""Adds a token to the headers and parameters of a request."""
Within: TypeAlias = Callable[[Kept, Any], Any]
"""Returns a request's JSON body with a token in it."""


REISSUED = "and asked for a new token the system issued the very same again"
"""What `Auth.unchanged` says of a token that a system gives out."""


class Auth:
    """No credentials; the base of the others.

    `unchanged` says in an error what it means that `renew` brought nothing new; "" for nothing
    that the refusal does not say itself.
    """

    unchanged: ClassVar[str] = ""

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add what proves who asks."""
        return

    def fill(self, body: Any) -> Any:
        """Return the JSON body with what proves who asks; for each attempt, after `apply`."""
        return body

    def sign(
        self, method: str, path: str, headers: MutableMapping[str, str], content: bytes | None
    ) -> None:
        """Add the headers that prove this very request; called for each attempt, after `apply`."""
        return

    def sign_params(self, params: MutableMapping[str, str], form: MutableMapping[str, str]) -> None:
        """Add the parameters or fields that prove this very request, its query and form together.

        Called for each attempt, after `apply`; `form` is empty where the request has none.
        """
        return

    def verify(self, data: bytes, place: str) -> None:
        """Prove that an answer about to be taken is the system's own, by its bytes as they came.

        Called where it is JSON and no error; raises a ConnectorError.
        """
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


def _as_bearer(
    token: Kept, headers: MutableMapping[str, str], params: MutableMapping[str, str]
) -> None:
    headers["Authorization"] = f"Bearer {token.value}"


class KeptToken(Auth):
    """A token that the system gives out for a while: one fetch at a time, in all processes.

    `fetch` asks for a new one and raises a ConnectorError when it cannot; it is handed what is kept
    (its `refresh` may be spent by this call; None where nothing is) and whether the last renewal
    was cut off. What it returns is kept before it is used. `fits` is a digest of the settings
    and secrets that the token depends on, `whose` one of those that name the account: where the
    others change, the refresh token is still handed to `fetch`. `place` adds it to headers and
    parameters (default: as a bearer), `within` to the JSON body, `learn` is told every value that
    must never be shown. A system that issues the very token again that it has just refused is not
    asked with it again: it was answered, and a second refusal may lock the account.
    """

    unchanged: ClassVar[str] = REISSUED

    def __init__(
        self,
        fetch: Callable[[Kept | None, Turn], Token],
        now: Callable[[], datetime],
        *,
        store: TokenStore | None = None,
        name: str = "token",
        fits: str = "",
        whose: str = "",
        place: Place = _as_bearer,
        within: Within | None = None,
        learn: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._fetch = fetch
        self._now = now
        self._store: TokenStore = store or OwnTokens()
        self._name = name
        self._fits = fits
        self._whose = whose
        self._place = place
        self._within = within
        self._learn = learn
        self._lock = threading.Lock()
        self._token: Kept | None = None
        self._applied = threading.local()

    def prepare(self, headers: Mapping[str, str], params: Mapping[str, str]) -> None:
        """Fetch the token where there is none that lives."""
        with self._lock:
            if not self._lives(self._token):
                self._renew("")

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add the token, fetching it first where there is none that lives."""
        with self._lock:
            token = self._token
            if token is None or not self._lives(token):
                token = self._renew("")
        self._applied.token, self._applied.whole = token.value, token
        self._place(token, headers, params)

    def fill(self, body: Any) -> Any:
        """Put the token that was applied into the body, where it stands there."""
        return body if self._within is None else self._within(self._applied.whole, body)

    def renew(self) -> bool:
        """Fetch a new token unless somebody else has already replaced the refused one."""
        refused = getattr(self._applied, "token", "")
        with self._lock:
            token = self._token
            if token is None or token.value == refused:
                token = self._renew(refused)
            return token.value != refused

    def _lives(self, token: Kept | None) -> bool:
        return token is not None and self._now().timestamp() < token.expires

    def _usable(self, token: Kept | None, refused: str) -> Kept | None:
        if token is None or token.fits != self._fits or token.value == refused:
            return None
        return token if self._lives(token) else None

    def _is_ours(self, kept: Kept | None) -> bool:
        """Say whether what is kept is of this account, asked for with whatever secret."""
        if kept is None:
            return False
        return kept.fits == self._fits or bool(self._whose and kept.whose == self._whose)

    def _renew(self, refused: str) -> Kept:
        found = self._usable(self._store.get(self._name), refused)
        if found is None:
            found = self._renew_alone(refused)
        self._learn(found.value)
        self._token = found
        return found

    def _renew_alone(self, refused: str) -> Kept:
        with self._store.alone(self._name) as turn:
            kept = self._store.get(self._name)
            kept = kept if self._is_ours(kept) else None
            found = self._usable(kept, refused)
            if found is not None:  # another process was first
                return found
            asked = self._now().timestamp()
            for secret in (kept.value, kept.refresh) if kept is not None else ():
                self._learn(secret)
            token = self._fetch(kept, turn)
            if not token.value:
                raise AuthError("The token endpoint answered without a token.", "check auth:.")
            refresh = token.refresh or (kept.refresh if kept is not None else "")
            for secret in (token.value, refresh):
                self._learn(secret)
            life = min(max(0.0, token.seconds), _LONGEST)  # nan is 0; inf could not be kept
            expires = asked + max(life - _EARLY, life / 2)
            found = Kept(token.value, expires, refresh, token.extra, self._fits, self._whose)
            if self._store.put(self._name, found):
                return found
        other = self._usable(self._store.get(self._name), refused)
        if other is None:
            raise Unavailable("Another run renewed the token meanwhile.", "run it again.")
        return other


class OAuth2(KeptToken):
    """Client credentials (RFC 6749 section 4.4) of this process alone."""

    def __init__(self, fetch: Callable[[], Token], now: Callable[[], datetime]) -> None:
        super().__init__(lambda kept, turn: fetch(), now)


def digest(*parts: str) -> str:
    """Return a digest of settings and secrets, for `fits`."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
