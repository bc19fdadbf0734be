"""A session: opened with a log-in, sent as a cookie, opened again when the server forgot it."""

from __future__ import annotations

import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress

from connectors.auth import Auth
from connectors.errors import ConnectorError

COOKIE = "kdservice-sessionid"


class Session(Auth):
    """`open_session` logs in and returns the cookies; it raises ConnectorError."""

    def __init__(self, open_session: Callable[[], str]) -> None:
        self._open = open_session
        self._lock = threading.Lock()
        self._cookies = ""
        self._applied = threading.local()

    @property
    def is_open(self) -> bool:
        """Whether a session was opened."""
        return bool(self._cookies)

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add the cookies, logging in first where there are none."""
        with self._lock:
            if not self._cookies:
                self._cookies = self._open()
            headers["Cookie"] = self._applied.cookies = self._cookies

    def renew(self) -> bool:
        """Log in again, unless another thread has done so since the refused request."""
        refused = getattr(self._applied, "cookies", "")
        with self._lock:
            if self._cookies == refused:
                self._cookies = ""
                self._cookies = self._open()
            return self._cookies != refused

    def end(self, close_session: Callable[[], object]) -> None:
        """Log out; a session that is gone already is none to close."""
        if not self._cookies:
            return
        with suppress(ConnectorError):
            close_session()
        self._cookies = ""
