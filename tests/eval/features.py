"""The pieces of evidence that a row carries, in the finest form that any matcher could compare.

A feature is a text with its sort before the colon. Two rows that were written from one value share
most features of it although one was mistyped, shortened, transliterated or masked: that undoes each
corruption better than a real normaliser could. Sorts in CONTEXT say roughly where or what a party
is; alone they point to nobody.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from opencc import OpenCC
from pypinyin import lazy_pinyin

from tests.eval.party import Row
from tests.eval.spelling import sound

_SIMPLIFIED = OpenCC("t2s")
_HAN = re.compile(r"[一-鿿]+")
_ESTATE = re.compile(
    "[一-鿿]{2}(?=小区|花园|苑|家园|公寓|新村|名邸|华府|公馆|大厦|广场|中心|[镇乡村庄屯])"
)
_ESTATE = re.compile(
    "[一-鿿]{2}(?=小区|花园|苑|家园|公寓|新村|名邸|华府|公馆|大厦|广场|中心|[镇乡村庄屯])"
)
_FREE_MAIL = ("qq.", "163.", "126.", "139.", "foxmail.", "sina.", "outlook.", "gmail.")
_PLACES = ("province", "region", "city", "district", "postal_code")
CONTEXT = frozenset(("kind", "place", "char", "door", "born", "domain"))
"""Sorts of features that many share by nature."""


@lru_cache(maxsize=200_000)
def plain_text(text: str) -> str:
    """Return the text in half width, lower case and simplified characters."""
    return str(_SIMPLIFIED.convert(unicodedata.normalize("NFKC", text).lower().strip()))


def features(row: Row) -> frozenset[str]:
    """Return the features of all of a row's values."""
    get = row.values.get
    found: set[str] = {f"kind:{get('kind')}"} if get("kind") else set()
    for column in ("uscc", "tax_number"):
        found.update(_code(get(column) or ""))
    for column in ("phone", "contact_phone"):
        found.update(_phone(get(column) or ""))
    found.update(_mail(get("email") or ""))
    for column in ("name", "legal_name", "contact_name"):
        found.update(_name(plain_text(get(column) or "")))
    place = " ".join(plain_text(get(one) or "") for one in _PLACES)
    found.update(_address(place, plain_text(get("address") or "")))
    found.update(_grams("id", get("id_number") or "", 3))
    found.update(_grams("birth", (get("birth_date") or "").replace("-", ""), 4))
    return frozenset(found)


def whole_values(row: Row) -> frozenset[str]:
    """Return a row's values as they stand: names under one sort, places as context."""
    sorts = {"legal_name": "name", "contact_name": "name", "province": "place", "region": "place",
             "city": "place", "district": "place", "postal_code": "place"}  # fmt: skip
    said = [(column, value) for column, value in row.values.items() if value]
    return frozenset(f"{sorts.get(column, column)}:{value}" for column, value in said
                     if column not in ("connection", "source_key", "created_at"))  # fmt: skip


def _grams(sort: str, text: str, size: int) -> Iterator[str]:
    """Yield pieces of the text with their places, so that one mistake leaves the others."""
    for place in range(len(text) - size + 1):
        yield f"{sort}:{place}:{text[place : place + size]}"


def _code(text: str) -> Iterator[str]:
    code = re.sub(r"[^0-9a-z]", "", plain_text(text))
    if len(code) == 15:
        code = "  " + code  # the old number is the middle of the new code
    yield from (one for one in _grams("code", code, 4) if "  " not in one)


def _phone(text: str) -> Iterator[str]:
    text = plain_text(text)
    if masked := re.search(r"(\d{3})\*+(\d{4})", text):
        yield f"mask:{masked[1]}{masked[2]}"
        return
    digits = re.sub(r"(转|x|ext).*", "", text)
    digits = re.sub(r"^(00)?86", "", re.sub(r"\D", "", digits))
    if len(digits) == 11 and digits[0] == "1":
        yield f"mask:{digits[:3]}{digits[-4:]}"
        yield f"phone:{digits}"
    elif len(digits) >= 7:
        line = digits if digits[0] == "0" else "0" + digits
        yield f"phone:{line[: 11 if line[1] in '12' else 12]}"
        yield f"phone:{line[:11]}"


def _mail(text: str) -> Iterator[str]:
    mail = plain_text(text)
    if "@" in mail:
        local, host = mail.split("@", 1)
        yield f"mail:{mail}"
        yield f"local:{local}"
        if not host.startswith(_FREE_MAIL):
            yield f"domain:{host}"


@lru_cache(maxsize=200_000)
def _name(name: str) -> tuple[str, ...]:
    found = []
    for run in _HAN.findall(name):
        sounds, letters = [sound(one) for one in run], [lazy_pinyin(one)[0] for one in run]
        found += [f"char:{one}" for one in run]
        found += [f"name:{one}{other}" for one, other in pairwise(run)]
        found += [f"sound:{one}-{other}" for one, other in pairwise(sounds)]
        for size in range(2, 5):
            found += [f"latin:{''.join(letters[at : at + size])}"
                      for at in range(len(run) - size + 1)]  # fmt: skip
        if 2 <= len(run) <= 4:
            found += [f"whole:{run}", f"heard:{'-'.join(sounds)}",
                      f"latin:{''.join(letters[1:] + letters[:1])}"]  # fmt: skip
    words = re.findall(r"[a-z]{2,}", name)
    for word in words:
        found += [f"part:{word[at : at + 3]}" for at in range(len(word) - 2)]
    found += [f"latin:{word}" for word in words]
    found += [f"latin:{''.join(words)}"] if 1 < len(words) < 4 else []
    return tuple(found)


def _address(place: str, address: str) -> Iterator[str]:
    joined = "".join(_HAN.findall(place + address))
    yield from (f"place:{word}" for word in re.findall(r"[a-z]{2,}|\\d{4,}", place))
    yield from (f"street:{word}" for word in re.findall(r"[a-z]{3,}", address))
    yield from (f"place:{one}{other}" for one, other in pairwise(joined))
    yield from (f"street:{found[1]}{found[2]}"
                for found in re.finditer(r"([一-鿿]{2})(\d+)", address))  # fmt: skip
    numbers = re.findall(r"\d+", address)
    yield from (f"door:{number}" for number in numbers)
    yield from (f"house:{one}-{other}" for one, other in pairwise(numbers))
    yield from (f"estate:{found[0]}" for found in _ESTATE.finditer(address))
