"""Writes one party's row as one system has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

from tests.eval.codes import masked, mistyped, written
from tests.eval.naming import NAMELESS, account_name, company_name, person_name, spoil
from tests.eval.party import COLUMNS, Contact, Party, Row
from tests.eval.people import LAST_DAY
from tests.eval.placing import NOWHERE, write_address
from tests.eval.profile import Habits

_NO_PHONE = ("00000000000", "13800138000", "11111111111", "无", "0", "12345678901", "13000000000")
_NO_MAIL = ("test@test.com", "无", "none@none.com", "123@qq.com", "noemail@example.com")
_NO_CODE = ("无", "000000000000000000", "-", "暂无", "123456789012345678", "91330000000000000X")
_NOBODY = ("先生", "女士", "财务", "收货人", "采购", "前台", "无", "经理")


def write_row(rng: Random, party: Party, habits: Habits) -> Row:
    """Return the row; its source key is given later, when all rows are shuffled."""
    tags = {party.sign} if party.sign else set()
    values = dict.fromkeys(COLUMNS, "")
    values["connection"] = habits.connection
    contact = rng.choices(party.contacts, (6, 3, 1)[: len(party.contacts)])[0]
    if rng.random() < habits.kind:
        values["kind"] = "person" if party.sort == "person" else "organization"
    elif rng.random() < 0.5:
        values["kind"] = "unknown"
    values["name"] = _name(rng, party, contact, habits, tags)
    if party.sort != "person":
        _codes(rng, party, habits, values, tags)
        if rng.random() < habits.legal_name:
            values["legal_name"] = spoil(rng, party.name, habits, tags)
    values["phone"] = _phone(rng, party, contact, habits, tags)
    if rng.random() < habits.email:
        values["email"] = _mail(rng, party, contact, tags)
    elif rng.random() < habits.placeholder * 0.15:
        values["email"] = rng.choice(_NO_MAIL)
        tags.add("placeholder")
    if rng.random() < habits.address:
        place = party.addresses[0]
        if len(party.addresses) > 1 and rng.random() < max(habits.other_address, 0.25):
            place = party.addresses[1]
            tags.add("other_address")
        values |= write_address(rng, place, habits, tags)
    elif rng.random() < habits.placeholder:
        values["address"] = rng.choice(NOWHERE)
        tags.add("placeholder")
    if rng.random() < habits.contact:
        values["contact_name"] = person_name(rng, contact.name, habits, tags)
    elif rng.random() < habits.placeholder * 0.5:
        values["contact_name"] = rng.choice(_NOBODY)
        tags.add("placeholder")
    day = min(party.born + int(rng.expovariate(1 / 400)), LAST_DAY + 500)
    party.last = max(party.last, day)
    instant = datetime.fromordinal(day).replace(tzinfo=UTC)
    instant += timedelta(seconds=rng.randrange(86_400))
    values["created_at"] = instant.isoformat().replace("+00:00", "Z")
    row = Row(values, f"P{party.number:06d}", tags)
    party.rows.append(row)
    return row


def _name(rng: Random, party: Party, contact: Contact, habits: Habits, tags: set[str]) -> str:
    if rng.random() < habits.nickname:
        return account_name(rng, party, contact.name, tags)
    if party.sort == "person":
        if rng.random() < habits.placeholder * 0.02:
            tags.add("placeholder")
            return rng.choice(NAMELESS)
        return person_name(rng, contact.name, habits, tags)
    # where a trader's owner is a party too, a row under the owner's name would be the owner's
    if party.sign != "owner" and rng.random() < habits.contact_as_name:
        tags.add("contact_as_name")
        return person_name(rng, contact.name, habits, tags)
    return company_name(rng, party, habits, tags)


def _codes(rng: Random, party: Party, habits: Habits, values: dict[str, str],
           tags: set[str]) -> None:  # fmt: skip
    if party.uscc and rng.random() < habits.uscc:
        code = party.uscc
        if rng.random() < habits.uscc_typo:
            code = mistyped(rng, code)
            tags.add("uscc_typo")
        elif rng.random() < 0.03:
            code = rng.choice((code.lower(), f"{code[:4]} {code[4:]}", f" {code}"))
            tags.add("code_format")
        values["uscc"] = code
    elif rng.random() < habits.placeholder * 0.2:
        values["uscc"] = rng.choice(_NO_CODE)
        tags.add("placeholder")
    if party.uscc and rng.random() < habits.tax_number:
        values["tax_number"] = party.tax_number or party.uscc
    if not values["uscc"] and not values["tax_number"]:
        tags.add("no_code")


def _phone(rng: Random, party: Party, contact: Contact, habits: Habits, tags: set[str]) -> str:
    if rng.random() >= habits.phone:
        if rng.random() < habits.placeholder:
            tags.add("placeholder")
            return rng.choice(_NO_PHONE)
        tags.add("no_phone")
        return ""
    number = _number(rng, party, contact, habits, tags)
    if "-" not in number and rng.random() < habits.masked:
        tags.add("masked_phone")
        return masked(number)
    if rng.random() < habits.phone_format:
        tags.add("phone_format")
        return written(rng, number)
    return number


def _number(rng: Random, party: Party, contact: Contact, habits: Habits, tags: set[str]) -> str:
    """Return the true number, and say by a tag when others use it too."""
    if party.agent and rng.random() < habits.agent_phone * 8:
        tags.add("agent_phone")
        return party.agent
    if party.office and rng.random() < habits.office_phone * 12:
        tags.add("office_phone")
        return party.office
    if party.family_phone and rng.random() < habits.family_phone:
        tags.add("family_phone")
        return party.family_phone
    if party.switchboard and rng.random() < habits.switchboard:
        tags.add("switchboard")
        return party.switchboard
    if party.sort != "person":
        return contact.mobile
    number = rng.choices(party.mobiles, (4, 1)[: len(party.mobiles)])[0]
    if number == party.reused:
        tags.add("reused_phone")
    return number


def _mail(rng: Random, party: Party, contact: Contact, tags: set[str]) -> str:
    mail = party.email if party.sort != "person" and rng.random() < 0.4 else contact.email
    if rng.random() < 0.03:
        tags.add("mail_typo")
        return rng.choice((mail.upper(), mail + " ", mail.replace(".com", ".con"),
                           mail.replace("@", "＠")))  # fmt: skip
    return mail
