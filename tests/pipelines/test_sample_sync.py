"""The sample company synced: each planted mistake is found, no good record is lost."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from connectors.errors import ConfigError
from connectors.rest.simulator import RestSimulator
from pipelines.outcome import StreamOutcome
from pipelines.sample import servers
from pipelines.sample.files import write_office
from pipelines.sample.place import OWN, sample_workspace
from pipelines.sample.report import ask, print_report
from pipelines.sample.story import Story, tell
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.store import open_store

STREAMS = (
    ("gateway", "payments"),  # before the orders that they pay: references bind late
    ("gateway", "refunds"),
    ("shop", "orders"),
    ("shop", "customers"),
    ("shop", "products"),
    ("office", "stock"),
    ("office", "bank"),
)


class Direct(httpx.BaseTransport):
    """Hands requests to the simulators by port, without a socket."""

    def __init__(self, by_port: dict[int, RestSimulator]) -> None:
        self.by_port = by_port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        app = self.by_port[request.url.port or 0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.url.query.decode()
        reply = app.answer(request.method, request.url.path, query, headers, request.read())
        kind = {"content-type": "application/json"}
        body = httpx.ByteStream(reply.body)
        return httpx.Response(reply.status, headers=kind | dict(reply.headers), stream=body)


@dataclass
class Synced:
    """What one sync of everything left behind."""

    space: Workspace
    story: Story
    transport: Direct
    first: dict[tuple[str, str], StreamOutcome] = field(default_factory=dict)

    def sync(self) -> dict[tuple[str, str], StreamOutcome]:
        return {
            (connection, stream): sync_stream(
                self.space, connection, stream, transport=self.transport
            )
            for connection, stream in STREAMS
        }

    def ask(self, sql: str) -> list[tuple]:
        return ask(self.space.home.current, sql)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Synced]:
    env = dict(os.environ, ISTHMUS_DEFS=str(OWN), ISTHMUS_HOME=str(tmp_path_factory.mktemp("home")))
    story = tell()
    space, office = sample_workspace(Workspace.discover(env), env)
    write_office(office, story)
    transport = Direct(
        {servers.SHOP_PORT: servers.shop(story), servers.GATEWAY_PORT: servers.gateway(story)}
    )
    made = Synced(space, story, transport)
    made.first = made.sync()
    published = unify_publish(space)
    assert published.error is None
    yield made
    space.control.close()


def test_every_stream_is_synced(synced: Synced) -> None:
    assert {name: outcome.error for name, outcome in synced.first.items() if outcome.error} == {}
    assert {outcome.status for outcome in synced.first.values()} == {"ok"}


def test_the_answer_key_is_the_quarantine(synced: Synced) -> None:
    """One quarantine row a planted mistake, at its record and field, for its reason; no other."""
    rows = synced.ask(
        "select connection, stream, entity, source_key, field, reason from ops.quarantine "
        "where status = 'open'"
    )
    wanted = [bad for bad in synced.story.bad if not bad.kept]
    for bad in wanted:
        place = (bad.connection, bad.stream, bad.entity, bad.key, bad.field)
        found = next((row for row in rows if row[:5] == place and bad.reason in row[5]), None)
        assert found is not None, bad
        rows.remove(found)
    assert rows == []
    counted = sum(outcome.quarantined for outcome in synced.first.values())
    assert counted == len(wanted)


def test_no_good_record_is_lost(synced: Synced) -> None:
    story, spoiled = synced.story, Counter[tuple[str, str]]()
    for bad in story.bad:
        spoiled[bad.stream, bad.entity] += not bad.kept
    got = {
        (entity, stream): count
        for entity, stream, count in synced.ask(
            "select entity, stream, row_count from mart.entity_counts"
        )
    }
    assert got[("party", "customers")] == (
        len(story.customers) - len(story.twice) - spoiled["customers", "party"]
    )
    assert got[("product", "products")] == len(story.products) - spoiled["products", "product"]
    assert got[("order", "orders")] == len(story.orders) - spoiled["orders", "order"]
    assert got[("payment", "payments")] == len(story.payments) - spoiled["payments", "payment"]
    assert got[("refund", "refunds")] == len(story.refunds) - spoiled["refunds", "refund"]
    assert got[("payment", "refunds")] == len(story.refunds) - spoiled["refunds", "payment"]
    assert got[("stock_level", "stock")] == len(story.stock) - spoiled["stock", "stock_level"]
    assert got[("payment", "bank")] == len(story.bank) - spoiled["bank", "payment"]
    bad = {b.key for b in story.bad if b.stream == "orders" and not b.kept}
    lines = sum(
        len(order["line_items"])
        for order in story.orders
        if order["id"] is not None and str(order["id"]) not in bad
    )
    assert got[("order_line", "orders")] == lines


def test_money_is_that_of_the_systems(synced: Synced) -> None:
    story = synced.story
    bad = {b.key for b in story.bad if b.stream == "orders" and not b.kept}
    orders = [o for o in story.orders if o["id"] is not None and str(o["id"]) not in bad]
    ((total,),) = synced.ask("select sum(total) from unified.orders")
    assert total == sum(order["total_price"] for order in orders)
    spoiled = {b.key for b in story.bad if b.stream == "payments" and not b.kept}
    fen = sum(p["amount"] for p in story.payments if p["id"] and p["id"] not in spoiled)
    ((amount,),) = synced.ask("select sum(amount) from unified.payments where stream = 'payments'")
    assert amount * 100 == fen
    ((first, last),) = synced.ask(
        "select min(paid_at)::text, max(value_date)::text from unified.payments "
        "where stream = 'bank'"
    )
    assert (first[:4], last[:7]) == ("2025", "2026-03")


def test_unknown_words_are_kept_and_warned_of(synced: Synced) -> None:
    kept = Counter(bad.reason for bad in synced.story.bad if bad.kept and bad.stream == "orders")
    rows = synced.ask(
        "select status_raw, count(*) from unified.orders where status = 'unknown' group by 1"
    )
    assert dict(rows) == dict(kept)
    warnings = synced.first["shop", "orders"].warnings
    assert {w: n for w, n in warnings.items() if w.startswith("status:")} == {
        f"status: unknown word: {word}": count for word, count in kept.items()
    }


def test_of_two_versions_the_newer_wins_in_either_order(synced: Synced) -> None:
    assert len(synced.story.twice) == 3
    keys = ", ".join(f"'{key}'" for key in synced.story.twice)
    rows = synced.ask(f"select level from unified.parties where source_key in ({keys})")
    assert rows == [("钻石",)] * 3


def test_orders_paid_and_not_in_stock_are_those_of_the_story(synced: Synced) -> None:
    rows = synced.ask(
        "select order_number, sku, order_source, stock_source, payment_source "
        "from mart.paid_not_in_stock"
    )
    assert sorted((number, sku) for number, sku, *_ in rows) == sorted(synced.story.short)
    assert {row[2:4] for row in rows} == {("shop", "office")}
    assert {row[4] for row in rows} <= {"gateway", "office"}


def test_references_are_bound_over_systems(synced: Synced) -> None:
    ((orders, bound),) = synced.ask("select count(*), count(party_id) from unified.orders")
    assert orders == bound
    ((refunds, bound),) = synced.ask("select count(*), count(payment_id) from unified.refunds")
    spoiled = {b.key for b in synced.story.bad if b.stream == "payments"}
    assert refunds - bound == sum(r["charge"] in spoiled for r in synced.story.refunds)
    ((lines, bound),) = synced.ask("select count(*), count(product_id) from unified.order_lines")
    assert lines == bound
    ((paid,),) = synced.ask("select count(*) from mart.orders where is_paid")
    assert paid > 1500


def test_phones_are_clear_in_the_private_store_and_absent_from_what_is_published(
    synced: Synced,
) -> None:
    phones = {customer["phone"] for customer in synced.story.customers}
    published = synced.space.home.current.read_bytes()
    assert not [phone for phone in phones if phone.encode() in published]
    tables = synced.ask(
        "select table_schema, table_name, string_agg(format('\"{}\"::varchar', column_name), ', ') "
        "from information_schema.columns where data_type in ('VARCHAR', 'JSON') group by all"
    )
    assert len(tables) > 30
    for schema, table, said in tables:
        found = synced.ask(
            f"select unnest(regexp_extract_all(concat_ws(' ', {said}), '1[3-9][0-9]{{9}}')) "
            f"from {schema}.{table}"
        )
        assert not phones & {phone for (phone,) in found}, (schema, table)
    with open_store(synced.space.home) as store:
        clear = {
            phone for (phone,) in store.con.execute("select phone from source.parties").fetchall()
        }
    assert len(clear & phones) == 320


def test_a_second_run_changes_nothing(synced: Synced) -> None:
    before = synced.space.home.current.resolve()
    for name, outcome in synced.sync().items():
        assert outcome.error is None
        assert (outcome.inserted, outcome.updated, outcome.deleted) == (0, 0, 0), name
        assert (outcome.landed, outcome.quarantined) == (0, 0), name
    published = unify_publish(synced.space)
    assert published.error is None
    assert synced.space.home.current.resolve() == before


def test_the_report_answers_from_the_published_store(
    synced: Synced, capsys: pytest.CaptureFixture[str]
) -> None:
    print_report(Console(width=160), synced.space.home.current)
    text = capsys.readouterr().out
    shown = [number for number, _ in synced.story.short if number in text]
    assert len(shown) == 3
    assert "Paid but not in stock: 16 orders" in text
    assert "from mart.paid_not_in_stock" in text
    for connection, stream in STREAMS:
        assert f"{connection}/{stream}" in text


def test_another_folder_gets_a_home_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "defs").mkdir()
    env = {"ISTHMUS_DEFS": str(tmp_path / "defs"), "ISTHMUS_HOME": str(tmp_path / "var")}
    space, office = sample_workspace(Workspace.discover(env), env)
    assert space.defs == OWN
    assert space.home.root == tmp_path / "var" / "demo"
    assert office == tmp_path / "var" / "demo" / "sample" / "office"
    assert env["SAMPLE_OFFICE"] == str(office)
    assert sorted(space.connections()) == ["gateway", "office", "shop"]


def test_a_taken_port_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "SHOP_PORT", 0)  # any free one: others use the fixed ports too
    with socket.create_server(("127.0.0.1", 0)) as holder:
        taken = holder.getsockname()[1]
        monkeypatch.setattr(servers, "GATEWAY_PORT", taken)
        with pytest.raises(ConfigError, match=str(taken)) as caught, servers.running(tell()):
            pass
    assert "stop the program" in caught.value.do


@pytest.mark.parametrize("wanted", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_at_a_signal(tmp_path: Path, wanted: signal.Signals) -> None:
    env = dict(os.environ, ISTHMUS_HOME=str(tmp_path), ISTHMUS_DEFS=str(OWN), ISTHMUS_LANG="en")
    program = (
        "from pipelines.sample import __main__, servers\n"
        "servers.SHOP_PORT = servers.GATEWAY_PORT = 0\n"
        "raise SystemExit(__main__.main(['serve']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        said = [child.stdout.readline().strip() for _ in range(4)]
        assert "export SHOP_TOKEN=shop-sample-token" in said
        child.send_signal(wanted)
        begun = time.perf_counter()
        assert child.wait(20) == 0
        assert time.perf_counter() - begun < 10
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert len(list((tmp_path / "sample" / "office").iterdir())) == 2


def test_wrong_words_say_how_to_use_it() -> None:
    from pipelines.sample.__main__ import main

    assert main([]) == 2
    assert main(["dance"]) == 2
