"""What happened in the sample company, in the words of none of its systems.

An adapter a system writes these facts down as that system would; `breaks` says where two systems
tell of one fact differently.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(slots=True)
class Entry:
    """A customer as one system writes it: under its key, with what was typed there."""

    system: str
    key: str
    name: str
    phone: str = ""
    email: str = ""
    code: str = ""


@dataclass(slots=True)
class Customer:
    """A company or person; `code` is the 统一社会信用代码, "" for a person.

    `place` is province, city, district, area code, GB/T 2260 code, postal code. `entries` are the
    systems that know it, in one of them more than once where somebody typed it in again.
    """

    number: int
    is_company: bool
    name: str
    contact: str
    phone: str
    email: str
    code: str
    place: tuple[str, ...]
    street: str
    since: datetime
    level: str
    country: str = "CN"
    entries: list[Entry] = field(default_factory=list)

    def entry(self, system: str) -> Entry | None:
        """Return how a system writes it, None where it does not know it."""
        return next((entry for entry in self.entries if entry.system == system), None)


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is sold by its SKU."""

    number: int
    sku: str
    name: str
    category: str
    unit: str
    barcode: str
    price: Decimal
    since: datetime
    is_sold: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order."""

    place: int
    product: Product
    quantity: int
    price: Decimal

    @property
    def gross(self) -> Decimal:
        """The sum of the line before the order's discount."""
        return self.price * self.quantity


@dataclass(frozen=True, slots=True)
class Step:
    """Something that a carrier reports: word is one of taken, moving, out, signed, trouble."""

    at: datetime
    word: str
    said: str
    city: str


@dataclass(slots=True)
class Parcel:
    """Goods that left; `steps` oldest first."""

    number: int
    carrier: str
    tracking: str
    sent: datetime
    steps: list[Step] = field(default_factory=list)

    @property
    def is_signed(self) -> bool:
        """Whether it arrived."""
        return bool(self.steps) and self.steps[-1].word == "signed"


@dataclass(slots=True)
class Order:
    """An order as the customer placed it: in the shop, or typed into the ERP by a salesman.

    `way` it is paid: alipay, stripe, bank. `money` is what the shop says: paid, pending, refunded,
    partially_refunded, voided; `transaction` is the number that it was told of the payment.
    `is_told`: whether the shop knows that the parcel left. `document` is the number of the ERP's
    order, "" where there is none.
    """

    number: str
    place: int
    customer: Customer
    placed: datetime
    changed: datetime
    lines: list[Line]
    discount: Decimal
    is_typed: bool = False
    way: str = ""
    money: str = "pending"
    paid: datetime | None = None
    parcel: Parcel | None = None
    is_told: bool = True
    document: str = ""
    transaction: str = ""

    @property
    def goods(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.gross for line in self.lines), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What the customer owes."""
        return self.goods - self.discount

    @property
    def is_paid(self) -> bool:
        """Whether the shop says that it was paid, whatever was given back."""
        return self.money in ("paid", "refunded", "partially_refunded")


@dataclass(slots=True)
class Movement:
    """Money that moved at a gateway or bank; `order` is the number that was handed to it.

    kind: payment or refund. status: succeeded, failed, pending. `of` is the payment that a refund
    gives back. Amounts in CNY.
    """

    number: str
    way: str
    kind: str
    order: str
    amount: Decimal
    fee: Decimal
    at: datetime
    payer: Customer | None
    status: str = "succeeded"
    of: str = ""
    reason: str = ""


@dataclass(slots=True)
class Return:
    """Goods that came back for a refund."""

    number: int
    order: Order
    amount: Decimal
    quantity: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """An order of the ERP that carries out an order of the shop, by the number that it claims."""

    number: str
    key: int
    claims: str
    order: Order
    at: datetime


@dataclass(frozen=True, slots=True)
class Stock:
    """How much of a product is where, and how much the shop offers.

    `online` and `main` are the two warehouses, each (there, reserved).
    """

    product: Product
    online: tuple[int, int]
    main: tuple[int, int]
    offered: int

    @property
    def available(self) -> int:
        """What can be sent from the warehouse of the shop."""
        return self.online[0] - self.online[1]


@dataclass(frozen=True, slots=True)
class Lead:
    """Somebody who asked; stage: new, working, converted, lost."""

    number: int
    company: str
    contact: str
    phone: str
    email: str
    source: str
    stage: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Deal:
    """An opportunity; stage: talking, offered, won, lost."""

    number: int
    customer: Customer
    title: str
    amount: Decimal
    stage: str
    at: datetime
    closes: datetime


@dataclass(frozen=True, slots=True)
class Ticket:
    """A complaint about an order; stage: open, working, done."""

    number: int
    customer: Customer
    order: str
    subject: str
    stage: str
    at: datetime
