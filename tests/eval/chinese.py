"""A made-up Chinese company's customers as four systems know them, with the truth.

Proportions (of profile `chinese`; `chinese_village` differs in all of them, see profile.py):
half of the parties are companies, 6 % small traders (个体工商户), the rest persons. The ERP holds
eight of ten companies, most under their registered name and with their code; the CRM seven, of
which three of ten by a 简称 and as many with a code; the shop four, a third of them under a
nickname, and no codes but on invoices; the logistics company half of them, as consignees, with
telephones masked in three of ten parcels. One party of twelve or so stands twice in one system.

What makes it hard, and how often (all of it is tagged on the row, `Row.tags`):
- 14 % of the companies belong to a group: one own name, places or trades that differ, branches
  (分公司) whose name begins with all of the parent's, every one with its own code, half of the
  groups with one switchboard, some with one mailbox, one tower, one buyer.
- 22 % of the persons live in families: one address, mostly one surname, and in a fifth to a third
  of the rows one member's telephone. 4 % carry one of five common names in one of two cities.
- 3 % of the persons have a number that was somebody else's years before; 3 % buy with the
  switchboard of a company they work for; 6 % of the traders' owners are customers in person too;
  bookkeeping agents leave their own number in the ERP for a hundred small companies each.
- Names: suffixes, brackets, place prefixes, 简称, look-alike and sound-alike characters (1 to 3 %
  of the names, typed in by hand), traditional characters, pinyin (7 % in the shop, given name first
  in four of ten), notes of the staff behind the name, masked names (张*, 张先生).
- Codes with a typing mistake fail their check digit; values that say nothing (无, 13800138000,
  test@test.com) stand where a field was mandatory.
- Addresses: with and without province, city, district, house forms (号, 弄, 幢, 栋, 室, 3-2-501),
  full-width digits, estate instead of street, one party of ten has moved.
"""

from __future__ import annotations

from random import Random

from tests.eval.codes import mobile
from tests.eval.companies import Companies
from tests.eval.dataset import DataSet
from tests.eval.party import Party, Row
from tests.eval.people import LAST_DAY, People
from tests.eval.profile import CITY, Profile
from tests.eval.systems import write_row

ROWS = 20_000


def generate(seed: int = 1, rows: int = ROWS, profile: Profile = CITY) -> DataSet:
    """Return a set of at least `rows` rows; the same for the same arguments, on any machine."""
    world = _World(Random(seed), profile, rows)
    while len(world.rows) < rows:
        world.grow()
    world.number_rows()
    return DataSet(profile.name, world.rows)


class _World:
    """Makes parties cluster by cluster and has the systems write them down."""

    def __init__(self, rng: Random, profile: Profile, rows: int) -> None:
        self.rng, self.profile = rng, profile
        self.people = People(rng, profile)
        self.companies = Companies(rng, profile, self.people)
        self.parties = 0
        self.rows: list[Row] = []
        self.donors: list[Party] = []
        self.lines: list[str] = []
        self.agents = [mobile(rng) for _ in range(max(1, rows // 6_000))]

    def grow(self) -> None:
        """Add one party, or one group or family of them."""
        rng, profile, number = self.rng, self.profile, self.parties + 1
        sort = rng.random()
        if sort < profile.companies:
            # a group has 3.5 companies on average, a family 2.7 persons
            grouped = rng.random() < profile.grouped / 3
            made = self.companies.group(number) if grouped else [self.companies.company(number)]
            self.lines.append(made[0].switchboard)
            for one in made:
                one.agent = rng.choice(self.agents) if rng.random() < 0.2 and not grouped else ""
        elif sort < profile.companies + profile.traders:
            made = [self.companies.trader(number)]
            made[0].agent = rng.choice(self.agents) if rng.random() < 0.3 else ""
            if rng.random() < profile.owners:
                made.append(self._owner(number + 1, made[0]))
        else:
            made = self._persons(number)
        self.parties += len(made)
        for one in made:
            self._write(one)

    def _persons(self, number: int) -> list[Party]:
        rng, profile = self.rng, self.profile
        style = rng.random()
        if style < profile.families / 2:
            return self.people.family(number)
        if style < profile.families / 2 + profile.namesakes:
            return [self.people.namesake(number)]
        one = self.people.person(number)
        if rng.random() < profile.employees and self.lines:
            one.office = rng.choice(self.lines)
        elif rng.random() < profile.reused and self.donors:
            self._take_number(one, self.donors.pop(rng.randrange(len(self.donors))))
        elif one.born < LAST_DAY - 2200:
            self.donors.append(one)
        return [one]

    def _take_number(self, heir: Party, former: Party) -> None:
        """Give a person the number of another, half a year after that one's last row."""
        number = former.mobiles[0]
        heir.mobiles[0] = heir.reused = number
        heir.born = max(heir.born, former.last + 180)
        for row in former.rows:
            if number in row.values["phone"]:
                row.tags.add("reused_phone")

    def _owner(self, number: int, trader: Party) -> Party:
        owner = self.people.person(number, trader.contacts[0].name)
        owner.contacts, owner.mobiles = trader.contacts, trader.mobiles
        owner.email, owner.sign = trader.email, "owner"
        trader.sign = "owner"
        if self.rng.random() < 0.5:
            owner.addresses = trader.addresses
        return owner

    def _write(self, party: Party) -> None:
        rng = self.rng
        for habits in self.profile.habits:
            share = {"company": habits.company, "trader": habits.trader, "person": habits.person}
            if rng.random() >= share[party.sort]:
                continue
            first = write_row(rng, party, habits)
            self.rows.append(first)
            if rng.random() < habits.again:
                second = write_row(rng, party, habits)
                first.tags.add("duplicate")
                second.tags.add("duplicate")
                self.rows.append(second)

    def number_rows(self) -> None:
        """Give keys in an order that says nothing about who is who."""
        self.rng.shuffle(self.rows)
        keys = {one.connection: one.key for one in self.profile.habits}
        for place, row in enumerate(self.rows, 100_003):
            form = keys[row.values["connection"]]
            number = place * 2_654_435_761 % 2**32 if "x}" in form else place
            row.values["source_key"] = form.format(number)
