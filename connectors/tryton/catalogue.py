"""What is read of Tryton, as data: a stream's model, its fields, and what moves a record.

Verified on a running trytond 8.2.1: an order's `write_date` does not move when only a line is
edited, a product's not when its template is, a party's not when an address or a contact is. So
each stream names the relations whose stamps count as its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

STAMPS = ("create_date", "write_date")


@dataclass(frozen=True, slots=True)
class Source:
    """One stream. `module` is the Tryton module that brings `model`.

    `fields` are names or dotted paths; the first part of each is asked for only where the server
    has it. `moved` are relations whose records' stamps are the record's too. `domain` is Tryton's
    own filter, a list of clauses. `with_company` are fields of the company that is read, which
    is put into each record: prices of products name no currency. `by_company` says that records
    belong to one.
    """

    model: str
    module: str
    title: str
    fields: tuple[str, ...]
    moved: tuple[str, ...] = ()
    domain: tuple[Any, ...] = ()
    with_company: tuple[str, ...] = ()
    by_company: bool = False

    @property
    def asked(self) -> tuple[str, ...]:
        """The fields with the stamps of the record and of what moves it."""
        stamps = [f"{path}.{stamp}" for path in self.moved for stamp in STAMPS]
        return tuple(dict.fromkeys((*self.fields, *STAMPS, *stamps)))


def _of(path: str, *names: str) -> tuple[str, ...]:
    return tuple(f"{path}.{name}" for name in names)


_ADDRESS = ("street", "city", "postal_code", "subdivision.name", "country.code")

_SOURCES = {
    "parties": Source(
        "party.party", "party", "Parties",
        (
            "code", "name", "active", "lang.code", "email", "phone", "mobile", "website",
            "replaced_by", "tax_identifier.code", "tax_identifier.type",
            *_of("addresses", *_ADDRESS, "active", "delivery", "invoice", "sequence"),
            *_of("contact_mechanisms", "type", "value", "active"),
            *_of("identifiers", "type", "code", "active"),
        ),
        moved=("addresses", "contact_mechanisms", "identifiers"),
    ),
    "companies": Source(
        "company.company", "company", "Own companies",
        ("party.code", "party.name", "currency.code"),
        moved=("party",),
    ),
    "products": Source(
        "product.product", "product", "Products",
        (
            "code", "suffix_code", "name", "description", "type", "active", "salable",
            "consumable", "list_price_used", "list_price", "cost_price",
            "default_uom.symbol", "account_category.name", "template.code", "template.active",
            "replaced_by", *_of("identifiers", "type", "code"),
        ),
        moved=("template", "identifiers", "list_prices", "cost_prices", "template.list_prices"),
        with_company=("currency.code",),
    ),
    "locations": Source(
        "stock.location", "stock", "Storage locations and warehouses",
        ("code", "name", "type", "active", "parent.name", *_of("address", *_ADDRESS)),
        domain=(["type", "in", ["warehouse", "storage", "view"]],),
    ),
    "stock": Source(
        "product.product", "stock", "Stock by location",
        ("code", "name", "default_uom.symbol", "quantity", "forecast_quantity"),
        domain=(["type", "in", ["goods", "assets"]],),
    ),
    "orders": Source(
        "sale.sale", "sale", "Sales orders",
        (
            "number", "reference", "description", "state", "invoice_state", "shipment_state",
            "sale_date", "shipping_date", "party.code", "party.name", "invoice_party.name",
            "shipment_party.name", *_of("shipment_address", *_ADDRESS), "currency.code",
            "untaxed_amount", "tax_amount", "total_amount", "warehouse.code", "payment_term.name",
            "company", "origin", "comment",
            *_of(
                "lines", "type", "sequence", "product.code", "product.name", "description",
                "quantity", "actual_quantity", "unit.symbol", "unit_price", "amount",
            ),
        ),
        moved=("lines",),
        by_company=True,
    ),
    "shipments": Source(
        "stock.shipment.out", "stock", "Customer shipments",
        (
            "number", "reference", "state", "customer.name", "planned_date", "effective_date",
            "warehouse.code", "origins", "company", *_of("delivery_address", *_ADDRESS),
            *_of(
                "outgoing_moves", "product.code", "product.name", "quantity", "unit.symbol",
                "state", "origin", "sale", "effective_date",
            ),
        ),
        moved=("moves",),
        by_company=True,
    ),
    "stock_movements": Source(
        "stock.move", "stock", "Goods that moved",
        (
            "product.code", "product.name", "product.default_uom.symbol", "internal_quantity",
            *_of("from_location", "name", "type"), *_of("to_location", "name", "type"),
            "state", "effective_date", "shipment", "origin", "cost_price",
            "company.currency.code",
        ),
        domain=(["state", "=", "done"],),
        by_company=True,
    ),
    "invoices": Source(
        "account.invoice", "account_invoice", "Customer and supplier invoices",
        (
            "number", "reference", "type", "state", "description", "invoice_date",
            "payment_term_date", "party.name", "party_tax_identifier.code", "currency.code",
            "untaxed_amount", "tax_amount", "total_amount", "amount_to_pay", "reconciled",
            "sales", "company", "comment",
            *_of(
                "lines", "type", "sequence", "product.code", "description", "quantity",
                "unit.symbol", "unit_price", "amount", "origin",
            ),
        ),
        moved=("lines", "payment_lines", "move.lines"),
        by_company=True,
    ),
    "payments": Source(
        "account.move.line", "account_invoice", "Cash movements of parties",
        (
            "date", "debit", "credit", "party.name", "account.code",
            "account.type.receivable", "account.type.payable", "move.number", "move.state",
            "move_origin", "invoice_payment", "currency.code", "amount_second_currency",
            "second_currency.code", "description", "journal.name", "reconciliation", "company",
        ),
        moved=("move",),
        domain=(["move.journal.type", "=", "cash"], ["party", "!=", None]),
        by_company=True,
    ),
    "exchange_rates": Source(
        "currency.currency.rate", "currency", "Exchange rates",
        ("date", "rate", "currency.code"),
        with_company=("currency.code", *_of("currency.rates", "date", "rate")),
    ),
    "opportunities": Source(
        "sale.opportunity", "sale_opportunity", "Sales opportunities",
        (
            "number", "reference", "description", "state", "party.name", "contact.value",
            "amount", "currency.code", "conversion_probability", "start_date", "end_date",
            "employee.rec_name", "lost_reason", "comment", "company",
        ),
        by_company=True,
    ),
}  # fmt: skip

STREAMS: Mapping[str, Source] = MappingProxyType(_SOURCES)
"""Every stream by its name, in the order in which references find what they refer to."""
