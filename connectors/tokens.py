"""Tokens that systems give out, kept across the runs of a connection: what is kept, and where.

`pipelines/` keeps them, encrypted, in the control database; a connector that is handed no store
has those of its own process alone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """What a token endpoint answered: an access token and the seconds that it lives.

    `refresh` is the refresh token that came with it, "" where none did; `extra` is what else the
    system wants back with the token (a tenant, a session).
    """

    value: str = field(repr=False)
    seconds: float
    refresh: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """A token as it is kept: taken as spent from `expires` on (seconds since the epoch).

    `fits` is a digest of the settings and secrets that it was asked for with: after a change of
    those it is not used any more. `whose` is one of what of them names the account: while it stays,
    the refresh token is still handed to who renews (a client secret was rotated).
    """

    value: str = field(repr=False)
    expires: float
    refresh: str = field(default="", repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    fits: str = field(default="", repr=False)
    whose: str = field(default="", repr=False)


@dataclass(slots=True)
class Turn:
    """The right to renew a token. `cut` says that the one before died before it kept its answer."""

    cut: bool = False


class TokenStore(Protocol):
    """The tokens of one connection, by name. Every method may raise a ConnectorError."""

    def get(self, name: str) -> Kept | None:
        """Return the token kept, None where there is none that can be read."""

    def put(self, name: str, kept: Kept) -> bool:
        """Keep a token, on disk before this returns; only within `alone`.

        False where another process has taken the turn over meanwhile: nothing was written then.
        """

    def alone(self, name: str) -> AbstractContextManager[Turn]:
        """Wait until nobody else renews this token, and keep the others out until the end."""


class OwnTokens:
    """Tokens of this process alone."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}
        self._lock = threading.RLock()

    def get(self, name: str) -> Kept | None:
        """Return the token kept."""
        return self._kept.get(name)

    def put(self, name: str, kept: Kept) -> bool:
        """Keep a token."""
        self._kept[name] = kept
        return True

    @contextmanager
    def alone(self, name: str) -> Iterator[Turn]:
        """Keep the other threads out."""
        with self._lock:
            yield Turn()
