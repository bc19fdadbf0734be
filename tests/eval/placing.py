"""How a system writes an address: with or without its region, long or short, in any digits."""

from __future__ import annotations

from random import Random

from tests.eval.companies import plain
from tests.eval.party import Address
from tests.eval.profile import Habits
from tests.eval.spelling import full_width, lookalike, soundalike, traditional

NOWHERE = ("无", "同上", "-", "自提", "详见备注", "测试地址")
_NUMERALS = "零一二三四五六七八九"


def write_address(rng: Random, address: Address, habits: Habits, tags: set[str]) -> dict[str, str]:
    """Return the columns address, province, city and district as a system has them."""
    columns = {"province": "", "city": "", "district": ""}
    told = rng.random() < habits.region_columns
    if told:
        columns = {"province": address.province, "city": address.city,
                   "district": address.district}  # fmt: skip
        if rng.random() < 0.25:
            columns["province"] = plain(address.province)
            columns["city"] = plain(address.city)
        if rng.random() < 0.1:
            columns["district"] = ""
    text = _country(rng, address) if address.town else _urban(rng, address)
    if rng.random() < (habits.region_prefix if told else 0.9):
        text = _prefix(rng, address) + text
        tags.add("address_prefix")
    if rng.random() < habits.full_width * 2:
        text = full_width(text)
        tags.add("full_width")
    if rng.random() < habits.traditional:
        text = traditional(text)
    if rng.random() < habits.lookalike + habits.soundalike:
        text = (soundalike if rng.random() < 0.6 else lookalike)(rng, text)
        tags.add("address_typo")
    columns["address"] = text
    return columns


def _prefix(rng: Random, address: Address) -> str:
    province, city = address.province, address.city
    if province == city:
        province = "" if rng.random() < 0.7 else plain(province)
    parts = rng.choice(((province, city, address.district), (plain(province), plain(city),
                        address.district), ("", city, address.district), (province, city, ""),
                        ("", "", address.district)))  # fmt: skip
    return rng.choice(("", "", "", " ")).join(part for part in parts if part)


def _urban(rng: Random, address: Address) -> str:
    lane = "弄" if address.lane else "号"
    street = f"{address.street}{address.number}{lane}"
    style = rng.random()
    if style < 0.08:
        street = street.removesuffix("号")
    if style > 0.94 and not address.lane:
        street = f"{address.street}{address.number}号-{rng.randrange(1, 4)}"
    building, unit, room = address.building, address.unit, address.room
    if address.lane:
        inner = rng.choice((f"{building}号{room}室", f"{building}-{room}", f"{building}号{room}"))
    else:
        inner = rng.choice((f"{building}幢{room}室", f"{building}号楼{unit}单元{room}",
                            f"{building}栋{room}", f"{building}-{unit}-{room}",
                            f"{building}#{room}", f"{_chinese(building)}号楼{room}室",
                            f"{room}室"))  # fmt: skip
    form = rng.random()
    if 0.45 <= form < 0.7 and street[-1].isdigit() and inner[0].isdigit():
        street += "-"
    if form < 0.45:
        return f"{street}{address.estate}{inner}"
    if form < 0.7:
        return f"{street}{inner}"
    if form < 0.82:
        return f"{address.estate}{inner}"
    if form < 0.92:
        return f"{street}{address.estate}"
    return f"{address.street}{address.estate}{inner}(近地铁站)"


def _country(rng: Random, address: Address) -> str:
    group = rng.choice((f"{address.building}组", f"{_chinese(address.building)}组",
                        f"{address.building}队", ""))  # fmt: skip
    house = rng.choice((f"{address.number}号", f"{address.number}号", "", "村委会旁"))
    town = address.town if rng.random() < 0.85 else ""
    return f"{town}{address.estate}{group}{house}"


def _chinese(number: int) -> str:
    tens, ones = divmod(number, 10)
    head = "" if tens == 0 else ("" if tens == 1 else _NUMERALS[tens]) + "十"
    return head + (_NUMERALS[ones] if ones or not tens else "")
