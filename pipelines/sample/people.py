"""Who buys from the sample company, and which of its systems knows whom under what."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from pipelines.sample import names
from pipelines.sample.facts import Customer, Entry
from pipelines.sample.key import How, Same

SHOP, TYPED, ASKED = 320, 40, 20
"""Customers of the shop, of the salesmen alone, and companies that only asked so far."""
FOREIGN = 26


def make_customers(dice: random.Random, start: datetime) -> list[Customer]:
    """Return all customers; no two have a name, a phone or an e-mail in common."""
    found: list[Customer] = []
    taken: set[str] = set()
    for number in range(1, SHOP + TYPED + ASKED + 1):
        abroad = number <= FOREIGN
        place = dice.choice(names.CITIES)
        is_company = not abroad and (number > SHOP or dice.random() < 0.72)
        while True:
            contact = names.foreigner(number) if abroad else names.person(dice)
            name = names.company(dice, place[1]) if is_company else contact
            if names.shortened(name) not in taken:
                break
        taken.add(names.shortened(name))
        created = start - timedelta(days=dice.randrange(1, 500), seconds=dice.randrange(86_400))
        street = f"{dice.choice(names.STREETS)}{dice.randrange(1, 999)}号{dice.randrange(1, 30)}室"
        made = Customer(
            number, is_company, name, contact, names.mobile(dice, number),
            f"{'buyer' if is_company else 'u'}{number:04d}@example.com",
            names.uscc(dice, place[4]) if is_company else "", place, street, created,
            dice.choice(("普通", "银牌", "金牌")),
        )  # fmt: skip
        if abroad:
            city, region, made.country, postal, prefix = names.FOREIGN[number % len(names.FOREIGN)]
            made.place = (region, city, "", "", "", postal)
            made.street = f"{dice.randrange(1, 400)} {dice.choice(('Mill', 'Park', 'High'))} Street"
            made.phone = f"{prefix}{number:04d}"
        found.append(made)
        _enter(dice, made)
    return found


def _enter(dice: random.Random, one: Customer) -> None:
    """Write the customer into the systems that know it, each with what was typed there."""
    number, place = one.number, one.place
    switchboard = names.landline(dice, place[3], number) if one.is_company else ""
    if number <= SHOP:
        one.entries.append(Entry("shop", str(number), one.name, one.phone, one.email))
    if number <= FOREIGN:
        one.entries.append(Entry("stripe", f"cus_{number:06d}", one.name, "", one.email))
        return
    if not one.is_company:
        return
    if number <= SHOP + TYPED and (number > SHOP or dice.random() < 0.75):
        phone = one.phone if dice.random() < 0.7 else switchboard
        one.entries.append(Entry("erp", str(number), one.name, phone, "", one.code))
    if number > SHOP or dice.random() < 0.45:
        for again in range(2 if dice.random() < 0.06 else 1):
            typed = one.name if dice.random() < 0.6 else names.shortened(one.name)
            one.entries.append(
                Entry(
                    "crm", f"{number * 10 + again}", names.shortened(one.name) if again else typed,
                    dice.choice((one.phone, switchboard, switchboard)),
                    one.email if dice.random() < 0.3 else "",
                    one.code if dice.random() < 0.4 else "",
                )
            )  # fmt: skip


def same(customers: list[Customer]) -> list[Same]:
    """Return the customers that stand in more than one place, and how it shows."""
    found = []
    for one in customers:
        if len(one.entries) > 1:
            how = tuple(
                shows(one.entries[:at], entry) for at, entry in enumerate(one.entries) if at
            )
            found.append(Same(tuple((e.system, e.key) for e in one.entries), how))
    return found


def shows(before: list[Entry], entry: Entry) -> How:
    """Return how it shows that an entry is one of those before it, the surest sign first."""
    for sign in ("code", "phone", "email"):
        said = getattr(entry, sign)
        if said and any(getattr(other, sign) == said for other in before):
            return sign
    return "name"
