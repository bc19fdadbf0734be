"""How a system writes a party's name; each function says what it did by a tag."""

from __future__ import annotations

from random import Random

from pypinyin import lazy_pinyin

from tests.eval import words
from tests.eval.companies import plain
from tests.eval.party import Party
from tests.eval.profile import Habits
from tests.eval.spelling import (
    company_pinyin,
    lookalike,
    person_pinyin,
    soundalike,
    traditional,
)

_NOTES = ("（已停用）", "(老客户)", "-月结", "【重要】", "*", " （勿删）", "（新）", "1", "-2")
NAMELESS = (
    "无",
    "个人",
    "测试",
    "客户",
    "匿名用户",
    "微信用户",
    "先生",
    "顾客",
    "-",
    "未知",
    "收货人",
)


def company_name(rng: Random, party: Party, habits: Habits, tags: set[str]) -> str:
    """Return the name of a company or trader as the system has it."""
    if rng.random() < habits.pinyin and party.sort == "company" and not party.branch:
        tags.add("pinyin")
        return company_pinyin(rng, party.region, party.core, party.industry)
    if rng.random() < habits.short:
        tags.add("short")
        name = _short(rng, party)
    else:
        name = _variant(rng, party, habits, tags)
    return spoil(rng, name, habits, tags)


def _short(rng: Random, party: Party) -> str:
    """Return a 简称: the own name alone or with place or trade; a branch says that it is one."""
    if party.sort == "trader":
        # alone, the own name of some is their owner's, who may be a customer in person
        own = party.core if len(party.core) > 1 and party.core != party.contacts[0].name else ""
        return rng.choice((party.core + party.industry, party.core + party.industry,
                           own or party.core + party.industry))  # fmt: skip
    style = rng.random()
    if style < 0.3:
        own = party.core + ("集团" if party.suffix == "集团有限公司" else "")
    elif style < 0.62:
        own = party.core + party.industry
    elif style < 0.8:
        own = party.region + party.core
    else:
        own = party.region + party.core + party.industry
    return own + party.branch.removesuffix("公司")


def _variant(rng: Random, party: Party, habits: Habits, tags: set[str]) -> str:
    name = party.name
    if rng.random() < habits.suffix and party.sort == "company":
        for long, others in (
            ("股份有限公司", ("股份公司", "有限公司", "股份", "")),
            ("有限责任公司", ("有限公司", "公司", "")),
            ("有限公司", ("有限责任公司", "公司", "", "有限")),
        ):
            if name.endswith(long):
                name = name.removesuffix(long) + rng.choice(others)
                tags.add("suffix")
                break
    if "（" in name and rng.random() < habits.bracket:
        left, right = rng.choice((("(", ")"), ("(", ")"), ("", ""), ("【", "】"), ("（", ")")))
        name = name.replace("（", left).replace("）", right)
        tags.add("bracket")
    if party.region and rng.random() < habits.region and name.startswith(party.region):
        city = party.addresses[0]
        forms = [party.region + "市" if plain(city.city) == party.region else party.region + "省",
                 plain(city.province) + party.region, ""]  # fmt: skip
        if party.sign == "group":
            forms.pop()  # without its place it would be another company of the group
        name = rng.choice(forms) + name.removeprefix(party.region)
        tags.add("region")
    return name


def account_name(rng: Random, party: Party, contact: str, tags: set[str]) -> str:
    """Return the nickname of an account: nothing in it need come from the party's name."""
    tags.add("nickname")
    style = rng.random()
    if party.sort != "person" and style < 0.45:
        tail = rng.choice(("采购", "小王", "客服", "仓库", "行政", "老板", "财务小李"))
        head = party.core if rng.random() < 0.6 else "".join(lazy_pinyin(party.core))
        return head + tail if rng.random() < 0.6 else f"{head}_{rng.randrange(10, 999)}"
    if style < 0.62:
        own = contact or party.name
        called = own[-1] + rng.choice("哥姐宝儿爷总")
        return rng.choice((f"阿{own[-1]}", f"小{own[0]}", f"老{own[0]}", own[-1] * 2, called))
    if style < 0.75:
        return f"{rng.choice(words.NICK_LATIN)}{rng.choice(('', '_'))}{rng.randrange(1, 99999)}"
    if style < 0.8:
        return f"wx_{rng.randrange(16**8):08x}"
    if style < 0.84:
        return rng.choice(NAMELESS)
    return rng.choice(words.NICK_HEAD) + rng.choice(words.NICK_TAIL)


def person_name(rng: Random, name: str, habits: Habits, tags: set[str]) -> str:
    """Return a person's real name as the system has it."""
    if rng.random() < habits.masked_name:
        tags.add("masked_name")
        return rng.choice((name[0] + "*" * (len(name) - 1), name[0] + rng.choice(("先生", "女士")),
                           name[0] + "**"))  # fmt: skip
    if rng.random() < habits.pinyin:
        written, swapped = person_pinyin(rng, name)
        tags |= {"pinyin", "pinyin_swapped"} if swapped else {"pinyin"}
        return written
    return spoil(rng, name, habits, tags, person=True)


def spoil(rng: Random, name: str, habits: Habits, tags: set[str], person: bool = False) -> str:
    """Return the name with the mistakes that any name may get."""

    def keep(tag: str, changed: str) -> str:
        if changed != name:
            tags.add(tag)
        return changed

    if rng.random() < habits.lookalike:
        name = keep("lookalike", lookalike(rng, name))
    if rng.random() < habits.soundalike:
        name = keep("soundalike", soundalike(rng, name, after=1 if person else 0))
    if rng.random() < habits.traditional:
        name = keep("traditional", traditional(name))
    if rng.random() < habits.full_width:
        spaced = f"{name[:1]} {name[1:]}" if person and rng.random() < 0.5 else f" {name}"
        name = keep("spaces", spaced)
    if rng.random() < habits.note:
        name = keep("note", name + rng.choice(_NOTES))
    return name
