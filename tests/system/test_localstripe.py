"""A server that nobody here wrote: localstripe, seeded through its API, read by `rest`.

It is installed from the package registry into an environment of its own below pytest's cache;
where that fails the test is skipped, saying why.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

VERSION = "1.15.10"
SCRIPT = Path(__file__).parents[1] / "support" / "localstripe_loopback.py"
KEY = "sk_test_localstripe"
CUSTOMERS, CHARGES, REFUNDS = 300, 500, 50
CURRENCIES = ("cny", "usd", "jpy")

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


@pytest.fixture(scope="module")
def python(pytestconfig, tmp_path_factory) -> str:
    """Return the interpreter of localstripe's own environment."""
    cache = getattr(pytestconfig, "cache", None)
    root = cache.mkdir("localstripe") if cache else tmp_path_factory.mktemp("localstripe")
    home = root / VERSION
    found = home / "bin" / "python"
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # test processes side by side install it once
        if not (home / "done").exists():
            shutil.rmtree(home, ignore_errors=True)
            uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
            commands = [
                [uv, "venv", "-q", "--python", sys.executable, str(home)],
                [uv, "pip", "install", "-q", "--python", str(found), f"localstripe=={VERSION}"],
            ]
            if uv is None:
                pytest.skip("uv, which makes localstripe's environment, is not installed")
            for command in commands:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=240, check=False
                )
                if done.returncode:
                    reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
                    pytest.skip(f"localstripe {VERSION} cannot be installed here: {reason}")
            (home / "done").touch()
    return str(found)


@pytest.fixture(scope="module")
def base(python):
    """Start localstripe, yield its base URL, and stop it."""
    server = subprocess.Popen([python, str(SCRIPT)], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        assert port.isdigit(), "localstripe did not start"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        server.stdout.close()


@pytest.fixture(scope="module")
def stripe(base):
    """Return a client of the server, which is filled through its own API."""
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=base, headers=headers, timeout=60) as client:

        def post(path: str, **form: Any) -> dict[str, Any]:
            answer = client.post(f"/v1/{path}", data=form)
            assert answer.status_code == 200, answer.text
            return answer.json()

        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2031", "cvc": "123"}
        method = post("payment_methods", type="card", **{f"card[{k}]": v for k, v in card.items()})
        customers = [
            post("customers", name=f"Customer {n}", email=f"c{n}@shop.example", phone="")["id"]
            for n in range(CUSTOMERS)
        ]
        charges = [
            post(
                "charges",
                amount=str(1 + n * 137),
                currency=CURRENCIES[n % 3],
                customer=customers[n * 7 % CUSTOMERS],
                source=method["id"],
            )["id"]
            for n in range(CHARGES)
        ]
        for n in range(REFUNDS):
            post("refunds", charge=charges[n * 9], amount=str(1 + n))
        yield client


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
