"""A server that nobody here wrote: localstripe, seeded through its API, read by `rest`.

It is installed into an environment of its own (conftest.py); where that fails the test is skipped,
saying why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest
from localstripe_account import CHARGES, CUSTOMERS, KEY, REFUNDS

CONNECTION = """\
type: pipelines.Connection
attributes:
  system: rest
  config:
    base_url: {base}
    allow_private: true
    auth: {{bearer: "env:STRIPE_KEY"}}
    streams:
      customers:
        path: /v1/customers
        params: {{limit: 100}}
        records: data
        key: id
        paging: {{last: id, param: starting_after, more: has_more}}
        total: total_count
      charges:
        path: /v1/charges
        params: {{limit: 100}}
        records: data
        key: id
        paging: {{last: id, param: starting_after, more: has_more}}
        total: total_count
      refunds:
        path: /v1/refunds
        params: {{limit: 20}}
        records: data
        key: id
        paging: {{last: id, param: starting_after}}
        total: total_count
"""
MAPPINGS = {
    "customers": """\
entity: party
key: id
fields:
  name: name
  kind: "'person'"
  email: email
  phone: phone
  is_customer: "true"
  source_created_at: to_timestamp(created::bigint)
""",
    "charges": """\
entity: payment
key: id
fields:
  number: id
  kind: "'payment'"
  provider: "'stripe'"
  amount: cents(amount, upper(currency))
  refunded_amount: cents(amount_refunded, upper(currency))
  currency: upper(currency)
  status: {value: status, succeeded: succeeded, pending: pending, failed: failed, else: unknown}
  customer_key: {value: customer, stream: customers}
  paid_at: to_timestamp(created::bigint)
""",
    "refunds": """\
entity: refund
key: id
fields:
  number: id
  payment_key: {value: charge, stream: charges}
  amount: cents(amount, upper(currency))
  currency: upper(currency)
  status: {value: status, succeeded: succeeded, pending: pending, failed: failed, else: unknown}
  refunded_at: to_timestamp(created::bigint)
""",
}


def totals(client: httpx.Client, path: str) -> dict[str, tuple[int, Decimal]]:
    """Return count and sum by currency as the server itself lists them, in major units."""
    answer = client.get(f"/v1/{path}", params={"limit": "1000"}).json()
    assert answer["has_more"] is False
    found: dict[str, tuple[int, Decimal]] = {}
    for one in answer["data"]:
        unit = Decimal(1) if one["currency"] == "jpy" else Decimal("0.01")
        count, total = found.get(one["currency"].upper(), (0, Decimal(0)))
        found[one["currency"].upper()] = (count + 1, total + one["amount"] * unit)
    return found


@pytest.fixture
def workspace(tmp_path, base, monkeypatch):
    from pipelines.workspace import Workspace

    folder = tmp_path / "defs" / "stripe"
    folder.mkdir(parents=True)
    (folder / "defs.yaml").write_text(CONNECTION.format(base=base), encoding="utf-8")
    mappings = tmp_path / "mappings" / "stripe"
    mappings.mkdir(parents=True)
    for name, text in MAPPINGS.items():
        (mappings / f"{name}.yaml").write_text(text, encoding="utf-8")
    env = {
        "ISTHMUS_HOME": str(tmp_path / "home"),
        "ISTHMUS_DEFS": str(tmp_path / "defs"),
        "STRIPE_KEY": KEY,
    }
    return Workspace.discover(env)


def sync(workspace, **how):
    from pipelines.sync import sync_stream, unify_publish

    outcomes = {}
    for stream in ("customers", "charges", "refunds"):
        outcome = sync_stream(workspace, "stripe", stream, **how)
        assert outcome.error is None, outcome.error
        assert outcome.status == "ok"
        outcomes[stream] = outcome
    published = unify_publish(workspace)
    assert published.error is None, published.error
    return outcomes


def ask(workspace, sql: str) -> list[tuple[Any, ...]]:
    from warehouse.reader import run_query

    return [tuple(row) for row in run_query(workspace.home.current, sql).rows]


def test_counts_and_sums_equal_the_servers_own_answers(workspace, stripe):
    outcomes = sync(workspace)
    assert {name: one.inserted for name, one in outcomes.items()} == {
        "customers": CUSTOMERS,
        "charges": CHARGES,
        "refunds": REFUNDS,
    }
    assert sum(one.quarantined for one in outcomes.values()) == 0
    for path, table in (("charges", "payments"), ("refunds", "refunds")):
        rows = ask(
            workspace,
            f"select currency, count(*), sum(amount) from unified.{table} group by currency",
        )
        assert {row[0]: (row[1], row[2]) for row in rows} == totals(stripe, path)
    ((parties,),) = ask(workspace, "select count(distinct party_id) from unified.parties")
    assert parties == stripe.get("/v1/customers").json()["total_count"] == CUSTOMERS

    # Every reference is resolved: a charge to its customer, a refund to its charge.
    ((paid, refunded),) = ask(
        workspace,
        "select (select count(*) from unified.payments p join unified.parties c using (party_id)),"
        " (select count(*) from unified.refunds r join unified.payments p using (payment_id))",
    )
    assert (paid, refunded) == (CHARGES, REFUNDS)

    # Nothing new: nothing is written.
    again = sync(workspace)
    assert sum(one.inserted + one.updated + one.deleted for one in again.values()) == 0

    # A refund moves an old charge, whose only stamp stays; a deleted customer is gone.
    charge = stripe.get("/v1/charges", params={"limit": "1000"}).json()["data"][-1]
    refund = stripe.post("/v1/refunds", data={"charge": charge["id"], "amount": "100"})
    assert refund.status_code == 200
    gone = stripe.get("/v1/customers", params={"limit": "1"}).json()["data"][0]["id"]
    assert stripe.delete(f"/v1/customers/{gone}").status_code == 200
    last = sync(workspace)
    assert last["charges"].updated == 1
    assert last["refunds"].inserted == 1
    assert last["customers"].deleted == 1
    ((refunded,),) = ask(
        workspace, f"select refunded_amount from unified.payments where number = '{charge['id']}'"
    )
    assert refunded == (Decimal(100) if charge["currency"] == "jpy" else Decimal(1))
    ((parties,),) = ask(workspace, "select count(*) from unified.parties")
    assert parties == stripe.get("/v1/customers").json()["total_count"] == CUSTOMERS - 1
