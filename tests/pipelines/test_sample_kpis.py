"""Marts and KPIs of the sample company say what plain Python works out from its story."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from statistics import median
from typing import Any

import pytest
from sample_kpis import DAY, Kpis, by_month
from sample_truth import ZERO, Truth, month, percentile
from synced_sample import Synced, synced_sample

from pipelines.sample.story import SEED, tell

SEEDS = [
    pytest.param(SEED, id="first"),
    pytest.param(20260107, id="second", marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=SEEDS)
def sample(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Synced]:
    made = synced_sample(tmp_path_factory.mktemp("home"), tell(request.param, orders=700))
    yield made
    made.close()


@pytest.fixture(scope="module")
def truth(sample: Synced) -> Truth:
    return Truth(sample.story, sample.apps, sample.parties())


@pytest.fixture(scope="module")
def kpis(sample: Synced, truth: Truth) -> Kpis:
    ((synced,),) = sample.ask(
        "select max((synced_at at time zone 'Asia/Shanghai')::date) from source.stock_levels"
    )
    return Kpis(truth, synced)


def test_each_sale_is_served_as_the_story_tells(sample: Synced, truth: Truth) -> None:
    told = {
        row["number"]: (
            row["placed_on"], row["placed_at"], row["shipped_at"], row["delivered_at"],
            row["party"], row["total"], row["is_right"], row["is_undamaged"],
        )
        for row in sample.rows("select *, party_id::varchar as party from mart.order_service")
    }  # fmt: skip
    assert told == {
        s.number: (
            s.day, s.placed, s.shipped, s.delivered, s.party, s.total,
            None if s.shipped is None else "missing" not in s.reasons,
            None if s.system == "erp" else "quality" not in s.reasons,
        )
        for s in truth.sales
    }  # fmt: skip


def test_every_kpi_of_a_day(sample: Synced, kpis: Kpis) -> None:
    told: dict[Any, dict[date, Any]] = defaultdict(dict)
    for row in sample.rows("select * from mart.kpi_daily"):
        key = row["kpi"], row["part"], row["currency"]
        told[key][row["period"]] = row["numerator"], row["denominator"]
    wanted = kpis.daily()
    assert told.keys() == wanted.keys()
    for key, days in wanted.items():
        assert told[key] == days, key


def test_every_kpi_of_a_month(sample: Synced, kpis: Kpis) -> None:
    wanted: dict[Any, Any] = {}
    for (key, period), (numerator, denominator) in by_month(kpis.daily()).items():
        value = None if denominator == 0 else float(numerator / denominator)
        wanted[(*key, period)] = value, float(denominator)
    for step, ended in kpis.hours().items():
        for period in {month(day) for day, _ in ended}:
            hours = [took for day, took in ended if month(day) == period]
            many = float(len(hours))
            wanted["cycle_time_median", step, None, period] = median(hours), many
            wanted["cycle_time_p90", step, None, period] = percentile(hours, 0.9), many
    for period in {month(sale.day) for sale in kpis.truth.sales if sale.party}:
        again, bought = kpis.repeat(period, month(period + timedelta(days=32)))
        wanted["repeat_purchase", None, None, period] = again / bought, bought
    for (cohort, after), (again, size) in kpis.retention().items():
        wanted["retention", str(after), None, cohort] = again / size, size
    told = {
        (row["kpi"], row["part"], row["currency"], row["period"]): (
            row["value"],
            row["denominator"],
        )
        for row in sample.rows("select * from mart.kpis")
    }
    assert told.keys() == wanted.keys()
    for key, (value, of_many) in wanted.items():
        assert told[key][0] == (None if value is None else pytest.approx(value, rel=1e-9)), key
        assert float(told[key][1]) == pytest.approx(of_many), key


@pytest.mark.parametrize(("since", "days"), [(date(2026, 8, 1), 60), (date(2026, 10, 10), 7)])
def test_before_and_after_a_day(sample: Synced, kpis: Kpis, since: date, days: int) -> None:
    span = days * DAY
    sides = {"before": (since - span, since), "after": (since, since + span)}
    wanted: dict[Any, dict[str, float]] = defaultdict(dict)
    for side, (first, end) in sides.items():
        for key, by_day in kpis.daily().items():
            rows = [pair for day, pair in by_day.items() if first <= day < end]
            if sum((d for _, d in rows), ZERO):
                ratio = sum((n for n, _ in rows), ZERO) / sum((d for _, d in rows), ZERO)
                wanted[key][side] = float(ratio)
        for step, ended in kpis.hours().items():
            hours = [took for day, took in ended if first <= day < end]
            if hours:
                wanted["cycle_time_median", step, None][side] = median(hours)
                wanted["cycle_time_p90", step, None][side] = percentile(hours, 0.9)
        again, bought = kpis.repeat(first, end)
        wanted["repeat_purchase", None, None][side] = again / bought
        kept, earlier = kpis.kept(first - span, first, end)
        if earlier:
            wanted["retention", None, None][side] = kept / earlier
    told = {
        (row["kpi"], row["part"], row["currency"]): row
        for row in sample.rows(
            f"select * from mart.kpi_before_after(date '{since}', days := {days})"
        )
    }
    known = {key for key, row in told.items() if (row["before"], row["after"]) != (None, None)}
    assert known == wanted.keys()
    for key, said in wanted.items():
        row = told[key]
        for side in sides:
            value = said.get(side)
            assert row[side] == (None if value is None else pytest.approx(value)), (key, side)
        if len(said) == 2:
            assert row["change"] == pytest.approx(said["after"] - said["before"]), key


def test_cash_and_settlement(sample: Synced, truth: Truth) -> None:
    wanted: Counter[Any] = Counter()
    for moved in truth.moves():
        wanted[moved.day, moved.connection, moved.currency, moved.kind] += moved.amount  # type: ignore[assignment]
    columns = {"received": "payment", "refunded": "refund", "charged_back": "chargeback",
               "fee": "fee", "other": "transfer", "paid_out": "payout"}  # fmt: skip
    told: dict[Any, Decimal] = {}
    for row in sample.rows("select * from mart.cash_and_settlement"):
        for column, kind in columns.items():
            if row[column]:
                told[row["day"], row["connection"], row["currency"], kind] = row[column]
        out = row["refunded"] + row["charged_back"] + row["fee"]
        assert row["net"] == row["received"] - out
        assert row["in_transit"] is None  # Stripe pays out in HKD what it takes in CNY
    assert told == {key: amount for key, amount in wanted.items() if amount}
    payouts = sample.apps["stripe"].living("payouts")
    told_payouts = sample.ask("select number, amount, line_count, net from mart.settlements")
    assert sorted(told_payouts) == sorted(
        (key, Decimal(said["amount"]) / 100, 0, None) for key, said in payouts.items()
    )


def test_customer_360(sample: Synced, truth: Truth) -> None:
    """Of every party: sales, money, returns, tickets and opportunities."""
    wanted: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, list[Any]] = defaultdict(list)
    asked: dict[str, list[Any]] = defaultdict(list)
    for place, party in truth.parties.items():
        wanted[party]["records"] += 1
        wanted[party][f"in {place[0]}"] = 1
    for sale in truth.sales:
        if sale.party is None:
            continue
        mine = wanted[sale.party]
        first[sale.party].append(sale.placed)
        mine["orders"] += 1
        mine["revenue"] += sale.total  # type: ignore[assignment]
        mine["refunded"] += sale.refunded  # type: ignore[assignment]
        mine["open"] += max(sale.total - sale.paid, ZERO)  # type: ignore[type-var]
        mine["returns"] += len(sale.reasons)
    for order in sample.story.orders:
        if order.money == "voided":
            wanted[truth.party(order.customer, "shop")]["cancelled"] += 1
    for ticket in sample.story.tickets:
        party = truth.party(ticket.customer, "crm")
        wanted[party]["tickets"] += 1
        wanted[party]["open tickets"] += ticket.stage != "done"
        asked[party].append(ticket.at)
    for deal in sample.story.deals:
        stage = {"won": "won", "lost": "lost"}.get(deal.stage, "open deals")
        wanted[truth.party(deal.customer, "crm")][stage] += 1
    told = {row["party"]: row for row in sample.rows(
        "select *, party_id::varchar as party from mart.customer_360")}  # fmt: skip
    assert told.keys() == wanted.keys()
    for party, mine in wanted.items():
        row = told[party]
        assert set(row["systems"]) == {k[3:] for k in mine if k.startswith("in ")}
        for column, name in {
            "record_count": "records", "order_count": "orders",
            "cancelled_order_count": "cancelled", "return_count": "returns",
            "ticket_count": "tickets",
            "open_ticket_count": "open tickets", "won_opportunity_count": "won",
            "lost_opportunity_count": "lost", "open_opportunity_count": "open deals",
        }.items():  # fmt: skip
            assert row[column] == mine[name], (party, column)
        if mine["orders"]:
            said = [row[n] for n in ("revenue", "refunded_amount", "lifetime_value", "open_amount")]
            worth = mine["revenue"] - mine["refunded"]
            assert said == [mine["revenue"], mine["refunded"], worth, mine["open"]], party
            assert (row["first_order_at"], row["last_order_at"]) == (
                min(first[party]), max(first[party]))  # fmt: skip
            assert [one["currency"] for one in row["by_currency"]] == ["CNY"]
        else:
            assert (row["currency"], row["revenue"], row["by_currency"]) == (None, None, None)
        assert row["last_contact_at"] == max(asked[party], default=None)


def test_stock_of_a_sku(sample: Synced, kpis: Kpis) -> None:
    shipped = kpis.shipped()
    last = max(day for days in shipped.values() for day in days)
    told = {row["sku"]: row for row in sample.rows("select * from mart.sku_stock")}
    assert told.keys() == {one.product.sku for one in sample.story.stock}
    for one in sample.story.stock:
        row, there = told[one.product.sku], one.online[0] + one.main[0]
        days = shipped.get(one.product.sku, {})
        many = sum(pieces for day, pieces in days.items() if day > last - 90 * DAY)
        assert (row["stock_source"], row["on_hand"]) == ("erp", there)
        assert row["product_name"].startswith(one.product.name)
        assert (row["sellable"], row["offered"]) == (one.available, one.offered)
        assert row["is_oversold"] == (one.offered > one.available)
        assert row["shipped_90d"] == many
        lasts = None if not many else pytest.approx(there / (many / 90), abs=0.01)
        assert (row["days_on_hand"] and float(row["days_on_hand"])) == lasts
    assert {one.sku for one in sample.story.key.oversold} == {
        sku for sku, row in told.items() if row["is_oversold"]
    }


def test_orders_to_cash(sample: Synced, truth: Truth) -> None:
    told = {row["number"]: row for row in sample.rows("select * from mart.order_to_cash")}
    story = sample.story
    assert told.keys() == {s.number for s in truth.sales} | {
        order.number for order in story.orders if order.money == "voided"
    }
    claimed = {claim.claims for claim in story.claims}
    billed = {order.number for order in story.typed if order.parcel is not None}
    for sale in truth.sales:
        row = told[sale.number]
        assert (row["paid_amount"], row["refunded_amount"]) == (sale.paid, sale.refunded), sale
        assert row["erp_documents"] == (sale.system == "shop" and sale.number in claimed), sale
        assert row["oms_documents"] == (sale.system == "shop"), sale
        assert row["parcel_count"] == (sale.shipped is not None), sale
        assert row["delivered_count"] == (sale.delivered is not None), sale
        assert row["return_count"] == len(sale.reasons), sale
        assert row["invoice_count"] == (sale.number in billed), sale
        took = sale.shipped and (sale.shipped - sale.placed).total_seconds() / 3600
        assert row["hours_to_ship"] == (took if took is None else pytest.approx(took)), sale
