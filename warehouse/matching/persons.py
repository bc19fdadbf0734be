"""Reads names of persons: Chinese signs, pinyin in either order, masked and polite forms."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from warehouse.matching.text import is_han, look, soft, sound, surname_sound, syllables
from warehouse.matching.words import HONORIFICS, SURNAME_SOUNDS, SURNAMES

_POLITE = re.compile(r"(?:" + "|".join(sorted(HONORIFICS, key=len, reverse=True)) + r")$")
_NOTE = re.compile(r"[(\[【][^()\[\]【】]*[)\]】]|(?<=[㐀-鿿])\d+$")
# Behind one sign of a name, and in no names of two signs but few.
_FAMILIAR = "儿哥姐爷总叔姨嫂婶伯仔"
_MASK = re.compile(r"[*＊×某]")


class Person(NamedTuple):
    """A name of a person in parts.

    `han` is the whole name in signs, `keys` the ways in which its letters may be written (surname
    first), the first one being its own; `surname` where only that is told (张先生, 张**), with
    `given` if the mask leaves the last sign. Both are one sign where somebody is called by it
    (老陈, 梁儿, 霞霞), whether it is of the surname or of the given name. `is_name`: it reads as a
    name of a person.
    """

    han: str
    keys: list[str]
    surname: str
    given: str
    look: str
    soft: str
    is_name: bool


NOBODY = Person("", [], "", "", "", "", False)


@cache
def _surname_letters() -> frozenset[str]:
    return frozenset(surname_sound(s) for s in SURNAMES) | frozenset(SURNAME_SOUNDS.values())


@cache
def _pinyin() -> re.Pattern[str]:
    each = "|".join(sorted(syllables(), key=len, reverse=True))
    return re.compile(rf"(?:{each}){{1,4}}")


def split_han(name: str) -> tuple[str, str] | None:
    """Return (surname, given name) of 2 to 4 signs, None where they are no name."""
    if name[:2] in SURNAMES and 3 <= len(name) <= 4:
        return name[:2], name[2:]
    if name[:1] in SURNAMES and 2 <= len(name) <= 3:
        return name[:1], name[1:]
    return None


def _han(name: str) -> Person:
    parts = split_han(name)
    if parts is None:
        return NOBODY
    surname, given = parts
    key = surname_sound(surname) + " " + sound(given).replace(" ", "")
    return Person(name, _ways(*key.split(" ")), "", "", look(name), soft(key), True)


def _ways(surname: str, given: str) -> list[str]:
    return [(surname + given).replace("v", "u")]


def _foreign(tokens: list[str]) -> Person:
    # The same words in any order; the blank before them tells them from pinyin.
    return Person("", [" " + " ".join(sorted(tokens))], "", "", "", "", False)


def _latin(name: str) -> Person:
    if re.search(r"[0-9_@]", name):
        return NOBODY
    tokens = [t for t in re.split(r"[^a-z]+", name) if t]
    if not tokens or len(tokens) > 4:
        return NOBODY
    letters = "".join(tokens)
    known = _surname_letters()
    spoken = len(letters) <= 22 and all(_pinyin().fullmatch(t) for t in tokens)
    if len(tokens) == 1 and spoken:
        ways = [letters]
        ends = [s for s in known if letters.endswith(s) and len(letters) - len(s) >= 2]
        if ends:
            longest = max(ends, key=len)
            ways.append(longest + letters[: -len(longest)])
        is_name = any(letters.startswith(s) for s in known) and len(letters) >= 4
        return Person("", [w.replace("v", "u") for w in ways], "", "", "", "", is_name)
    if not spoken:
        return _foreign(tokens)
    ways = [letters, tokens[-1] + "".join(tokens[:-1])]
    if tokens[0] not in known and tokens[-1] in known:
        ways.reverse()
    is_name = tokens[0] in known or tokens[-1] in known
    return Person("", [w.replace("v", "u") for w in dict.fromkeys(ways)], "", "", "", "", is_name)


def _called(bare: str) -> str:
    """Return the one sign of a familiar form of address, empty where it is none."""
    if len(bare) != 2:
        return ""
    if bare[0] in "小老阿" and bare[1] not in _FAMILIAR:
        return bare[1]
    return bare[0] if bare[1] in _FAMILIAR or bare[0] == bare[1] else ""


def read(text: str) -> Person:
    """Read a plain name (`text.plain`)."""
    name = _NOTE.sub("", text).strip()
    bare = re.sub(r"[\s·•.]+", "", name)
    if _MASK.search(bare):
        open_signs = _MASK.sub("", bare)
        if not is_han(open_signs) or len(open_signs) > 2:
            return NOBODY
        first = bare[0] if bare[0] in SURNAMES else ""
        last = bare[-1] if is_han(bare[-1]) and len(bare) > 1 else ""
        return Person("", [], first, last, "", "", False)
    if is_han(bare):
        if sign := _called(bare):
            return Person("", [], sign, sign, "", "", False)
        polite = _POLITE.search(bare)
        if polite and 1 <= polite.start() <= 4:
            bare = bare[: polite.start()]
        if len(bare) == 1:
            return Person("", [], bare, "", "", "", False) if bare in SURNAMES else NOBODY
        return _han(bare)
    return _latin(name)
