"""Signature, carriers, phones, and what each answer of the system leads to."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from kuaidi100_world import CONFIG, CUSTOMER, KEY, Network, Row, connector

from connectors.asgi import Asked
from connectors.base import Page, ReadRequest
from connectors.errors import AuthError, ConfigError, ContractBroken, QuotaUsed, Unavailable
from connectors.kuaidi100.api import signature
from connectors.kuaidi100.carriers import Carriers, plain, shipped
from connectors.kuaidi100.sample import event
from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from tests.support.still_clock import StillClock

PARAM = '{"com":"yuantong","num":"YT9693083639795","phone":"","order":"desc","resultv2":"4"}'


class Account:
    """A simulator and a connector of each read; `kept` is what runs of a connection share."""

    def __init__(self) -> None:
        self.time = StillClock()
        self.post = Kuaidi100Simulator(CUSTOMER, KEY, now=self.time.now)
        self.network = Network(self.post)

    def put(self, number: str, com: str = "yuantong", **more: Any) -> None:
        self.post.put(com, number, [event(self.time.now(), "已发出")], **more)

    def read(self, *rows: Row | str, **settings: Any) -> list[Page]:
        wanted = [row("圆通", one) if isinstance(one, str) else one for one in rows]
        made = connector(self.post, self.time, self.network, **settings)
        return list(made.read(ReadRequest("tracks", wanted=wanted)))

    def tally(self, *rows: Row | str, **settings: Any) -> dict[str, int]:
        (page,) = self.read(*rows, **settings)
        return dict(page.tally)


def row(carrier: str | None, number: str | None, phone: str | None = None) -> Row:
    return {"carrier": carrier, "number": number, "phone_last4": phone}


@pytest.fixture
def account() -> Account:
    return Account()


# --- the signature ---------------------------------------------------------------------------


def test_the_vector_of_the_contract():
    assert signature(PARAM, "demoKey1", "CUSTOMER01") == "0FD99C34E6AFB9C25A0CC1FE0468200D"
    with_t = hashlib.md5(f"{PARAM}1700000000000demoKey1CUSTOMER01".encode()).hexdigest().upper()
    assert signature(PARAM, "demoKey1", "CUSTOMER01", "1700000000000") == with_t


@pytest.mark.parametrize("with_t", [False, True])
def test_what_is_posted_is_what_is_signed(account: Account, with_t: bool):
    account.put("YT9693083639795")
    account.post.with_t = with_t
    account.read("YT9693083639795", sign_with_t=with_t)
    (sent,) = account.network.requests
    form = {name: said for name, (said,) in parse_qs(sent.content.decode(), True).items()}
    assert form.pop("param") == PARAM
    assert form["sign"] == signature(PARAM, KEY, CUSTOMER, form.get("t", ""))
    assert ("t" in form) == with_t


def test_the_simulator_refuses_a_signature_over_other_text(account: Account):
    account.put("YT12345")
    param = json.dumps({"num": "YT12345", "com": "yuantong"})
    again = json.dumps(json.loads(param), separators=(",", ":"))
    for signed, code in ((param, b'"ok"'), (again, b'"503"')):
        form = {"customer": CUSTOMER, "param": param, "sign": signature(signed, KEY, CUSTOMER)}
        content = "&".join(f"{name}={_quoted(said)}" for name, said in form.items()).encode()
        assert code in account.post.answer(Asked("POST", "/poll/query.do", content=content)).data


def _quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text)


# --- what is asked for -----------------------------------------------------------------------


def test_a_preview_uses_up_nobody_s_turn(account: Account):
    account.put("YT12345")
    made = connector(account.post, account.time, account.network)
    for limit, found in ((10, 1), (10, 1), (None, 1), (None, 0)):
        request = ReadRequest("tracks", limit=limit, wanted=[row("圆通", "YT12345")])
        assert sum(len(page.keys) for page in made.read(request)) == found


def test_no_name_means_two_carriers():
    seen: dict[str, str] = {}
    for code, names in shipped().items():
        for name in {plain(code), *map(plain, names)}:
            assert seen.setdefault(name, code) == code
    known = Carriers({})
    words = {"顺丰": "shunfeng", "SF": "shunfeng", "S.F. Express": "shunfeng", "yunda": "yunda",
             "中通": "zhongtong", "中通快运": "zhongtongkuaiyun", "J&T": "jtexpress"}  # fmt: skip
    assert {word: known.code(word) for word in words} == words
    assert [known.code(word) for word in ("", None, "快递", "..")] == [None] * 4


def test_what_is_not_asked_for_is_counted_and_said(account: Account):
    account.put("YT12345")
    rows = (
        "YT12345", row("圆通", None), row("圆通", "see the note"), row("专线", "A10001"),
        row(None, "A10002"), row("专线", "A10003"), row("顺丰", "SF0000001"),
        row("圆通", "masked:0123456789abcdef"),
    )  # fmt: skip
    (page,) = account.read(*rows)
    assert page.tally == {
        "no number": 1, "not a number": 2, "unknown carrier": 3, "phone needed": 1, "asked": 1,
        "found": 1,
    }  # fmt: skip
    (said,) = page.warnings
    assert "专线 (2), no name (1)" in said
    assert account.post.requests == 1


@pytest.mark.parametrize(
    ("settings", "code"),
    [({"guess": True}, "shunfeng"), ({"carriers": {"专线": "suning"}, "guess": True}, "suning")],
)
def test_a_carrier_is_guessed_only_where_told_to(
    account: Account, settings: dict[str, Any], code: str
):
    (page,) = account.read(row("专线", "SF0000001", "5678"), **settings)
    assert page.tally == {"asked": 1, "no result yet": 1}
    assert [line.com for line in account.post.journal] == [code]
    assert account.tally(row("专线", "SF0000001", "5678")) == {"unknown carrier": 1}


def test_a_phone_of_the_row_comes_before_the_senders(account: Account):
    account.put("SF0000001", "shunfeng", phone="13912345678")
    account.put("SF0000002", "shunfeng", phone="13800001111")
    rows = (row("SF", "SF0000001", "5678"), row("SF", "SF0000002", "**78"))
    assert account.tally(*rows) == {"phone needed": 1, "asked": 1, "found": 1}
    assert account.tally(*rows, sender_phone="13800001111") == {"asked": 2, "found": 2}
    assert account.tally(rows[1], sender_phone="9999") == {"asked": 1, "phone refused": 1}
    assert account.tally(rows[1], needs_phone=[]) == {"asked": 1, "phone refused": 1}


def test_marks_say_what_is_due_and_what_comes_first(account: Account):
    for number in ("YT10001", "YT10002", "YT10003"):
        account.put(number)
    made = connector(account.post, account.time, account.network)

    def asked(*numbers: str) -> list[str]:
        before = len(account.network.requests)
        wanted = [row("圆通", number) for number in numbers]
        list(made.read(ReadRequest("tracks", wanted=wanted)))
        sent = (parse_qs(r.content.decode())["param"][0] for r in account.network.requests[before:])
        return [json.loads(param)["num"] for param in sent]

    assert asked("YT10002") == ["YT10002"]
    account.time.wait(minutes=50)
    assert asked("YT10003", "YT10002") == ["YT10003"]
    account.time.wait(minutes=11)
    assert asked("YT10001", "YT10002", "YT10003") == ["YT10001", "YT10002"]
    account.time.wait(hours=3)
    assert asked("YT10001", "YT10002", "YT10003") == ["YT10003", "YT10001", "YT10002"]
    account.time.at -= timedelta(days=30)  # those were set by a clock ahead
    assert len(asked("YT10001", "YT10002", "YT10003")) == 3


def test_a_number_that_is_wanted_twice_is_asked_for_once_with_its_phone(account: Account):
    account.put("SF0000001", "shunfeng", phone="13912345678")
    rows = (row("SF", "SF0000001"), row("顺丰", "sf 0000001", "5678"), row("SF", "SF0000001", ""))
    assert account.tally(*rows) == {"asked": 1, "found": 1}


# --- what answers lead to ---------------------------------------------------------------------


def test_what_is_of_one_parcel_does_not_stop_the_others(account: Account):
    account.put("YT10001")
    account.put("YT10003")
    account.post.faults = [400]
    (page,) = account.read("YT10001", "YT10002", "YT10003")
    assert page.tally == {"asked": 3, "refused": 1, "no result yet": 1, "found": 1}
    assert page.keys == ["yuantong/YT10003"]
    assert page.warnings == ("A parcel was refused: 系统繁忙，请稍后再试",)


def test_nothing_but_refusals_is_the_accounts_fault(account: Account):
    account.post.faults = [400] * 9
    numbers = [f"YT1000{n}" for n in range(9)]
    with pytest.raises(ConfigError, match="first 5 parcels were refused"):
        account.read(*numbers, page=5)


@pytest.mark.parametrize(
    ("codes", "error", "said"),
    [
        ([503], AuthError, "refused"),
        ([600], AuthError, "right"),
        ([601], QuotaUsed, "quota"),
        ([999], ContractBroken, "系统繁忙"),
        ([501] * 6, Unavailable, "not available"),
        ([502] * 6, Unavailable, "throttling"),
    ],
)
def test_what_stops_a_run(account: Account, codes: list[int], error: type[Exception], said: str):
    account.put("YT10001")
    account.post.faults = codes
    with pytest.raises(error, match=said) as raised:
        account.read("YT10001")
    assert type(raised.value) is error or issubclass(error, Unavailable)
    assert KEY not in str(raised.value)


@pytest.mark.parametrize("code", [501, 502])
def test_what_is_tried_again(account: Account, code: int):
    account.put("YT10001")
    account.post.faults = [code] * 3
    assert account.tally("YT10001") == {"asked": 1, "found": 1}
    assert account.time.pauses


def test_what_was_answered_before_an_error_is_kept(account: Account):
    """Four queries are under way when the account's quota ends."""
    for number in range(9):
        account.put(f"YT1000{number}")
    account.post.quota = 6
    made = connector(account.post, account.time, account.network, workers=4)
    wanted = [row("圆通", f"YT1000{number}") for number in range(9)]
    pages = made.read(ReadRequest("tracks", wanted=wanted))
    page = next(pages)
    with pytest.raises(QuotaUsed):
        next(pages)
    assert len(page.keys) == page.tally["found"] == 6
    assert page.tally["left for the next run"] == 3
    assert sorted(made.asked.times("tracks")) == sorted(str(key) for key in page.keys)


def test_another_parcels_answer_is_not_taken_and_stops_nobody(account: Account):
    account.put("YT10001", nu="YT99999")
    account.put("YT10002", data="none")
    account.put("YT10003")
    (page,) = account.read("YT10001", "YT10002", "YT10003")
    assert page.keys == ["yuantong/YT10003"]
    assert page.tally == {"asked": 3, "refused": 2, "found": 1}
    assert "answered with another" in page.warnings[0]


# --- the record --------------------------------------------------------------------------------


def test_events_keep_their_keys_whatever_the_carrier_does(account: Account):
    """Two have one time and the same words, one comes late between others, and order changes."""
    at = account.time.now()
    sent = event(at - timedelta(hours=3), "已发出")
    twice = event(at - timedelta(hours=2), "到达")
    tie = event(at - timedelta(hours=2), "扫描")
    late = event(at - timedelta(hours=1), "补录", "0")
    new = event(at, "派件", "5")

    def keys(*events: dict[str, Any]) -> list[str]:
        account.post.put("yuantong", "YT10001", list(events))
        (page,) = account.read("YT10001")
        made = json.loads(bytes(page.records[0]))
        assert [one["time"] for one in made["data"]] == sorted(
            (one["time"] for one in made["data"]), reverse=True
        )
        assert made["asked"] == {"com": "yuantong", "num": "YT10001", "name": "圆通速递"}
        return [one["key"] for one in made["data"]]

    first = keys(twice, tie, twice, sent)
    assert len(set(first)) == 4
    assert sum(key.endswith("/2") for key in first) == 1
    again = keys(sent, new, twice, late, twice, tie)
    assert set(first) <= set(again)
    assert len(set(again)) == 6


def test_what_the_system_wrote_is_not_touched(account: Account):
    made = Kuaidi100Simulator(CUSTOMER, KEY, now=account.time.now)
    odd = event(account.time.now(), '签收 "x"', areaCenter="121.4737010000000001,31.2")
    made.put("yuantong", "YT10001", [odd], arrivalTime="2026-03-02 12", weight=1.25)
    account.post, account.network = made, Network(made)
    (page,) = account.read("YT10001")
    record = json.loads(bytes(page.records[0]))
    del record["asked"], record["data"][0]["key"]
    assert record == made.living()["yuantong", "YT10001"]


# --- settings and check ------------------------------------------------------------------------


def test_a_day_bound_is_counted_beside_the_rate(account: Account):
    for number in range(9):
        account.put(f"YT1000{number}")
    with pytest.raises(QuotaUsed) as raised:
        account.read(*(f"YT1000{n}" for n in range(9)), daily_quota=4, rate="2/s, 50/m")
    assert account.post.requests == 4
    assert raised.value.until is not None
    assert raised.value.until - account.time.now() > timedelta(hours=23)


@pytest.mark.parametrize(
    ("break_it", "ok", "said"),
    [
        (lambda post: None, True, "查询无结果"),
        (lambda post: setattr(post, "key", "another"), False, "refused"),
        (lambda post: setattr(post, "quota", 0), False, "quota"),
        (lambda post: post.faults.extend([400]), True, "系统繁忙"),
    ],
)
def test_check_says_whether_the_account_may_query(
    account: Account, break_it: Callable[[Kuaidi100Simulator], None], ok: bool, said: str
):
    break_it(account.post)
    made = connector(account.post, account.time, account.network)
    found = list(made.check())
    assert (found[0].ok, said in found[0].what) == (ok, True)
    assert {one.subject for one in found[1:]} == (
        {"daily_quota", "sender_phone", "clock"} if ok else set()
    )


def test_only_the_vendors_host_is_spoken_to_by_default():
    kept = {name: value for name, value in CONFIG.items() if name in ("customer", "key")}
    assert Kuaidi100Settings.model_validate(kept).base_url == "https://poll.kuaidi100.com"
