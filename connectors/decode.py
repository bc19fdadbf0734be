"""From the bytes on the wire to a body: decompression under caps while streaming, then charset."""

from __future__ import annotations

import codecs
import re
import zlib
from dataclasses import dataclass

from connectors.errors import ContractBroken, TooLarge

_STEP = 1 << 20
_RATIO_FLOOR = 8_000_000  # small bodies of blanks compress well and harm nobody
_CHARSET = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9_.:-]+)", re.IGNORECASE)
_CHINESE = {"gb2312", "gbk", "gb18030", "x-gbk", "cp936"}


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds of one answer: decoded bytes, decoded to sent bytes, seconds from start to end."""

    max_bytes: int = 64_000_000
    max_ratio: int = 200
    seconds: float = 120.0


class Truncated(Exception):
    """The body ended before it was whole; the same request may succeed."""


class Decoder:
    """Takes a body piece by piece; raises TooLarge as soon as a cap is passed."""

    def __init__(self, encoding: str, caps: Caps, place: str) -> None:
        self._caps = caps
        self._place = place
        self._parts: list[bytes] = []
        self._sent = 0
        self._size = 0
        self._encoding = encoding.strip().lower()
        if self._encoding in ("", "identity"):
            self._encoding = ""
        elif self._encoding not in ("gzip", "x-gzip", "deflate"):
            raise ContractBroken(
                f"The body is encoded as {encoding[:40]!r}; only gzip was asked for.",
                "ask the vendor to honour Accept-Encoding.", place=place,
            )  # fmt: skip
        self._press = zlib.decompressobj(47)  # gzip or zlib, by its header
        self._begun = False

    @property
    def sent(self) -> int:
        """Return how many bytes came over the wire."""
        return self._sent

    def feed(self, piece: bytes) -> None:
        """Take the next piece as it came over the wire."""
        self._sent += len(piece)
        if not self._encoding:
            self._keep(piece)
            return
        while piece:
            if not self._begun and self._encoding == "deflate" and piece[0] & 0x0F != 8:
                self._press = zlib.decompressobj(-15)  # servers that leave out the zlib header
            self._begun = True
            try:
                self._keep(self._press.decompress(piece, _STEP))
            except zlib.error:
                raise ContractBroken(
                    f"The body says {self._encoding} and is not.",
                    "check the server or the proxy before it.", place=self._place,
                )  from None  # fmt: skip
            piece = self._press.unconsumed_tail
            if self._press.eof:  # a gzip body may have several members
                piece = self._press.unused_data.lstrip(b"\0")
                if piece:
                    self._press = zlib.decompressobj(47)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._caps.max_bytes:
            raise TooLarge(
                f"The answer is larger than {self._caps.max_bytes / 1e6:g} MB.",
                "ask for smaller pages (limit), or raise max_bytes.", place=self._place,
            )  # fmt: skip
        if self._size > _RATIO_FLOOR and self._size > self._sent * self._caps.max_ratio:
            raise TooLarge(
                f"The answer grew to more than {self._caps.max_ratio} times of what was sent.",
                "check the server: this is what a decompression bomb looks like.",
                place=self._place,
            )
        if piece:
            self._parts.append(piece)

    def body(self) -> bytes:
        """Return the whole body; raises Truncated when the compressed stream has no end."""
        if self._encoding and self._sent:
            rest = self._press.flush()
            self._keep(rest)
            if not self._press.eof:
                raise Truncated("compressed body without end")
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)


def as_utf8(body: bytes, content_type: str, place: str, encoding: str = "") -> bytes:
    """Return `body` as valid UTF-8 without BOM; raises ContractBroken where it cannot be known.

    JSON is UTF-8 (RFC 8259). A body that is not is decoded by its BOM, by `encoding` (the
    connection's setting) or by the label of its content type, and never guessed.
    """
    if body.startswith(codecs.BOM_UTF8):
        body = body[3:]
    elif body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(body, "utf-16", place)
    if body.isascii():
        return body
    found = _CHARSET.search(content_type)
    label = (encoding or (found[1] if found else "utf-8")).lower()
    if label in _CHINESE:
        label = "gb18030"  # the superset of all of them
    try:
        body.decode()
    except UnicodeDecodeError as error:
        if label in ("utf-8", "utf8"):
            raise ContractBroken(
                f"The body is not UTF-8 (byte {error.start} of {len(body)}).",
                "if the system answers in another encoding, set encoding: gb18030.", place=place,
            )  from None  # fmt: skip
        return _decoded(body, label, place)
    if label in ("utf-8", "utf8") or _has_long_runs(body):
        return body
    return _decoded(body, label, place)


def _has_long_runs(body: bytes) -> bool:
    """Say whether valid UTF-8 has three-byte characters: then another label on it is wrong.

    Two-byte ones alone may by chance be GBK.
    """
    return any(0xE0 <= byte < 0xF5 for byte in body if byte >= 0xC0)


def _decoded(body: bytes, label: str, place: str) -> bytes:
    try:
        return body.decode(label).encode()
    except (UnicodeDecodeError, LookupError):
        raise ContractBroken(
            f"The body cannot be read as {label!r}.",
            "ask the vendor for the true encoding and set encoding:.", place=place,
        )  from None  # fmt: skip
