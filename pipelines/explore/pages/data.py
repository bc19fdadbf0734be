"""Whether to trust the data: freshness, completeness, quarantine, rules and runs."""

from __future__ import annotations

from pipelines.explore import charts
from pipelines.explore.blocks import Block, Cell, Page, Table, Tile, Tiles
from pipelines.explore.look import ROWS, Look


def page(look: Look) -> Page:
    """Return the page."""
    w = look.words
    made = Page(w("data.title"), w("data.lead", at=look.shown.moment(look.made_at)))
    made.blocks = [
        look.part(w("data.title"), lambda: _tiles(look)),
        look.part(w("data.freshness"), lambda: _freshness(look)),
        look.part(w("data.quarantine"), lambda: look.table(
            "data/quarantine", w("data.quarantine"),
            ("connection", "stream", "field", "reason", "records", "last_at"),
            note=w("data.quarantine_note"), empty=w("data.quarantine_none"),
        )),
        look.part(w("data.completeness"), lambda: look.table(
            "data/completeness", w("data.completeness"),
            ("connection", "stream", "source_count", "store_count", "set_aside", "left_out",
             "differing", "checked_at", "result"),
            note=w("data.completeness_note"), empty=w("data.completeness_none"),
        )),
        look.part(w("data.rules"), lambda: _rules(look), 6),
        look.part(w("data.counts"), lambda: look.table(
            "data/counts", w("data.counts"), ("connection", "stream", "entity", "row_count"),
            wide=6, tall=True,
        ), 6),
        look.part(w("data.runs"), lambda: look.table(
            "data/runs", w("data.runs"),
            ("started_at", "connection", "stream", "status", "read", "inserted", "updated",
             "quarantined", "deleted", "seconds", "message"),
            looks={"status": lambda r: "" if r["status"] == "ok" else "bad"}, tall=True,
        )),
    ]  # fmt: skip
    return made


def _tiles(look: Look) -> Block:
    w, shown, r = look.words, look.shown, look.one("data/totals")
    return Tiles([
        Tile(w("data.fresh"), [(f"{r['streams'] - r['late']}", f"/ {r['streams']}")],
             w("data.fresh_note"), "warn" if r["late"] else "ok"),
        Tile(w("data.quarantined"), [shown.number(r["quarantined"])], w("data.quarantined_note"),
             "warn" if r["quarantined"] else "ok"),
        Tile(w("data.proved"), [(f"{r['proved']}", f"/ {r['streams']}")], w("data.proved_note"),
             "bad" if r["differing"] else ""),
        Tile(w("data.checked"), [shown.number(r["rules"])],
             w("data.checked_note", n=r["failed_rules"]), "bad" if r["failed_rules"] else "ok"),
        Tile(w("data.suggestions"), [shown.number(r["suggestions"])], w("data.suggestions_note"),
             "warn" if r["suggestions"] else "ok"),
    ])  # fmt: skip


def _freshness(look: Look) -> Block:
    w, shown = look.words, look.shown
    rows = look.records("data/freshness")
    cells = []
    for r in rows[:ROWS]:
        lag, promise = r["lag_seconds"], r["promise_seconds"]
        used = lag / promise if lag is not None and promise else 0.0
        tone = "bad" if r["is_kept"] is False else "ok" if used < 0.8 else "warn"
        cells.append([
            Cell(r["connection"]), Cell(r["stream"]),
            Cell(w("data.late") if r["is_kept"] is False else w("data.kept"), look=f"sev {tone}"),
            Cell(shown.cell(r["fresh_as_of"]), str(r["fresh_as_of"] or "")),
            Cell(shown.span(lag), str(lag or 0)),
            Cell("", f"{used:.6f}", markup=charts.meter(used, tone)),
            Cell(shown.span(promise), str(promise or 0)),
            Cell(w.of("status", r["status"]) if r["status"] else "–",
                 look="bad" if r["status"] not in ("ok", None) else ""),
            Cell(shown.cell(r["read"]), str(r["read"] or 0)),
        ])  # fmt: skip
    return Table(
        w("data.freshness"),
        [w("col.connection"), w("col.stream"), w("data.promise_kept"), w("col.fresh_as_of"),
         w("col.lag_seconds"), "", w("col.promise_seconds"), w("data.last_run"), w("col.read")],
        cells, frozenset({4, 6, 8}), w("data.freshness_note"), tall=True,
        exports=look.exports("data/freshness"),
    )  # fmt: skip


def _rules(look: Look) -> Block:
    w = look.words
    rows = look.records("data/rules")
    cells = []
    for r in rows:
        state, tone = ("failed", "bad") if r["failed"] else (
            ("off", "muted") if not r["is_on"] else
            ("no_sides", "muted") if not r["applies"] else ("runs", "ok"))  # fmt: skip
        cells.append([
            Cell(w.of("rule", r["rule"]), link=look.link("/breaks", rule=r["rule"])),
            Cell(w(f"data.rule.{state}"), look=f"sev {tone}"),
            Cell(look.shown.number(r["open_count"]), str(r["open_count"])),
            Cell(look.shown.number(r["explained_count"]), str(r["explained_count"])),
        ])  # fmt: skip
    return Table(
        w("data.rules"),
        [w("breaks.rule"), w("data.rule"), w("status.open"), w("status.explained")],
        cells, frozenset({2, 3}), exports=look.exports("data/rules"), wide=6, tall=True,
    )  # fmt: skip
