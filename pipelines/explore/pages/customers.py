"""Customer 360: who knows a customer, what they bought, paid, sent back and asked."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from pipelines.explore import charts
from pipelines.explore.blocks import Block, Cell, Chart, Choice, Form, Page, Table, Tile, Tiles
from pipelines.explore.charts import Point
from pipelines.explore.look import Look


def page(look: Look) -> Page:
    """Return the customers by revenue in one currency, or those that a search finds."""
    w, q = look.words, look.args.get("q", "").strip()
    currencies = [r["currency"] for r in look.records("customers/currencies")] or [""]
    currency = look.chosen("currency", currencies)
    made = Page(w("customers.title"), w("customers.lead"))
    made.form = Form([
        Choice("q", w("customers.search"), q, type="search", hint=w("customers.hint")),
        Choice("currency", w("col.currency"), currency, [(c, c) for c in currencies]),
    ], w("show"))  # fmt: skip
    made.blocks = [
        look.part(w("customers.title"), lambda: _tiles(look)),
        look.part(w("customers.systems"), lambda: _systems(look), 4),
        look.part(w("customers.list"), lambda: look.table(
            "customers/list", w("customers.found", q=q) if q else w("customers.list"),
            ("name", "city", "systems", "order_count", "revenue", "open_amount", "currency",
             "last_order_at"),
            links={"name": lambda r: f"/customer/{r['party_id']}"},
            q=q, currency=currency, wide=8, tall=True,
        ), 8),
    ]  # fmt: skip
    return made


def _tiles(look: Look) -> Block:
    w, shown, r = look.words, look.shown, look.one("customers/totals")
    return Tiles([
        Tile(w("customers.all"), [shown.number(r["customers"])], w("customers.all_note")),
        Tile(w("customers.shared"), [shown.number(r["shared"])], w("customers.shared_note")),
        Tile(w("customers.buyers"), [shown.number(r["buyers"])], w("customers.buyers_note")),
        Tile(w("customers.returning"), [shown.number(r["returning"])],
             w("customers.returning_note", share=shown.share(
                 r["returning"] / r["buyers"] if r["buyers"] else None))),
        Tile(w("customers.doubtful"), [shown.number(r["doubtful"])], w("customers.doubtful_note"),
             "warn" if r["doubtful"] else "ok"),
    ])  # fmt: skip


def _systems(look: Look) -> Block:
    w, rows = look.words, look.records("customers/systems")
    points = [Point(r["systems"], (r["customers"],), f"{r['systems']}: {r['customers']}")
              for r in rows]  # fmt: skip
    return Chart(w("customers.systems"), charts.rows(points, wide=4, label=150),
                 note=w("customers.systems_note"), wide=4,
                 exports=look.exports("customers/systems"))  # fmt: skip


def customer(look: Look, id: UUID) -> Page | None:
    """Return the page of one customer, None where there is none."""
    id = look.one("order/resolve", id=id)["id"]
    head = look.one("customer/head", id=id)
    if not head:
        return None
    w = look.words
    place = " ".join(str(x) for x in (head["region"], head["city"]) if x)
    lead = " · ".join(x for x in (w.of("kind", head["kind"]), place, head["level"]) if x)
    made = Page(head["name"] or w("customer.nameless"), lead,
                back=("/customers", w("customers.title")))  # fmt: skip
    made.blocks = [
        Tiles(_figures(look, head)),
        look.part(w("customer.months"), lambda: _months(look, id), 6),
        look.part(w("customer.contacts"), lambda: look.table(
            "customer/contacts", w("customer.contacts"),
            ("told_at", "what", "connection", "number", "said", "status"), id=id, wide=6,
            empty=w("customer.contacts_none"),
        ), 6),
        look.part(w("customer.records"), lambda: _records(look, id)),
        look.part(w("customer.orders"), lambda: look.table(
            "customer/orders", w("customer.orders"),
            ("number", "connection", "placed_at", "status", "payment_status", "total",
             "paid_amount", "currency", "parcel_count", "return_count"),
            links={"number": lambda r: f"/order/{r['order_id']}"}, id=id,
        )),
    ]  # fmt: skip
    return made


def _figures(look: Look, head: dict[str, Any]) -> list[Tile]:
    w, shown = look.words, look.shown
    money = sorted(head["by_currency"] or (), key=lambda m: -m["order_count"])

    def lines(name: str) -> list[tuple[str, str]]:
        return [(shown.money(m[name], cents=False), m["currency"]) for m in money
                if m["currency"]] or [("–", "")]  # fmt: skip

    is_open = any(m["open_amount"] for m in money)
    return [
        Tile(w("customer.systems"), [str(len(head["systems"] or ()))],
             ", ".join(head["systems"] or ())),
        Tile(w("customer.order_count"), [shown.number(head["order_count"])],
             w("customer.cancelled", n=head["cancelled_order_count"])),
        Tile(w("customer.revenue"), lines("revenue"), w("customer.revenue_note")),
        Tile(w("customer.open"), lines("open_amount"), w("customer.open_note"),
             "warn" if is_open else ""),
        Tile(w("customer.returns"), [shown.number(head["return_count"])],
             w("customer.tickets", n=head["ticket_count"])),
        Tile(w("customer.last"), [shown.cell(head["last_order_at"], "last_order_at")],
             w("customer.first", day=shown.cell(head["first_order_at"], "last_order_at"))),
    ]  # fmt: skip


def _months(look: Look, id: UUID) -> Block:
    w, shown = look.words, look.shown
    by: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for r in look.records("customer/months", id=id):
        by[r["currency"] or ""].append(r)
    currency, rows = max(by.items(), key=lambda pair: len(pair[1]), default=("", []))
    points = [
        Point(f"{r['month']:%Y-%m}", (r["revenue"],),
              f"{r['month']:%Y-%m}: {shown.money(r['revenue'])} {currency}, {r['orders']}")
        for r in rows
    ]  # fmt: skip
    others = sorted(set(by) - {currency})
    return Chart(
        w("customer.months_in", currency=currency), charts.bars(points),
        note=w("today.others", currencies=", ".join(others)) if others else "",
        exports=look.exports("customer/months", id=id),
    )  # fmt: skip


def _records(look: Look, id: UUID) -> Block:
    """Return the records of the systems as columns side by side, a field a row."""
    w, shown = look.words, look.shown
    rows = look.records("customer/records", id=id)[:8]
    fields = ("source_key", "code", "name", "phone", "email", "uscc", "city", "method", "evidence")
    cells = []
    for field in fields:
        if any(r[field] not in (None, "") for r in rows):
            said = {str(r[field]) for r in rows if r[field] not in (None, "")}
            is_odd = len(said) > 1 and field in ("name", "phone", "email", "uscc", "city")
            cells.append([
                Cell(look.label(field), look="muted"),
                *(Cell(shown.cell(r[field], field), look="differs" if is_odd else "")
                  for r in rows),
            ])  # fmt: skip
    return Table(
        w("customer.records"), ["", *(f"{r['connection']}/{r['stream']}" for r in rows)], cells,
        note=w("customer.records_note"), exports=look.exports("customer/records", id=id),
    )  # fmt: skip
