"""What happens to characters: look-alikes, sound-alikes, traditional forms, pinyin, full width."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from random import Random

from opencc import OpenCC
from pypinyin import lazy_pinyin

from tests.eval import words

_TRADITIONAL = OpenCC("s2t")
_FULL = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@lru_cache
def _alike() -> dict[str, str]:
    found: dict[str, str] = defaultdict(str)
    for group in words.LOOKALIKE:
        for one in group:
            found[one] += group.replace(one, "")
    return found


@lru_cache(maxsize=20_000)
def sound(character: str) -> str:
    """Return a character's syllable without tone, with the sounds merged that are often mixed."""
    syllable = lazy_pinyin(character)[0]
    for careful, sloppy in words.MERGED:
        syllable = syllable.replace(careful, sloppy)
    return syllable


@lru_cache
def _homophones() -> dict[str, str]:
    text = "玮薇炜蔚楠囡彬宾滨燕艳雁莹盈蓉" + "".join(
        (words.SURNAMES, words.GIVEN_MALE, words.GIVEN_FEMALE, words.CORE, words.TOWNS,
         words.VILLAGES, *words.STREETS, *words.ESTATES)
    )  # fmt: skip
    found: dict[str, str] = defaultdict(str)
    for one in dict.fromkeys(text):
        found[sound(one)] += one
    return found


def lookalike(rng: Random, text: str) -> str:
    """Return the text with one character taken for another of its shape; unchanged where none."""
    places = [place for place, one in enumerate(text) if one in _alike()]
    if not places:
        return text
    place = rng.choice(places)
    return text[:place] + rng.choice(_alike()[text[place]]) + text[place + 1 :]


def soundalike(rng: Random, text: str, after: int = 0) -> str:
    """Return the text with one character from `after` on typed as another of its sound."""
    places = [place for place, one in enumerate(text) if place >= after and "一" <= one <= "鿿"]
    choices = [(at, _homophones().get(sound(text[at]), "").replace(text[at], "")) for at in places]
    choices = [(place, others) for place, others in choices if others]
    if not choices:
        return text
    place, others = rng.choice(choices)
    return text[:place] + rng.choice(others) + text[place + 1 :]


def traditional(text: str) -> str:
    """Return the text in traditional characters."""
    return str(_TRADITIONAL.convert(text))


def full_width(text: str) -> str:
    """Return the text with its ASCII characters as full-width ones."""
    return text.translate(_FULL)


def person_pinyin(rng: Random, name: str) -> tuple[str, bool]:
    """Return a person's name in Latin letters, and whether given and family name are swapped."""
    syllables = lazy_pinyin(name)
    family, given = syllables[0], "".join(syllables[1:])
    swapped = rng.random() < 0.4
    parts = [given, family] if swapped else [family, given]
    style = rng.random()
    if style < 0.5:
        return " ".join(part.capitalize() for part in parts), swapped
    if style < 0.7:
        return " ".join(parts).upper(), swapped
    if style < 0.9:
        return "".join(parts), swapped
    return " ".join(syllables), False


def company_pinyin(rng: Random, region: str, core: str, industry: str) -> str:
    """Return a company's name in Latin letters: all pinyin, or the trade in English."""
    own = "".join(lazy_pinyin(core)).capitalize()
    place = "".join(lazy_pinyin(region)).capitalize()
    english = words.ENGLISH.get(industry)
    if english and rng.random() < 0.6:
        return f"{place} {own} {english} Co., Ltd.".strip()
    if rng.random() < 0.4:
        return f"{own} {''.join(lazy_pinyin(industry)).capitalize()}".strip()
    return own.lower() if rng.random() < 0.3 else f"{place} {own}".strip()
