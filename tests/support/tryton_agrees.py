"""Holds what the store says of a Tryton company against what Tryton itself answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from decimal import Decimal
from typing import Any

from tryton_world import Tryton

from pipelines.workspace import Workspace
from warehouse.reader import run_query

CASH = [["move.journal.type", "=", "cash"], ["party", "!=", None]]
DONE = [["state", "=", "done"]]
PLACES = [["type", "in", ["warehouse", "storage", "view"]]]


def ask(space: Workspace, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in run_query(space.home.current, sql).rows]


def same_as_tryton(space: Workspace, tryton: Tryton) -> None:
    """Compare counts, sums, every line and all stock with Tryton's own answers."""
    models = {
        "parties": ("party.party", []), "organizations": ("company.company", []),
        "products": ("product.product", []),
        "locations": ("stock.location", PLACES), "orders": ("sale.sale", []),
        "shipments": ("stock.shipment.out", []), "stock_movements": ("stock.move", DONE),
        "exchange_rates": ("currency.currency.rate", [["currency.code", "!=", "CNY"]]),
        "invoices": ("account.invoice", []),
        "payments": ("account.move.line", CASH), "opportunities": ("sale.opportunity", []),
    }  # fmt: skip
    for table, (model, domain) in models.items():
        rows = ask(space, f"select source_key from source.{table} where not is_deleted")
        assert sorted(int(key) for (key,) in rows) == [r["id"] for r in tryton.all(model, domain)]
    sums_agree(space, tryton)
    lines_agree(space, tryton)
    stock_agrees(space, tryton)


def sums_agree(space: Workspace, tryton: Tryton) -> None:
    wanted: dict[str, Counter[str]] = defaultdict(Counter)
    for sale in tryton.all("sale.sale", [], "state", "total_amount", "untaxed_amount"):
        wanted["orders"][sale["state"]] += sale["total_amount"]
        wanted["subtotal"][sale["state"]] += sale["untaxed_amount"]
    for bill in tryton.all("account.invoice", [], "state", "total_amount", "amount_to_pay"):
        wanted["invoices"][bill["state"]] += bill["total_amount"]
        wanted["balance"][bill["state"]] += bill["amount_to_pay"]
    for line in tryton.all("account.move.line", CASH, "credit", "debit"):
        wanted["payments"]["all"] += abs(line["credit"] - line["debit"])
    for one in tryton.all("sale.opportunity", [], "state", "amount"):
        wanted["opportunities"][one["state"]] += one["amount"] or 0
    got = {
        "orders": "select status_raw, sum(current_total) from source.orders",
        "subtotal": "select status_raw, sum(subtotal) from source.orders",
        "invoices": "select status_raw, sum(gross) from source.invoices",
        "balance": "select status_raw, sum(balance) from source.invoices",
        "payments": "select 'all', sum(amount) from source.payments",
        "opportunities": "select status_raw, sum(amount) from source.opportunities",
    }
    for name, sql in got.items():
        found = dict(ask(space, f"{sql} where not is_deleted group by 1"))
        assert found == dict(wanted[name]), name


def lines_agree(space: Workspace, tryton: Tryton) -> None:
    fields = ("sale", "product.code", "quantity", "unit.symbol", "unit_price", "amount")
    wanted = {
        (str(line["sale"]), str(line["id"]), line["product."]["code"],
         Decimal(str(line["quantity"])), line["unit."]["symbol"], line["unit_price"],
         line["amount"])
        for line in tryton.all("sale.line", [["type", "=", "line"]], *fields)
    }  # fmt: skip
    rows = ask(
        space,
        "select parent_key, l.source_key, sku, quantity, unit, unit_price, net"
        " from source.order_lines l join source.orders o"
        " on o.source_key = parent_key and not is_deleted",
    )
    assert set(rows) == wanted
    assert len(rows) == len(wanted)
    moves = tryton.all(
        "stock.move", [["shipment", "like", "stock.shipment.out,%"], ["state", "!=", "cancelled"],
                       ["to_location.type", "=", "customer"]],
        "shipment", "product.code", "quantity", "sale",
    )  # fmt: skip
    shipped = {
        (move["shipment"].split(",")[1], str(move["id"]), move["product."]["code"],
         Decimal(str(move["quantity"])), str(move["sale"]))
        for move in moves
    }  # fmt: skip
    rows = ask(
        space, "select parent_key, l.source_key, sku, quantity, l.order_key"
        " from source.shipment_lines l join source.shipments s"
        " on s.source_key = parent_key and not is_deleted",
    )  # fmt: skip
    assert set(rows) == shipped
    assert len(rows) == len(shipped)


def stock_agrees(space: Workspace, tryton: Tryton) -> None:
    """Per location as Tryton counts it, and as its moves add up; the warehouse is their sum."""
    moved: Counter[tuple[str, str]] = Counter()
    fields = ("product", "internal_quantity", "from_location", "to_location")
    for move in tryton.all("stock.move", [["state", "=", "done"]], *fields):
        amount = Decimal(str(move["internal_quantity"]))
        moved[str(move["from_location"]), str(move["product"])] -= amount
        moved[str(move["to_location"]), str(move["product"])] += amount
    rows = ask(
        space, "select location_key, product_key, on_hand, available from source.stock_levels"
        " where not is_deleted",
    )  # fmt: skip
    store = {(place, product): (on_hand, free) for place, product, on_hand, free in rows}
    assert len(store) == len(rows)
    places = tryton.all("stock.location", [["type", "=", "storage"]], "parent")
    whole: Counter[str] = Counter()
    for place in places:
        for product in tryton.all(
            "product.product", [], "quantity", locations=[place["id"]], with_childs=False
        ):
            key = (str(place["id"]), str(product["id"]))
            own = Decimal(str(product["quantity"]))
            on_hand, free = store.get(key, (Decimal(0), Decimal(0)))
            assert on_hand == own == moved[key], key
            assert free <= on_hand
            if place["parent"] is not None:  # the transit location is in no warehouse
                whole[str(product["id"])] += own
    (warehouse,) = tryton.all("stock.location", [["type", "=", "warehouse"]])
    for product in tryton.all(
        "product.product", [], "quantity", locations=[warehouse["id"]], with_childs=True
    ):
        assert Decimal(str(product["quantity"])) == whole[str(product["id"])]
    assert sum(store[key][0] for key in store) == sum(whole.values()) > 0
    rows = ask(
        space, "with way as (select from_location_key as place, product_key, -quantity as quantity"
        " from source.stock_movements where not is_deleted union all"
        " select to_location_key, product_key, quantity from source.stock_movements"
        " where not is_deleted) select place, product_key, sum(quantity) from way group by all",
    )  # fmt: skip
    assert {(place, product): amount for place, product, amount in rows} == dict(moved)
