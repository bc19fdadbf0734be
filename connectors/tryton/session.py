"""How a request proves who asks: a session that is opened with user and password, or a key."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, MutableMapping
from contextlib import suppress

from connectors.auth import Auth
from connectors.errors import ConnectorError


class Session(Auth):
    """`Authorization: Session`, opened when first needed and again after a 401.

    HTTP Basic would do on every call, but the server then checks the slow hash of the password
    each time. `open_session` answers user, id and token; it raises ConnectorError.
    """

    def __init__(self, open_session: Callable[[], tuple[str, int, str]]) -> None:
        self._open = open_session
        self._lock = threading.Lock()
        self._header = ""

    @property
    def is_open(self) -> bool:
        """Whether a session was opened."""
        return bool(self._header)

    def apply(self, headers: MutableMapping[str, str], params: MutableMapping[str, str]) -> None:
        """Add the header, opening a session first where there is none."""
        with self._lock:
            if not self._header:
                self._header = self._fresh()
            headers["Authorization"] = self._header

    def renew(self) -> bool:
        """Open another session: the server forgets those that were not used for a while."""
        with self._lock:
            before, self._header = self._header, ""
            self._header = self._fresh()
            return self._header != before

    def end(self, close_session: Callable[[], object]) -> None:
        """Close the session at the server; one that is gone already is none to close."""
        if not self._header:
            return
        with suppress(ConnectorError):
            close_session()
        self._header = ""

    def _fresh(self) -> str:
        user, number, token = self._open()
        text = base64.b64encode(f"{user}:{number}:{token}".encode()).decode()
        return f"Session {text}"
