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
    made.form = Form([
            Choice("since", w("orders.since"), since.isoformat(), type="date"),
            Choice("until", w("orders.until"), until.isoformat(), type="date"),
            Choice("state", w("orders.state"), state,
                   [(s, w(f"orders.state.{s}")) for s in STATES]),
        ], w("show"))  # fmt: skip
    made.blocks = [
        look.part(w("orders.funnel"), lambda: _funnel(look, since, until), 8),
        look.part(w("orders.waiting"), lambda: _waiting(look, since, until), 4),
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
    for r in rows:
        note = "" if r["step"] == "placed" else look.shown.share(r["share"])
        if r["expected"] != rows[0]["orders"]:
            note += " " + w(f"orders.of.{r['step']}", n=look.shown.number(r["expected"]))
        if r["hours"] is not None:
            note += " · " + w("orders.median", time=look.shown.span(r["hours"] * 3600))
        notes.append(note)
    svg = charts.rows(
        points, wide=8, label=110, notes=notes, high=30, room=330,
        format=lambda v: look.shown.number(int(v)),
    )  # fmt: skip
    return Chart(w("orders.funnel"), svg, note=w("orders.funnel_note"), wide=8,
                 exports=look.exports("orders/funnel", since=since, until=until))  # fmt: skip


def _waiting(look: Look, since: Any, until: Any) -> Block:
    w, counts = look.words, look.one("orders/waiting", since=since, until=until)
    states = [s for s in STATES if s != "all"]
    points = [Point(w(f"orders.state.{s}"), (counts[s],), str(counts[s])) for s in states]
    svg = charts.rows(
        points, wide=4, label=140, classes=["warn", "warn", "bad", "c2", "bad"],
        format=lambda v: look.shown.number(int(v)), high=36,
        links=[look.link("/orders", since=since, until=until, state=s) for s in states],
    )  # fmt: skip
    return Chart(w("orders.waiting"), svg, wide=4,
                 exports=look.exports("orders/waiting", since=since, until=until))  # fmt: skip


_STEP_OF = {
    "payment_amount": "paid", "order_paid_without_money": "paid", "paid_order_unpaid": "paid",
    "document_amount": "in_erp", "order_without_document": "in_erp",
    "sent_but_open_in_shop": "shipped", "shipped_not_invoiced": "invoiced",
    "refund_without_return": "refunded", "return_without_refund": "returned",
}  # fmt: skip
"""The station that a rule speaks about."""
LINKS = {"number": lambda r: f"/order/{r['order_id']}"}
LOOKS = {"breaks": lambda r: "bad" if r["breaks"] else ""}


def order(look: Look, id: UUID) -> Page | None:
    """Return the page of one order, None where there is none.

    What the golden row has is told at once; over many orders the rest may take too long.
    """
    id = look.one("order/resolve", id=id)["id"]
    base = look.one("order/base", id=id)
    if not base:
        return None
    w, shown = look.words, look.shown
    total = f"{shown.money(base['total'])} {base['currency'] or ''}"
    said = (base["party_name"], total, w.of("status", base["status"]), base["shop_name"])
    made = Page(f"{w('order.title')} {base['number']}", " · ".join(part for part in said if part),
                back=("/orders", w("orders.title")))  # fmt: skip
    if base["party_id"]:
        made.links = [(f"/customer/{base['party_id']}", w("order.customer"))]
    told = {r["rule"] for r in look.records("order/breaks", id=id) if r["status"] == "open"}
    head: dict[str, Any] = {}
    wrong = {step for rule, step in _STEP_OF.items() if rule in told}

    def stations() -> Block:
        head.update(look.one("order/head", id=id))
        return Steps(_steps(look, head, wrong)) if head else Notice(w("order.test"))

    made.blocks.append(look.part(w("order.stations"), stations))
    if told:
        made.blocks.append(look.part(w("order.breaks"), lambda: _breaks(look, id)))
    made.blocks.append(look.part(w("order.events"), lambda: look.table(
        "order/events", w("order.events"),
        ("told_at", "step", "connection", "number", "amount", "currency", "said"),
        id=id, wide=8 if head else 12, looks={"step": lambda r: f"dot {r['step']}"},
    ), 8 if head else 12))  # fmt: skip
    if head:
        made.blocks.append(Facts(w("order.money"), _money(look, head), wide=4))
    made.blocks += [
        look.part(w("order.lost"), lambda: _lost(look, id)),
        look.part(w("order.lines"), lambda: look.table(
            "order/lines", w("order.lines"),
            ("line", "sku", "name", "quantity", "unit_price", "total", "currency"), id=id,
        )),
    ]  # fmt: skip
    return made


def _steps(look: Look, head: dict[str, Any], wrong: set[str]) -> list[Step]:
    """Return the stations of an order; of those that no system can tell, none.

    One about which an open break speaks (`wrong`) is marked.
    """
    w, shown = look.words, look.shown
    roles = {r["role"] for r in look.records("order/roles")}
    events = look.records("order/events", id=head["order_id"])
    who = {e["step"]: e["connection"] for e in reversed(events)}
    gone = head["status"] == "cancelled"

    def station(name: str, done: bool, when: Any, by: str | None) -> Step:
        at = shown.cell(when) if done and when else ("" if done else w("step.not_yet"))
        tone = "bad" if name in wrong else "ok" if done else "off" if gone else "wait"
        return Step(w.of("step", name), at, (by or "") if done else "", tone)

    is_paid = head["paid_amount"] > 0
    taken = head["is_of_erp"] or head["erp_documents"] > 0
    documents = [e for e in events if e["step"] in ("document", "placed") and e["connection"]]
    erp = next((e for e in documents if head["erp_numbers"] and e["number"]
                and e["number"] in head["erp_numbers"]), None)  # fmt: skip
    steps = [
        station("placed", True, head["placed_at"], head["connection"]),
        station("paid", is_paid, head["first_paid_at"], who.get("paid")),
    ]
    if "erp" in roles:
        steps.append(station("in_erp", taken, erp["told_at"] if erp else None,
                             erp["connection"] if erp else head["connection"]))  # fmt: skip
    steps.append(station("shipped", head["parcel_count"] > 0, head["first_shipped_at"],
                         who.get("shipped")))  # fmt: skip
    if "carrier" in roles:
        steps.append(station("delivered", head["delivered_count"] > 0, head["last_delivered_at"],
                             who.get("delivered")))  # fmt: skip
    steps.append(station("invoiced", head["invoice_count"] > 0, head["first_invoiced_on"],
                         who.get("invoiced")))  # fmt: skip
    back = (
        ("returned", head["return_count"], head["last_returned_at"]),
        ("refunded", head["refunded_amount"], head["last_refunded_at"]),
    )
    for name, some, when in back:
        if some:
            tone = "bad" if name in wrong else "warn"
            steps.append(Step(w.of("step", name), shown.cell(when), who.get(name, ""), tone))
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
    kept = ("order.total", "order.paid")
    return [(w(k), f"{shown.money(v)} {currency}") for k, v in pairs
            if v is not None and (v or k in kept)]  # fmt: skip


def _breaks(look: Look, id: UUID) -> Table:
    found = look.table(
        "order/breaks", look.words("order.breaks"),
        ("rule", "severity", "left_connection", "right_connection", "expected", "actual",
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
    """Return the fields of which systems differ: whose value stands, and what lost."""
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
                Cell(look.label(field)), Cell(look.shown.cell(value, field), look="strong"),
                Cell(str(winner["connection"])), Cell(lost, look="lost"),
            ])  # fmt: skip
    return Table(
        w("order.lost"), [w("col.field"), w("col.stands"), w("col.from"), w("col.lost")], rows,
        note=w("order.lost_note"), empty=w("order.lost_none"),
    )  # fmt: skip
