"""A JSON body that is looked into by path without becoming Python objects."""

from __future__ import annotations

import re
from functools import cache
from typing import TypeAlias

import msgspec

from connectors.errors import ConfigError, ContractBroken, TooLarge

Path: TypeAlias = tuple[str | int, ...]

_Level: TypeAlias = dict[str, msgspec.Raw] | list[msgspec.Raw] | None

_STEP = re.compile(r'(?:^|\.)(?:"((?:[^"\\]|\\.)+)"|([^."\[\]\s]+))|\[(-?[0-9]+)\]')
_LONE = re.compile(
    rb"\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_list = msgspec.json.Decoder(list[msgspec.Raw])
_raw = msgspec.json.Decoder(msgspec.Raw)
_text = msgspec.json.Decoder(str)


@cache
def parse_path(text: str) -> Path:
    """Read a path: names joined by dots, `[n]` into a list, `"a.b"` for a name with a dot.

    Raises ConfigError.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None or text[0] == ".":
            raise ConfigError(f"The path {text!r} cannot be read.", 'write a.b, a[0] or "a.b".')
        if found[3] is not None:
            steps.append(int(found[3]))
        else:
            steps.append(re.sub(r"\\(.)", r"\1", found[1]) if found[1] else found[2])
        at = found.end()
    return tuple(steps)


def scalar_text(raw: bytes | memoryview | msgspec.Raw) -> str | None:
    """Return a JSON scalar as text, numbers as they were written; None for null, lists, objects."""
    data = bytes(raw)
    first = data[:1]
    if first == b'"':
        return _text.decode(data)
    if first in (b"n", b"{", b"[", b""):
        return None
    return data.decode()


class Body:
    """One answer's JSON. Looking at a path costs one pass over the levels above it."""

    def __init__(self, data: bytes, place: str = "") -> None:
        self.place = place
        self.repaired = 0
        self._levels: dict[Path, _Level] = {}
        try:
            self._levels[()] = _decode_level(data)
        except msgspec.DecodeError as error:
            data = self._repaired(data, error)
        except RecursionError:
            raise TooLarge(
                "The body is nested deeper than is read.", "ask the vendor what this is.",
                place=place,
            )  from None  # fmt: skip
        self.data = data

    def _repaired(self, data: bytes, error: msgspec.DecodeError) -> bytes:
        """Replace lone surrogates (an emoji cut in two by the source), which no decoder takes."""
        mended = _LONE.sub(self._mend, data) if b"\\u" in data else data
        try:
            if self.repaired:
                self._levels[()] = _decode_level(mended)
                return mended
        except (msgspec.DecodeError, RecursionError):
            pass
        raise ContractBroken(
            f"The body of {len(data)} bytes is not JSON ({error}).",
            "ask the vendor; nothing of this page was taken.", place=self.place,
        )  from None  # fmt: skip

    def _mend(self, hit: re.Match[bytes]) -> bytes:
        if hit[2] is None:
            return hit[0]
        self.repaired += 1
        return b"\\ufffd"

    def look(self, path: Path) -> msgspec.Raw | None:
        """Return the member at `path`, or None when it is not there."""
        if not path:
            return _raw.decode(self.data)
        level = self.level(path[:-1])
        last = path[-1]
        if isinstance(level, dict):
            return level.get(str(last))
        if isinstance(level, list) and isinstance(last, int) and -len(level) <= last < len(level):
            return level[last]
        return None

    def text(self, path: Path) -> str | None:
        """Return the scalar at `path` as text; None where there is none."""
        raw = self.look(path)
        return None if raw is None else scalar_text(raw)

    def members(self, path: Path = ()) -> list[str]:
        """Return the names of the members at `path`, for messages."""
        level = self.level(path)
        return list(level) if isinstance(level, dict) else []

    def level(self, path: Path) -> _Level:
        """Return the raw members of the object or list at `path`; None for a scalar."""
        if path not in self._levels:
            raw = self.look(path)
            self._levels[path] = None if raw is None else _decode_level(raw)
        return self._levels[path]


def _decode_level(data: bytes | msgspec.Raw) -> _Level:
    """Cut one level into raw members; None for a scalar. Everything below is checked as JSON."""
    first = bytes(memoryview(data)[:64]).lstrip()[:1]
    if first == b"{":
        return _object.decode(data)
    if first == b"[":
        return _list.decode(data)
    _raw.decode(data)
    return None
