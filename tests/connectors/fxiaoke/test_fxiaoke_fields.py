"""Objects and fields as a tenant has them; what `check` says; the settings; no secret is told."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from fxiaoke_world import (
    CODE,
    CONFIG,
    LEGACY,
    MOBILE,
    SECRET,
    World,
    calls,
    connector,
    read,
    records,
    ways,
)
from pydantic import ValidationError
from still_clock import StillClock

from connectors.asgi import Asked, Reply
from connectors.base import Finding, ReadRequest
from connectors.errors import ConfigError, ContractBroken, Throttled
from connectors.fxiaoke.catalogue import SELDOM, STREAMS
from connectors.fxiaoke.sample import line, record
from connectors.fxiaoke.settings import HOSTS, FxiaokeSettings
from connectors.fxiaoke.simulator import FxiaokeSimulator


# --- objects and fields ------------------------------------------------------------------------
def test_an_object_that_the_tenant_has_not_is_a_remark(
    crm: FxiaokeSimulator, clock: StillClock
) -> None:
    crm.lacking = {"OpportunityObj"}
    crm.put("NewOpportunityObj", record("NewOpportunityObj", 1))
    assert len(read(connector(crm, clock), "opportunities")) == 1
    for describe in (True, False):
        one = connector(crm, clock, describe=describe)
        (page,) = one.read(ReadRequest("old_opportunities"))
        assert (page.keys, page.complete) == ([], False)
        assert "has no OpportunityObj" in page.warnings[0]


def test_names_labels_and_own_fields(crm: FxiaokeSimulator, clock: StillClock) -> None:
    head = record("DeliveryNoteObj", 1, waybill__c="SF1", express_org="3", site__c="x")
    crm.described["DeliveryNoteObj"]["site__c"] = {"type": "text", "label": "站点"}
    crm.put("DeliveryNoteObj", head)
    crm.put("DeliveryNoteProductObj",
            line("DeliveryNoteProductObj", head, "note_ref__c", 1, delivery_num="1"))  # fmt: skip
    (made,) = records(connector(crm, clock), "deliveries")
    assert made["express_order_id"] == "SF1"  # found by its label 物流单号
    assert "waybill__c" not in made
    assert "site__c" not in made
    (part,) = made["lines"]
    assert part["delivery_note_id"] == head["_id"]  # a line's link is found as its master_detail
    more = {"DeliveryNoteObj": ["site__c"]}
    names = {"DeliveryNoteObj": {"express_org": "waybill__c", "express_order_id": ""}}
    (made,) = records(connector(crm, clock, more=more, names=names), "deliveries")
    assert (made["site__c"], made["express_org"]) == ("x", "SF1")
    assert "express_order_id" not in made
    every = {"DeliveryNoteObj": ["*"]}
    (made,) = records(connector(crm, clock, more=every, names=names), "deliveries")
    assert made["express_org"] == "SF1"  # and not what the tenant calls so
    (made,) = records(connector(crm, clock, more=every), "deliveries")
    assert made["owner__r"] == {"id": "1003", "name": "陈立"}


def test_a_label_that_two_fields_have_means_neither(
    crm: FxiaokeSimulator, clock: StillClock
) -> None:
    twin = {"twin__c": {"type": "text", "label": "物流单号", "is_active": True}}
    crm.described["DeliveryNoteObj"] = crm.described["DeliveryNoteObj"] | twin
    crm.put("DeliveryNoteObj", record("DeliveryNoteObj", 1, waybill__c="SF1", twin__c="SF2"))
    one = connector(crm, clock)
    pages = list(one.read(ReadRequest("deliveries")))
    assert "express_order_id" not in json.loads(bytes(pages[0].records[0]))
    assert any("left empty" in text for page in pages for text in page.warnings)
    assert "express_order_id of DeliveryNoteObj" in told(
        list(connector(crm, clock).check()), "fields"
    )


def test_objects_of_one_s_own(crm: FxiaokeSimulator, clock: StillClock) -> None:
    head = crm.put("machine__c", record("machine__c", 1, serial__c="S-1"))
    crm.put("machine_part__c", line("machine_part__c", head, "machine_ref__c", 1, quantity__c="2"))
    custom = {"machines": {"object": "machine__c", "lines": "machine_part__c"}}
    one = connector(crm, clock, custom=custom)
    assert one.streams()["machines"].can_sweep
    (made,) = records(one, "machines")
    assert made["serial__c"] == "S-1"
    assert [part["quantity__c"] for part in made["lines"]] == ["2"]
    paths = {line.path for line in crm.journal if line.api.endswith("__c") and line.path}
    assert paths == {"/cgi/crm/custom/v2/data/query"}
    crm.described["machine_part__c"]["machine_ref__c"] = {"type": "text", "label": "设备"}
    one = connector(crm, clock, custom=custom)
    with pytest.raises(ConfigError, match="no field that is known to name its head"):
        records(one, "machines")
    custom["machines"]["link"] = "machine_ref__c"
    (made,) = records(connector(crm, clock, custom=custom), "machines")
    assert len(made["lines"]) == 1


@pytest.mark.parametrize("api", ["SalesOrderObj", "SalesOrderProductObj"])
def test_an_object_without_a_stamp_is_read_whole_every_time(tmp_path: Path, api: str) -> None:
    """As check says; it is neither asked for nor filtered by, which the system refuses."""
    world = World(tmp_path)
    world.order(1, ("p1", "1", "2"))
    world.order(2, ("p1", "1", "2"))
    world.time.wait(hours=1)
    del world.crm.described[api]["last_modified_time"]
    assert [world.read("orders").read for _ in range(2)] == [2, 2]
    world.crm.change("SalesOrderProductObj", next(iter(world.crm.living("SalesOrderProductObj"))),
                     quantity="7")  # fmt: skip
    assert world.read("orders").landed == 1
    world.close()


def test_where_the_list_of_objects_is_empty_each_is_taken_for_there(
    crm: FxiaokeSimulator, clock: StillClock
) -> None:
    """A user without the right to the list: else nothing would be read of any object."""
    crm._listed = list  # type: ignore[method-assign]
    assert records(connector(crm, clock, describe=False), "leads")


def test_without_describe_all_fields_come(crm: FxiaokeSimulator, clock: StillClock) -> None:
    (made, *_) = records(connector(crm, clock, describe=False), "leads")
    assert made["owner__r"]["name"] == "陈立"
    assert not calls(crm, "/cgi/crm/v2/object/describe")


# --- check -------------------------------------------------------------------------------------
def told(found: list[Finding], subject: str) -> str:
    return " ".join(f"{one.what} {one.do}" for one in found if one.subject == subject)


def test_check_tells_what_this_user_sees(crm: FxiaokeSimulator, clock: StillClock) -> None:
    crm.lacking = {"OpportunityObj"}
    crm.sees = lambda api, row: api not in ("SalesOrderObj", "OrderPaymentObj")
    crm.put("PaymentObj", record("PaymentObj", 1))
    crm.put("OrderPaymentObj", record("OrderPaymentObj", 1))
    crm.put("SalesOrderProductObj", record("SalesOrderProductObj", 1, order_id="x"))
    del crm.described["CasesObj"]["title__c"]
    one = connector(crm, clock)
    found = list(one.check())
    one.close()
    assert [each for each in found if each.ok is False] == []
    assert "7 records" in told(found, "leads")
    assert "has no OpportunityObj" in told(found, "old_opportunities")
    assert "lacks the right to see the heads" in told(found, "orders")
    assert "OrderPaymentObj answers nothing" in told(found, "payments")
    assert "subject of CasesObj" in told(found, "fields")
    empty = [each.subject for each in found if each.what == "no record comes."]
    assert len(empty) > 10
    assert len([each for each in found if "left empty" in each.what]) == 1
    assert "what this user may see" in told(found, "user")
    assert "none of the vendor's hosts" in told(found, "base_url")
    one = connector(crm, clock, base_url=f"https://{HOSTS[1]}")
    assert told(list(one.check()), "base_url") == ""


def test_check_ends_at_credentials(crm: FxiaokeSimulator, clock: StillClock) -> None:
    one = connector(crm, clock, app_secret="env:FX_CODE", base_url=f"https://{HOSTS[0]}")
    (found,) = one.check()
    assert (found.subject, found.ok) == ("credentials", False)
    one = connector(crm, clock, app_secret="env:FX_NOT_SET", base_url=f"https://{HOSTS[0]}")
    (found,) = one.check()
    assert "env:FX_NOT_SET" in found.what


# --- settings and secrets ----------------------------------------------------------------------
def test_settings(crm: FxiaokeSimulator) -> None:
    made = FxiaokeSettings.model_validate({**CONFIG, "base_url": "https://open.fxiaoke.com"})
    assert (made.rows, made.rate, made.skip) == (100, "100/20s per path", SELDOM)
    needed = {"app_id", "app_secret", "permanent_code"}
    fields = FxiaokeSettings.model_fields
    assert {name for name, info in fields.items() if info.is_required()} == needed
    assert {*crm.described} >= {one.api for s in STREAMS.values() for one in s.objects}
    for user in ({"user": None}, {"mobile": "env:FX_MOBILE"}):
        with pytest.raises(ValidationError, match="auth_style: new needs user"):
            FxiaokeSettings.model_validate({**CONFIG, **user})
    with pytest.raises(ValidationError, match="legacy needs user"):
        FxiaokeSettings.model_validate({**LEGACY, "mobile": "env:FX_MOBILE"})
    with pytest.raises(ValidationError, match="Did you mean SalesOrderObj"):
        FxiaokeSettings.model_validate({**CONFIG, "more": {"SaleOrderObj": ["a"]}})
    wrong = {
        "custom": {"machines": {"object": "machine__c"}},
        "names": {"machine__c": {"serial": "serial__c"}},
    }
    with pytest.raises(ValidationError, match="machine__c has no field 'serial'"):
        FxiaokeSettings.model_validate({**CONFIG, **wrong})


@ways
def test_no_secret_is_told(
    crm: FxiaokeSimulator, clock: StillClock, how: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    one = connector(crm, clock, **how)
    marks = [json.dumps(page.bookmark) for page in one.read(ReadRequest("leads"))]
    (token,) = crm.door.tokens
    words = f"{SECRET} {CODE} {MOBILE if 'mobile' in how else ''} {token}"
    body = {"errorCode": 20014, "errorMessage": words, "traceId": token}
    crm.faults = [Reply(200, json.dumps(body).encode())]
    with pytest.raises(ContractBroken) as raised:
        list(one.read(ReadRequest("leads")))
    said = f"{raised.value} {raised.value.request_id} {marks} {caplog.text}"
    for secret in filter(None, (SECRET, CODE, token, MOBILE if "mobile" in how else "")):
        assert secret not in said
    one.close()


def test_the_trace_is_new_on_each_attempt(crm: FxiaokeSimulator, clock: StillClock) -> None:
    traces: list[str] = []
    one = connector(crm, clock)
    send = crm.answer

    def answer(asked: Asked) -> Reply:
        (trace,) = parse_qs(asked.query)["thirdTraceId"]
        traces.append(trace)
        return send(asked)

    crm.answer = answer  # type: ignore[method-assign]
    crm.faults = [Reply(200, b'{"errorCode":-1}')]
    read(one)
    assert len(set(traces)) == len(traces) == crm.requests


def test_a_throttled_error_names_the_trace(crm: FxiaokeSimulator, clock: StillClock) -> None:
    crm.faults = [Reply(200, b'{"errorCode":30004,"traceId":"E-O.t"}')] * 99
    with pytest.raises(Throttled) as raised:
        read(connector(crm, clock))
    assert raised.value.request_id == "E-O.t"
