"""The simulator against what the vendor wrote: fixtures, OpenAPI document, client for Python."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator
from own_environment import own_python
from stripe_world import KEY, World

from connectors.asgi import Asked
from connectors.rest.serve import serve
from connectors.stripe import sample
from connectors.stripe.simulator import FILTERS, KINDS, Reply
from connectors.stripe.streams import STREAMS
from pipelines.workspace import PROJECT

SPECS = PROJECT.parent / "shared" / "specs" / "stripe"
CLIENT = "16.1.0"
YOUNGER = {"refund.created", "refund.updated", "refund.failed", "payout.reconciliation_completed"}
"""Event types that the copy of 2022 does not know."""
MADE = {
    "customers": sample.customer("cus_1", 1),
    "charges": sample.charge("ch_1", 1, 5, "usd"),
    "payment_intents": sample.payment_intent("pi_1", 1, 5, "usd"),
    "refunds": sample.refund("re_1", 1, 5, "usd", "ch_1"),
    "balance_transactions": sample.entry("txn_1", 1, 5, "usd"),
    "payouts": sample.payout("po_1", 1, 5, "usd"),
    "events": sample.event("evt_1", 1, "charge.updated", sample.charge("ch_1", 1, 5, "usd")),
}

needs_specs = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the vendor's specifications (../shared/specs/stripe) are not here"
)


@cache
def specification() -> dict[str, Any]:
    return json.loads((SPECS / "spec3_2022-04-12.json").read_text("utf-8"))


def shape(value: Any) -> str:
    return {bool: "flag", int: "number", float: "number"}.get(type(value), type(value).__name__)


@needs_specs
@pytest.mark.parametrize("name", MADE)
def test_its_objects_have_the_members_of_the_fixtures(name: str) -> None:
    fixtures = json.loads((SPECS / "fixtures3.json").read_text("utf-8"))["resources"]
    theirs, ours = fixtures[KINDS[name]], MADE[name]
    assert ours.keys() <= theirs.keys()
    for member in ours.keys() & theirs.keys():
        kinds = {shape(ours[member]), shape(theirs[member])} - {"NoneType"}
        assert len(kinds) <= 1, member


def openapi(schema: Any) -> Any:
    """Rewrite OpenAPI 3.0 as JSON Schema: null where nullable, references as they are."""
    if isinstance(schema, list):
        return [openapi(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: openapi(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is True:
        return {"anyOf": [found, {"type": "null"}]}
    return found


@needs_specs
@pytest.mark.parametrize("name", MADE)
def test_its_objects_hold_under_the_openapi_document(name: str) -> None:
    components = openapi({"schemas": specification()["components"]["schemas"]})
    schema = {"$ref": f"#/components/schemas/{KINDS[name]}", "components": components}
    errors = list(Draft4Validator(schema).iter_errors(MADE[name]))
    assert [f"{'/'.join(map(str, one.path))}: {one.message[:200]}" for one in errors] == []


@needs_specs
@pytest.mark.parametrize("name", KINDS)
def test_lists_take_the_parameters_of_the_openapi_document(name: str) -> None:
    asked = specification()["paths"][f"/v1/{name}"]["get"]["parameters"]
    theirs = {one["name"] for one in asked}
    ours = FILTERS[name] | {"limit", "starting_after", "ending_before", "created", "expand"}
    assert ours <= theirs


@needs_specs
def test_the_events_that_are_asked_for_exist() -> None:
    body = specification()["paths"]["/v1/webhook_endpoints"]["post"]["requestBody"]["content"]
    form = body["application/x-www-form-urlencoded"]["schema"]["properties"]
    known = set(form["enabled_events"]["items"]["enum"])
    asked = {kind for listed in STREAMS.values() for kind in listed.events}
    assert asked - known == YOUNGER


@needs_specs
def test_its_errors_hold_under_the_openapi_document(tmp_path: Path) -> None:
    world = World(tmp_path)
    components = openapi({"schemas": specification()["components"]["schemas"]})
    schema = {"$ref": "#/components/schemas/error", "components": components}
    world.stripe.denied.add("payouts")
    headers = {"authorization": f"Bearer {KEY}"}
    for path, query, signed, status in (
        ("/v1/charges/ch_0", "", headers, 404),
        ("/v1/charges", "starting_after=ch_0", headers, 400),
        ("/v1/charges", "sort=id", headers, 400),
        ("/v1/charges", "limit=500", headers, 400),
        ("/v1/charges", "", {}, 401),
        ("/v1/payouts", "", headers, 403),
        ("/v2/charges", "", headers, 404),
    ):
        reply = world.stripe.answer(Asked("GET", path, query, signed))
        assert reply.status == status, (path, query)
        assert list(Draft4Validator(schema).iter_errors(json.loads(reply.data))) == []
    world.close()


SCRIPT = """
import json, sys, stripe
stripe.api_base, stripe.api_key, stripe.max_network_retries = sys.argv[1], sys.argv[2], 2
found = {}
for name in ("Customer", "Charge", "Refund", "BalanceTransaction", "Payout", "Event"):
    listed = getattr(stripe, name).list(limit=7)
    found[name] = [one.id for one in listed.auto_paging_iter()]
back = stripe.Charge.list(limit=7, ending_before=found["Charge"][-1])
found["back"] = [one.id for one in back.auto_paging_iter()]
first = stripe.Charge.list(limit=3, expand=["data.balance_transaction"], created={"gte": 1})
found["fees"] = [one.balance_transaction.fee for one in first.data]
one = stripe.Charge.retrieve(found["Charge"][0], expand=["balance_transaction"])
found["net"] = one.balance_transaction.net
found["types"] = len(stripe.Event.list(limit=100, types=["refund.created"]).data)
found["type"] = len(stripe.Event.list(limit=100, type="charge.*").data)
found["deleted"] = stripe.Customer.retrieve("cus_000042").deleted
for kind, call in (
    ("missing", lambda: stripe.Charge.retrieve("ch_0")),
    ("behind", lambda: stripe.Charge.list(starting_after="ch_0")),
    ("unknown", lambda: stripe.Charge.list(sort="id")),
    ("denied", lambda: stripe.PaymentIntent.list()),
    ("refused", lambda: stripe.Charge.list(api_key="sk_test_wrong_key")),
):
    try:
        call()
    except stripe.StripeError as error:
        found[kind] = [type(error).__name__, error.code, error.request_id is not None]
print(json.dumps(found))
"""


def test_the_vendors_client_reads_the_simulator(
    tmp_path: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory
) -> None:
    python = own_python(pytestconfig, tmp_path_factory, "stripe", CLIENT)
    world = World(tmp_path)
    charges = [world.charge(1000 + n) for n in range(20)]
    for _ in range(3):
        world.customer()
    refunds = [world.refund(charges[n], 10) for n in range(2)]
    world.stripe.delete("customers", "cus_000042", "customer.deleted")
    world.stripe.denied.add("payment_intents")
    limit = b'{"error":{"type":"invalid_request_error","code":"rate_limit","message":"slow"}}'
    world.stripe.faults = [Reply(429, limit, {"stripe-should-retry": "true"})]
    with serve(world.stripe) as url:
        done = subprocess.run(
            [python, "-c", SCRIPT, url, KEY], capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["Charge"] == charges[::-1]
    assert (found["types"], found["type"]) == (2, 22)
    assert found["back"] == charges[:0:-1][::-1]
    assert found["Refund"] == refunds[::-1]
    assert len(found["Customer"]) == 2
    assert len(found["BalanceTransaction"]) == 22
    assert found["Payout"] == []
    assert (found["fees"], found["net"]) == ([20, 20, 20], 999)
    assert found["deleted"] is True
    assert found["missing"] == ["InvalidRequestError", "resource_missing", True]
    assert found["behind"] == ["InvalidRequestError", "resource_missing", True]
    assert found["unknown"] == ["InvalidRequestError", "parameter_unknown", True]
    assert found["denied"] == ["PermissionError", None, True]
    assert found["refused"] == ["AuthenticationError", None, True]
    world.close()
