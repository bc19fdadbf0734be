"""Reads names of organisations: region, trade name, what it does, legal form, branch."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from warehouse.matching.places import PLACE_LETTERS, PROVINCE_OF, PROVINCES
from warehouse.matching.text import is_han, look, soft, sound, syllables
from warehouse.matching.words import BODIES, BRANCH, FORMS, LATIN_FORMS, TRADES

_NOISE = re.compile(r"[\s·•.,，。、;；:：\-_—'\"“”‘’`&*#~!?/\\|+]+")
_BRACKET = re.compile(r"[(\[【〔<《]([^()\[\]【】〔〕<>《》]*)[)\]】〕>》]")
_AFTER_FORM = re.compile(r"^" + BRANCH + r"[0-9]*$")
_AT_END = tuple(
    re.compile(pattern + "$")
    for pattern in (
        r"(?:第[一二三四五六七八九十0-9]+|[一二三四五六七八九十0-9]+)"
        r"(?:分公司|分店|分厂|门店|营业部|门市部|店|厂|号店)",
        r"[^()]{2,3}[路街道城](?:分店|门店|店)",
        r"[^()]{2}(?:分公司|分店|分厂|分行|支行|分部|办事处|门店)",
        r"(?:分公司|分店|分厂|分行|支行|分部|办事处|门店|官方旗舰店|旗舰店|专营店|专卖店)",
    )
)
_FORM = re.compile("|".join(f for f, _ in FORMS))
_FORM_MEANS = dict(FORMS)
_BODY_END = re.compile(
    r"(?:" + "|".join(sorted(BODIES, key=len, reverse=True)) + r"|(?<=..)[店部厂坊馆站铺社行])$"
)
_LATIN_FORM = re.compile(r"\b(" + "|".join(f for f, _ in LATIN_FORMS) + r")$")
_LATIN_MEANS = dict(LATIN_FORMS)
_COUNTY = re.compile(r"^([一-鿿]{2,3}?)(?:自治县|区|县|市|镇|乡)")
# Behind the name of a company: who of it has the account, or a number that made it unique.
_ACCOUNT = re.compile(
    r"(?:(?:财务|采购|老板|销售|客服|前台|会计|经理|总经理|仓库|行政|运营|出纳)(?:[小老阿][一-鿿])?|小[一-鿿]|[0-9]{2,})$"
)
_INSIDE = re.compile(r"^..+?(" + "|".join(sorted(PROVINCE_OF, key=len, reverse=True)) + ")")
_NAMES = tuple(sorted(PROVINCE_OF, key=len, reverse=True))


class Company(NamedTuple):
    """A name of an organisation in parts; all texts, empty where there is none.

    `core` is the name without region, legal form and branch, `trade` its trade name (字号),
    `city` and `province` where the name says it is, `region_place` whether before the name (front)
    or behind it (inside): 上海华信 and 华信(上海) may stand in one register. `formal`: it has a
    legal form or the word of a body, so it is a whole name and not a short form.
    """

    core: str
    trade: str
    form: str
    branch: str
    city: str
    province: str
    formal: bool
    sound: str
    look: str
    pattern: str
    region_place: str


@cache
def _region_start() -> re.Pattern[str]:
    names = "|".join(sorted(PROVINCE_OF, key=len, reverse=True))
    ends = "特别行政区|壮族自治区|回族自治区|维吾尔自治区|自治区|自治州|地区|省|市"
    return re.compile(rf"^(?:中国)?({names})(?:{ends})?")


@cache
def _pinyin() -> re.Pattern[str]:
    return re.compile(rf"(?:{_each()})+")


@cache
def _syllable() -> re.Pattern[str]:
    # The longest that leaves only syllables behind it.
    return re.compile(rf"(?:{_each()})(?=(?:{_each()})*$)")


def _each() -> str:
    return "|".join(sorted(syllables(), key=len, reverse=True))


@cache
def _trade_end() -> re.Pattern[str]:
    return re.compile(r"(?:" + "|".join(sorted(set(TRADES), key=len, reverse=True)) + r")$")


def place(text: str) -> tuple[str, str]:
    """Return (city, province) that a short plain text names, empty where it names none."""
    found = _region_start().match(text)
    if not found or found.end() != len(text):
        return "", ""
    return _placed([found[1]])


def _placed(names: list[str]) -> tuple[str, str]:
    city = next((n for n in names if n not in PROVINCES), "")
    province = PROVINCE_OF[names[0]] if names else ""
    if city:
        province = PROVINCE_OF[city]
    elif province in ("北京", "上海", "天津", "重庆"):
        city = province
    return city, province


def _brackets(text: str) -> tuple[str, list[str], str]:
    regions: list[str] = []
    branch = ""

    def keep(found: re.Match[str]) -> str:
        nonlocal branch
        inside = _NOISE.sub("", found[1])
        start = _region_start().match(inside)
        if start and start.end() == len(inside):
            regions.append(start[1])
            return ""
        if inside in ("集团", "控股"):
            return inside
        if _AFTER_FORM.match(inside):
            branch = branch or inside
        return ""

    return _BRACKET.sub(keep, text), regions, branch


def _strip_region(core: str, regions: list[str]) -> str:
    while found := _region_start().match(core):
        rest = core[found.end() :]
        if len(rest) < 2:
            break
        regions.append(found[1])
        core = rest
    if (county := _COUNTY.match(core)) and len(core) - county.end() >= (2 if regions else 4):
        core = core[county.end() :]
    if (found := _INSIDE.search(core)) and len(core) - found.end() >= 2:
        regions.append(found[1])
        return core[: found.start(1)] + core[found.end() :]
    group = "集团" if core.endswith("集团") else ""
    if len(core) >= 6 and group and core[:-2].endswith(_NAMES):
        name = next(n for n in _NAMES if core[:-2].endswith(n))
        if len(core) - 2 - len(name) >= 2:
            regions.append(name)
            return core[: -2 - len(name)] + group
    if len(core) >= 4 and core.endswith(_NAMES):
        name = next(n for n in _NAMES if core.endswith(n))
        if len(core) - len(name) >= 2:
            regions.append(name)
            return core[: -len(name)]
    return core


def _branch_end(core: str) -> tuple[str, str]:
    for pattern in _AT_END:
        found = pattern.search(core)
        if found and found.start() >= 2:
            return core[: found.start()], found[0]
    return core, ""


def _trade(core: str) -> str:
    trade = core
    while (found := _trade_end().search(trade)) and found.start() >= 2:
        trade = trade[: found.start()]
    found = _BODY_END.search(trade)
    return trade[: found.start()] if found and found.start() >= 2 else trade


def _latin(text: str) -> Company:
    words = re.sub(r"[^\w]+", " ", _BRACKET.sub(r" \1 ", text).replace(".", "")).strip()
    form = ""
    while found := _LATIN_FORM.search(words):
        if found.start() < 2:
            break
        form = form or _LATIN_MEANS[found[1]]
        words = words[: found.start()].strip()
    words = re.sub(r"[_0-9]+$", "", words) or words
    tokens = words.split(" ")
    city = PLACE_LETTERS.get(tokens[0], "") if len(tokens) > 1 else ""
    if city:
        tokens = tokens[1:]
        city, province = _placed([city])
    else:
        province = ""
    core, spelt = "".join(tokens), _spelt(tokens)
    return Company(core, tokens[0], form, "", city, province, bool(form), spelt or core, core, "",
                   "front" if province else "")  # fmt: skip


def _spelt(tokens: list[str]) -> str:
    """Return the syllables of the words in pinyin that lead a name, as `soft` has them."""
    found: list[str] = []
    for token in tokens:
        if not _pinyin().fullmatch(token):
            break
        found += _syllable().findall(token)
    return soft(" ".join(found))


def read(text: str) -> Company:
    """Read a plain name (`text.plain`)."""
    if not any("㐀" <= c <= "鿿" for c in text):
        return _latin(text)
    bare, regions, branch = _brackets(text)
    bare = _NOISE.sub("", bare)
    form, core = "", bare
    forms = list(_FORM.finditer(bare))
    if forms:
        # A form in the middle: what follows is a branch or a note.
        first = next((f for f in forms if f.start() >= 2), None)
        if first:
            tail = bare[first.end() :]
            form, core = _FORM_MEANS[first[0]], bare[: first.start()]
            if _AFTER_FORM.match(tail):
                branch = branch or tail
    account = None if form else _ACCOUNT.search(core)
    if account and account.start() >= 2:
        core = core[: account.start()]
    if not form:
        core, end = _branch_end(core)
        branch = branch or end
    region_place = "inside" if regions else ""
    before, whole = len(regions), core
    core = _strip_region(core, regions)
    if len(regions) > before and not region_place:
        region_place = "front" if _region_start().match(whole) else "inside"
    formal = bool(form) or bool(_BODY_END.search(core))
    city, province = _placed(regions)
    short = is_han(core) and 2 <= len(core) <= 6 and not form
    return Company(
        core, _trade(core), form, branch, city, province, formal,
        (core.isascii() and _spelt([core])) or soft(sound(core)), look(core),
        "%".join(core) + "%" if short else "", region_place,
    )  # fmt: skip
