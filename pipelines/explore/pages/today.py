"""The company today: orders, money, parcels, stock, and what does not fit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pipelines.explore import charts
from pipelines.explore.blocks import Block, Chart, Choice, Form, Page, Table, Tile, Tiles
from pipelines.explore.charts import Point
from pipelines.explore.look import Look

DAYS = 30
"""Days that the plots go back."""


def page(look: Look) -> Page:
    """Return the page; the day is the request's, else the last on which an order was placed."""
    day = look.day("day", look.one("today/last_day").get("day") or look.today)
    w = look.words
    made = Page(w("today.title"), w("today.lead", day=day, days=DAYS))
    made.form = Form([Choice("day", w("today.day"), day.isoformat(), type="date")], w("show"))
    made.blocks = [
        look.part(w("today.title"), lambda: _tiles(look, day)),
        look.part(w("today.orders"), lambda: _orders(look, day), 6),
        look.part(w("today.cash"), lambda: _cash(look, day), 6),
        look.part(w("today.breaks"), lambda: _breaks(look), 6),
        look.part(w("today.parcels"), lambda: _parcels(look, day), 6),
        look.part(w("today.oversold"), lambda: _oversold(look), 6),
        look.part(w("today.short"), lambda: _waiting(look), 6),
    ]
    return made


def _tiles(look: Look, day: date) -> Block:
    w, shown = look.words, look.shown
    orders = look.records("today/orders_by_day", day=day, days=DAYS)
    cash = look.records("today/cash_by_day", day=day, days=DAYS)
    stock, fresh = look.one("today/stock"), look.one("today/freshness")
    waiting = look.one("today/waiting", day=day)
    breaks = look.records("today/breaks")
    errors = sum(b["breaks"] for b in breaks if b["severity"] == "error")
    placed = sum(r["orders"] for r in orders if r["day"] == day)
    usual = sum(r["orders"] for r in orders if r["day"] != day) / (DAYS - 1)
    return Tiles([
        Tile(w("tile.orders"), [shown.number(placed)],
             w("tile.usual", n=shown.number(round(Decimal(usual), 1))),
             link=look.link("/orders", since=day, until=day)),
        Tile(w("tile.sales"), _sums(look, orders, "sales", day), w("tile.sales_note")),
        Tile(w("tile.received"), _sums(look, cash, "received", day), w("tile.received_note")),
        Tile(w("tile.waiting"), [shown.number(waiting.get("paid_not_sent", 0))],
             w("tile.waiting_note"), "warn" if waiting.get("paid_not_sent") else "ok",
             look.link("/orders", state="not_sent")),
        Tile(w("tile.stock"), [shown.number(stock.get("oversold", 0))],
             w("tile.stock_note", empty=stock.get("empty", 0), counted=stock.get("counted", 0)),
             "bad" if stock.get("oversold") else "ok"),
        Tile(w("tile.breaks"), [shown.number(sum(b["breaks"] for b in breaks))],
             w("tile.breaks_note", errors=errors), "bad" if errors else "ok", "/breaks"),
        Tile(w("tile.fresh"),
             [(f"{fresh['streams'] - fresh['late']}", f"/ {fresh['streams']}")],
             w("tile.fresh_note"), "warn" if fresh["late"] else "ok", "/data"),
    ])  # fmt: skip


def _sums(
    look: Look, rows: Sequence[dict[str, Any]], name: str, day: date
) -> list[tuple[str, str]]:
    """Return a line a currency: amounts of two currencies are never added."""
    found = [r for r in rows if r["day"] == day]
    return [(look.shown.money(r[name], cents=False), r["currency"]) for r in found] or [("–", "")]


def _orders(look: Look, day: date) -> Block:
    rows = look.records("today/orders_by_day", day=day, days=DAYS)
    count: dict[date, int] = defaultdict(int)
    sales: dict[date, list[str]] = defaultdict(list)
    for r in rows:
        count[r["day"]] += r["orders"]
        sales[r["day"]].append(f"{r['currency']} {look.shown.money(r['sales'])}")
    points = [
        Point(_label(d), (n,), f"{d}: {look.words('today.count', n=n)}, {', '.join(sales[d])}")
        for d, n in count.items()
    ]
    return Chart(look.words("today.orders"), charts.bars(points, mark=len(points) - 1),
                 exports=look.exports("today/orders_by_day", day=day, days=DAYS))  # fmt: skip


def _cash(look: Look, day: date) -> Block:
    rows = look.records("today/cash_by_day", day=day, days=DAYS)
    first = rows[0]["currency"] if rows else ""
    w, shown = look.words, look.shown
    points = [
        Point(
            _label(r["day"]), (r["received"], r["refunded"]),
            f"{r['day']}: +{shown.money(r['received'])}, −{shown.money(r['refunded'])} {first}",
        )
        for r in rows
        if r["currency"] == first
    ]  # fmt: skip
    others = sorted({r["currency"] for r in rows} - {first})
    return Chart(
        w("today.cash_in", currency=first), charts.bars(points, classes=("c1", "c3")),
        [("c1", w("col.received")), ("c3", w("col.refunded"))],
        w("today.others", currencies=", ".join(others)) if others else "",
        exports=look.exports("today/cash_by_day", day=day, days=DAYS),
    )  # fmt: skip


def _parcels(look: Look, day: date) -> Block:
    rows = look.records("today/parcels_by_day", day=day, days=DAYS)
    w = look.words
    points = [
        Point(_label(r["day"]), (r["shipped"], r["delivered"]),
              w("today.parcel_tip", day=r["day"], shipped=r["shipped"], delivered=r["delivered"]))
        for r in rows
    ]  # fmt: skip
    return Chart(
        w("today.parcels"), charts.bars(points, classes=("c1", "c2")),
        [("c1", w("today.shipped")), ("c2", w("today.delivered"))], w("today.parcels_note"),
        exports=look.exports("today/parcels_by_day", day=day, days=DAYS),
    )  # fmt: skip


def _breaks(look: Look) -> Block:
    w, rows = look.words, look.records("today/breaks")
    points, looks, notes = [], [], []
    for r in rows[:9]:
        amount = f"{look.shown.money(r['difference'], cents=False)} {r['currency']}"
        points.append(Point(w.of("rule", r["rule"]), (r["breaks"],), told_rule(look, r)))
        looks.append("bad" if r["severity"] == "error" else "warn")
        notes.append(amount if r["difference"] else "")
    svg = charts.rows(points, label=220, classes=looks or ("c1",), notes=notes, high=27,
                      format=lambda v: look.shown.number(int(v)))  # fmt: skip
    return Chart(
        w("today.breaks"), svg, [("bad", w("severity.error")), ("warn", w("severity.warning"))],
        w("today.breaks_note"), exports=look.exports("today/breaks"),
    )  # fmt: skip


def _oversold(look: Look) -> Table:
    return look.table(
        "today/oversold", look.words("today.oversold"),
        ["sku", "product_name", "offered", "sellable", "connection"],
        wide=6, empty=look.words("today.oversold_none"),
    )  # fmt: skip


def _waiting(look: Look) -> Table:
    return look.table(
        "today/short", look.words("today.short"),
        ["order_number", "placed_at", "sku", "open_quantity", "available", "total", "currency"],
        wide=6, links={"order_number": lambda r: f"/order/{r['order_id']}"},
        empty=look.words("today.short_none"),
    )  # fmt: skip


def told_rule(look: Look, row: dict[str, Any]) -> str:
    """Return what a rule finds, in the reader's language."""
    return str(row["chinese" if look.words.language == "zh" else "english"] or row["rule"])


def _label(day: date) -> str:
    return f"{day:%m-%d}"
