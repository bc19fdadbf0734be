"""Plain texts: one width, one case, simplified signs; and how they sound and look."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

from warehouse.matching.words import ALIKE, SURNAME_SOUNDS


@cache
def _simplifier() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _readings() -> dict[int, str]:
    # pypinyin's dictionary names the usual reading of a sign first; tones are left out, because
    # people who mix up signs of one sound do not hear them.
    from pypinyin.constants import PINYIN_DICT

    def toneless(reading: str) -> str:
        bare = unicodedata.normalize("NFD", reading).replace("u\u0308", "v")
        return "".join(c for c in bare if not unicodedata.combining(c))

    return {
        code: toneless(readings.split(",")[0])
        for code, readings in PINYIN_DICT.items()
        if 0x3400 <= code <= 0x9FFF
    }


@cache
def _looks() -> dict[int, str]:
    table: dict[int, str] = {}
    for group in ALIKE:
        head = table.get(ord(group[0]), group[0])
        for sign in group:
            table.setdefault(ord(sign), head)
    return table


def plain(texts: Sequence[str]) -> list[str]:
    """Return the texts as NFKC, in lower case, with simplified signs; none may hold a newline.

    They pass as one text, so that the cost a text is that of its letters.
    """
    if not texts:
        return []
    whole = unicodedata.normalize("NFKC", "\n".join(texts)).lower()
    return str(_simplifier().convert(whole)).split("\n")


def is_han(text: str) -> bool:
    """Return whether every sign is a Chinese one (and there is one)."""
    return bool(text) and all("㐀" <= c <= "鿿" for c in text)


def sound(text: str) -> str:
    """Return the syllables of Chinese signs, other letters as they are, joined by blanks."""
    table = _readings()
    return " ".join(table.get(ord(c), c) for c in text)


def soft(letters: str) -> str:
    """Return the letters of syllables as many Chinese speakers hear them: flat, and -ng as -n."""
    for heard, as_one in (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n")):
        letters = letters.replace(heard, as_one)
    return letters


def look(text: str) -> str:
    """Return the text with signs that look alike written as one."""
    return text.translate(_looks())


def surname_sound(surname: str) -> str:
    """Return how a surname is read."""
    return SURNAME_SOUNDS.get(surname) or sound(surname).replace(" ", "")


@cache
def syllables() -> frozenset[str]:
    """Return every syllable of pinyin, without tones, ü as v and as u."""
    found = set(_readings().values())
    found |= {s.replace("v", "u") for s in found if "v" in s}
    return frozenset(s for s in found if s.isascii() and s.isalpha() and set(s) & set("aeiouv"))
