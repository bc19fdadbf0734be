"""True parties of a generated set, before any system has written them down."""

from __future__ import annotations

from dataclasses import dataclass, field

COLUMNS = (
    "connection", "source_key", "kind", "name", "legal_name", "uscc", "tax_number", "phone",
    "email", "address", "province", "city", "district", "contact_name", "created_at",
)  # fmt: skip
"""The form of every set's files."""


@dataclass(slots=True)
class Row:
    """One system's row: values by column (empty text: nothing), truth, and what was done to it."""

    values: dict[str, str]
    party: str
    tags: set[str] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, str]:
        """Return (connection, source_key)."""
        return self.values["connection"], self.values["source_key"]


@dataclass(frozen=True, slots=True)
class Address:
    """Where a party is; `town` is set in the country, then `estate` is a village."""

    province: str
    city: str
    district: str
    street: str
    number: int
    estate: str
    building: int
    unit: int
    room: int
    town: str = ""
    lane: bool = False


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who speaks for a party: for a person, the person."""

    name: str
    mobile: str
    email: str


@dataclass(slots=True)
class Party:
    """One real customer: `sort` is company, trader or person; a person is its own first contact.

    `core`, `industry`, `suffix`, `region` and `branch` are the parts of a company's name;
    `born` is the day (ordinal) before which no row is.
    """

    number: int
    sort: str
    name: str
    addresses: list[Address]
    contacts: list[Contact]
    born: int
    mobiles: list[str] = field(default_factory=list)
    core: str = ""
    industry: str = ""
    region: str = ""
    suffix: str = ""
    uscc: str = ""
    tax_number: str = ""
    switchboard: str = ""
    email: str = ""
    agent: str = ""
    office: str = ""
    family_phone: str = ""
    reused: str = ""
    sign: str = ""
    """What the party was made to be hard by: group, namesake, family, owner; empty where plain."""
    branch: str = ""
    last: int = 0
    rows: list[Row] = field(default_factory=list)
