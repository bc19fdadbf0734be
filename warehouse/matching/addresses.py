"""Reads addresses: the names in them and the numbers, however much of the address is told."""

from __future__ import annotations

import re
from typing import NamedTuple

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_NUMBER = re.compile(
    r"[零〇一二两三四五六七八九十百]+(?=(?:号|栋|幢|楼|座|单元|室|层|组|队|门|弄|户))"
)
_NOTE = re.compile(r"[(\[【][^()\[\]【】]*[)\]】]")
_PARTS = re.compile(r"([0-9]+)|([a-z]+)|([^0-9a-z\s,，。.;；:#/\-]+)")
# Words that only count houses, floors and doors.
_UNITS = re.compile(r"^(?:号楼|号院|号|栋|幢|楼|座|单元|室|层|组|队|门|弄|户|之|第)+")
_REGION = re.compile(r"^.*?(?:省|自治区|市|区|县|镇|乡|街道)(?=..)")


class Address(NamedTuple):
    """`places`: the ends of the names in it (road, estate, village); `numbers` in order."""

    places: list[str]
    numbers: list[str]


def _number(text: str) -> str:
    total, digit = 0, 0
    for sign in text:
        if sign == "十":
            total, digit = total + (digit or 1) * 10, 0
        elif sign == "百":
            total, digit = total + (digit or 1) * 100, 0
        else:
            digit = _DIGITS[sign]
    return str(total + digit)


def read(text: str) -> Address:
    """Read a plain address (`text.plain`).

    Of a Chinese name the last three signs are kept, so that a region before it changes nothing; of
    others each word of three letters or more.
    """
    text = _NOTE.sub(" ", text)
    text = _HAN_NUMBER.sub(lambda found: _number(found[0]), text)
    places: list[str] = []
    numbers: list[str] = []
    for number, word, name in _PARTS.findall(text):
        if number:
            numbers.append(number.lstrip("0") or "0")
        elif len(word) >= 3:
            places.append(word)
        elif name:
            bare = _UNITS.sub("", name)
            bare = _REGION.sub("", bare) if len(bare) > 3 else bare
            if len(bare) >= 2:
                places.append(bare[-3:])
    return Address(list(dict.fromkeys(places)), numbers)
