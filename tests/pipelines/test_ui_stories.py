"""What people on call meet, played on a running webserver and daemon: fail, mend, one click.

One boot serves all stories; each has a connection and a shop of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import small_shop
from dagster_ui import Ui, dagster
from small_shop import at_the_source, in_the_store, order
from surroundings import typed

from connectors.rest.serve import serve
from connectors.rest.simulator import RestSimulator
from pipelines.dagster_home import prepare
from pipelines.workspace import Workspace
from warehouse.store import open_store

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
ORDERS = 60
READ_BEFORE = ("drift", "poison")
STORIES = ("down", "again", "locked", "metered", *READ_BEFORE)
CANARY = "canary-of-a-value"


@dataclass
class Company:
    """A workspace with a connection a story, its shops, and the UI."""

    folder: Path
    space: Workspace
    shops: dict[str, RestSimulator]
    ui: Ui

    def file(self, name: str) -> Path:
        return self.folder / "defs" / name / "defs.yaml"

    def mend(self, path: Path, old: str, new: str) -> None:
        text = path.read_text("utf-8")
        assert text.count(old) == 1, text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def is_right(self, name: str) -> None:
        """The store says what the shop says."""
        assert in_the_store(self.space, name) == at_the_source(self.shops[name])


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    folder = tmp_path_factory.mktemp("stories")
    with ExitStack() as stack:
        shops = {name: small_shop.shop(ORDERS) for name in STORIES}
        (folder / ".env").write_text("")
        for name, server in shops.items():
            _connect(folder, name, stack.enter_context(serve(server)))
        company_file = folder / "defs" / "company" / "defs.yaml"
        company_file.parent.mkdir()
        company_file.write_text(small_shop.COMPANY)
        env = small_shop.environment(folder)
        for name in READ_BEFORE:
            done = typed(folder, env, "sync", name)
            assert done.returncode == 0, done.stderr
        env = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST")} | env
        space = Workspace.discover(env)
        stack.callback(space.control.close)
        prepare(space, env)
        # As a service begins: what `.env` says is read by the runs, not handed down.
        env = {n: v for n, v in env.items() if not n.endswith("_TOKEN")}
        ui = stack.enter_context(dagster(env, folder / "dagster.log"))
        yield Company(folder, space, shops, ui)


def _connect(folder: Path, name: str, url: str) -> None:
    text = small_shop.DEFS.format(url=url, limit=20).replace("SHOP_TOKEN", f"{name.upper()}_TOKEN")
    text = text.replace('"*/15 * * * *"', '"0 3 29 2 *"').replace("Web shop", name)
    more = "    attempts: 2\n" + ("    rate: 3/d\n" if name == "metered" else "")
    files = {
        f"defs/{name}/defs.yaml": text.replace("    streams:\n", f"{more}    streams:\n", 1),
        **{f"mappings/{name}/{n}.yaml": said for n, said in small_shop.MAPPINGS.items()},
    }
    for path, said in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(said, encoding="utf-8")
    secret = "the wrong one" if name == "locked" else small_shop.TOKEN
    with (folder / ".env").open("a") as env:
        env.write(f"{name.upper()}_TOKEN={secret}\n")


def entries(found: list[dict[str, Any]]) -> dict[str, str]:
    return {entry["label"]: entry.get("text", "") for entry in found}


def steps(run: dict[str, Any]) -> dict[str, str]:
    return {step["stepKey"]: step["status"] for step in run["stepStats"]}


def test_a_system_that_is_down_is_told_and_just_its_failed_step_is_run_again(company: Company):
    ui, server = company.ui, company.shops["down"]
    server.fault("status", request=2, times=10_000, status=503)
    run = ui.launch("down_sync")
    ended = ui.ended(run)
    assert ended["status"] == "FAILURE"
    assert steps(ended) == {"down__customers": "SUCCESS", "down__orders": "FAILURE"}
    (failed,) = ui.failures(run).values()
    assert failed["error"]["message"].startswith("Unavailable: down/orders: ")
    assert "503" in failed["error"]["message"]
    assert "Do:" in failed["error"]["message"]
    shown = entries(failed["failureMetadata"]["metadataEntries"])
    assert "503" in shown["what happened"]
    assert shown["what to do"]
    asked = len(server.sent("customers"))
    server.faults.clear()
    again = ui.ended(ui.again(run))
    assert (again["status"], steps(again)) == ("SUCCESS", {"down__orders": "SUCCESS"})
    assert len(server.sent("customers")) == asked
    company.is_right("down")


def test_all_of_it_is_run_again_three_times_and_no_row_changes(company: Company):
    ui, space = company.ui, company.space
    company.shops["again"].faults.clear()
    run = ui.launch("again_sync")
    assert ui.ended(run)["status"] == "SUCCESS"
    company.is_right("again")
    before = rows_of("again", space)
    for _ in range(3):
        run = ui.again(run, "ALL_STEPS")
        ended = ui.ended(run)
        assert (ended["status"], len(steps(ended))) == ("SUCCESS", 2)
        for event in ui.events(run):
            if event["__typename"] == "MaterializationEvent":
                made = {e["label"]: e.get("intValue") for e in event["metadataEntries"]}
                changed = [made[f"rows {word}"] for word in ("inserted", "updated", "deleted")]
                assert changed == [0, 0, 0]
        assert rows_of("again", space) == before, "not even the load that wrote a row"


def rows_of(connection: str, space: Workspace) -> list[list[tuple[Any, ...]]]:
    """Return all that the store holds of a connection, also which load wrote it."""
    with open_store(space.home) as store:
        return [
            store.con.execute(
                f"select * from {table} where connection = ? order by all", [connection]
            ).fetchall()
            for table in ("source.orders", "source.order_lines", "source.parties")
        ]


def test_a_wrong_password_is_told_and_a_renewed_one_is_used_at_once(company: Company):
    ui = company.ui
    run = ui.launch("locked_sync")
    assert ui.ended(run)["status"] == "FAILURE"
    failed = ui.failures(run)
    assert set(failed) == {"locked__customers", "locked__orders"}
    for event in failed.values():
        assert event["error"]["message"].startswith("AuthError: locked/")
        assert "Do:" in event["error"]["message"]
    assert "the wrong one" not in json.dumps(ui.events(run))
    company.mend(company.folder / ".env", "the wrong one", small_shop.TOKEN)
    again = ui.ended(ui.again(run))
    assert (again["status"], set(steps(again))) == ("SUCCESS", set(failed))
    company.is_right("locked")


def test_a_used_quota_is_no_failure_and_no_green_check(company: Company):
    ui = company.ui
    run = ui.launch("metered_sync")
    assert ui.ended(run)["status"] == "SUCCESS"
    assert ui.checks(run, "metered", "customers")["finished"]["success"]
    early = ui.checks(run, "metered", "orders")["finished"]
    assert (early["success"], early["severity"]) == (False, "WARN")
    assert "used up" in early["description"]
    assert "Goes on after: 20" in early["description"]
    made = [e for e in ui.events(run) if e["__typename"] == "MaterializationEvent"]
    (figures,) = [entries(e["metadataEntries"]) for e in made if "orders" in e["assetKey"]["path"]]
    assert figures["status"] == "partial"
    held, there = in_the_store(company.space, "metered"), at_the_source(company.shops["metered"])
    assert 0 < len(held) < len(there)
    assert held.items() <= there.items()
    company.mend(company.file("metered"), "rate: 3/d", "rate: 3000/d")
    again = ui.launch("metered_sync")
    assert ui.ended(again)["status"] == "SUCCESS"
    assert ui.checks(again, "metered", "orders")["finished"]["success"]
    company.is_right("metered")


def test_a_field_that_is_otherwise_is_told_by_type_and_length_alone(company: Company):
    ui, server = company.ui, company.shops["drift"]
    for number in range(1, ORDERS + 1):
        changed = order(number, at=datetime.now(UTC), seed=1) | {"remark": CANARY}
        changed["sum"] = changed.pop("total_price")
        changed["line_items"] = [
            line | {"price": f"{line['price']}"} for line in changed["line_items"]
        ]
        server.put("orders", changed)
    run = ui.launch("drift_sync", {"ops": {"drift__orders": {"config": {"full": True}}}})
    assert ui.ended(run)["status"] == "SUCCESS"
    found = ui.checks(run, "drift", "orders")["schema"]
    assert (found["success"], found["severity"]) == (False, "WARN")
    assert "total_price: gone (was number, " in found["description"]
    assert "line_items.price: " in found["description"]
    (table,) = [e["table"]["records"] for e in found["metadataEntries"] if e["label"] == "fields"]
    rows = {row["field"]: row for row in map(json.loads, table)}
    assert rows["remark"] == {
        "field": "remark", "kind": "new", "was": "", "now": f"text, {len(CANARY)}",
        "is_read": False,
    }  # fmt: skip
    assert rows["line_items.price"]["now"].startswith("text, ")
    assert rows["sum"]["kind"] == "new"
    assert CANARY not in json.dumps(ui.events(run))
    again = ui.launch("drift_sync")
    assert ui.ended(again)["status"] == "SUCCESS"
    assert ui.checks(again, "drift", "orders")["schema"]["success"], "it is told once"


def test_a_poisoned_record_stands_aside_and_is_replayed_once_the_mapping_is_mended(
    company: Company,
):
    ui, server = company.ui, company.shops["poison"]
    good = order(ORDERS + 1, at=datetime.now(UTC))
    server.put("orders", good | {"total_price": f"{good['total_price']} yuan"})
    server.put("orders", order(ORDERS + 2, at=datetime.now(UTC)))
    run = ui.launch("poison_sync")
    ended = ui.ended(run)
    assert ended["status"] == "SUCCESS"
    share = ui.checks(run, "poison", "orders")["quarantine_share"]
    assert (share["success"], share["severity"]) == (False, "ERROR")
    assert share["description"].startswith("1 in quarantine")
    held = in_the_store(company.space, "poison")
    assert str(ORDERS + 1) not in held
    assert str(ORDERS + 2) in held
    mapping = company.folder / "mappings" / "poison" / "orders.yaml"
    company.mend(mapping, "total: total_price", "total: replace(total_price, ' yuan', '')")
    run = ui.launch(
        "replay_quarantine",
        {"ops": {"replay_entries": {"config": {"connection": "poison", "stream": "orders"}}}},
    )
    assert ui.ended(run)["status"] == "SUCCESS"
    assert any("good: 1, still_broken: 0" in event["message"] for event in ui.events(run))
    server.put("orders", good)
    company.is_right("poison")
    assert isinstance(in_the_store(company.space, "poison")[str(ORDERS + 1)][0], Decimal)
