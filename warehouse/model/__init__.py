"""The canonical model: one pydantic class an entity, from which DDL, comments and docs follow."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from warehouse.model.activity import Activity
from warehouse.model.base import Column, Entity
from warehouse.model.invoice import Invoice, InvoiceLine
from warehouse.model.lead import Lead
from warehouse.model.movement import StockMovement
from warehouse.model.opportunity import Opportunity
from warehouse.model.order import Order, OrderLine
from warehouse.model.organization import Organization
from warehouse.model.party import Address, Party, PartyIdentifier
from warehouse.model.payment import Payment, Refund, RefundLine
from warehouse.model.payout import PaymentAllocation, Payout, PayoutLine
from warehouse.model.pricing import ExchangeRate, Price
from warehouse.model.product import Product
from warehouse.model.purchase import PurchaseOrder, PurchaseOrderLine
from warehouse.model.returned import Return, ReturnLine
from warehouse.model.shipment import Shipment, ShipmentEvent, ShipmentLine
from warehouse.model.stock import Location, StockLevel
from warehouse.model.ticket import Ticket

__all__ = ["ENTITIES", "HEADERS", "Column", "Entity", "children_of"]

_CLASSES: tuple[type[Entity], ...] = (
    Organization,
    Party,
    PartyIdentifier,
    Address,
    Product,
    Price,
    Location,
    StockLevel,
    StockMovement,
    Order,
    OrderLine,
    Shipment,
    ShipmentLine,
    ShipmentEvent,
    Payment,
    PaymentAllocation,
    Payout,
    PayoutLine,
    Refund,
    RefundLine,
    Return,
    ReturnLine,
    Invoice,
    InvoiceLine,
    PurchaseOrder,
    PurchaseOrderLine,
    Opportunity,
    Lead,
    Activity,
    Ticket,
    ExchangeRate,
)

ENTITIES: Mapping[str, type[Entity]] = MappingProxyType({c.entity: c for c in _CLASSES})
"""Every entity by its singular name, a parent before its children."""

HEADERS: tuple[str, ...] = tuple(name for name, c in ENTITIES.items() if c.parent is None)
"""The entities that stand on their own (no owned children)."""


def children_of(entity: str) -> tuple[type[Entity], ...]:
    """Return the child entities that `entity` owns."""
    return tuple(ENTITIES[name] for name in ENTITIES[entity].children.values())
