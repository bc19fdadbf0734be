"""What an author gives the suite: one system to read, made anew for each case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import httpx

from connectors.base import Connector, Context
from connectors.testing.clock import StillClock
from connectors.testing.wire import App, Wire


class Unsupported(Exception):
    """The bench or the system cannot do what a case asks for: declare the case not applicable."""


class Bench(ABC):
    """A system with one stream that the cases are about, and a clock that stands still.

    `connector` is the class under test, `stream` the stream, `page_size` how many records its
    pages have by these settings. `secrets` are the values of the references in the settings: each
    must be a canary, a text that stands nowhere else. `may_be_empty` are streams that the bench
    puts nothing into. Methods that raise Unsupported here are given where the system can do it.
    """

    connector: ClassVar[type[Connector]]
    stream: ClassVar[str]
    page_size: ClassVar[int]
    secrets: ClassVar[Mapping[str, str]] = {}
    may_be_empty: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = StillClock()
        self.apart = timedelta()
        server = self.boot()
        self.wire = None if server is None else Wire(server, self.is_page)

    # --- the system --------------------------------------------------------------------------
    @abstractmethod
    def boot(self) -> App | httpx.BaseTransport | None:
        """Start the system, empty, with `self.clock` for its clock.

        Return its ASGI app or a transport to it; None where it is not reached over HTTP.
        """

    @abstractmethod
    def put(self, number: int, version: int, at: datetime) -> str:
        """Add record `number` (from 1), or change it to `version`; return its key.

        `at` is the stamp that the system gives the change; it may lie in the past (a transaction
        that commits late) or in the future.
        """

    @abstractmethod
    def living(self) -> Mapping[str, str]:
        """Return the key and version of each record that stands in the stream now."""

    @abstractmethod
    def version(self, record: Mapping[str, Any]) -> str:
        """Return the version that a landed record tells."""

    def delete(self, number: int) -> None:
        """Remove a record for good."""
        raise Unsupported("delete() is not given")

    def fill_others(self) -> None:
        """Put a record into every other stream."""
        return

    def wanted(self, stream: str) -> Iterable[Mapping[str, str | None]]:
        """Return the rows that a stream is told, one that declares `wants`."""
        return ()

    def end(self) -> None:
        """Stop what `boot` started."""
        return

    # --- its settings ------------------------------------------------------------------------
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """Return `config:` of a connection to the system."""

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        """Yield settings that must be refused, beside those that the suite makes itself."""
        return ()

    # --- its faults --------------------------------------------------------------------------
    def is_page(self, request: httpx.Request) -> bool:
        """Say whether a request asks for a page of the stream (not for a token, a schema …)."""
        return True

    def clamp(self, size: int) -> None:
        """Let the system give at most `size` records a page, whatever it is asked for."""
        raise Unsupported("clamp() is not given")

    def expire(self) -> None:
        """Let the token in use end now; the credentials get another."""
        raise Unsupported("expire() is not given")

    def throttled_body(self) -> bytes:
        """Return the body that means: too fast, under HTTP 200."""
        raise Unsupported("throttled_body() is not given")

    def error_body(self) -> bytes:
        """Return the body of a failure under HTTP 200."""
        raise Unsupported("error_body() is not given")

    def with_link(self, body: bytes, url: str) -> bytes | httpx.Response:
        """Return a page whose link to the next one is `url`."""
        raise Unsupported("with_link() is not given")

    def companions(self, number: int) -> Iterable[int]:
        """Return the records that always come together with this one (those of its file)."""
        return ()

    # --- what the suite makes of it ----------------------------------------------------------
    def make(
        self, secrets: Mapping[str, str] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Connector:
        """Return the connector as a run has it."""
        kind = self.connector
        found = kind.Settings.model_validate(dict(settings or self.settings()))
        context = Context(
            "bench",
            timezone="Asia/Shanghai",
            secret=(self.secrets if secrets is None else secrets).__getitem__,
            now=lambda: self.clock.now() + self.apart,
            pause=self.clock.pause,
            transport=self.wire,
            base=str(self.folder),
        )
        return kind(found, context)

    def close(self) -> None:
        """Stop the system."""
        if self.wire is not None:
            self.wire.end()
        self.end()
