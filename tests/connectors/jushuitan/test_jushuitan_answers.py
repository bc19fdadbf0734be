"""What is made of codes, tokens, limits and odd answers; what `check` says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest
from jushuitan_world import IDENTITY, SECRET, SECRETS, Network, connector
from still_clock import StillClock

from connectors.asgi import Reply
from connectors.base import Finding, ReadRequest
from connectors.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    ContractBroken,
    Throttled,
)
from connectors.jushuitan import JushuitanConnector
from connectors.jushuitan import sample as make
from connectors.jushuitan.settings import JushuitanSettings
from connectors.jushuitan.signing import sign
from connectors.jushuitan.simulator import Identity, JushuitanSimulator, Refused
from connectors.tokens import Kept, OwnTokens

CODE = SECRETS["env:JST_CODE"]
MERCHANT = {"auth": "merchant", "code": "env:JST_CODE"}


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def oms(clock: StillClock) -> JushuitanSimulator:
    made = JushuitanSimulator(IDENTITY, now=clock.now)
    for key in range(1, 10):
        made.put("orders", make.order(key, [make.item(key, "A-1", 1, "2.00")]))
    clock.wait(hours=1)
    return made


def read(one: JushuitanConnector, stream: str = "orders") -> list[str]:
    try:
        return [key or "" for page in one.read(ReadRequest(stream)) for key in page.keys]
    finally:
        one.close()


def called(oms: JushuitanSimulator) -> list[str]:
    """Return the token endpoints that were called, in their order."""
    names = (line.name for line in oms.journal if line.name.startswith("/openWeb/"))
    return [name.rpartition("/")[2] for name in names]


ALL = [str(key) for key in range(1, 10)]


# --- the signature -----------------------------------------------------------------------------
def test_the_signature_is_the_sheet_s() -> None:
    biz = (
        '{"page_index":1,"page_size":50,"modified_begin":"2026-11-20 00:00:00",'
        '"modified_end":"2026-11-21 00:00:00"}'
    )
    fields = {
        "app_key": "k1", "access_token": "t1", "timestamp": "1700000000", "version": "2",
        "charset": "utf-8", "biz": biz,
    }  # fmt: skip
    assert sign(fields, "s3cret") == "a0587c7998a5aff7418d45c2fd657f7d"


def test_empty_fields_are_left_out_and_nothing_is_encoded() -> None:
    fields = {"biz": '{"名":"a b&c"}', "a": "", "sign": "x", "z": "0"}
    text = 'topbiz{"名":"a b&c"}z0'
    assert sign(fields, "top") == hashlib.md5(text.encode()).hexdigest()


# --- tokens ------------------------------------------------------------------------------------
class Spied(OwnTokens):
    """Tokens that are kept over runs, with how many requests had come when each was put."""

    def __init__(self, oms: JushuitanSimulator) -> None:
        super().__init__()
        self.oms = oms
        self.put_after: list[str] = []

    def put(self, name: str, kept: Kept) -> bool:
        self.put_after.append(self.oms.journal[-1].name)
        return super().put(name, kept)


def test_a_token_is_kept_renewed_in_time_and_begun_anew_after_its_end(
    oms: JushuitanSimulator, clock: StillClock
) -> None:
    kept = Spied(oms)
    for days, endpoints in (
        (0, ["getInitToken"]),
        (10, []),
        (13, ["refreshToken"]),  # three quarters of its life are over
        (23, ["refreshToken"]),
        (31, ["refreshToken", "getInitToken"]),  # spent: the refresh is refused
    ):
        clock.wait(days=days)
        before = len(called(oms))
        assert read(connector(oms, clock, tokens=kept)) == ALL
        assert called(oms)[before:] == endpoints
    assert kept.put_after == [  # on disk before anything is sent with it
        "/openWeb/auth/getInitToken", "/openWeb/auth/refreshToken", "/openWeb/auth/refreshToken",
        "/openWeb/auth/getInitToken",
    ]  # fmt: skip


@pytest.mark.parametrize("code", [10, 100, 120, 150])
def test_by_whatever_code_a_renewal_is_refused_an_own_app_begins_anew(
    oms: JushuitanSimulator, clock: StillClock, code: int
) -> None:
    kept = OwnTokens()
    read(connector(oms, clock, tokens=kept))
    clock.wait(days=31)
    answer = oms._token

    def refusing(what: str, form: Mapping[str, str]) -> Any:
        if what == "refreshToken":
            raise Refused(code, "refresh_token 已失效")
        return answer(what, form)

    oms._token = refusing  # type: ignore[method-assign]
    assert read(connector(oms, clock, tokens=kept)) == ALL
    assert called(oms)[1:] == ["refreshToken", "getInitToken"]


def test_a_token_that_is_refused_is_renewed_once(
    oms: JushuitanSimulator, clock: StillClock
) -> None:
    kept = OwnTokens()
    read(connector(oms, clock, tokens=kept))
    oms.end_tokens()
    assert read(connector(oms, clock, tokens=kept)) == ALL
    assert called(oms) == ["getInitToken", "refreshToken"]
    oms.before = lambda number: oms.access.clear()
    with pytest.raises(AuthError, match="access_token 无效") as refused:
        read(connector(oms, clock, tokens=kept))
    assert "still authorised" in refused.value.do
    assert len(called(oms)) == 3


@pytest.fixture
def merchant(clock: StillClock) -> JushuitanSimulator:
    made = JushuitanSimulator(
        Identity(IDENTITY.app_key, SECRET, (CODE, "canary-code-2222")), now=clock.now
    )
    made.put("shops", make.shop(1, "店"))
    return made


def test_a_merchant_s_code_is_good_for_once(
    merchant: JushuitanSimulator, clock: StillClock
) -> None:
    kept = OwnTokens()
    assert read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops") == ["1"]
    clock.wait(days=23)
    assert read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops") == ["1"]
    assert called(merchant) == ["getInitToken", "refreshToken"]
    with pytest.raises(AuthError) as refused:  # what was kept was lost
        read(connector(merchant, clock, **MERCHANT), "shops")
    assert "authorise" in refused.value.do
    assert CODE not in str(refused.value)


def test_a_rotated_secret_needs_no_new_code(
    merchant: JushuitanSimulator, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = OwnTokens()
    read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops")
    monkeypatch.setitem(SECRETS, "env:JST_SECRET", "canary-of-another-secret")
    merchant.identity = Identity(IDENTITY.app_key, "canary-of-another-secret", (CODE,))
    assert read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops") == ["1"]
    assert called(merchant) == ["getInitToken", "refreshToken"]


def test_an_app_that_may_not_renew_uses_its_token_to_the_end(
    merchant: JushuitanSimulator, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    merchant.may_refresh = False
    kept = OwnTokens()
    for days in (0, 23, 6):
        clock.wait(days=days)
        assert read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops") == ["1"]
    clock.wait(days=2)
    with pytest.raises(AuthError, match="code 150") as refused:
        read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops")
    assert "authorise the app again" in refused.value.do
    monkeypatch.setitem(SECRETS, "env:JST_CODE", "canary-code-2222")
    assert read(connector(merchant, clock, tokens=kept, **MERCHANT), "shops") == ["1"]


# --- codes -------------------------------------------------------------------------------------
def body(code: int, message: str = "说明") -> Reply:
    return Reply(200, {"code": code, "msg": message, "data": None})


@pytest.mark.parametrize(
    ("code", "kind", "what", "do"),
    [
        (10, AuthError, "signature", "app_secret"),
        (110, AuthError, "1.2.3.4", "whitelist"),
        (140, AuthError, "15 minutes", "clock"),
        (150, AuthError, "renew", "authorise"),
        (190, ConfigError, "right", "skip:"),
        (130, ContractBroken, "缺少 1.2.3.4", "vendor"),
        (-4, ContractBroken, "缺少", "vendor"),
    ],
)
def test_a_code_says_what_to_do(
    oms: JushuitanSimulator, clock: StillClock, code: int, kind: type[ConnectorError], what: str,
    do: str,
) -> None:  # fmt: skip
    oms.faults = [body(code, "缺少 1.2.3.4")]
    with pytest.raises(kind) as raised:
        read(connector(oms, clock))
    assert what in raised.value.what
    assert do in raised.value.do
    assert not raised.value.retriable
    assert oms.requests == 2  # the token, the call: no further attempt


def test_success_that_is_none_is_an_error(oms: JushuitanSimulator, clock: StillClock) -> None:
    empty = {"orders": [], "has_next": False}
    oms.faults = [Reply(200, {"code": 0, "issuccess": False, "msg": "失败", "data": empty})]
    with pytest.raises(ContractBroken, match="失败"):
        read(connector(oms, clock))


@pytest.mark.parametrize(("code", "least", "most"), [(199, 1, 2), (200, 35, 36)])
def test_throttling_is_waited_out_for_as_long_as_the_code_says(
    oms: JushuitanSimulator, clock: StillClock, code: int, least: int, most: int
) -> None:
    clock.wait(seconds=25)  # 35 to the next minute
    oms.faults = [body(code)]
    assert read(connector(oms, clock, rate="1000/s")) == ALL
    assert least <= clock.pauses[0] <= most


def test_throttling_without_end_is_told(oms: JushuitanSimulator, clock: StillClock) -> None:
    oms.per_second = 0
    with pytest.raises(Throttled):
        read(connector(oms, clock))


# --- limits ------------------------------------------------------------------------------------
def busiest(times: list[float], seconds: float) -> int:
    """Return the most requests that came within any stretch of so many seconds."""
    return max(sum(1 for at in times if first <= at < first + seconds) for first in times)


def test_both_limits_hold_at_once_in_any_window(oms: JushuitanSimulator, clock: StillClock) -> None:
    assert JushuitanSettings.model_fields["rate"].default == "5/s, 100/m"
    oms.per_minute = 20  # the same in small
    for key in range(10, 50):
        oms.put("orders", make.order(key, [make.item(key, "A-1", 1, "2.00")]))
    assert len(read(connector(oms, clock, page_size=1, rate="5/s, 20/m"))) == 49
    asked = [line for line in oms.journal if line.kind == "request"]
    times = [line.at.timestamp() for line in asked]
    assert len(times) > 50
    assert (busiest(times, 1), busiest(times, 60)) == (5, 20)
    assert {line.code for line in asked} == {0}


def test_limits_that_others_use_up_too_are_waited_out(
    oms: JushuitanSimulator, clock: StillClock
) -> None:
    oms.per_second = 2
    assert len(read(connector(oms, clock, page_size=1))) == 9
    assert {line.code for line in oms.journal if line.kind == "request"} == {0, 199}


# --- odd answers -------------------------------------------------------------------------------
def test_the_only_list_is_taken_whatever_its_name(
    oms: JushuitanSimulator, clock: StillClock
) -> None:
    rows = [make.order(1, []) | {"ts": 7, "modified": "2026-03-01 20:00:00"}]
    page = {"page_index": 1, "has_next": False, "list": rows}
    oms.faults = [Reply(200, {"code": 0, "data": page})]
    assert read(connector(oms, clock))[0] == "1"
    for odd in ({"has_next": False}, page | {"others": []}, page | {"list": None}):
        oms.faults = [Reply(200, {"code": 0, "data": odd})]
        with pytest.raises(ContractBroken, match="no list orders"):
            read(connector(oms, clock))


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([{"o_id": 1, "ts": 9}, {"o_id": 2, "ts": 8}], "not sorted"),
        ([{"o_id": 1}], "no ts"),
        ([{"ts": 9}], "no o_id"),
    ],
)
def test_records_that_cannot_be_walked_end_the_read(
    oms: JushuitanSimulator, clock: StillClock, rows: list[Mapping[str, Any]], what: str
) -> None:
    oms.faults = [Reply(200, {"code": 0, "data": {"has_next": False, "orders": rows}})]
    with pytest.raises(ContractBroken, match=what):
        read(connector(oms, clock))


def test_an_answer_must_say_whether_there_is_more(
    oms: JushuitanSimulator, clock: StillClock
) -> None:
    for pages, ends in ((1, True), (None, False)):
        data = {"page_index": 1, "page_count": pages, "orders": []}
        oms.faults = [Reply(200, {"code": 0, "data": data})]
        one = connector(oms, clock)
        if ends:
            assert read(one) == []
        else:
            with pytest.raises(ContractBroken, match="whether there is more"):
                read(one)


# --- check -------------------------------------------------------------------------------------
def checked(one: JushuitanConnector) -> Iterator[Finding]:
    yield from one.check()
    one.close()


def test_check_tells_what_will_be_missing(oms: JushuitanSimulator, clock: StillClock) -> None:
    oms.put("shops", make.shop(1, "旗舰店", shop_site="天猫"))
    oms.put("shops", make.shop(2, "商城"))
    oms.put("warehouses", make.warehouse(12, "北仓"))
    oms.denied = {"suppliers"}
    found = {f.subject: f for f in checked(connector(oms, clock, warehouses=["12", "13"]))
             if not f.ok}  # fmt: skip
    assert found.keys() == {"orders", "suppliers", "stock"}
    assert found["orders"].ok is None
    assert "1 shops of 淘系 or 拼多多 are not in this API: 旗舰店" in found["orders"].what
    assert "code 190" in found["suppliers"].what
    assert "no warehouse 13" in found["stock"].what
    assert "12" in found["stock"].do


@pytest.mark.parametrize(("ip", "apart"), [("9.9.9.9", 0), ("", 20)])
def test_check_ends_where_the_app_is_not_let_in(
    oms: JushuitanSimulator, clock: StillClock, ip: str, apart: int
) -> None:
    oms.ip, here = ip, oms.now
    oms.now = lambda: here() + timedelta(minutes=apart)
    (found,) = checked(connector(oms, clock))
    assert (found.subject, found.ok) == ("credentials", False)
    assert (ip or "15 minutes") in found.what


def test_a_call_is_a_form_with_compact_json(oms: JushuitanSimulator, clock: StillClock) -> None:
    network = Network(oms)
    read(connector(oms, clock, network=network))
    request = network.requests[-1]
    form = dict(parse_qsl(request.content.decode()))
    assert form.keys() == {
        "access_token", "app_key", "timestamp", "version", "charset", "biz", "sign",
    }  # fmt: skip
    asked = json.loads(form["biz"])
    assert form["biz"] == json.dumps(asked, separators=(",", ":"))
    assert (asked["is_get_total"], asked["page_index"]) == (False, 1)
    assert not request.url.query
