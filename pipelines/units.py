"""Durations, sizes and shares as people write them in YAML: 10m, 400d, 2GB, 5%."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def parse_duration(text: str) -> timedelta:
    """Return the duration that `text` names: a whole number and s, m, h, d or w."""
    found = re.fullmatch(r"(\d{1,9})\s*([smhdw])", text.strip())
    if not found:
        raise ValueError("a duration is a whole number and s, m, h, d or w, as in 10m or 400d")
    try:
        return timedelta(seconds=int(found[1]) * _SECONDS[found[2]])
    except OverflowError:
        raise ValueError("a duration of so many years cannot be meant") from None


def parse_size(text: str) -> int:
    """Return the bytes that `text` names: 500MB, 2GB (decimal units)."""
    found = re.fullmatch(r"(\d{1,12})(?:\.(\d))?\s*([KMGT]?B|)", text.strip().upper())
    if not found:
        raise ValueError("a size is a number and MB, GB or TB, as in 500MB or 2GB")
    return (int(found[1]) * 10 + int(found[2] or 0)) * _BYTES[found[3]] // 10


def parse_share(text: str) -> float:
    """Return the share that `text` names, 0 to 1: 5% or 0.05."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,6})?)\s*(%?)", text.strip())
    share = float(found[1]) / (100 if found[2] else 1) if found else -1.0
    if not 0 <= share <= 1:
        raise ValueError("a share is between 0% and 100%, as in 5% or 0.05")
    return share


def spell(span: timedelta) -> str:
    """Return `span` as people write it (10m); the inverse of `parse_duration`."""
    seconds = int(span.total_seconds())
    for unit in "wdhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _size(value: Any) -> Any:
    return parse_size(value) if isinstance(value, str) else value


def _share(value: Any) -> Any:
    return parse_share(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Share = Annotated[float, BeforeValidator(_share)]
