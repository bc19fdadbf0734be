"""KPIs by month, and the days before a day against those from it on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from pipelines.explore import charts
from pipelines.explore.blocks import Block, Cell, Chart, Choice, Form, Notice, Page, Table
from pipelines.explore.charts import Point
from pipelines.explore.look import Look

SPANS = ("60", "30", "90", "180")
_DRAWN = (
    ("cycle_time_median", "placed_to_shipped"), ("cycle_time_median", "placed_to_delivered"),
    ("order_accuracy", ""), ("perfect_order", ""), ("return_rate", "all"), ("repeat_purchase", ""),
    ("dso", ""), ("win_rate", ""), ("lead_conversion", ""), ("stock_outs", ""), ("oversells", ""),
    ("inventory_turnover", ""), ("days_on_hand", ""),
)  # fmt: skip
"""KPIs that are drawn, in this order: the others stand in the table."""
_LESS_IS_BETTER = ("cycle_time", "return_rate", "dso", "stock_outs", "oversells", "days_on_hand")


def page(look: Look) -> Page:
    """Return the comparison around the request's day, and a plot a KPI."""
    w = look.words
    rows = look.records("kpis/months")
    periods = sorted({r["period"] for r in rows})
    day = look.day("day", periods[len(periods) // 2] if periods else look.today)
    days = int(look.chosen("days", SPANS))
    made = Page(w("kpis.title"), w("kpis.lead"))
    made.form = Form([
            Choice("day", w("kpis.day"), day.isoformat(), type="date"),
            Choice("days", w("kpis.days"), str(days),
                   [(s, w("kpis.span", n=s)) for s in sorted(SPANS, key=int)]),
        ], w("kpis.compare"))  # fmt: skip
    made.blocks = [
        look.part(w("kpis.before_after"), lambda: _compare(look, day, days)),
        *_plots(look, rows, periods, day),
    ]  # fmt: skip
    return made


def _compare(look: Look, day: date, days: int) -> Block:
    w = look.words
    rows = look.records("kpis/before_after", day=day, days=days)
    if not rows:
        return Notice(w("kpis.none"), w("kpis.none_do"), "warn")
    cells = []
    for r in rows:
        change = r["change_share"]
        cells.append([
            Cell(w.of("kpi", r["kpi"])), Cell(w.of("part", r["part"]) if r["part"] else ""),
            Cell(_value(look, r["before"], r["unit"]), str(r["before"])),
            Cell(_value(look, r["after"], r["unit"]), str(r["after"]), look="strong"),
            Cell(_change(look, r), str(change if change is not None else ""), look=_tone(r)),
            Cell(w.of("unit", r["unit"]) + (f" · {r['currency']}" if r["currency"] else "")),
            Cell(_count(look, r["before_count"])), Cell(_count(look, r["after_count"])),
        ])  # fmt: skip
    return Table(
        w("kpis.before_after_days", day=day, days=days),
        [w("col.kpi"), w("col.part"), w("kpis.before"), w("kpis.after"), w("kpis.change"),
         w("col.unit"), w("kpis.before_count"), w("kpis.after_count")],
        cells, frozenset({2, 3, 4, 6, 7}), w("kpis.note"),
        exports=look.exports("kpis/before_after", day=day, days=days),
    )  # fmt: skip


def _change(look: Look, row: dict[str, Any]) -> str:
    if row["change"] is None:
        return "–"
    sign = "+" if row["change"] > 0 else ""
    if row["unit"] == "share":
        points = f"{row['change'] * 100:.1f}".replace("-", "−")
        return f"{sign}{points} {look.words('kpis.points')}"
    said = look.shown.share(row["change_share"])
    return f"{sign}{said}" if row["change_share"] is not None else "–"


def _tone(row: dict[str, Any]) -> str:
    """Return better, worse or nothing: less than a fiftieth, or half a point, is no change."""
    change = row["change_share"]
    if change is None or abs(change) < 0.02 or (
        row["unit"] == "share" and abs(row["change"]) < 0.005
    ):  # fmt: skip
        return ""
    falls = row["kpi"].startswith(_LESS_IS_BETTER)
    return "better" if (change < 0) == falls else "worse"


def _count(look: Look, value: float | None) -> str:
    return look.shown.number(round(value)) if value is not None else "–"


def _value(look: Look, value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if unit == "share":
        return look.shown.share(value)
    return look.shown.number(Decimal(str(value)).quantize(Decimal("0.1")))


def _percent(share: float) -> str:
    return f"{share * 100:g} %"


def _plots(look: Look, rows: list[dict[str, Any]], periods: list[date], day: date) -> list[Block]:
    w = look.words
    made: list[Block] = []
    cut = next((n for n, p in enumerate(periods) if p >= day.replace(day=1)), None)
    for kpi, part in _DRAWN:
        mine = [r for r in rows if r["kpi"] == kpi and (r["part"] or "") == part]
        currencies = sorted({r["currency"] or "" for r in mine})
        by = {r["period"]: r for r in mine if (r["currency"] or "") == next(iter(currencies), "")}
        if len(by) < 2:  # one month is no course
            continue
        unit = mine[0]["unit"]
        axis = _percent if unit == "share" else charts.short
        points = [
            Point(f"{p:%y-%m}", (by[p]["value"] if p in by else None,),
                  f"{p:%Y-%m}: {_value(look, by[p]['value'], unit)}" if p in by else f"{p:%Y-%m}")
            for p in periods
        ]  # fmt: skip
        title = w.of("kpi", kpi) + (f": {w.of('part', part)}" if part not in ("", "all") else "")
        svg = charts.line(points, axis=axis, after=cut, value=partial(_value, look, unit=unit))
        made.append(Chart(f"{title} ({w.of('unit', unit)})", svg, wide=4,
                          exports=look.exports("kpis/months")))  # fmt: skip
    return made
