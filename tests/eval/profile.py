"""What differs between generated sets: places, shares of parties, and each system's habits."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.eval.places import CITIES, COUNTIES, City


@dataclass(frozen=True, slots=True)
class Habits:
    """How one system writes its rows; every number is the share of rows of which it is true.

    `company`, `trader` and `person` are the shares of such parties that the system holds, `again`
    of those that it holds twice. Shares of names (`short` and so on) are of rows that could be so.
    """

    connection: str
    key: str
    company: float
    trader: float
    person: float
    again: float
    kind: float = 1.0
    legal_name: float = 0.0
    uscc: float = 0.0
    tax_number: float = 0.0
    phone: float = 0.9
    switchboard: float = 0.2
    masked: float = 0.0
    phone_format: float = 0.1
    email: float = 0.0
    address: float = 0.9
    region_columns: float = 0.8
    region_prefix: float = 0.4
    other_address: float = 0.1
    contact: float = 0.5
    placeholder: float = 0.2
    short: float = 0.0
    nickname: float = 0.0
    contact_as_name: float = 0.0
    masked_name: float = 0.0
    pinyin: float = 0.0
    traditional: float = 0.005
    suffix: float = 0.05
    region: float = 0.04
    bracket: float = 0.3
    lookalike: float = 0.01
    soundalike: float = 0.015
    full_width: float = 0.02
    note: float = 0.01
    uscc_typo: float = 0.015
    family_phone: float = 0.2
    office_phone: float = 0.0
    agent_phone: float = 0.0


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of company whose systems are made up; `half` chooses half of every vocabulary."""

    name: str
    half: int
    cities: tuple[City, ...]
    habits: tuple[Habits, ...]
    companies: float
    traders: float
    grouped: float
    families: float
    namesakes: float
    reused: float
    owners: float
    employees: float
    villages: float
    moved: float
    common_names: tuple[str, ...] = field(default=("张伟", "王芳", "李娜", "刘洋", "陈静"))


CITY = Profile(
    name="chinese", half=0, cities=CITIES,
    companies=0.52, traders=0.06, grouped=0.14, families=0.22, namesakes=0.04, reused=0.03,
    owners=0.06, employees=0.03, villages=0.0, moved=0.1,
    habits=(
        Habits("shop", "U{:08d}", company=0.42, trader=0.35, person=0.86, again=0.06, kind=0.35,
               legal_name=0.35, uscc=0.06, phone=0.93, switchboard=0.05, email=0.3,
               phone_format=0.05, address=0.85, region_prefix=0.25, contact=0.8, short=0.35,
               nickname=0.34, contact_as_name=0.14, masked_name=0.03, pinyin=0.07,
               traditional=0.03, soundalike=0.02, family_phone=0.3, office_phone=0.03),
        Habits("erp", "C{:06d}", company=0.82, trader=0.6, person=0.14, again=0.03,
               legal_name=0.3, uscc=0.86, tax_number=0.55, phone=0.75, switchboard=0.6, email=0.15,
               address=0.85, region_columns=0.5, region_prefix=0.7, contact=0.5, short=0.02,
               suffix=0.06, agent_phone=0.05),
        Habits("crm", "{:032x}", company=0.7, trader=0.4, person=0.26, again=0.08, kind=0.9,
               legal_name=0.25, uscc=0.3, phone=0.9, switchboard=0.25, email=0.5, address=0.6,
               region_columns=0.7, contact=0.85, short=0.3, suffix=0.1, note=0.03,
               soundalike=0.02),
        Habits("logistics", "{:d}", company=0.55, trader=0.5, person=0.62, again=0.1, kind=0.0,
               phone=0.97, switchboard=0.1, masked=0.3, phone_format=0.04, address=0.97,
               region_columns=0.6, region_prefix=0.6, other_address=0.2, contact=0.75, short=0.4,
               contact_as_name=0.06, masked_name=0.02, lookalike=0.02, soundalike=0.03,
               family_phone=0.25, office_phone=0.02),
    ),
)  # fmt: skip
"""A distributor in large cities: half companies, half consumers."""

VILLAGE = Profile(
    name="chinese_village", half=1, cities=COUNTIES,
    companies=0.1, traders=0.3, grouped=0.05, families=0.4, namesakes=0.06, reused=0.05,
    owners=0.1, employees=0.01, villages=0.7, moved=0.06,
    common_names=("王伟", "李强", "张敏", "刘芳", "杨秀英", "陈建国"),
    habits=(
        Habits("mini_store", "M-{:d}", company=0.3, trader=0.45, person=0.8, again=0.08, kind=0.2,
               legal_name=0.1, uscc=0.02, phone=0.95, switchboard=0.02, email=0.06,
               phone_format=0.03, address=0.9, region_prefix=0.5, contact=0.7, short=0.45,
               nickname=0.4, contact_as_name=0.2, masked_name=0.05, pinyin=0.03,
               traditional=0.01, soundalike=0.03, family_phone=0.4, office_phone=0.01),
        Habits("books", "{:05d}", company=0.8, trader=0.65, person=0.3, again=0.04, kind=0.8,
               legal_name=0.1, uscc=0.6, tax_number=0.3, phone=0.8, switchboard=0.3, email=0.02,
               address=0.6, region_columns=0.3, region_prefix=0.6, contact=0.4, short=0.15,
               suffix=0.1, soundalike=0.03, agent_phone=0.06, placeholder=0.3, uscc_typo=0.03),
        Habits("service", "svc{:07d}", company=0.4, trader=0.4, person=0.45, again=0.06, kind=0.5,
               uscc=0.1, phone=0.95, switchboard=0.1, email=0.1, address=0.8, contact=0.8,
               short=0.5, note=0.05, lookalike=0.02, soundalike=0.04, family_phone=0.35),
        Habits("parcels", "YT{:010d}", company=0.5, trader=0.55, person=0.7, again=0.12, kind=0.0,
               phone=0.98, switchboard=0.05, masked=0.4, phone_format=0.02, address=0.98,
               region_columns=0.4, region_prefix=0.9, other_address=0.1, contact=0.6, short=0.5,
               contact_as_name=0.15, masked_name=0.06, lookalike=0.03, soundalike=0.05,
               family_phone=0.35),
    ),
)  # fmt: skip
"""A wholesaler in counties: farmers' families and small traders, few codes, parcels to villages."""

PROFILES = {one.name: one for one in (CITY, VILLAGE)}
