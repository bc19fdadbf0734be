"""Orders: the way from order to cash, the search by any number, and one order's whole story."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from pipelines.explore import charts
from pipelines.explore.blocks import (
    Block,
    Cell,
    Chart,
    Choice,
    Facts,
    Form,
    Notice,
    Page,
    Step,
    Steps,
    Table,
)
from pipelines.explore.charts import Point
from pipelines.explore.look import Look
from pipelines.explore.pages.today import told_rule

STATES = ("all", "unpaid", "not_sent", "not_in_erp", "returned", "breaks")
COLUMNS = ("number", "placed_at", "connection", "party_name", "total", "currency", "status",
           "payment_status", "erp_numbers", "parcel_count", "breaks")  # fmt: skip


def page(look: Look) -> Page:
    """Return the search's answer, or the funnel and the list of a span of days."""
    w, q = look.words, look.args.get("q", "").strip()
    made = Page(w("orders.title"), w("orders.lead"))
    if q:
        made.blocks = [
            _search(look, q), look.part(w("orders.found"), lambda: _found(look, q)),
        ]  # fmt: skip
        return made
    until = look.day("until", look.one("today/last_day").get("day") or look.today)
    since = look.day("since", until - timedelta(days=89))
    state = look.chosen("state", STATES)
    made.blocks = [
        Form([
            Choice("since", w("orders.since"), since.isoformat(), type="date"),
            Choice("until", w("orders.until"), until.isoformat(), type="date"),
            Choice("state", w("orders.state"), state,
                   [(s, w(f"orders.state.{s}")) for s in STATES]),
        ], w("show")),
        look.part(w("orders.funnel"), lambda: _funnel(look, since, until)),
        look.part(w("orders.list"), lambda: look.table(
            "orders/list", f"{w('orders.list')}: {w(f'orders.state.{state}')}", COLUMNS,
            links=LINKS, looks=LOOKS, since=since, until=until, state=state,
        )),
    ]  # fmt: skip
    return made


def _search(look: Look, q: str) -> Form:
    return Form([Choice("q", look.words("search.label"), q, type="search",
                        hint=look.words("search.hint"))], look.words("search"))  # fmt: skip


def found(look: Look, q: str) -> list[dict[str, Any]]:
    """Return the orders that a number may mean."""
    return look.records("orders/find", q=q)


def _found(look: Look, q: str) -> Block:
    if not found(look, q):
        return Notice(look.words("orders.nothing", q=q), look.words("orders.nothing_do"), "warn")
    return look.table(
        "orders/find", look.words("orders.found"),
        ("number", "found_as", "found_number", "connection", "placed_at", "party_name", "total",
         "currency", "status"),
        links=LINKS, q=q,
    )  # fmt: skip


def _funnel(look: Look, since: Any, until: Any) -> Block:
    w, rows = look.words, look.records("orders/funnel", since=since, until=until)
    points = [
        Point(w.of("step", r["step"]), (r["orders"],),
              f"{w.of('step', r['step'])}: {r['orders']} / {r['expected']}")
        for r in rows
    ]  # fmt: skip
    notes = []
    for r in rows[0:]:
        note = "" if r["step"] == "placed" else look.shown.share(r["share"])
        if r["expected"] != rows[0]["orders"]:
            note += " " + w(f"orders.of.{r['step']}", n=look.shown.number(r["expected"]))
        if r["hours"] is not None:
            note += " · " + w("orders.median", time=look.shown.span(r["hours"] * 3600))
        notes.append(note)
    svg = charts.rows(points, wide=12, label=150, notes=notes, high=30, room=420)
    return Chart(w("orders.funnel"), svg, note=w("orders.funnel_note"), wide=12,
                 exports=look.exports("orders/funnel", since=since, until=until))  # fmt: skip


LINKS = {"number": lambda r: f"/order/{r['order_id']}"}
LOOKS = {"breaks": lambda r: "bad" if r["breaks"] else ""}


def order(look: Look, id: UUID) -> Page | None:
    """Return the page of one order, None where there is none."""
    id = look.one("order/resolve", id=id)["id"]
    head = look.one("order/head", id=id)
    if not head:
        return None
    w, shown = look.words, look.shown
    told = {r["rule"] for r in look.records("order/breaks", id=id) if r["status"] == "open"}
    lead = " · ".join(
        part for part in (
            head["party_name"], f"{shown.money(head['total'])} {head['currency'] or ''}",
            w.of("status", head["status"]), head["shop_name"],
        ) if part
    )  # fmt: skip
    made = Page(f"{w('order.title')} {head['number']}", lead, back=("/orders", w("orders.title")))
    made.extra = {"party": head["party_id"]}
    made.blocks = [
        Steps(_steps(look, head)),
        look.part(w("order.breaks"), lambda: _breaks(look, id)),
        look.part(w("order.events"), lambda: look.table(
            "order/events", w("order.events"),
            ("told_at", "step", "connection", "number", "amount", "currency", "said"),
            id=id, wide=8, looks={"step": lambda r: f"dot {r['step']}"},
        ), 8),
        Facts(w("order.money"), _money(look, head), wide=4),
        look.part(w("order.lost"), lambda: _lost(look, id)),
        look.part(w("order.lines"), lambda: look.table(
            "order/lines", w("order.lines"),
            ("line", "sku", "name", "quantity", "unit_price", "total", "currency"), id=id,
        )),
    ]  # fmt: skip
    if not told:
        made.blocks.pop(1)
    return made


def _steps(look: Look, head: dict[str, Any]) -> list[Step]:
    """Return the stations of an order; of those that its systems cannot tell, none."""
    w, shown = look.words, look.shown
    roles = {r["role"] for r in look.records("order/roles")}
    events = look.records("order/events", id=head["order_id"])
    who = {e["step"]: e["connection"] for e in reversed(events)}
    gone = head["status"] == "cancelled"

    def station(name: str, done: bool, when: Any, by: str | None, late: bool = False) -> Step:
        at = shown.cell(when) if done and when else ("" if done else w("step.not_yet"))
        tone = "ok" if done else "off" if gone else "bad" if late else "wait"
        return Step(w.of("step", name), at, (by or "") if done else "", tone)

    is_paid = head["paid_amount"] >= (head["total"] or 0) > 0
    said_paid = head["payment_status"] in ("paid", "partially_refunded", "refunded")
    taken = head["is_of_erp"] or head["erp_documents"] > 0
    documents = [e for e in events if e["step"] in ("document", "placed") and e["connection"]]
    erp = next((e for e in documents if head["erp_numbers"] and e["number"]
                and e["number"] in head["erp_numbers"]), None)  # fmt: skip
    steps = [
        station("placed", True, head["placed_at"], head["connection"]),
        station("paid", is_paid, head["first_paid_at"], who.get("paid"), said_paid),
    ]
    if "erp" in roles:
        steps.append(station("in_erp", taken, erp["told_at"] if erp else None,
                             erp["connection"] if erp else head["connection"], is_paid))  # fmt: skip
    steps.append(station("shipped", head["parcel_count"] > 0, head["first_shipped_at"],
                         who.get("shipped")))  # fmt: skip
    if "carrier" in roles:
        steps.append(station("delivered", head["delivered_count"] > 0, head["last_delivered_at"],
                             who.get("delivered")))  # fmt: skip
    steps.append(station("invoiced", head["invoice_count"] > 0, head["first_invoiced_on"],
                         who.get("invoiced")))  # fmt: skip
    if head["return_count"]:
        steps.append(Step(w("step.returned"), shown.cell(head["last_returned_at"]),
                          who.get("returned", ""), "warn"))  # fmt: skip
    if head["refunded_amount"]:
        steps.append(Step(w("step.refunded"), shown.cell(head["last_refunded_at"]),
                          who.get("refunded", ""), "warn"))  # fmt: skip
    if gone:
        steps.append(Step(w("step.cancelled"), "", head["connection"], "bad"))
    return steps


def _money(look: Look, head: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the amounts that the sides tell of an order, in its currency."""
    w, shown, currency = look.words, look.shown, head["currency"] or ""
    pairs = [
        ("order.total", head["total"]), ("order.current", head["current_total"]),
        ("order.oms", head["oms_total"] if head["oms_documents"] else None),
        ("order.erp", head["erp_total"] if head["erp_documents"] else None),
        ("order.paid", head["paid_amount"]), ("order.gateway", head["gateway_paid_amount"]),
        ("order.bank", head["bank_paid_amount"]), ("order.refunded", head["refunded_amount"]),
    ]  # fmt: skip
    return [(w(k), f"{shown.money(v)} {currency}") for k, v in pairs if v is not None]


def _breaks(look: Look, id: UUID) -> Table:
    found = look.table(
        "order/breaks", look.words("order.breaks"),
        ("rule", "severity", "left_connection", "expected", "right_connection", "actual",
         "currency", "happened_at", "status"),
        id=id, links={"rule": lambda r: f"/break/{r['break_id']}"},
        looks={"severity": lambda r: r["severity"]},
    )  # fmt: skip
    told = [told_rule(look, r) for r in look.records("order/breaks", id=id)]
    return _headed(found, told)


def _headed(found: Table, texts: list[str]) -> Table:
    """Return a table whose first cells say these texts."""
    rows = [
        [Cell(text, row[0].sort, row[0].link, row[0].look), *row[1:]]
        for row, text in zip(found.rows, texts, strict=False)
    ]
    return Table(found.title, found.heads, rows, found.right, found.note, found.empty, found.more,
                 found.exports, found.wide)  # fmt: skip


def _lost(look: Look, id: UUID) -> Block:
    """Return the fields of which systems say different things: whose value stands, and what lost."""
    w, told = look.words, look.version.tell("order", id)
    records = {r["own_id"]: r for r in told.records}
    rows = []
    for field, value in told.values.items():
        winner = records.get(told.winners.get(field))
        if winner is None or value is None or field.endswith(("_raw", "_hash", "_key")):
            continue
        others = [(r["connection"], r[field]) for r in told.records
                  if r[field] is not None and r[field] != winner[field]]  # fmt: skip
        if others:
            lost = "; ".join(f"{c}: {look.shown.cell(v, field)}" for c, v in others)
            rows.append([
                Cell(w.column(field)), Cell(look.shown.cell(value, field), look="strong"),
                Cell(str(winner["connection"])), Cell(lost, look="lost"),
            ])  # fmt: skip
    return Table(
        w("order.lost"), [w("col.field"), w("col.stands"), w("col.from"), w("col.lost")], rows,
        note=w("order.lost_note"), empty=w("order.lost_none"),
    )  # fmt: skip
