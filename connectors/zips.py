"""ZIP archives from outside: names and sizes judged first, then unpacked in pieces under a cap.

A few kilobytes of ZIP can unpack to gigabytes, and what an archive says of its sizes need not be
true. A workbook is one, a bill that a payment company hands out is another.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from connectors.errors import ContractBroken, Refused, TooLarge

SMALL = 20_000_000  # below this unpacked size a high ratio harms nobody
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Words:
    """What errors call the archive (`what` begins a sentence), and what may be done about them."""

    what: str
    again: str
    anew: str
    smaller: str
    split: str


def check_entries(
    archive: zipfile.ZipFile, place: str, words: Words, *, packed: int, max_entries: int,
    max_bytes: int, max_ratio: int,
) -> None:  # fmt: skip
    """Judge names and sizes, unpacking nothing; `packed` are the archive's bytes.

    Raises TooLarge, or Refused for names that lead outside and what is encrypted.
    """
    entries = archive.infolist()
    if len(entries) > max_entries:
        raise TooLarge(
            f"{words.what} has {len(entries)} entries, more than {max_entries}.",
            f"{words.smaller}.", place=place,
        )  # fmt: skip
    names = [entry.filename for entry in entries]
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in entry.orig_filename:
            raise Refused(
                f"An entry of {_inside(words)} is named {entry.filename[:80]!r}.",
                "do not open this file: it was made to write outside its folder.", place=place,
            )  # fmt: skip
        if entry.flag_bits & 0x1:
            raise Refused(f"{words.what} is encrypted.", "save it without a password.", place=place)
    if len(set(names)) != len(names):
        raise Refused(
            f"Two entries of {_inside(words)} have one name.", f"{words.anew}.", place=place
        )
    unpacked = sum(entry.file_size for entry in entries)
    if unpacked > max_bytes:
        raise TooLarge(
            f"{words.what} unpacks to {unpacked:,} bytes, more than max_bytes ({max_bytes:,}).",
            f"{words.split}.", place=place,
        )  # fmt: skip
    if unpacked > SMALL and unpacked / max(packed, 1) > max_ratio:
        raise TooLarge(
            f"{words.what} unpacks to {unpacked / max(packed, 1):,.0f} times its size, more than "
            f"max_ratio ({max_ratio}).",
            "do not open it unless you know who made it; then raise `max_ratio`.", place=place,
        )  # fmt: skip


def inflate(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, place: str, words: Words
) -> Iterator[bytes]:
    """Yield the unpacked bytes of an entry in pieces of at most 1 MB.

    The size that the archive declares is not believed: one byte more and it is TooLarge. An entry
    of another size or checksum than the archive says raises ContractBroken, at its end.
    """
    handle = archive.fp
    if handle is None:
        raise ContractBroken(f"{words.what} was closed.", "run again.", place=place)
    handle.seek(entry.header_offset)
    head = handle.read(30)
    if len(head) < 30 or not head.startswith(b"PK\x03\x04"):
        raise damaged(place, entry.filename, words)
    handle.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
    left, seen, crc = entry.compress_size, 0, 0
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused(f"{words.what} is packed in an unusual way.", f"{words.anew}.", place=place)
    unpack = zlib.decompressobj(-15) if entry.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0:
        block = handle.read(min(left, PIECE // 4))
        if not block:
            raise damaged(place, entry.filename, words)
        left -= len(block)
        while block:
            try:
                piece = unpack.decompress(block, PIECE) if unpack else block
            except zlib.error:
                raise damaged(place, entry.filename, words) from None
            block = unpack.unconsumed_tail if unpack else b""
            seen += len(piece)
            if seen > entry.file_size:
                raise TooLarge(
                    f"{entry.filename} unpacks to more than the archive says.",
                    "do not open it: it was made to fill the memory.", place=place,
                )  # fmt: skip
            crc = zlib.crc32(piece, crc)
            yield piece
    if seen != entry.file_size or crc != entry.CRC:
        raise damaged(place, entry.filename, words)


def damaged(place: str, entry: str, words: Words) -> ContractBroken:
    """Return the error for an archive that is not what it says."""
    return ContractBroken(
        f"{words.what} is damaged{f' in {entry}' if entry else ''}.", f"{words.again}.",
        place=place,
    )  # fmt: skip


def _inside(words: Words) -> str:
    return words.what[:1].lower() + words.what[1:]
