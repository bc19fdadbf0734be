"""A break appears, ages, is explained, changes, goes and comes back: as `recon` tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import duckdb
import pytest
from recon_rows import LATER, Company, company, order, paid
from source_rows import MOMENT

from warehouse import explained, recon_rules
from warehouse.decisions import Decisions
from warehouse.errors import DecisionError
from warehouse.home import Home
from warehouse.project import project
from warehouse.recon_rules import Setting, Settings
from warehouse.reconcile import REST, reconcile
from warehouse.unify import unify

DAY = timedelta(days=1)
TOLD = ("rule", "expected", "actual", "status", "occurrences")


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Company]:
    """A shop with three orders of which the gateway has the money of two."""
    with company(tmp_path) as made:
        made.put("shop", "order", *(order(k, payment_status="paid", payment_method="pay")
                                    for k in "123"))  # fmt: skip
        made.put("gate", "payment", paid("g1", "T1"), paid("g2", "T2"))
        yield made


def test_the_life_of_a_break(firm: Company, tmp_path: Path) -> None:
    firm.run(MOMENT + DAY)
    assert firm.breaks(*TOLD, "timing_until") == [
        ("order_paid_without_money", 100, 0, "timing", 1, MOMENT + 3 * DAY)
    ]
    done = firm.run(MOMENT + 2 * DAY)
    assert (done.changed, done.opens_at) == (False, (MOMENT + 3 * DAY).isoformat())
    assert firm.breaks("status", "last_seen") == [("timing", MOMENT + DAY)]
    done = firm.run(MOMENT + 4 * DAY)  # nothing was loaded: it is time that opens it
    assert (done.changed, done.appeared) == (True, 0)
    assert done.open == {"error": {"order_paid_without_money": 1}}
    assert firm.breaks("status", "first_seen", "last_seen") == [
        ("open", MOMENT + DAY, MOMENT + 4 * DAY)
    ]

    log = Decisions(tmp_path / "log")
    ((found,),) = firm.breaks("break_id")
    explained.decide(firm.store, log, explained.EXPLAIN, str(found), why="paid in cash",
                     at=LATER, who="li")  # fmt: skip
    firm.said = explained.said(log.all())
    assert firm.run(LATER).changed
    assert firm.breaks("status", "explained_by", "explanation", "decision") == [
        ("explained", "li", "paid in cash", 1)
    ]

    firm.put("shop", "order", order("3", 140, payment_status="paid", payment_method="pay"))
    firm.run(LATER + DAY)  # other figures than those that were explained
    assert firm.breaks(*TOLD, "explanation") == [
        ("order_paid_without_money", 140, 0, "open", 1, None)
    ]

    firm.put("gate", "payment", paid("g3", "T3", 140))
    assert firm.run(LATER + 2 * DAY).resolved == 1
    assert firm.breaks("status", "resolved_at", "last_seen", where="true") == [
        ("resolved", LATER + 2 * DAY, LATER + DAY)
    ]

    firm.load.delete("payment", "g3", connection="gate")
    assert firm.run(LATER + 3 * DAY).appeared == 1
    assert firm.breaks(*TOLD, "first_seen", "resolved_at") == [
        ("order_paid_without_money", 140, 0, "open", 2, MOMENT + DAY, None)
    ]
    assert firm.breaks("break_id") == [(found,)]


def test_an_explanation_holds_where_the_break_comes_back_and_ends_with_a_word(
    firm: Company, tmp_path: Path
) -> None:
    log = Decisions(tmp_path / "log")
    firm.run(LATER)
    ((found,),) = firm.breaks("break_id")
    explained.decide(firm.store, log, explained.EXPLAIN, str(found), why="cash", at=LATER)
    firm.said = explained.said(log.all())
    firm.run(LATER)
    firm.put("gate", "payment", paid("g3", "T3"))
    firm.run(LATER + DAY)
    with pytest.raises(DecisionError, match="resolved"):
        explained.decide(firm.store, log, explained.EXPLAIN, str(found), why="x", at=LATER)
    firm.load.delete("payment", "g3", connection="gate")
    firm.run(LATER + 2 * DAY)
    assert firm.breaks("status", "occurrences", "explanation") == [("explained", 2, "cash")]
    explained.decide(firm.store, log, explained.REOPEN, str(found), why="no cash", at=LATER)
    firm.said = explained.said(log.all())
    firm.run(LATER + 2 * DAY)
    assert firm.breaks("status", "explanation") == [("open", None)]
    with pytest.raises(DecisionError, match="only an explained"):
        explained.decide(firm.store, log, explained.REOPEN, str(found), why="x", at=LATER)
    with pytest.raises(DecisionError, match="no break"):
        explained.decide(firm.store, log, explained.EXPLAIN, "nonsense", why="x", at=LATER)


def test_a_record_that_keeps_changing_is_under_way_no_longer_than_the_window(
    tmp_path: Path,
) -> None:
    """The ERP has half the sum of an order that someone touches every other day."""
    with company(tmp_path) as made:
        made.put("shop", "order", order("1"), order("2", placed_at=MOMENT.replace(year=2999)))
        seen = []
        for day in range(0, 12, 2):
            at = MOMENT + day * DAY
            made.put("erp", "order", order("e1", 50 + day, claims="T1", source_updated_at=at))
            made.run(at + DAY / 2)
            seen.append(made.breaks("status", where="rule = 'document_amount'"))
        assert seen[0] == [("timing",)]
        assert seen[-1] == [("open",)]
        made.run(MOMENT + 40 * DAY)  # a day to come holds nothing back either
        assert made.breaks("status", where="rule = 'order_without_document'") == [("open",)]


def test_an_explanation_is_of_the_documents_that_were_shown(tmp_path: Path) -> None:
    """Of three documents of one order two stand at a time: another pair is another thing."""
    log = Decisions(tmp_path / "log")
    with company(tmp_path / "home") as made:
        made.put("shop", "order", order("1"))
        made.put("erp", "order", order("e1", claims="T1"), order("e2", claims="T1"))
        made.run(LATER)
        ((found,),) = made.breaks("break_id", where="rule = 'same_document_twice'")
        explained.decide(made.store, log, explained.EXPLAIN, str(found), why="call-off", at=LATER)
        made.said = explained.said(log.all())
        made.run(LATER + DAY)
        what = ("right_number", "status", "explanation")
        rule = "rule = 'same_document_twice' AND status <> 'resolved'"
        assert made.breaks(*what, where=rule) == [("Te1, Te2", "explained", "call-off")]
        made.load.delete("order", "e2", connection="erp")
        made.put("erp", "order", order("e3", claims="T1"))
        made.run(LATER + 2 * DAY)
        assert made.breaks(*what, where=rule) == [("Te1, Te3", "open", None)]


def test_nobody_explains_figures_that_were_not_shown(firm: Company, tmp_path: Path) -> None:
    log = Decisions(tmp_path / "log")
    firm.run(LATER)
    ((found, *figures),) = firm.breaks("break_id", *explained.FIGURES)
    told = dict(zip(explained.FIGURES, figures, strict=True))
    shown = told | {"expected": Decimal("99.000000")}
    with pytest.raises(DecisionError, match=r"expected is 100\.000000, not 99\.000000"):
        explained.decide(firm.store, log, explained.EXPLAIN, str(found), why="x", at=LATER,
                         shown=shown)  # fmt: skip
    assert list(log.all()) == []
    explained.decide(firm.store, log, explained.EXPLAIN, str(found), why="x", at=LATER,
                     shown=told)  # fmt: skip


def test_settings_move_breaks_without_a_load(firm: Company) -> None:
    def having(**own: object) -> Settings:
        return Settings(rules=(("order_paid_without_money", Setting(**own)),))  # type: ignore[arg-type]

    firm.run(LATER)
    firm.run(LATER, having(severity="info"))
    assert firm.breaks("severity", "status") == [("info", "open")]
    firm.run(LATER, having(is_off=True))
    assert firm.breaks() == []
    told = (
        "SELECT is_on, applies, open_count FROM recon.rules WHERE rule = 'order_paid_without_money'"
    )
    assert firm.store.con.execute(told).fetchall() == [(False, True, 0)]
    firm.run(LATER, having(transit=timedelta(days=60)))
    assert firm.breaks("status", "occurrences") == [("timing", 2)]
    firm.run(LATER, having(since=(MOMENT + DAY).date()))
    assert firm.breaks() == []
    firm.run(LATER, having(tolerance=Decimal(100)))
    assert firm.breaks() == []


def test_breaks_are_published_as_they_are_and_nothing_when_nothing_moved(
    firm: Company, tmp_path: Path
) -> None:
    home = Home(tmp_path)

    def show() -> list[tuple[object, ...]]:
        firm.run(LATER)
        shown = project(firm.store, home, privacy="masked", key=b"0" * 32, now=LATER)
        with duckdb.connect(str(home.public), read_only=True) as con:
            rows = con.execute(
                "SELECT rule, left_number, status, open_count FROM recon.breaks "
                "JOIN recon.rules USING (rule)"
            ).fetchall()
        return [*rows, (shown.changed,)]

    row = ("order_paid_without_money", "T3", "open", 1)
    assert show() == [row, (True,)]
    assert show() == [row, (False,)]


def test_a_stuck_rule_name_or_a_lacking_line_is_told(tmp_path: Path) -> None:
    from warehouse import recon_rules
    from warehouse.errors import StoreError

    (tmp_path / "x.sql").write_text("-- grain: one row\nselect 1")
    with pytest.raises(StoreError, match="kind"):
        recon_rules.rules(tmp_path)


def test_what_took_long_rests_unless_a_person_spoke(
    firm: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = count(step=6)  # seconds, at each look at the clock
    monkeypatch.setattr("warehouse.reconcile.time.perf_counter", lambda: next(ticks))
    start = MOMENT + 10 * DAY
    assert firm.run(start - DAY).changed  # of everything: the next looks at what changed
    firm.put("gate", "payment", paid("g2", "T2", fee=1))
    assert firm.run(start).changed
    firm.put("gate", "payment", paid("g3", "T3"))
    rest = timedelta(seconds=6 * REST)
    early = firm.run(start + rest / 2)
    assert (early.changed, early.opens_at) == (False, (start + rest).isoformat())
    assert firm.breaks("status") == [("open",)]
    other = Settings(rules=(("order_paid_without_money", Setting(severity="warning")),))
    assert firm.run(start + rest / 2, other).changed
    assert firm.breaks("status", where="true") == [("resolved",)]


def test_a_rule_that_raises_stops_no_other_and_keeps_its_breaks(firm: Company) -> None:
    """Its breaks are not called gone; what stands on a step that raises fails with it."""
    firm.run(MOMENT + DAY)
    rules = {rule.name: rule for rule in recon_rules.rules()}
    one = rules["order_paid_without_money"]
    rules[one.name] = replace(
        one,
        among="",
        sql="select o.number as subject, o.number::decimal as expected, "
        "o.placed_at as happened_at from main.orders as o",
    )
    firm.put("gate", "payment", paid("g3", "T3"), paid("g9", "T9", 70))
    unify(firm.store, now=LATER)
    done = reconcile(firm.store, now=LATER, rules=list(rules.values()))
    assert done.failed == {"error": {one.name: "Conversion"}}
    assert firm.breaks("rule", "status", "last_seen") == [
        (one.name, "open", MOMENT + DAY),  # under way no longer: time went on
        ("payment_without_order", "open", LATER),
    ]
    told = "SELECT rule, failed, ran_at FROM recon.rules WHERE rule IN (?, ?) ORDER BY rule"
    names = [one.name, "payment_without_order"]
    assert firm.store.con.execute(told, names).fetchall() == [
        (one.name, "Conversion", MOMENT + DAY), ("payment_without_order", None, LATER),
    ]  # fmt: skip
    # Asked again with nothing new: told again, opened by no clock, run by none.
    again = reconcile(firm.store, now=LATER + DAY, rules=list(rules.values()))
    assert (again.changed, again.failed, again.opens_at) == (False, done.failed, None)
    mended = firm.run(LATER + DAY)
    assert (mended.failed, mended.resolved) == ({}, 1)


def test_a_step_that_raises_fails_the_rules_that_stand_on_it(
    firm: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = dict(recon_rules.steps())
    steps["step", "gateway_orders"] = "select 'x'::integer as order_id"
    monkeypatch.setattr(recon_rules, "steps", lambda *_: steps)
    done = firm.run()
    assert set(done.failed["error"]) == {
        "order_paid_without_money", "paid_order_unpaid", "payment_amount",
    }  # fmt: skip
