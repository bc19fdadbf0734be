"""Reconciliation: breaks by class, age and amount, and both records of one side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
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
    Page,
    Side,
    Sides,
    Table,
    Tile,
    Tiles,
)
from pipelines.explore.charts import Point
from pipelines.explore.look import ROWS, Look
from pipelines.explore.pages.today import told_rule

WEEKS = 8
"""Weeks that are drawn."""
STATUSES = ("open", "timing", "explained", "resolved")
_HIDDEN = (
    "_raw", "ext", "_hash", "batch", "position", "mapping", "is_deleted", "load_id", "synced_at",
    "first_seen_at", "newer_in_quarantine", "record_key", "version", "connection", "stream",
)  # fmt: skip
"""Ends of the names of fields that say nothing about the thing itself."""
_SAME = (("total", "amount"), ("placed_at", "paid_at"))
"""Fields of an order and of a payment that tell the same thing."""
_AGES = ("week", "month", "older")
_COMPARED = ("total", "currency", "quantity", "sku", "merchant_order_no")
"""Fields that should be equal in records of two kinds."""
_OWN = ("source_key", "number", "source_created_at", "source_updated_at")
"""Fields that every system has of its own."""


def page(look: Look) -> Page:
    """Return the breaks of a status, of one rule where the request names it."""
    w = look.words
    status, rule = look.chosen("status", STATUSES), look.args.get("rule", "")[:60]
    rules = [("", w("breaks.any")), *((r["rule"], w.of("rule", r["rule"]))
             for r in look.records("data/rules"))]  # fmt: skip
    if rule not in dict(rules):
        rule = ""
    made = Page(w("breaks.title"), w("breaks.lead"))
    made.form = Form([
        Choice("status", w("breaks.status"), status, [(s, w(f"status.{s}")) for s in STATUSES]),
        Choice("rule", w("breaks.rule"), rule, rules),
    ], w("show"))  # fmt: skip
    made.blocks = [
        look.part(w("breaks.title"), lambda: _tiles(look)),
        look.part(w("breaks.classes"), lambda: _classes(look, status), 8),
        look.part(w("breaks.weeks"), lambda: _weeks(look, status, rule), 4),
        look.part(w("breaks.list"), lambda: _list(look, status, rule)),
    ]  # fmt: skip
    return made


def _tiles(look: Look) -> Block:
    w, shown = look.words, look.shown
    count = {(r["status"], r["severity"]): r["breaks"] for r in look.records("breaks/by_status")}

    def of(status: str) -> str:
        return shown.number(sum(n for (s, _), n in count.items() if s == status))

    amounts = [
        (shown.money(r["amount"], cents=False), r["currency"])
        for r in look.records("breaks/amounts")
    ]
    errors, warnings = count.get(("open", "error"), 0), count.get(("open", "warning"), 0)
    return Tiles([
        Tile(w("breaks.errors"), [shown.number(errors)], w("breaks.errors_note"),
             "bad" if errors else "ok"),
        Tile(w("breaks.warnings"), [shown.number(warnings)], w("breaks.warnings_note"),
             "warn" if warnings else "ok"),
        Tile(w("breaks.amount"), amounts or [("–", "")], w("breaks.amount_note")),
        Tile(w("status.timing"), [of("timing")], w("breaks.timing_note"),
             link="/breaks?status=timing"),
        Tile(w("status.explained"), [of("explained")], w("breaks.explained_note"),
             link="/breaks?status=explained"),
        Tile(w("status.resolved"), [of("resolved")], w("breaks.resolved_note"),
             link="/breaks?status=resolved"),
    ])  # fmt: skip


def _classes(look: Look, status: str) -> Block:
    w, shown = look.words, look.shown
    rows = look.records("breaks/by_rule", status=status)
    most = max((r["breaks"] for r in rows), default=1)
    cells = []
    for r in rows:
        tone = "bad" if r["severity"] == "error" else "warn"
        cells.append([
            Cell(w.of("rule", r["rule"]), link=look.link("/breaks", status=status, rule=r["rule"]),
                 look=f"sev {tone}"),
            Cell("", str(r["breaks"]), markup=charts.meter(r["breaks"] / most, tone)),
            Cell(shown.number(r["breaks"]), str(r["breaks"]), look="strong"),
            *(Cell(shown.number(r[n]) if r[n] else "", str(r[n])) for n in _AGES),
            Cell(shown.money(r["amount"]) if r["currency"] else "", str(r["amount"] or "")),
            Cell(r["currency"] or ""),
        ])  # fmt: skip
    return Table(
        w("breaks.classes"),
        [w("breaks.rule"), "", w("col.breaks"), w("col.week"), w("col.month"), w("col.older"),
         w("col.about"), w("col.currency")],
        cells, frozenset({2, 3, 4, 5, 6}), empty=w("breaks.none"), wide=8,
        exports=look.exports("breaks/by_rule", status=status),
    )  # fmt: skip


def _weeks(look: Look, status: str, rule: str) -> Block:
    """Draw the weeks up to the newest, those before the first drawn in one bar."""
    w, rows = look.words, look.records("breaks/by_day", status=status, rule=rule)
    last = max((r["week"] for r in rows), default=look.today)
    weeks = [last - timedelta(weeks=n) for n in reversed(range(WEEKS))]
    found: dict[date | None, list[int]] = {None: [0, 0], **{week: [0, 0] for week in weeks}}
    for r in rows:
        place = found[r["week"] if r["week"] >= weeks[0] else None]
        place[0] += r["errors"]
        place[1] += r["warnings"]
    points = [
        Point(f"{week:%m-%d}" if week else w("breaks.earlier"), (errors, warnings),
              w("breaks.week_tip", week=week or w("breaks.earlier"), errors=errors,
                warnings=warnings))
        for week, (errors, warnings) in found.items()
    ]  # fmt: skip
    return Chart(
        w("breaks.weeks"),
        charts.bars(points, wide=4, tall=250, stacked=True, classes=("bad", "warn")),
        [("bad", w("severity.error")), ("warn", w("severity.warning"))], w("breaks.weeks_note"),
        wide=4, exports=look.exports("breaks/by_day", status=status, rule=rule),
    )  # fmt: skip


def _list(look: Look, status: str, rule: str) -> Block:
    w, shown = look.words, look.shown
    rows = look.records("breaks/list", status=status, rule=rule)
    cells = [
        [
            Cell(w.of("rule", r["rule"]), link=f"/break/{r['break_id']}",
                 look=f"sev {'bad' if r['severity'] == 'error' else 'warn'}"),
            Cell(r["left_side"] or "–"), Cell(r["right_side"] or "–"),
            Cell(_said(look, r, "expected"), str(r["expected"] or "")),
            Cell(_said(look, r, "actual"), str(r["actual"] or "")),
            Cell(shown.money(r["difference"]) if r["currency"] and r["difference"] is not None
                 else shown.cell(r["difference"]) if r["difference"] is not None else "",
                 str(abs(r["difference"] or 0))),
            Cell(r["currency"] or ""), Cell(shown.span(r["age_days"] * 86_400), str(r["age_days"])),
        ]
        for r in rows[:ROWS]
    ]  # fmt: skip
    return Table(
        w("breaks.list"),
        [w("breaks.rule"), w("col.left_side"), w("col.right_side"), w("col.expected"),
         w("col.actual"), w("col.difference"), w("col.currency"), w("col.age")],
        cells, frozenset({3, 4, 5, 7}), empty=w("breaks.none"),
        more=w("table.more", rows=ROWS) if len(rows) > ROWS else "",
        exports=look.exports("breaks/list", status=status, rule=rule),
    )  # fmt: skip


def _said(look: Look, row: Mapping[str, Any], name: str) -> str:
    value, said = row[name], row[f"{name}_said"]
    if value is None:
        return look.words.of("status", said) if said else ""
    return look.shown.money(value) if row["currency"] else look.shown.cell(value)


def one(look: Look, id: UUID) -> Page | None:
    """Return the page of one break: both records, what differs, what to do."""
    found = look.one("breaks/one", id=id)
    if not found:
        return None
    w, shown = look.words, look.shown
    zh = w.language == "zh"
    made = Page(w.of("rule", found["rule"]), told_rule(look, found),
                back=("/breaks", w("breaks.title")))  # fmt: skip
    unit = f" {found['currency']}" if found["currency"] and found["expected_said"] is None else ""
    about = [
        (w("breaks.status"), w.of("status", found["status"])),
        *((w(f"col.{name}"), _said(look, found, name) + unit)
          for name in ("expected", "actual") if _said(look, found, name)),
        (w("col.difference"), shown.money(found["difference"]) + unit if found["currency"]
         else shown.cell(found["difference"])),
        (w("col.happened_at"), shown.cell(found["happened_at"])),
        (w("col.first_seen"), shown.cell(found["first_seen"])),
        (w("col.sku"), " ".join(x for x in (found["sku"], found["product_name"]) if x)),
        (w("col.party_name"), found["party_name"] or ""),
        (w("breaks.why"), found["explanation"] or ""),
    ]  # fmt: skip
    made.blocks = [
        Facts(w("break.about"), [(n, v) for n, v in about if v and v != "–"], wide=6),
        Facts(
            w("break.do"), [("", str(found["do_chinese" if zh else "do_english"] or ""))],
            w("break.do_note", id=str(found["break_id"])[:8]), 6, "advice",
        ),
        look.part(w("break.records"), lambda: _sides(look, found)),
    ]  # fmt: skip
    if found["order_id"]:
        name = f"{w('order.title')} {found['order_number'] or ''}"
        made.links = [(f"/order/{found['order_id']}", name)]
    return made


def _sides(look: Look, found: Mapping[str, Any]) -> Block:
    w = look.words
    left, right = _record(look, found, "left"), _record(look, found, "right")
    fields, rest = _compare(look, left[1], right[1], left[2] == right[2])
    return Sides(
        w("break.records"), left[0], right[0], fields, rest,
        w("break.none_note") if not (left[1] and right[1]) else "",
    )  # fmt: skip


def _record(look: Look, found: Mapping[str, Any], side: str) -> tuple[Side, dict[str, Any], str]:
    """Return the heading, the record and its entity; an empty record where there is none."""
    w, connection, key = look.words, found[f"{side}_connection"], found[f"{side}_key"]
    rows = look.records("breaks/record", connection=connection, key=key) if key else []
    if not rows:
        who = connection or w("break.nobody")
        number = found[f"{side}_number"]
        text = w("break.missing_number", number=number) if number else w("break.missing")
        return Side(who, text), {}, ""
    row = rows[0]
    heading = f"{connection} · {w.of('entity', row['entity'])} {found[f'{side}_number'] or ''}"
    return (Side(heading.strip(), f"{connection}/{row['stream']}/{key}"),
            json.loads(row["record"]), row["entity"])  # fmt: skip


def _compare(
    look: Look, left: Mapping[str, Any], right: Mapping[str, Any], is_alike: bool
) -> tuple[list[tuple[str, str, str, bool]], list[tuple[str, str, str, bool]]]:
    """Return the fields that both records have, what differs first; then those of one of them.

    Of an order and a payment only what should be equal can differ: amount, currency, number.
    """
    pairs = [(name, name) for name in dict.fromkeys([*left, *right])]
    if not is_alike:
        pairs = [*_SAME, *(p for p in pairs if p[0] not in {n for pair in _SAME for n in pair})]
    both: list[tuple[str, str, str, bool]] = []
    single: list[tuple[str, str, str, bool]] = []
    for mine, theirs in pairs:
        a, b = left.get(mine), right.get(theirs)
        if mine != theirs and (a is None or b is None):
            a, b = left.get(theirs), right.get(mine)
        if mine.endswith(_HIDDEN) or (_empty(a) and _empty(b)):
            continue
        label = " / ".join(dict.fromkeys(look.label(n) for n in (mine, theirs)))
        judged = mine not in _OWN if is_alike else mine in _COMPARED
        row = (label, _json(look, mine, a), _json(look, theirs, b),
               judged and not _empty(a) and not _empty(b) and not _equal(a, b))  # fmt: skip
        (single if _empty(a) or _empty(b) else both).append(row)
    if not left or not right:
        return single, []
    return sorted(both, key=lambda row: not row[3]), single


def _empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _equal(a: Any, b: Any) -> bool:
    try:
        return abs(float(a) - float(b)) < 0.005
    except (TypeError, ValueError):
        return str(a) == str(b)


def _json(look: Look, name: str, value: Any) -> str:
    """Return a value of a record that came as JSON."""
    if value is None:
        return ""
    if isinstance(value, str) and name.endswith("_at"):
        try:
            return look.shown.moment(datetime.fromisoformat(value))
        except ValueError:
            return value
    if isinstance(value, float):
        return look.shown.money_text(value)
    return look.shown.cell(value if not isinstance(value, dict) else json.dumps(value), name)
