"""The connector against a server that nobody here wrote: localstripe, through the Dagster job.

What localstripe has no filters for is read in full (`changes: full`): it proves envelope, sign-in,
cursors, expanded members, refunds, deletions and money; how changes are found elsewhere, the
simulator proves.
"""

from __future__ import annotations

import os
from contextlib import closing
from decimal import Decimal

import pytest
from localstripe_account import CHARGES, CUSTOMERS, KEY, REFUNDS, card, post

from pipelines.runs import run_sync
from pipelines.workspace import Workspace
from warehouse.reader import run_query

pytestmark = [
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::dagster.BetaWarning"),
]
CONNECTION = """\
type: pipelines.Connection
attributes:
  system: stripe
  config:
    key: "env:STRIPE_KEY"
    base_url: {base}
    allow_private: true
    rate: 500/s
    changes: full
"""
VARIABLES = ("DAGSTER_HOME", "ISTHMUS_HOME", "ISTHMUS_DEFS", "ISTHMUS_MAPPINGS",
             "DAGSTER_DISABLE_TELEMETRY", "STRIPE_KEY")  # fmt: skip
STREAMS = ("customers", "charges", "payment_intents", "refunds", "balance_transactions",
           "payouts", "events")  # fmt: skip


@pytest.fixture
def workspace(tmp_path, base, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that what a run sets is gone at the end
        monkeypatch.delenv(name)
    folder = tmp_path / "defs" / "pay"
    folder.mkdir(parents=True)
    (folder / "defs.yaml").write_text(CONNECTION.format(base=base), encoding="utf-8")
    monkeypatch.setenv("STRIPE_KEY", KEY)
    made = Workspace.discover(
        {
            **os.environ,
            "ISTHMUS_HOME": str(tmp_path / "home"),
            "ISTHMUS_DEFS": str(tmp_path / "defs"),
        }
    )
    yield made
    made.control.close()


def sync(workspace):
    done = run_sync(workspace, "pay")
    assert done.exit_code == 0, [outcome.error for outcome in done.streams]
    assert {outcome.stream for outcome in done.streams} == set(STREAMS)
    assert sum(outcome.quarantined for outcome in done.streams) == 0
    return {outcome.stream: outcome for outcome in done.streams}


def ask(workspace, sql):
    return [tuple(row) for row in run_query(workspace.home.current, sql).rows]


def totals(client, path, where=lambda one: True):
    """Return count and sum by currency as the server itself lists them, in major units."""
    answer = client.get(f"/v1/{path}", params={"limit": "100000"}).json()
    assert answer["has_more"] is False
    found = {}
    for one in filter(where, answer["data"]):
        unit = Decimal(1) if one["currency"] == "jpy" else Decimal("0.01")
        count, total = found.get(one["currency"].upper(), (0, Decimal(0)))
        found[one["currency"].upper()] = (count + 1, total + one["amount"] * unit)
    return found


def compare(workspace, stripe):
    """Hold the published store against the server's own lists."""
    sums = "select currency, count(*), sum(amount) from unified.{} where {} group by currency"
    for path, table, where in (
        ("charges", "payments", "kind = 'payment' and status = 'succeeded'"),
        ("refunds", "payments", "kind = 'refund'"),
        ("refunds", "refunds", "true"),
    ):
        rows = ask(workspace, sums.format(table, where))
        assert {row[0]: (row[1], row[2]) for row in rows} == totals(stripe, path), (path, table)
    ((parties,),) = ask(workspace, "select count(distinct party_id) from unified.parties")
    assert parties == stripe.get("/v1/customers").json()["total_count"]
    wanted = sum(
        one["amount_refunded"]
        for one in stripe.get("/v1/charges", params={"limit": "100000"}).json()["data"]
        if one["currency"] == "usd"
    )
    ((refunded,),) = ask(
        workspace, "select sum(refunded_amount) from unified.payments where currency = 'USD'"
    )
    assert refunded == Decimal(wanted) / 100


def test_the_published_store_equals_the_servers_own_lists(workspace, stripe):
    first = sync(workspace)
    assert first["customers"].inserted == CUSTOMERS
    assert first["charges"].inserted == CHARGES
    assert first["refunds"].inserted == 2 * REFUNDS  # a document and a movement each
    assert first["balance_transactions"].landed == CHARGES + REFUNDS
    assert first["balance_transactions"].inserted == 0  # movements of the other streams
    assert first["charges"].requests == CHARGES / 100
    compare(workspace, stripe)
    # Fee and net amount come with the charge, by its expanded balance transaction.
    assert ask(
        workspace,
        "select count(*) from unified.payments where kind = 'payment' and net = amount and fee = 0",
    ) == [(CHARGES,)]
    # Every reference is resolved: a charge to its customer, a refund to its charge and movement.
    assert ask(
        workspace,
        "select (select count(*) from unified.payments p join unified.parties using (party_id)),"
        " (select count(*) from unified.refunds r join unified.payments p using (payment_id)),"
        " (select count(*) from unified.payments p join unified.refunds r using (refund_id))",
    ) == [(CHARGES, REFUNDS, REFUNDS)]

    # Nothing new: nothing is written.
    again = sync(workspace)
    moved = {name: one.inserted + one.updated + one.deleted for name, one in again.items()}
    assert moved == dict.fromkeys(STREAMS, 0)

    # Changed, added, deleted: only that moves.
    charge = stripe.get("/v1/charges", params={"limit": "1000"}).json()["data"][-1]
    post(stripe, "refunds", charge=charge["id"], amount="100")
    customers = stripe.get("/v1/customers", params={"limit": "5"}).json()["data"]
    assert stripe.delete(f"/v1/customers/{customers[0]['id']}").status_code == 200
    post(stripe, f"customers/{customers[1]['id']}", name="Renamed")
    added = post(stripe, "customers", name="New", email="new@shop.example")["id"]
    method = card(stripe)
    post(stripe, f"payment_methods/{method}/attach", customer=added)
    intent = {"amount": "4200", "currency": "usd", "customer": added, "payment_method": method}
    post(stripe, "payment_intents", confirm="true", **intent)
    post(stripe, "payment_intents", **intent)
    last = sync(workspace)
    moved = {n: (one.inserted, one.updated, one.deleted) for n, one in last.items()}
    assert moved["customers"] == (1, 1, 1)
    assert moved["charges"] == (1, 1, 0)
    assert moved["refunds"] == (2, 0, 0)
    assert moved["payment_intents"] == (1, 0, 0)  # the other one is told by its charge
    compare(workspace, stripe)
    assert ask(
        workspace,
        # By the mask: an id with many digits is published under a pseudonym.
        "select p.status, count(*), sum(amount) from unified.payments p join unified.parties c"
        " using (party_id) where c.email = 'n***@shop.example' group by p.status order by p.status",
    ) == [("pending", 1, Decimal(42)), ("succeeded", 1, Decimal(42))]


def test_check_reads_all_and_says_that_the_data_are_test_data(workspace, stripe):
    with closing(workspace.connection("pay").connector()) as connector:
        found = {one.subject: one for one in connector.check()}
    assert [one.subject for one in found.values() if one.ok is False] == []
    assert "test data" in found["livemode"].what
