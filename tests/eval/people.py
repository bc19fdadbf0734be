"""Made-up persons, families, namesakes and owners of shops."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from pypinyin import lazy_pinyin

from tests.eval import words
from tests.eval.codes import mobile, personal_mail
from tests.eval.party import Address, Contact, Party
from tests.eval.places import City
from tests.eval.profile import Profile

_WEIGHTS = [1 / (rank + 6) for rank in range(len(words.SURNAMES))]
FIRST_DAY, LAST_DAY = 735600, 739000
"""Ordinal days between which parties come: end of 2014 to April of 2024."""


class People:
    """Makes persons of one profile's vocabulary."""

    def __init__(self, rng: Random, profile: Profile) -> None:
        self.rng, self.profile = rng, profile
        self.male = words.half_of(words.GIVEN_MALE, profile.half)
        self.female = words.half_of(words.GIVEN_FEMALE, profile.half)
        self.streets = words.half_of(words.STREETS, profile.half)
        self.towns = words.half_of(words.TOWNS, profile.half)
        self.villages = words.half_of(words.VILLAGES, profile.half)
        self.core = words.half_of(words.CORE, profile.half)
        self.known: dict[tuple[str, bool], list[Address]] = {}

    def surname(self) -> str:
        if self.rng.random() < 0.004:
            return self.rng.choice(words.DOUBLE_SURNAMES)
        return self.rng.choices(words.SURNAMES, _WEIGHTS)[0]

    def name(self, surname: str = "") -> str:
        rng, given = self.rng, self.male if self.rng.random() < 0.5 else self.female
        first = rng.choice(given)
        if rng.random() < 0.74:
            # the second half of two of three names is one of the common characters
            first += rng.choice(given[:20] if rng.random() < 0.4 else given)
        return (surname or self.surname()) + first

    def contact(self, name: str = "") -> Contact:
        name = name or self.name()
        return Contact(name, mobile(self.rng), personal_mail(self.rng, "".join(lazy_pinyin(name))))

    def city(self) -> City:
        cities = self.profile.cities
        return self.rng.choices(cities, [one.weight for one in cities])[0]

    def address(self, city: City, district: str = "", office: bool = False) -> Address:
        """Return an address; one of three is another door of a house or tower already known."""
        rng = self.rng
        known = self.known.setdefault((city.name, office), [])
        if known and not district and rng.random() < 0.33:
            return replace(rng.choice(known), building=rng.randrange(1, 32), room=self._room())
        made = self._new_address(city, district or rng.choice(city.districts), office)
        known.append(made)
        return made

    def _room(self) -> int:
        return self.rng.randrange(1, 29) * 100 + self.rng.randrange(1, 7)

    def _new_address(self, city: City, district: str, office: bool) -> Address:
        rng = self.rng
        if not office and rng.random() < self.profile.villages:
            town = "".join(rng.sample(self.towns, 2)) + rng.choice("镇乡镇")
            village = "".join(rng.sample(self.villages, 2)) + rng.choice(("村", "村", "庄", "屯"))
            return Address(city.province, city.name, district, "", rng.randrange(1, 180), village,
                           rng.randrange(1, 14), 0, 0, town)  # fmt: skip
        street = rng.choice(self.streets) + rng.choice(words.ROADS)
        stem = "".join(rng.sample(self.core, 2))
        estate = stem + rng.choice(words.TOWERS if office else words.ESTATES)
        return Address(city.province, city.name, district, street, rng.randrange(1, 1800), estate,
                       rng.randrange(1, 32), rng.randrange(1, 4), self._room(),
                       lane=city.dial == "021" and rng.random() < 0.6)  # fmt: skip

    def day(self) -> int:
        return self.rng.randrange(FIRST_DAY, LAST_DAY)

    def person(self, number: int, name: str = "", city: City | None = None,
               home: Address | None = None) -> Party:  # fmt: skip
        """Return a person with one or two numbers and, now and then, a former address."""
        rng, city = self.rng, city or self.city()
        me = self.contact(name)
        addresses = [home or self.address(city)]
        if rng.random() < self.profile.moved:
            addresses.append(self.address(city))
        mobiles = [me.mobile] + ([mobile(rng)] if rng.random() < 0.22 else [])
        return Party(number, "person", me.name, addresses, [me], self.day(), mobiles,
                     email=me.email)  # fmt: skip

    def family(self, number: int) -> list[Party]:
        """Return two to four persons of one home who use one number at times."""
        rng, city = self.rng, self.city()
        home, surname = self.address(city), self.surname()
        head = self.person(number, self.name(surname), city, home)
        members = [head]
        for place in range(rng.choice((1, 1, 2, 3))):
            spouse = place == 0 and rng.random() < 0.7
            name = self.name() if spouse else self.name(surname)
            members.append(self.person(number + len(members), name, city, home))
        for one in members:
            one.sign = "family"
            one.family_phone = head.mobiles[0]
        return members

    def namesake(self, number: int) -> Party:
        """Return somebody of a common name in one of two cities."""
        names, city = self.profile.common_names, self.profile.cities[0]
        name = self.rng.choices(names, range(2 * len(names), 0, -2))[0]
        if self.rng.random() < 0.4:
            city = self.profile.cities[1]
        party = self.person(number, name, city)
        party.sign = "namesake"
        return party
