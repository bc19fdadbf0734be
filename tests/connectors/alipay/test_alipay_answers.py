"""What the gateway answers and what becomes of it; who is asked how, and what is never shown."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from alipay_world import APP, Network, config, connector, key, private_text, secrets, simulator
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as s
from pydantic import ValidationError

from connectors.alipay import AlipayConnector
from connectors.alipay.keys import bare, certificates, root_serial, serial
from connectors.alipay.sample import movement, trade
from connectors.alipay.settings import AlipaySettings
from connectors.alipay.simulator import HERE, AlipaySimulator
from connectors.asgi import Reply
from connectors.base import Context, ReadRequest
from connectors.errors import (
    AuthError,
    ConfigError,
    ConnectorError,
    ContractBroken,
    QuotaUsed,
    Throttled,
    Unavailable,
)
from tests.support.still_clock import StillClock

BILL_URL = "alipay.data.dataservice.bill.downloadurl.query"


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def system(clock: StillClock) -> AlipaySimulator:
    made = simulator(clock.now)
    yesterday = clock.now().astimezone(HERE).replace(hour=1, day=1)
    made.put("account", movement("54632446", yesterday.replace(month=2, day=28), "88.88"))
    return made


def read(one: AlipayConnector, stream: str = "account_bill") -> list[str | None]:
    keys = [key for page in one.read(ReadRequest(stream)) for key in page.keys]
    one.close()
    return keys


def failure(code: str, sub_code: str) -> Reply:
    said = {"code": code, "msg": "no", "sub_code": sub_code, "sub_msg": "说明在此"}
    return Reply(200, json.dumps({"error_response": said}).encode())


@pytest.mark.parametrize(
    ("reply", "kind", "says"),
    [
        (failure("40002", "isv.invalid-signature"), AuthError, "app_id, private_key"),
        (failure("20001", "aop.invalid-app-auth-token"), AuthError, "app_auth_token"),
        (failure("40006", "isv.insufficient-isv-permissions"), AuthError, "skip:"),
        (failure("40001", "isv.missing-method"), ConfigError, "app_id"),
        (failure("40004", "isv.app-call-limited"), Throttled, "rate:"),
        (failure("20000", "isp.unknow-error"), Unavailable, "tries again"),
        (failure("40004", "ACQ.SOMETHING_ELSE"), ContractBroken, "vendor"),
        (failure("40004", "isp.bill_not_exist"), ContractBroken, "gateway's"),  # not signed
    ],
)
def test_the_table_of_answers(
    system: AlipaySimulator, clock: StillClock, reply: Reply, kind: type[ConnectorError], says: str
) -> None:
    system.faults = [reply] * 50
    one = connector(system, clock)
    with pytest.raises(kind) as caught:
        read(one)
    assert type(caught.value) is kind
    assert says in caught.value.do
    if kind is not ContractBroken or "ELSE" in str(reply.body):
        assert "说明在此" in caught.value.what


def test_a_pause_that_the_gateway_wants_is_made(system: AlipaySimulator, clock: StillClock) -> None:
    system.faults = [failure("40004", "isv.app-call-limited")] * 2
    assert read(connector(system, clock, since="2026-02-28")) == ["54632446"]
    assert sum(clock.pauses) > 0


def test_an_answer_that_was_changed_on_its_way_is_not_taken(
    system: AlipaySimulator, clock: StillClock
) -> None:
    class Between(Network):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            data = response.read().replace("账单不存在".encode(), "不存在".encode())
            return httpx.Response(200, headers=response.headers, stream=httpx.ByteStream(data))

    with pytest.raises(AuthError, match="signature is not that"):
        read(connector(system, clock, Between(system)))
    other = simulator(clock.now)
    other.own_key = key("another")
    with pytest.raises(AuthError, match="signature is not that") as caught:
        read(connector(other, clock))
    assert "应用公钥" in caught.value.do


def test_wrong_keys_are_told_by_check_once(clock: StillClock, system: AlipaySimulator) -> None:
    given = {**secrets(), "env:ALIPAY_KEY": "bm90IGEga2V5"}
    for wrong in (given, {n: v for n, v in given.items() if n != "env:ALIPAY_KEY"}):
        settings = AlipaySettings.model_validate(config())
        context = Context("pay", secret=wrong.__getitem__, now=clock.now, pause=clock.pause,
                          transport=Network(system))  # fmt: skip
        (found,) = AlipayConnector(settings, context).check()
        assert found.ok is False
        assert "private_key" in found.what or "env:ALIPAY_KEY" in found.what


@pytest.mark.parametrize("form", ["PKCS1", "PKCS8"])
@pytest.mark.parametrize("armour", [True, False])
def test_keys_in_each_form(
    clock: StillClock, system: AlipaySimulator, form: str, armour: bool
) -> None:
    kind = s.PrivateFormat.PKCS8 if form == "PKCS8" else s.PrivateFormat.TraditionalOpenSSL
    pem = key("app").private_bytes(s.Encoding.PEM, kind, s.NoEncryption()).decode()
    text = pem if armour else bare(pem)
    settings = AlipaySettings.model_validate(config(since="2026-02-28"))
    given = {**secrets(), "env:ALIPAY_KEY": text}
    context = Context("pay", secret=given.__getitem__, now=clock.now, pause=clock.pause,
                      transport=Network(system))  # fmt: skip
    one = AlipayConnector(settings, context)
    assert read(one) == ["54632446"]
    assert bare(pem)[:40] not in one.redactor.text(f"a{bare(pem)}b")
    assert "[secret]" in one.redactor.text(pem)


def certificate(signer: Any, number: int) -> str:
    name = x509.Name([
        x509.NameAttribute(x509.NameOID.COUNTRY_NAME, "CN"),
        x509.NameAttribute(x509.NameOID.COMMON_NAME, f"R{number}"),
    ])  # fmt: skip
    now = StillClock().now()
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(number)
        .public_key(signer.public_key()).not_valid_before(now).not_valid_after(now)
        .sign(signer, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(s.Encoding.PEM).decode()


def test_certificates_in_place_of_the_public_key(
    clock: StillClock, system: AlipaySimulator
) -> None:
    texts = {
        "env:APP_CERT": certificate(key("app"), 11), "env:OWN_CERT": certificate(key("alipay"), 12),
        "env:ROOT_CERT": certificate(key("alipay"), 13) + certificate(key("alipay"), 14),
        **secrets(),
    }  # fmt: skip
    app, own, root = (
        certificates(texts[f"env:{name}_CERT"], name) for name in ("APP", "OWN", "ROOT")
    )
    system.sns = (serial(app[0]), root_serial(root), serial(own[0]))
    more = {"app_cert": "env:APP_CERT", "alipay_cert": "env:OWN_CERT",
            "alipay_root_cert": "env:ROOT_CERT", "since": "2026-02-28"}  # fmt: skip
    given = {n: v for n, v in config(**more).items() if n != "alipay_public_key"}

    def reader() -> AlipayConnector:
        context = Context("pay", secret=texts.__getitem__, now=clock.now, pause=clock.pause,
                          transport=Network(system))  # fmt: skip
        return AlipayConnector(AlipaySettings.model_validate(given), context)

    assert read(reader()) == ["54632446"]
    system.sns = (*system.sns[:2], "0" * 32)
    with pytest.raises(AuthError, match="another certificate"):
        read(reader())
    texts["env:APP_CERT"] = "no certificate"
    with pytest.raises(ConfigError, match="app_cert"):
        read(reader())


def test_a_service_providers_token_goes_with_each_request(
    clock: StillClock, system: AlipaySimulator
) -> None:
    system.token = secrets()["env:ALIPAY_TOKEN"]
    network = Network(system)
    one = connector(system, clock, network, app_auth_token="env:ALIPAY_TOKEN", since="2026-02-28")
    assert read(one) == ["54632446"]
    with pytest.raises(AuthError):
        read(connector(system, clock))
    assert all(system.token not in str(one.url) for one in network.requests if one.method == "GET")


def test_a_link_in_plain_http_is_fetched_by_https(
    clock: StillClock, system: AlipaySimulator
) -> None:
    """The platform writes its links so."""
    network = Network(system)
    system.downloads = "http://dwbillcenter.alipay.com"
    more = {"download_url": "https://dwbillcenter.alipay.com", "since": "2026-02-28"}
    assert read(connector(system, clock, network, **more)) == ["54632446"]
    (sent,) = [one.url for one in network.requests if one.method == "GET"]
    assert (sent.scheme, sent.host) == ("https", "dwbillcenter.alipay.com")


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"private_key": private_text()}, "reference"),
        ({"alipay_public_key": private_text()}, "reference"),
        ({"app_cert": "env:A"}, "not both"),
        ({"alipay_public_key": None}, "all of app_cert"),
        ({"since": "2015-12-31"}, "2016-01-01"),
        ({"window": "40d"}, "31d"),
        ({"movements": "both"}, "movements"),
        ({"download_url": "http://alipay.example/path"}, "host alone"),
        ({"download_url": "http://other.example", "allow_plain_http": "false",
          "base_url": "https://alipay.example/gateway.do"}, "plain http"),
        ({"app_id": "abc"}, "app_id"),
    ],
)  # fmt: skip
def test_settings_that_are_refused(more: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AlipaySettings.model_validate(config(**more))
    assert says in str(caught.value)
    assert private_text()[:40] not in str(caught.value)


def test_the_money_is_one_of_two_streams(clock: StillClock, system: AlipaySimulator) -> None:
    for movements, there in (("bill", "account_bill"), ("log", "account_log")):
        names = connector(system, clock, movements=movements).streams()
        assert {"account_bill", "account_log"} & set(names) == {there}
    assert set(connector(system, clock).streams()) == {
        "account_bill", "trade_bill", "trades", "refund_checks",
    }  # fmt: skip


def test_check_says_what_each_stream_may(clock: StillClock, system: AlipaySimulator) -> None:
    system.denied = {"alipay.trade.query"}
    found = {each.subject: each for each in connector(system, clock, skip=[]).check()}
    assert found["account_bill"].ok
    assert "1 rows" in found["account_bill"].what
    assert found["trade_bill"].ok is None
    assert found["trades"].ok is False
    assert "add the product" in found["trades"].do
    assert found["balance"].ok
    assert found["clock"].ok
    asked = {line.what for line in system.journal if line.kind == "request"}
    assert BILL_URL in asked
    assert APP not in " ".join(each.what for each in found.values())


def test_what_was_answered_before_a_quota_ended_is_landed(
    clock: StillClock, system: AlipaySimulator
) -> None:
    for number in range(9):
        system.put("trades", trade(f"T{number}", "9.00"))
    one = connector(system, clock, rate="5/d")
    wanted = [{"trade_no": f"T{number}"} for number in range(9)]
    pages = one.read(ReadRequest("trades", wanted=wanted))
    keys = next(pages).keys  # which five: whichever the workers asked for first
    assert (len(set(keys)), keys) == (5, sorted(keys))
    with pytest.raises(QuotaUsed):
        next(pages)
    one.close()
