"""Breaks from files to the command line: listed, explained, kept by rebuild, shown by Dagster."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from pipelines.cli import main
from pipelines.jobs import CHECKS, ORPHANS, PUBLISHED, unify_defs
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse import marts, public, recon_rules

CONNECTION = """type: pipelines.Connection
attributes:
  system: files
  role: {role}
  config:
    folder: inbox/{name}
    settle: 0
    streams: {{{stream}: {{pattern: '*.csv', key: id}}}}
"""
ORDERS = """entity: order
key: id
fields: {number: id, total: total, currency: "'CNY'", payment_status: paid, placed_at: at,
  payment_method: "'pay'"}
"""
PAYMENTS = """entity: payment
key: id
fields: {number: id, kind: "'payment'", status: "'succeeded'", amount: amount, currency: "'CNY'",
  merchant_order_no: order, paid_at: at, provider: "'pay'"}
"""
AT = "2026-03-01T08:00:00Z"
NOW = datetime(2026, 4, 1, tzinfo=UTC)
SOLD = f"id,total,paid,at\nSO1,10,paid,{AT}\nSO2,20,paid,{AT}\nSO3,30,paid,{AT}\n"
MOVED = f"id,order,amount,at\np1,SO1,10,{AT}\np2,SO2,18,{AT}\n"
Say = Callable[..., Any]


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    for path, text in {
        "defs/shop/defs.yaml": CONNECTION.format(name="shop", role="shop", stream="orders"),
        "defs/gate/defs.yaml": CONNECTION.format(name="gate", role="[gateway]", stream="bills"),
        "mappings/shop/orders.yaml": ORDERS,
        "mappings/gate/bills.yaml": PAYMENTS,
        "inbox/shop/1.csv": SOLD,
        "inbox/gate/1.csv": MOVED,
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    monkeypatch.setattr("connectors.base.utc_now", lambda: NOW)
    made = Workspace.discover({}, start=tmp_path)
    sync(made)
    yield made
    made.control.close()


def sync(space: Workspace, now: datetime = NOW) -> None:
    for connection, stream in (("shop", "orders"), ("gate", "bills")):
        assert sync_stream(space, connection, stream, full=True).error is None
    outcome = unify_publish(space, now=lambda: now)
    assert outcome.error is None, outcome.error


@pytest.fixture
def say(space: Workspace, capsys: pytest.CaptureFixture[str]) -> Say:
    """Return what runs a command and gives its JSON, or its output and remarks."""

    def run(*words: str, code: int = 0) -> Any:
        capsys.readouterr()
        assert main(["breaks", *words]) == code
        out, err = capsys.readouterr()
        return json.loads(out) if "--json" in words and code == 0 else (out, err)

    return run


def test_breaks_are_listed_and_shown(say: Say) -> None:
    found = say("list", "--json")
    assert [(b["rule"], b["left_number"], b["expected"], b["actual"]) for b in found] == [
        ("order_paid_without_money", "SO3", "30.000000", "0.000000"),
        ("payment_amount", "SO2", "20.000000", "18.000000"),
    ]
    assert [b["rule"] for b in say("list", "--rule", "payment_amount", "--json")] == [
        "payment_amount"
    ]
    assert say("list", "--status", "explained", "--json") == []
    out, err = say("list")
    assert "20 CNY" in out
    assert "isthmus breaks show" in err
    assert "not compared (9): carrier shipment, erp order, erp|oms order, " in err
    assert "from recon.left_out" in err
    out, _ = say("show", found[1]["break_id"][:8])
    assert "more or less money" in out
    assert "What to do: Give back" in out
    assert "Did you mean payment_amount" in say("list", "--rule", "payment_amont", code=2)[1]
    assert "open?" in say("list", "--status", "opn", code=2)[1]
    assert "no break" in say("show", "ffffffff", code=2)[1]
    assert "no break" in say("show", "x'; drop", code=2)[1]


def test_a_feed_that_lacks_a_shop_is_told_beneath_the_list(say: Say, space: Workspace) -> None:
    """Twenty orders say `pay`, the gateway has money of two: no break, and that is told."""
    more = "".join(f"B{n},10,paid,{AT}\n" for n in range(20))
    (space.home.root.parent / "inbox/shop/1.csv").write_text(SOLD + more)
    sync(space)
    assert [b["rule"] for b in say("list", "--json")] == ["payment_amount"]
    assert "not compared (10): shop pay (2/23), carrier" in say("list")[1]


def test_an_explanation_is_a_decision_that_a_rebuild_keeps(say: Say, space: Workspace) -> None:
    before = {b["rule"]: b for b in say("list", "--json")}
    one = before["payment_amount"]["break_id"]
    assert "reason" in say("explain", one, "--why", " ", code=2)[1].lower()
    made = say("explain", one[:12], "--why", "2 off for a dent", "--json")
    assert (made["decision"], made["status"]) == (1, "explained")
    sync(space, NOW + timedelta(days=1))

    assert main(["rebuild", "--yes"]) == 0
    told = say("list", "--status", "explained", "--json")
    assert [(b["explanation"], b["decision"], b["first_seen"]) for b in told] == [
        ("2 off for a dent", 1, before["payment_amount"]["first_seen"])
    ]
    kept = say("show", before["order_paid_without_money"]["break_id"], "--json")["break"]
    assert kept["first_seen"] == before["order_paid_without_money"]["first_seen"]
    assert kept["occurrences"] == 1

    (space.home.root.parent / "inbox/gate/1.csv").write_text(MOVED.replace(",18,", ",17,"))
    sync(space)
    assert say("show", one, "--json")["break"]["status"] == "open"
    say("explain", one, "--why", "3 off")
    assert "now open" in say("reopen", one, "--why", "not agreed")[0]
    assert "open" in say("reopen", one, "--why", "again", code=1)[1]


def test_the_company_s_file_sets_rules(say: Say, space: Workspace) -> None:
    file = space.company_path
    file.parent.mkdir()
    head = "type: pipelines.Company\nattributes:\n  reconcile:\n"
    file.write_text(
        head + "    payment_amount: {severity: warning, tolerance: '1.5'}\n"
        "    order_paid_without_money: {off: true}\n"
    )
    sync(space)
    assert [(b["severity"], b["tolerance"]) for b in say("list", "--json")] == [
        ("warning", "1.500000")
    ]
    file.write_text(head + "    payment_amount: {tolerance: 2}\n  tolerance: {transit: 90d}\n")
    sync(space)
    assert say("list", "--json") == []
    assert [b["rule"] for b in say("list", "--status", "timing", "--json")] == [
        "order_paid_without_money"
    ]


def test_a_rule_that_is_not_is_told_with_its_line(
    space: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    space.company_path.parent.mkdir()
    space.company_path.write_text(
        "type: pipelines.Company\nattributes:\n  reconcile:\n    payment_amout: {off: true}\n"
    )
    capsys.readouterr()
    assert main(["check", "--offline", "--json"]) == 2
    (told,) = json.loads(capsys.readouterr().out)["problems"]
    assert told["line"] == 4
    assert "payment_amount?" in told["meant"]


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_dagster_tells_of_open_breaks_by_severity(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.export(env := {})
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    defs = unify_defs({})

    def checks() -> dict[str, tuple[bool, dg.AssetCheckSeverity, object]]:
        done = defs.resolve_job_def("unify_publish").execute_in_process()
        assert done.success
        return {
            e.check_name: (e.passed, e.severity, e.metadata["open"].value)
            for e in done.get_asset_check_evaluations()
            if e.asset_key == PUBLISHED and e.check_name in CHECKS.values()
        }

    assert checks() == {
        "recon_breaks_error": (False, dg.AssetCheckSeverity.ERROR, 2),
        "recon_breaks_warning": (True, dg.AssetCheckSeverity.WARN, 0),
    }
    (space.defs / "company").mkdir()
    space.company_path.write_text(
        "type: pipelines.Company\nattributes:\n  reconcile:\n"
        "    order_paid_without_money: {severity: warning}\n    payment_amount: {off: true}\n"
    )
    assert checks() == {
        "recon_breaks_error": (True, dg.AssetCheckSeverity.ERROR, 0),
        "recon_breaks_warning": (False, dg.AssetCheckSeverity.WARN, 1),
    }


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_dagster_tells_of_orphans_by_their_name(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.export(env := {})
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    root = space.defs.parent
    (root / "defs/shop/defs.yaml").write_text(
        CONNECTION.format(name="shop", role="shop", stream="orders").replace(
            "'*.csv', key: id}}", "'*.csv', key: id}, people: {pattern: '*.txt', key: id}}"
        )
    )
    (root / "mappings/shop/people.yaml").write_text(
        "entity: party\nkey: id\nfields: {name: name}\n"
    )
    (root / "mappings/shop/orders.yaml").write_text(
        ORDERS.replace("{number: id,", "{number: id, customer_key: customer,")
    )
    space.company_path.parent.mkdir()
    space.company_path.write_text(
        "type: pipelines.Company\nattributes:\n  reconcile:\n"
        "    reference_to_nothing: {transit: 0s}\n"
    )
    defs = unify_defs({})

    def orphans(people: str) -> tuple[bool, dg.AssetCheckSeverity, dict[str, Any], str]:
        (root / "inbox/shop/1.txt").write_text(f"id,name\n{people}")
        fresh = Workspace.discover({}, start=root)
        assert sync_stream(fresh, "shop", "people", full=True).error is None
        assert sync_stream(fresh, "shop", "orders", full=True).error is None
        fresh.control.close()
        done = defs.resolve_job_def("unify_publish").execute_in_process()
        (said,) = [e for e in done.get_asset_check_evaluations() if e.check_name == ORPHANS]
        return (
            said.passed, said.severity, {k: v.value for k, v in said.metadata.items()},
            str(said.description),
        )  # fmt: skip

    named = SOLD.replace(",at\n", ",at,customer\n").replace(f"{AT}\n", f"{AT},C1\n")
    (root / "inbox/shop/1.csv").write_text(named.replace("C1\n", "C9\n", 1))
    passed, severity, metadata, text = orphans("C1,Ada\n")
    assert (passed, severity) == (False, dg.AssetCheckSeverity.WARN)
    assert metadata == {"orphans": 1, "open: reference_to_nothing": 1}
    assert "isthmus breaks list --rule reference_to_nothing" in text
    passed, _, metadata, text = orphans("C1,Ada\nC9,Grace\n")
    assert (passed, metadata, text) == (True, {"orphans": 0}, "Every reference leads to a record.")


@pytest.mark.filterwarnings("ignore::dagster.BetaWarning")
def test_a_rule_that_raises_is_told_and_all_else_is_published(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [
        replace(r, sql=r.sql.replace("d.due as expected", "d.number::decimal as expected"))
        for r in recon_rules.rules()
    ]
    monkeypatch.setattr(recon_rules, "rules", lambda *_: tuple(broken))
    space.export(env := {})
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    done = unify_defs({}).resolve_job_def("unify_publish").execute_in_process()
    assert done.success
    said = {
        e.check_name: (e.passed, e.description, e.metadata.get("failed: payment_amount"))
        for e in done.get_asset_check_evaluations()
    }["recon_breaks_error"]
    assert said[0] is False
    assert "could not run" in str(said[1])
    assert said[2] == dg.TextMetadataValue("Conversion")
    capsys.readouterr()
    assert main(["breaks", "list"]) == 0
    told = capsys.readouterr()
    assert "order_paid_without_money" in told.out
    assert "could not run, breaks as they were: payment_amount" in told.out + told.err


def test_a_mart_that_raises_is_told_and_all_else_is_published(
    space: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [
        replace(m, sql=m.sql.replace("    o.total,\n", "    o.number::decimal(18, 4) as total,\n"))
        if m.name == "order_service" else m
        for m in marts.in_order()
    ]  # fmt: skip
    monkeypatch.setattr(marts, "in_order", lambda *_: tuple(broken))
    monkeypatch.setattr(public, "_form", lambda _: "another form: the file is made anew")
    space.export(env := {})
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    done = unify_defs({}).resolve_job_def("unify_publish").execute_in_process()
    assert done.success
    said = {e.check_name: e for e in done.get_asset_check_evaluations()}["marts"]
    assert (said.passed, said.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert "mart.order_service raises" in str(said.description)
    assert "kpi_perfect_order" in str(said.description)
    assert said.metadata["failed: order_service"] == dg.TextMetadataValue("Conversion")
    with duckdb.connect(str(space.home.current), read_only=True) as con:
        assert len(con.execute("from mart.order_to_cash").fetchall()) == 3
        with pytest.raises(duckdb.ConversionException):
            con.execute("from mart.order_service").fetchall()


def test_a_file_of_an_older_release_is_said(
    space: Workspace, say: Say, capsys: pytest.CaptureFixture[str]
) -> None:
    new = space.home.published / "older.duckdb"
    with duckdb.connect(str(new)) as con:
        con.execute("create table t as select 1")
    new.replace(space.home.current)
    assert main(["breaks", "list"]) != 0
    assert "isthmus publish" in capsys.readouterr().err
