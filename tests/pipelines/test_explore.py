"""The workbench on the synced sample company: its pages say what the answer key says."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import duckdb
import httpx
import openpyxl
import pytest
from synced_sample import Synced, synced_sample

from pipelines.explore.blocks import Chart, Facts, Notice, Page, Sides, Steps, Table, Tiles
from pipelines.explore.look import Look
from pipelines.explore.pages import MENU, breaks, customers, orders
from pipelines.explore.queries import names, query
from pipelines.explore.server import Workbench
from pipelines.explore.words import Words
from pipelines.sample.story import ZONE, tell
from warehouse.current import Current, Version

DB = duckdb.DuckDBPyConnection
UNSETTLED = ("open", "timing")
"""What the story breaks; which of them depends on the clock of this machine."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    made = synced_sample(tmp_path_factory.mktemp("home"), tell(orders=700))
    yield made
    made.close()


@pytest.fixture(scope="module")
def current(sample: Synced) -> Iterator[Current]:
    published = Current(sample.space.home)
    yield published
    published.close()


@pytest.fixture(scope="module")
def version(current: Current) -> Iterator[Version]:
    with current.asking() as version:
        yield version


@pytest.fixture(scope="module")
def db(sample: Synced) -> Iterator[DB]:
    """The published file as any client opens it."""
    with duckdb.connect(str(sample.space.home.readable), read_only=True) as con:
        yield con


@pytest.fixture
def look(version: Version) -> Look:
    return Look(version, Words("en"))


def block(page: Page, kind: type, title: str = "") -> Any:
    return next(b for b in page.blocks if isinstance(b, kind) and title in b.title)


def get(current: Current, path: str, language: str = "en", **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app=Workbench(current, language).app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(asked())


def rows(db: DB, sql: str) -> list[dict[str, Any]]:
    found = db.execute(sql)
    return [dict(zip([d[0] for d in found.description], row, strict=True))
            for row in found.fetchall()]  # fmt: skip


def one(db: DB, sql: str) -> dict[str, Any]:
    return rows(db, sql)[0]


@pytest.mark.parametrize("name", names())
def test_every_question_is_answered(name: str, look: Look, db: DB) -> None:
    """With a value of each thing, and with nothing chosen."""
    found = one(db, "select order_id, party_id from mart.orders where party_id is not null")
    broken = one(db, "select break_id from recon.breaks")
    thing = {"order": "order_id", "customer": "party_id"}.get(name.split("/")[0])
    some = {
        "day": date(2026, 10, 31), "days": 30, "since": date(2026, 9, 1),
        "until": date(2026, 10, 31), "q": "SO", "state": "all", "status": "open", "rule": "",
        "currency": "CNY", "connection": "shop", "key": "1",
        "id": found[thing] if thing else broken["break_id"],
    }  # fmt: skip
    assert look.ask(name, **{n: some[n] for n in query(name).takes}).columns
    nothing = query(name).read({})
    look.ask(name, **{n: v if v is not None else some[n] for n, v in nothing.items()})


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", MENU)
def test_every_page_is_drawn_whole(name: str, language: str, current: Current) -> None:
    answer = get(current, f"/{name}", language)
    assert answer.status_code == 200
    assert 'class="card notice' not in answer.text
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in answer.text
    assert Words(language)(f"menu.{name}") in answer.text


def test_today_says_what_the_key_says(look: Look, sample: Synced, db: DB) -> None:
    page = MENU["today"](look)
    key, day = sample.story.key, date.fromisoformat(page.form.choices[0].value)
    assert [row[0].text for row in block(page, Table, "Offered").rows] == sorted(
        (s.sku for s in key.oversold),
        key=lambda sku: next((s.there - s.offered, sku) for s in key.oversold if s.sku == sku),
    )
    short = block(page, Table, "Paid, and not")
    assert Counter((r[0].text, r[2].text) for r in short.rows) == Counter(key.short)
    tiles = {t.label: t.lines for t in block(page, Tiles).tiles}
    placed = [o for o in rows(db, "select * from mart.orders")
              if o["placed_at"].astimezone(ZONE).date() == day]  # fmt: skip
    assert tiles["Orders"] == [str(len(placed))]
    sold = sum(o["total"] for o in placed if o["status"] != "cancelled")
    assert tiles["Sales"] == [(f"{sold:,.0f}", "CNY")]
    assert tiles["Oversold SKUs"] == [str(len(key.oversold))]


def test_the_days_before_are_drawn_without_a_gap(look: Look) -> None:
    rows = look.records("today/orders_by_day", day=date(2026, 10, 31), days=30)
    days = [r["day"] for r in rows]
    assert days[0] == date(2026, 10, 2)
    assert days == sorted(set(days))
    assert len(days) == 30


def test_the_classes_of_breaks_are_those_of_the_key(look: Look, sample: Synced) -> None:
    key = sample.story.key
    counted: Counter[str] = Counter()
    for status in UNSETTLED:
        for row in look.records("breaks/by_rule", status=status):
            counted[row["rule"]] += row["breaks"]
            assert row["week"] + row["month"] + row["older"] <= row["breaks"]
    pays = Counter(p.kind for p in key.payments)
    assert counted == Counter({
        "order_without_document": len(key.lacking), "document_without_order": len(key.stray),
        "payment_amount": pays["short"] + pays["long"], "order_paid_without_money": pays["missing"],
        "paid_order_unpaid": pays["unpaid"], "payment_without_order": pays["unknown"],
        "refund_without_return": pays["kept"], "oversell": len(key.oversold),
        "sent_but_open_in_shop": len(key.delivered),
    })  # fmt: skip


def test_a_break_shows_both_records_and_marks_the_amount(
    look: Look, sample: Synced, db: DB
) -> None:
    wrong = next(p for p in sample.story.key.payments if p.kind == "long")
    found = one(db, f"select break_id, order_id from recon.breaks where left_number = "
                f"'{wrong.order}' and rule = 'payment_amount'")  # fmt: skip
    page = breaks.one(look, found["break_id"])
    assert page is not None
    sides = block(page, Sides)
    assert wrong.order in sides.left.heading
    assert sides.right.heading.startswith(wrong.way)
    first = sides.fields[0]
    assert (first[1], first[2], first[3]) == (f"{wrong.expected:,.2f}", f"{wrong.found:,.2f}", True)
    assert (
        f"{wrong.found - (wrong.expected or 0):,.2f} CNY" in dict(block(page, Facts).facts).values()
    )
    assert page.links == [(f"/order/{found['order_id']}", f"Order {wrong.order}")]


def test_a_break_without_a_second_record_says_so(look: Look, sample: Synced, db: DB) -> None:
    lacking = sample.story.key.lacking[0]
    found = one(db, f"select break_id from recon.breaks where left_number = '{lacking}' "
                "and rule = 'order_without_document'")  # fmt: skip
    page = breaks.one(look, found["break_id"])
    assert page is not None
    sides = block(page, Sides)
    assert sides.right.place == "no such record"
    assert any(left == lacking for _, left, _, _ in sides.fields)


def numbers_of(db: DB) -> dict[str, tuple[str, UUID]]:
    """Return numbers by which systems know one order that three of them carry out."""
    row = one(db, """
        select number, erp_numbers, oms_numbers, tracking_numbers, order_id
        from mart.order_to_cash
        where erp_documents = 1 and oms_documents = 1 and is_of_shop
            and tracking_numbers is not null
        order by number desc""")  # fmt: skip
    money = one(db, """
        select number, order_id from mart.order_payments
        where is_gateway and kind = 'payment' order by number""")  # fmt: skip
    id = row["order_id"]
    return {
        "order": (row["number"], id), "erp": (row["erp_numbers"], id),
        "oms": (row["oms_numbers"], id), "lower": (row["number"].lower(), id),
        "parcel": (row["tracking_numbers"].split(", ")[0], id),
        "payment": (money["number"], money["order_id"]),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["order", "erp", "oms", "lower", "parcel", "payment"])
def test_an_order_is_found_by_any_number(kind: str, current: Current, db: DB) -> None:
    said, order_id = numbers_of(db)[kind]
    answer = get(current, f"/find?q={said}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/order/{order_id}")


def test_what_no_order_has_leads_to_a_sentence(current: Current) -> None:
    assert get(current, "/find?q=%27%20or%20true%20--").headers["location"].startswith("/orders?q=")
    page = get(current, "/orders?q=%27%20or%20true%20--%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.status_code == 200
    assert "No order has the number" in page.text
    assert "<script>alert" not in page.text


def test_an_order_tells_its_story(look: Look, sample: Synced, db: DB) -> None:
    wrong = next(p for p in sample.story.key.payments if p.kind == "short")
    id = one(db, f"select order_id from unified.orders where number = '{wrong.order}'")
    page = orders.order(look, id["order_id"])
    assert page is not None
    steps = {s.label: (s.who, s.tone) for s in block(page, Steps).steps}
    assert steps["Placed"] == ("shop", "ok")
    assert steps["Paid"] == (wrong.way, "bad")  # a break speaks of it
    assert steps["In the ERP"] == ("erp", "ok")
    told = [(r[1].text, r[2].text, r[4].text) for r in block(page, Table, "What happened").rows]
    assert ("Placed", "shop", f"{wrong.expected:,.2f}") in told
    assert ("Paid", wrong.way, f"{wrong.found:,.2f}") in told
    assert [r[0].text for r in block(page, Table, "What does not").rows] == [
        "The gateway has more or less money of an order than its system says was paid."
    ]
    lost = {r[0].text: (r[1].text, r[2].text, r[3].text) for r in block(page, Table, "lost").rows}
    assert lost["number"][:2] == (wrong.order, "shop")
    assert "erp: XSDD" in lost["number"][2]


def test_what_takes_too_long_is_told_in_its_place(version: Version, db: DB) -> None:
    """A page that has no time left shows what is quick, and says what lacks."""
    look = Look(version, Words("en"), {"q": "never asked before"}, begun=-1e9)
    id = one(db, "select order_id from unified.orders order by number limit 1")["order_id"]
    version.ask("select 1")  # the pool is open
    slow = Version.ask

    def ask(self: Version, sql: str, values: Any = None, *, timeout: float | None = None) -> Any:
        assert timeout is not None
        if "mart.order_to_cash" in sql:
            sql = f"select a.range from range(10000000) a, range(10000000) b, ({sql.strip()})"
            return slow(self, sql, values, timeout=timeout)
        return slow(self, sql, values)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Version, "ask", ask)
        page = orders.order(look, id)
    assert page is not None
    (notice,) = [b for b in page.blocks if isinstance(b, Notice)]
    assert "0.5 s" in notice.text
    assert len(block(page, Table, "Lines").rows) > 0


def test_an_order_that_has_no_break_shows_none(look: Look, db: DB) -> None:
    id = one(db, "select order_id from mart.orders where order_id not in "
             "(select order_id from recon.breaks where order_id is not null)")  # fmt: skip
    page = orders.order(look, id["order_id"])
    assert page is not None
    assert all("does not fit" not in getattr(b, "title", "") for b in page.blocks)


def test_the_funnel_counts_what_the_marts_say(look: Look, db: DB) -> None:
    since, until = date(2026, 8, 1), date(2026, 10, 31)
    steps = {r["step"]: r for r in look.records("orders/funnel", since=since, until=until)}
    placed = [o for o in rows(db, "select * from mart.order_to_cash")
              if since <= o["placed_at"].astimezone(ZONE).date() <= until
              and o["status"] not in ("cancelled", "draft")]  # fmt: skip
    assert list(steps) == ["placed", "paid", "in_erp", "shipped", "delivered", "invoiced"]
    assert steps["placed"]["orders"] == len(placed)
    assert steps["shipped"]["orders"] == sum(o["parcel_count"] > 0 for o in placed)
    assert steps["delivered"]["orders"] == sum(o["delivered_count"] > 0 for o in placed)
    assert all(r["orders"] <= r["expected"] <= len(placed) for r in steps.values())


@pytest.mark.parametrize("state", [s for s in orders.STATES if s != "all"])
def test_each_state_lists_as_many_as_are_counted(state: str, look: Look) -> None:
    span = {"since": date(2026, 5, 1), "until": date(2026, 10, 31)}
    counted = look.one("orders/waiting", **span)[state]
    assert len(look.records("orders/list", state=state, **span, most=10_000)) == counted
    assert counted > 0


def test_a_customer_is_told_of_with_all_their_records(look: Look, db: DB) -> None:
    whole = one(db, "select party_id, systems, order_count, revenue, currency from "
                "mart.customer_360 where len(systems) > 2 order by order_count desc")  # fmt: skip
    page = customers.customer(look, whole["party_id"])
    assert page is not None
    tiles = {t.label: t.lines for t in block(page, Tiles).tiles}
    assert tiles["Orders"] == [str(whole["order_count"])]
    assert tiles["Revenue"] == [(f"{whole['revenue']:,.0f}", whole["currency"])]
    heads = block(page, Table, "The records").heads[1:]
    assert {h.split("/")[0] for h in heads} == set(whole["systems"])
    months = look.records("customer/months", id=whole["party_id"])
    assert sum(r["revenue"] for r in months) == whole["revenue"]
    assert isinstance(block(page, Chart), Chart)


def test_the_kpis_are_compared_around_the_day_that_is_chosen(version: Version) -> None:
    look = Look(version, Words("en"), {"day": "2026-09-01", "days": "30"})
    page = MENU["kpis"](look)
    table = block(page, Table, "30 days before 2026-09-01")
    said = {(r["kpi"], r["part"]): r for r in
            look.records("kpis/before_after", day=date(2026, 9, 1), days=30)}  # fmt: skip
    row = next(r for r in table.rows if r[0].text == "Order accuracy")
    right = said["order_accuracy", None] if ("order_accuracy", None) in said else said[
        "order_accuracy", ""]  # fmt: skip
    assert row[2].text == look.shown.share(right["before"])
    assert row[3].text == look.shown.share(right["after"])
    assert len([b for b in page.blocks if isinstance(b, Chart)]) >= 5


def test_the_quality_page_counts_what_is_in_quarantine(look: Look, sample: Synced) -> None:
    bad = [b for b in sample.story.key.bad if not b.kept]
    page = MENU["data"](look)
    tiles = {t.label: t.lines for t in block(page, Tiles).tiles}
    assert tiles["In quarantine"] == [str(len(bad))]
    rows = block(page, Table, "Quarantine").rows
    assert sum(int(r[4].text) for r in rows) == len(bad)
    assert {(r[0].text, r[1].text) for r in rows} == {(b.connection, b.stream) for b in bad}


def test_a_table_is_exported_whole_with_safe_cells(current: Current, db: DB) -> None:
    answer = get(current, "/export/orders/list.csv?state=all&since=2026-05-01&until=2026-10-31")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="orders-list.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == one(db, "select count(*) as n from mart.order_to_cash "
                            "where placed_at is not null")["n"]  # fmt: skip
    assert len(rows) > 200
    sheet = get(current, "/export/breaks/list.xlsx?status=open&rule=")
    book = openpyxl.load_workbook(io.BytesIO(sheet.content), read_only=True)
    heads = [cell.value for cell in next(book.active.iter_rows())]
    assert heads[:3] == ["break_id", "rule", "severity"]


@pytest.mark.parametrize(
    "path",
    [
        "/export/orders/nothing.csv", "/export/orders/list.exe", "/export/..%2f..%2fqueries.csv",
        "/export/today/orders_by_day.csv?day=tomorrow", "/order/1", f"/order/{UUID(int=0)}",
        f"/break/{UUID(int=0)}", f"/customer/{UUID(int=0)}", "/nothing", "/static/../server.py",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(path: str, current: Current) -> None:
    assert get(current, path).status_code == 404


@pytest.mark.parametrize("path", ["/today?day=x", "/kpis?day=x&days=x", "/orders?since=1&state=x",
                                  "/breaks?status=x&rule=x", "/customers?currency=x"])  # fmt: skip
def test_a_choice_that_there_is_not_is_the_usual_one(path: str, current: Current) -> None:
    answer = get(current, path)
    assert answer.status_code == 200
    assert 'class="card notice' not in answer.text


def test_an_open_page_hears_of_a_newer_version(current: Current) -> None:
    shown = re.search(r'data-version="([^"]+)"', get(current, "/data").text)
    assert shown is not None
    assert get(current, "/version").json() == {"version": shown[1]}


def test_the_language_is_remembered(current: Current) -> None:
    switched = get(current, "/data?lang=zh")
    assert "数据质量与新鲜度" in switched.text
    cookie = switched.headers["set-cookie"].split(";")[0]
    assert "数据质量与新鲜度" in get(current, "/data", cookie=cookie).text
    assert "Data quality and freshness" in get(current, "/data", cookie="isthmus_lang=fr").text


def test_amounts_of_two_currencies_are_never_added(look: Look) -> None:
    from pipelines.explore.pages.today import _sums

    day = date(2026, 10, 31)
    rows = [{"day": day, "currency": c, "sales": Decimal(n)} for c, n in (("CNY", 5), ("USD", 7))]
    assert _sums(look, rows, "sales", day) == [("5", "CNY"), ("7", "USD")]
