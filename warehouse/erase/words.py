"""The subject's values: how they are compared, hashed under the key, and looked for in texts."""

from __future__ import annotations

import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

STRONG = frozenset({"phone", "email", "id_no", "openid", "bank", "key"})
"""Kinds that name one person; a name or an address may be several people's."""
_LEAST = 6  # bytes of a text that is looked for in files: shorter ones stand in any file by chance
_DIGITS = 7
_SIGNS = rb"[-. ()]{0,2}"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of the subject: its kind (a privacy tag, or `key`) and the text as it was said."""

    kind: str
    text: str

    @property
    def is_strong(self) -> bool:
        """Whether it names one person."""
        return self.kind in STRONG


def normal(kind: str, text: str) -> str:
    """Return the form in which spellings of one value meet."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if kind == "phone":
        return re.sub(r"^(?:00)?86(1[3-9]\d{9})$", r"\1", re.sub(r"\D", "", plain))
    return plain.casefold()


def forms(text: str) -> Iterator[str]:
    """Yield the forms of a text whose kind is not known, as hashes are made of them."""
    plain = normal("", text)
    if plain:
        yield f"t:{plain}"
    digits = normal("phone", text)
    if _DIGITS <= len(digits) <= 18 and len(digits) * 2 >= len(plain):
        yield f"d:{digits}"


class Hashes:
    """Keyed hashes of keys and values: nobody without the key can try phone numbers against them.

    The key is derived, so that a hash here is none of those that are published.
    """

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"isthmus: erased persons", "sha256")

    def of(self, *parts: str) -> str:
        """Return 32 hex digits for the parts."""
        said = "\x1f".join(parts).encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, said, "sha256").hex()[:32]

    def of_key(self, key: str) -> str:
        """Return the hash of a landing key."""
        return self.of("key", key)

    def of_value(self, value: Value) -> str:
        """Return the hash by which the same value is known when it comes again."""
        if value.kind == "phone":
            return self.of("value", f"d:{normal('phone', value.text)}")
        return self.of("value", f"t:{normal('', value.text)}")

    def of_text(self, text: str) -> list[str]:
        """Return the hashes under which a text may be known."""
        return [self.of("value", form) for form in forms(text)]

    def pseudonym(self, text: str) -> str:
        """Return what stands for a key that is a person's, always the same."""
        return f"erased:{self.of('name', text)[:16]}"

    @cached_property
    def fingerprint(self) -> str:
        """What says that two hashes are of one key, and tells nothing of it."""
        return self.of("fingerprint")


def key_after(hashes: Hashes, key: str) -> str:
    """Return what stands for the key of a record that was removed: itself where it is plain."""
    from warehouse.mask import is_plain_key  # imports DuckDB, which readers of the landing do not

    return key if is_plain_key(key) or key.startswith("erased:") else hashes.pseudonym(key)


class Finder:
    """Says whether a text holds one of the values."""

    def __init__(self, values: Iterable[Value]) -> None:
        self._equal: set[str] = set()
        self._within: set[str] = set()
        phones: set[str] = set()
        for value in values:
            plain = normal(value.kind, value.text)
            if value.kind == "phone":
                if len(plain) >= _DIGITS:
                    phones.add(plain)
                continue
            self._equal.add(plain)
            if len(plain) >= 4 or (len(plain) >= 2 and not plain.isascii()):
                self._within.add(plain)
        self._phones = [phone_pattern(p) for p in sorted(phones)]

    def __call__(self, text: str) -> bool:
        """Return whether a value is the text, or stands in it."""
        plain = normal("", text)
        return (
            plain in self._equal
            or any(w in plain for w in self._within)
            or any(p.search(plain.encode()) for p in self._phones)
        )

    def may_hold(self, line: bytes) -> bool:
        """Say quickly whether a record may hold a value; True where it takes decoding to know."""
        if b"\\" in line:
            return True
        plain = normal("", line.decode("utf-8", "replace"))
        return any(w in plain for w in self._equal) or any(
            p.search(plain.encode()) for p in self._phones
        )


def phone_pattern(digits: str) -> re.Pattern[bytes]:
    """Return the pattern of a number's digits with what people write between them."""
    body = _SIGNS.join(d.encode() for d in digits)
    prefix = rb"(?:(?:\+|00)?86" + _SIGNS + rb")?" if re.fullmatch(r"1\d{10}", digits) else b""
    return re.compile(rb"(?<!\d)" + prefix + body + rb"(?!\d)")


def needles(value: Value) -> list[bytes]:
    """Return the bytes in which files may hold a value: UTF-8, escaped JSON, UTF-16 and GBK."""
    said = {value.text.strip()}
    if value.kind == "phone":
        said.add(normal("phone", value.text))
    if value.kind == "email":
        said.add(value.text.strip().lower())
    found: set[bytes] = set()
    for text in said:
        found |= {text.encode("utf-8", "replace"), json.dumps(text)[1:-1].encode()}
        found |= {json.dumps(text, ensure_ascii=False)[1:-1].encode("utf-8", "replace")}
        if not text.isascii():
            upper = re.sub(r"\\u([0-9a-f]{4})", lambda m: f"\\u{m[1].upper()}", json.dumps(text))
            found |= {upper[1:-1].encode(), text.encode("utf-16-le", "replace")}
            found |= {text.encode("gb18030", "replace")}
    return sorted(n for n in found if len(n) >= _LEAST)
