"""The signature of a form: MD5 over the secret and all fields, sorted by name (docId 70)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import ClassVar

from connectors.auth import REISSUED, Auth, Kept, KeptToken
from connectors.tokens import Token, TokenStore, Turn


def sign(fields: Mapping[str, str], secret: str) -> str:
    """Return the signature: hex, small letters. Empty fields and `sign` itself are left out.

    The values stand as they are, Chinese too: nothing is encoded as in a URL.
    """
    pairs = (f"{name}{fields[name]}" for name in sorted(fields) if name != "sign" and fields[name])
    return hashlib.md5((secret + "".join(pairs)).encode(), usedforsecurity=False).hexdigest()


class Signature(Auth):
    """Signs each attempt of a form anew; `who` gives app key and secret."""

    def __init__(self, who: Callable[[], tuple[str, str]], now: Callable[[], datetime]) -> None:
        self._who = who
        self._now = now

    def sign_params(self, params: MutableMapping[str, str], form: MutableMapping[str, str]) -> None:
        """Add app key, time and signature to the form."""
        key, secret = self._who()
        form.update(app_key=key, charset="utf-8", timestamp=str(int(self._now().timestamp())))
        form["sign"] = sign(form, secret)


class SignedToken(Signature):
    """The same with the access token, which is kept, and fetched by one process at a time."""

    unchanged: ClassVar[str] = REISSUED

    def __init__(
        self,
        who: Callable[[], tuple[str, str]],
        now: Callable[[], datetime],
        fetch: Callable[[Kept | None, Turn], Token],
        *,
        store: TokenStore | None,
        fits: str,
        whose: str,
        learn: Callable[[str], None],
    ) -> None:
        super().__init__(who, now)
        self._applied = threading.local()
        self._token = KeptToken(
            fetch, now, store=store, fits=fits, whose=whose, place=self._put, learn=learn
        )

    def _put(
        self, token: Kept, headers: MutableMapping[str, str], params: MutableMapping[str, str]
    ) -> None:
        self._applied.token = token.value

    def prepare(self, headers: Mapping[str, str], params: Mapping[str, str]) -> None:
        """Fetch the token where there is none that lives."""
        self._token.prepare(headers, params)

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Take the token that this attempt is sent with."""
        self._token.apply(headers, params)

    def renew(self) -> bool:
        """Fetch a new token unless somebody else has already replaced the refused one."""
        return self._token.renew()

    def sign_params(self, params: MutableMapping[str, str], form: MutableMapping[str, str]) -> None:
        """Add the token before the form is signed."""
        form.update(access_token=self._applied.token, version="2")
        super().sign_params(params, form)
