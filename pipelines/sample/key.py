"""The answer key of the sample company: what is wrong between its systems, each thing once."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

How = Literal["code", "phone", "email", "name"]
Payment = Literal["short", "long", "missing", "unpaid", "unknown", "kept"]


@dataclass(frozen=True, slots=True)
class Same:
    """One customer in several places (system, key).

    `how` it shows that the place belongs to one of those before it: the same 统一社会信用代码,
    phone or e-mail, or only a similar name; the first place has none.
    """

    places: tuple[tuple[str, str], ...]
    how: tuple[How, ...]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Money at a gateway and an order that do not fit.

    short, long: less or more was paid than the order's total; missing: the shop says paid, the
    gateway has nothing; unpaid: paid at the gateway, the shop says not; unknown: no order has the
    number; kept: given back although nothing came back. `expected` is what the order says: its
    total, nothing to give back for kept, None where there is no order.
    """

    kind: Payment
    order: str
    way: str
    transaction: str
    expected: Decimal | None
    found: Decimal


@dataclass(frozen=True, slots=True)
class Oversold:
    """A product of which the shop offers more than there is."""

    sku: str
    offered: int
    there: int


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that is wrong on purpose.

    `reason` is part of what its quarantine row must say; `kept` marks a word that is kept as
    unknown with a warning. `key` is the source key, None where the record has none.
    """

    connection: str
    stream: str
    key: str | None
    entity: str
    field: str
    reason: str
    kept: bool = False


@dataclass(slots=True)
class Key:
    """All of it. Orders by the shop's number, documents by the ERP's.

    `short`: (order, SKU), paid and not in stock. `lacking`: paid, without a document in the ERP.
    `stray`: (document, the number it claims), which no order has. `delivered`: (order, tracking
    number), signed for while the shop says that nothing left.
    """

    same: list[Same] = field(default_factory=list)
    short: list[tuple[str, str]] = field(default_factory=list)
    lacking: list[str] = field(default_factory=list)
    stray: list[tuple[str, str]] = field(default_factory=list)
    payments: list[Mismatch] = field(default_factory=list)
    oversold: list[Oversold] = field(default_factory=list)
    delivered: list[tuple[str, str]] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
