"""What is made of refusals, sessions, limits and odd answers; what `check` says; the settings."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from kingdee_world import CONFIG, IDENTITY, PASSWORD, SECRET, World, connector
from pydantic import ValidationError
from still_clock import StillClock

from connectors.asgi import Reply
from connectors.base import Context, Finding, ReadRequest
from connectors.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    ContractBroken,
    Throttled,
    Unavailable,
)
from connectors.kingdee import KingdeeConnector
from connectors.kingdee.catalogue import LICENSED, STREAMS
from connectors.kingdee.sample import FORMS, order
from connectors.kingdee.settings import KingdeeSettings
from connectors.kingdee.signing import Identity, client_secret
from connectors.kingdee.simulator import KingdeeSimulator

LOGINS = [{}, {"login": "app_secret"}, {"login": "password", "password": "env:KD_PASSWORD"}]
ways = pytest.mark.parametrize("how", LOGINS, ids=["signed", "app_secret", "password"])


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def erp(clock: StillClock) -> KingdeeSimulator:
    made = KingdeeSimulator(IDENTITY, now=clock.now)
    for key in range(1, 10):
        lines = [{"FMaterialId.FNumber": "A", "FQty": 1, "FTaxPrice": n} for n in (1, 2, 3)]
        made.put("SAL_SaleOrder", order(key, lines))
    return made


def read(one: KingdeeConnector, stream: str = "orders") -> list[str]:
    try:
        return [key or "" for page in one.read(ReadRequest(stream)) for key in page.keys]
    finally:
        one.close()


ALL = [str(key) for key in range(1, 10)]


# --- who asks ----------------------------------------------------------------------------------
def test_the_signature_is_the_sheet_s() -> None:
    """The vector that the vendor's client 8.2.0 made with a clock that stood still."""
    from datetime import UTC, datetime

    app = "123456_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"
    mine = Identity("60a1b2c3d4e5f6", "integration", app, "0123456789abcdef" * 2, 2052, "100")
    service = "Kingdee.BOS.WebApi.ServicesStub.DynamicFormService.ExecuteBillQuery.common.kdsvc"
    found = mine.headers(f"/k3cloud/{service}", datetime.fromtimestamp(1700000000, UTC))
    assert client_secret(app) == ("123456", "MDE3N2I2PzBrPzg4OD45N3IhK3B1InIk")
    assert found["X-Api-Signature"] == (
        "N2M1YmZlZTUyZjc5YTRjMzU0MjkxMWVjODQ0YWEwZjQ0NzQyNWZjZjcwNGFhNzg0MzMxOGI5ZmI4YjNlMzUxOA=="
    )
    assert found["X-Kd-Appdata"] == "NjBhMWIyYzNkNGU1ZjYsaW50ZWdyYXRpb24sMjA1MiwxMDA="
    assert found["X-Kd-Signature"] == (
        "ODkyYTQyYTc1Njg0MDU2MThkZDE2NmM3Mjk2N2YxOWJlNTdjN2FmMmMxNzZiOTMwNjRkMTM4YmI2OTkwNTVkMA=="
    )


@ways
def test_each_way_to_sign_in_reads_in_one_session(
    erp: KingdeeSimulator, clock: StillClock, how: dict[str, str]
) -> None:
    assert read(connector(erp, clock, rows=5, **how)) == ALL
    assert erp.logins == (1 if how else 0)
    assert len(erp.sessions) == (0 if how else 1)  # logged out; what the server opened ends itself


@ways
@pytest.mark.parametrize("lost", ["json", "text", "401"])
def test_a_session_that_ends_in_mid_read_is_renewed(
    erp: KingdeeSimulator, clock: StillClock, how: dict[str, str], lost: str
) -> None:
    erp.lost = lost
    erp.before = lambda number: erp.sessions.clear() if number % 4 == 0 else None
    one = connector(erp, clock, rows=5, **how)
    assert [key for page in one.read(ReadRequest("orders")) for key in page.keys] == ALL
    erp.before = lambda number: None
    assert erp.logins >= (2 if how else 0)
    one.close()


@pytest.mark.parametrize(
    ("how", "more"),
    [
        ({}, {"user": "nobody"}),
        ({}, {"app_secret": "env:KD_PASSWORD"}),
        (LOGINS[1], {"app_secret": "env:KD_PASSWORD"}),
        (LOGINS[2], {"password": "env:KD_SECRET"}),
    ],
)
def test_wrong_credentials_are_told_and_tried_once(
    erp: KingdeeSimulator, clock: StillClock, how: dict[str, str], more: dict[str, str]
) -> None:
    with pytest.raises(AuthError) as raised:
        read(connector(erp, clock, **{**how, **more}))
    assert erp.requests == 1
    assert not raised.value.retriable
    assert "app_id" in raised.value.do


def test_a_wrong_account_is_told(erp: KingdeeSimulator, clock: StillClock) -> None:
    with pytest.raises(ConfigError, match="does not know the account") as raised:
        read(connector(erp, clock, account="00000000000000"))
    assert "账套ID" in raised.value.do
    assert erp.requests == 1


# --- answers -----------------------------------------------------------------------------------
def failed(code: int, message: str) -> dict[str, Any]:
    status = {"IsSuccess": False, "MsgCode": code, "ErrorCode": 500,
              "Errors": [{"FieldName": None, "Message": message, "DIndex": 0}]}  # fmt: skip
    return {"Result": {"ResponseStatus": status}}


def shapes(code: int, message: str) -> list[Any]:
    one = failed(code, message)
    return [one, [one], [[one]]]


@pytest.mark.parametrize("shape", [0, 1, 2])
@pytest.mark.parametrize(
    ("code", "message", "error", "text"),
    [
        (4, "FNoForm不存在", ConfigError, "the form is not there"),
        (9, "元数据中标识为FNoSuch的字段不存在", ConfigError, "FNoSuch"),
        (8, "FormId不能为空", ContractBroken, "MsgCode 8"),
        (1, "会话信息已丢失，请重新登录", AuthError, "会话信息已丢失"),
        (0, "查询发生死锁", Unavailable, "死锁"),
        (0, "访问频率超过限制", Throttled, "访问频率"),
    ],
)
def test_errors_are_known_in_all_three_shapes(
    erp: KingdeeSimulator, clock: StillClock, shape: int, code: int, message: str,
    error: type[ConnectorError], text: str,
) -> None:  # fmt: skip
    # An answer of the query; those before it, the metadata's, are left alone.
    erp.faults = [Reply(200, shapes(code, message)[shape])] * 9
    with pytest.raises(error, match=text):
        read(connector(erp, clock, metadata=False, attempts=2))
    erp.faults = []
    assert read(connector(erp, clock)) == ALL


@pytest.mark.parametrize(
    ("reply", "error", "text"),
    [
        (Reply(200, b"response_error:System.NullReferenceException"), ContractBroken, "NullRef"),
        (Reply(200, b'"response_error:System.NullReferenceException"'), ContractBroken, "NullRef"),
        (Reply(200, b"response_error:Timeout expired"), Unavailable, "Timeout expired"),
        (Reply(200, b"<html><body>login</body></html>"), ContractBroken, "web page"),
        (Reply(200, b"[[1,2"), ContractBroken, "not JSON"),
        (Reply(200, {"rows": []}), ContractBroken, "no list of rows"),
        (Reply(200, [[1, 2]]), ContractBroken, "2 values where"),
        (Reply(503, b"busy"), Unavailable, "busy"),
        (Reply(404, b"no service"), ConfigError, "no service"),
    ],
)
def test_an_answer_that_is_no_rows_is_told(
    erp: KingdeeSimulator, clock: StillClock, reply: Reply, error: type[ConnectorError], text: str
) -> None:
    erp.faults = [reply] * 9
    with pytest.raises(error, match=text) as raised:
        read(connector(erp, clock, metadata=False, attempts=2))
    assert type(raised.value) is error


def test_a_throttle_in_the_body_is_waited_for(erp: KingdeeSimulator, clock: StillClock) -> None:
    erp.per_second = 2
    assert read(connector(erp, clock, rows=3)) == ALL
    assert clock.pauses


def test_an_answer_in_a_json_text_is_unwrapped(erp: KingdeeSimulator, clock: StillClock) -> None:
    erp.wrapped = True
    assert read(connector(erp, clock)) == ALL
    erp.faults = [Reply(200, shapes(9, "FNoSuch")[2])]
    with pytest.raises(ConfigError, match="FNoSuch"):
        read(connector(erp, clock, metadata=False))


def test_numbers_stay_exact(erp: KingdeeSimulator, clock: StillClock) -> None:
    text = "12345678901234567.1234567890"
    one = connector(erp, clock, names={"orders": {"FSaleOrderEntry": ""}}, metadata=False)
    names = one.api().fitted("orders").asked
    row = ",".join("7" if n == "FID" else text if n == "FBillAllAmount" else "null" for n in names)
    erp.faults = [Reply(200, f"[[{row}]]".encode()), Reply(200, b"[]")]
    (record,) = [bytes(r) for page in one.read(ReadRequest("orders")) for r in page.records]
    assert json.loads(record)["FBillAllAmount"] == text
    one.close()


# --- fields ------------------------------------------------------------------------------------
def test_fields_that_an_account_lacks_are_left_out_and_told(
    erp: KingdeeSimulator, clock: StillClock
) -> None:
    erp.lacking = {"FBillAllAmount", "FEntryNote"}
    one = connector(erp, clock)
    pages = list(one.read(ReadRequest("orders")))
    assert "FBillAllAmount, FEntryNote" in pages[0].warnings[0]
    record = json.loads(bytes(pages[0].records[0]))
    assert "FBillAllAmount" not in record
    assert "FBillNo" in record
    one.close()


def test_a_field_has_the_catalogue_s_name_however_it_is_spelled(
    erp: KingdeeSimulator, clock: StillClock
) -> None:
    """This account writes FCarriageNo, FBARCODE; a mapping need not know."""
    spelled = {name for form in FORMS.values() for name in (*form.heads, *(form.lines or ()))}
    assert "FCarriageNO" not in spelled
    assert "FCarriageNo" in spelled
    from connectors.kingdee.sample import record

    erp.put("SAL_OUTSTOCK", record("SAL_OUTSTOCK", 1, [{}], FCarriageNo="SF1"))
    one = connector(erp, clock)
    (page, _) = list(one.read(ReadRequest("shipments")))
    assert json.loads(bytes(page.records[0]))["FCarriageNO"] == "SF1"
    one.close()


def test_names_and_more_are_the_site_s_own(erp: KingdeeSimulator, clock: StillClock) -> None:
    settings = {
        "names": {"orders": {"FSaleOrgId.FNumber": "FBillNo", "FNote": ""}},
        "more": {"orders": ["FApproveDate", "FDeliQty"]},
    }
    one = connector(erp, clock, **settings)
    page = next(iter(one.read(ReadRequest("orders", limit=1))))
    record = json.loads(bytes(page.records[0]))
    assert record["FSaleOrgId.FNumber"] == record["FBillNo"]
    assert "FNote" not in record
    assert "FApproveDate" in record
    assert "FDeliQty" in record["lines"][0]
    one.close()


def test_without_metadata_the_catalogue_is_asked_for(
    erp: KingdeeSimulator, clock: StillClock
) -> None:
    assert read(connector(erp, clock, metadata=False)) == ALL
    assert "querybusinessinfo" not in {line.service for line in erp.journal}


# --- check -------------------------------------------------------------------------------------
def check(erp: KingdeeSimulator, clock: StillClock, **more: Any) -> list[Finding]:
    one = connector(erp, clock, **more)
    try:
        return list(one.check())
    finally:
        one.close()


def test_check_says_what_may_be_read_and_what_is_not_there(
    erp: KingdeeSimulator, clock: StillClock
) -> None:
    erp.lacking = {"FBillAllAmount"}
    found = check(erp, clock, skip=[])
    told = {(one.subject, one.ok) for one in found}
    assert ("orders", True) in told
    assert any("no FBillAllAmount" in one.what and one.ok is None for one in found)
    assert any(one.subject == "stock" and "right to query" in one.do for one in found)
    assert {subject for subject, ok in told if ok is False} == set(LICENSED)  # no such forms here
    assert ("clock", True) in told


def test_check_tells_of_times_that_are_read_as_utc(
    erp: KingdeeSimulator, clock: StillClock
) -> None:
    one = connector(erp, clock, skip=[name for name in STREAMS if name != "orders"])
    assert "timezone" not in {finding.subject for finding in one.check()}
    one.context.timezone = "UTC"
    (found,) = [finding for finding in one.check() if finding.subject == "timezone"]
    assert "Asia/Shanghai" in found.do
    one.close()


def test_check_stops_at_wrong_credentials(erp: KingdeeSimulator, clock: StillClock) -> None:
    (one,) = check(erp, clock, user="nobody")
    assert (one.subject, one.ok) == ("credentials", False)
    assert "app_id" in one.do


def test_check_knows_the_organisations(erp: KingdeeSimulator, clock: StillClock) -> None:
    from connectors.kingdee.sample import record

    for key, code in enumerate(("100", "200"), 1):
        erp.put("ORG_Organizations", record("ORG_Organizations", key, FNumber=code))
    (one,) = [f for f in check(erp, clock, organisations=["300"]) if "no 300" in f.what]
    assert one.ok is False
    assert "100, 200" in one.do
    (one,) = [f for f in check(erp, clock) if f.subject == "organisations" and f.ok is None]
    assert "of 2" in one.what


# --- secrets -----------------------------------------------------------------------------------
@ways
def test_no_secret_stands_in_errors_findings_records_or_logs(
    erp: KingdeeSimulator, clock: StillClock, how: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    session: list[str] = []
    secrets = [SECRET, IDENTITY.app_id]
    if how.get("login") == "password":
        secrets = [PASSWORD]
    elif not how:
        secrets.append(client_secret(IDENTITY.app_id)[1])
    one = connector(erp, clock, attempts=1, **how)
    said = [str(page) for page in one.read(ReadRequest("orders"))]
    session += erp.sessions
    said += [str(finding) for finding in one.check()]
    for text in (*secrets, *session):
        for reply in (Reply(200, shapes(9, text)[2]), Reply(500, f"response_error:{text}".encode()),
                      Reply(200, f"response_error:{text}".encode())):  # fmt: skip
            erp.faults = [reply]
            with pytest.raises(ConnectorError) as raised:
                list(one.read(ReadRequest("orders")))
            said += [str(raised.value), raised.value.do, repr(raised.value)]
    one.close()
    whole = "\n".join([*said, caplog.text])
    assert session
    for text in (*secrets, *session):
        assert text not in whole


def test_no_secret_stands_in_what_a_run_leaves(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.order(1, ("A", "1", "1"))
    world.sync_all("orders", "customers")
    world.erp.faults = [Reply(200, shapes(9, f"no {SECRET}")[2])]
    failed = world.sync("orders")
    assert SECRET not in str(failed.error)
    assert "[secret]" in str(failed.error)
    world.publish()
    world.close()
    hits = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file()
        and any(
            text.encode() in path.read_bytes()
            for text in (SECRET, IDENTITY.app_id, client_secret(IDENTITY.app_id)[1])
        )
    ]
    assert hits == []


# --- settings ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"app_secret": "0123456789abcdef"}, "write env:NAME or file:PATH"),
        ({"app_id": "123456_AAECAwQF"}, "write env:NAME or file:PATH"),
        ({"app_secret": None}, "login: signed needs app_id and app_secret"),
        ({"login": "password"}, "login: password needs password"),
        ({"account": "a b"}, "String should match pattern"),
        ({"user": "a,b"}, "String should match pattern"),
        ({"language": 1}, "2052, 1033 or 3076"),
        ({"skip": "order"}, "Did you mean orders"),
        ({"names": {"orders": {"FBilNo": "X"}}}, "Did you mean FBillNo"),
        ({"names": {"orders": {"FBillNo": "X) or 1=1"}}}, "String should match pattern"),
        ({"more": {"orders": ["a b"]}}, "String should match pattern"),
        ({"more": {"order": ["F_A"]}}, "Did you mean orders"),
        ({"rows": 0}, "greater than or equal to 1"),
        ({"allow_plain_http": "false"}, "allow_private"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        KingdeeSettings.model_validate({**CONFIG, **settings})


def test_the_table_of_streams_holds_together() -> None:
    made = KingdeeConnector(KingdeeSettings.model_validate(CONFIG), Context("erp"))
    assert list(made.streams()) == [name for name in STREAMS if name not in LICENSED]
    for name, source in STREAMS.items():
        assert len(set(source.names)) >= len(source.fields), name
        assert source.open is None or source.open[0] in source.fields
        assert not source.stamp or source.stamp in source.names
        assert not source.org or f"{source.org}.FNumber" in source.names
