"""Looks up by a name that people write: connectors, streams."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from connectors.errors import ConfigError

_T = TypeVar("_T")


def meant(name: str, known: Iterable[str]) -> str:
    """Return the sentence that asks for the known name closest to `name`, empty if none is."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


def stream_of(streams: Mapping[str, _T], name: str) -> _T:
    """Return a stream's settings; raises ConfigError with the name that may be meant."""
    if name not in streams:
        raise ConfigError(
            f"There is no stream {name!r}.{meant(name, streams)}",
            f"use one of: {', '.join(streams)}.",
        )
    return streams[name]


def names_of(streams: Iterable[str]) -> Callable[[tuple[str, ...]], tuple[str, ...]]:
    """Return a validator that takes names of `streams` alone; it raises ValueError."""
    known = tuple(streams)

    def check(names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if name not in known:
                raise ValueError(
                    f"there is no stream {name[:60]!r}.{meant(name, known)} "
                    f"The streams are {', '.join(known)}"
                )
        return names

    return check
