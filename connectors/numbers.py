"""Exact numbers: what a double cannot hold is put in quotes before a JSON reader sees it.

DuckDB's reader turns every number with a point or exponent into a double; integers of any length
survive. So only non-integers with a run of 16 and more digits and points need the guard. A numpy
scan finds such runs at more than 1 GB/s; most pages have none.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

_Bytes: TypeAlias = npt.NDArray[np.uint8]
_Places: TypeAlias = npt.NDArray[np.int64]

_CHUNK = 1 << 20
_RUN = 16
_QUOTE, _BACKSLASH = 34, 92

_NUMERIC = np.zeros(256, dtype=bool)
_NUMERIC[list(b"0123456789.+-eE")] = True


def quote_long(page: bytes) -> bytes:
    """Return `page` with its long non-integers quoted; the same object when there is none.

    `page` is JSON in UTF-8. Text inside strings is left alone.
    """
    if not _has_run(page):
        return page
    data = np.frombuffer(page, dtype=np.uint8)
    starts, ends = _tokens(data)
    if starts.size:
        starts, ends = _fractions(data, starts, ends)
    if starts.size:
        quotes = _quotes(page, data)
        outside = np.searchsorted(quotes, starts) % 2 == 0
        starts, ends = starts[outside], ends[outside]
    if not starts.size:
        return page
    return np.insert(data, np.concatenate((starts, ends)), _QUOTE).tobytes()


def _runs(data: _Bytes) -> npt.NDArray[np.bool_]:
    """Say for each place whether 16 digits or points begin there."""
    # Unsigned: what is below '0' wraps to a large number.
    hit: npt.NDArray[np.bool_] = ((data - 48) < 10) | (data == 46)
    for step in (1, 2, 4, 8):
        hit = hit[:-step] & hit[step:]
    return hit


def _has_run(page: bytes) -> bool:
    if len(page) < _RUN:
        return False
    view = np.frombuffer(page, dtype=np.uint8)
    return any(
        bool(_runs(view[at : at + _CHUNK + _RUN]).any()) for at in range(0, len(page), _CHUNK)
    )


def _tokens(data: _Bytes) -> tuple[_Places, _Places]:
    """Return starts and ends of the stretches of number characters that hold a long run."""
    found: list[_Places] = []
    for at in range(0, data.size, _CHUNK):
        piece = data[at : at + _CHUNK + _RUN]
        if piece.size >= _RUN:
            found.append(np.flatnonzero(_runs(piece)) + at)
    places = np.unique(np.concatenate(found))
    numeric = _NUMERIC[data]
    edges = np.flatnonzero(numeric[1:] != numeric[:-1]) + 1
    if numeric[0]:
        edges = np.insert(edges, 0, 0)
    if numeric[-1]:
        edges = np.append(edges, data.size)
    starts, ends = edges[::2], edges[1::2]
    chosen = np.unique(np.searchsorted(starts, places, side="right") - 1)
    return starts[chosen], ends[chosen]


def _fractions(data: _Bytes, starts: _Places, ends: _Places) -> tuple[_Places, _Places]:
    """Keep the tokens that have a point or an exponent."""
    marks = np.flatnonzero((data == 46) | ((data | 32) == 101))
    has = np.searchsorted(marks, ends) > np.searchsorted(marks, starts)
    return starts[has], ends[has]


def _quotes(page: bytes, data: _Bytes) -> _Places:
    """Return the places of the quotes that open or close a string."""
    quotes = np.flatnonzero(data == _QUOTE)
    if b"\\" not in page:
        return quotes
    before = quotes[quotes > 0] - 1
    doubtful = before[data[before] == _BACKSLASH] + 1
    escaped = [place for place in doubtful.tolist() if _backslashes(page, place) % 2]
    return np.setdiff1d(quotes, np.array(escaped, dtype=np.int64), assume_unique=True)


def _backslashes(page: bytes, end: int) -> int:
    """Count the backslashes that end just before `end`."""
    width = 8
    while True:
        tail = page[max(end - width, 0) : end]
        count = len(tail) - len(tail.rstrip(b"\\"))
        if count < len(tail) or len(tail) == end:
            return count
        width *= 4
