"""Made-up companies, groups of companies and small traders."""

from __future__ import annotations

from random import Random

from pypinyin import lazy_pinyin

from tests.eval import words
from tests.eval.codes import landline, uscc
from tests.eval.party import Address, Contact, Party
from tests.eval.people import People
from tests.eval.places import City
from tests.eval.profile import Profile

_SUFFIXES = ("有限公司",) * 15 + ("有限责任公司",) * 2 + ("股份有限公司",) * 2 + ("集团有限公司",)


def plain(place: str) -> str:
    """Return a place without 省, 市 or the like, as names of companies have it."""
    for ending in ("壮族自治区", "自治区", "省", "市"):
        if place.endswith(ending):
            return place.removesuffix(ending)
    return place


class Companies:
    """Makes companies and traders of one profile's vocabulary."""

    def __init__(self, rng: Random, profile: Profile, people: People) -> None:
        self.rng, self.profile, self.people = rng, profile, people
        self.core = words.half_of(words.CORE, profile.half)
        self.industries = words.half_of(words.INDUSTRIES, profile.half)
        self.trades = words.half_of(words.TRADES, profile.half)
        self.taken: dict[tuple[str, str], set[str]] = {}
        self.liked = ["".join(rng.sample(self.core, 2)) for _ in range(40)]

    def company(self, number: int) -> Party:
        city = self.people.city()
        return self._company(number, city, self._core(), self.rng.choice(_SUFFIXES))

    def group(self, number: int) -> list[Party]:
        """Return two to six companies of one name that differ by place, trade or branch.

        They share the switchboard (half of the groups) and the mail's domain, some the tower.
        """
        rng, core, city = self.rng, self._core(), self.people.city()
        shares_line, shares_tower = rng.random() < 0.5, rng.random() < 0.4
        parent = self._company(number, city, core, "集团有限公司" if rng.random() < 0.5 else "")
        made = [parent]
        for _ in range(rng.choice((1, 1, 2, 2, 3, 4, 5))):
            other = self.people.city() if rng.random() < 0.55 else city
            if rng.random() < 0.35:
                one = self._branch(number + len(made), parent, other)
            else:
                one = self._company(number + len(made), other, core, "")
            if one.name in {each.name for each in made}:
                continue
            if shares_line:
                one.switchboard = parent.switchboard
            if shares_tower and other is city:
                one.addresses = parent.addresses[:1]
            one.email = parent.email if rng.random() < 0.4 else one.email
            if rng.random() < 0.2:
                one.contacts[-1] = parent.contacts[0]
            made.append(one)
        for one in made:
            one.sign = "group"
        return made

    def trader(self, number: int) -> Party:
        """Return a 个体工商户: named after its owner or a lucky word, reached on his mobile."""
        rng, city = self.rng, self.people.city()
        owner = self.people.contact()
        home = self.people.address(city)
        region = rng.choice((home.district, plain(city.name), home.town or home.district, ""))
        style = rng.random()
        own = owner.name[0] + rng.choice("记家") if style < 0.3 else self._core()
        own = owner.name if style > 0.85 else own
        trade = rng.choice(self.trades)
        return Party(number, "trader", region + own + trade, [home], [owner], self.people.day(),
                     [owner.mobile], own, trade, region,
                     uscc=uscc(rng, city.code, "2") if rng.random() < 0.9 else "",
                     email=owner.email)  # fmt: skip

    def _core(self) -> str:
        """Return an own name; one of eight is one that companies everywhere like."""
        if self.rng.random() < 0.12:
            return self.rng.choice(self.liked)
        return "".join(self.rng.sample(self.core, self.rng.choice((2, 2, 2, 3, 3))))

    def _company(self, number: int, city: City, core: str, suffix: str) -> Party:
        """Return a company of a name that the registry would grant."""
        while True:
            name, industry, region, suffix = self._named(city, core, suffix)
            if self._grant(core, industry, city.province if region else ""):
                return self._registered(number, name, city, core, industry, region, suffix)

    def _grant(self, core: str, industry: str, province: str) -> bool:
        """Say whether no other has the name: once a province, or once at all without a place."""
        held = self.taken.setdefault((core, industry), set())
        if province in held or "" in held or (held and not province):
            return False
        held.add(province)
        return True

    def _named(self, city: City, core: str, suffix: str) -> tuple[str, str, str, str]:
        """Return name, trade, place and suffix of a company; the place is empty in some."""
        rng, industry = self.rng, self.rng.choice(self.industries)
        suffix = suffix or rng.choice(_SUFFIXES[:17])
        region = plain(city.province if rng.random() < 0.25 else city.name)
        style = rng.random()
        if suffix == "集团有限公司" and style > 0.4:
            industry = ""
        if style < 0.12:
            return f"{core}（{region}）{industry}{suffix}", industry, region, suffix
        if style < 0.2:
            return f"{core}{industry}（{region}）{suffix}", industry, region, suffix
        if style < 0.27:
            return f"{core}{industry}{suffix}", industry, "", suffix
        return f"{region}{core}{industry}{suffix}", industry, region, suffix

    def _branch(self, number: int, parent: Party, city: City) -> Party:
        where = plain(city.name)
        kind = self.rng.choice(("分公司", "分公司", "销售分公司", "办事处"))
        branch = self._registered(number, f"{parent.name}{where}{kind}", city, parent.core,
                                  parent.industry, parent.region, parent.suffix)  # fmt: skip
        branch.branch = f"{where}{kind}"
        return branch

    def _registered(self, number: int, name: str, city: City, core: str, industry: str,
                    region: str, suffix: str) -> Party:  # fmt: skip
        rng, people = self.rng, self.people
        code = uscc(rng, city.code[:4] + f"{rng.randrange(1, 20):02d}", "1")
        box = rng.choice(("info", "sales", "service", "hr", "contact"))
        domain = "".join(lazy_pinyin(core)) + rng.choice((".com", ".cn", ".com.cn", "-group.com"))
        old = rng.random() < 0.06  # the number of 15 digits from before the codes were joined
        contacts = [self._employee(domain) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
        addresses: list[Address] = [people.address(city, office=True)]
        if rng.random() < 0.25:
            addresses.append(people.address(city, office=True))
        return Party(number, "company", name, addresses, contacts, people.day(),
                     [one.mobile for one in contacts], core, industry, region, suffix, code,
                     code[2:17] if old else code, landline(rng, city.dial),
                     f"{box}@{domain}")  # fmt: skip

    def _employee(self, domain: str) -> Contact:
        found = self.people.contact()
        if self.rng.random() < 0.6:
            local = ".".join(reversed(lazy_pinyin(found.name)[:2]))
            return Contact(found.name, found.mobile, f"{local}@{domain}")
        return found
