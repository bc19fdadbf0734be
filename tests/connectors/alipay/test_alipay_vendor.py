"""The vendor's client for Python and a public one against the simulator; their signatures, ours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from alipay_world import APP
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from own_environment import locked_python, run_script

from connectors.alipay import keys
from connectors.alipay.sample import movement, trade
from connectors.alipay.simulator import HERE, AlipaySimulator
from connectors.rest.serve import serve

pytestmark = pytest.mark.timeout(600)  # the first run installs the clients
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
APP_KEY = rsa.generate_private_key(65537, 2048)
OWN_KEY = rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def vendor(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    return locked_python(pytestconfig, tmp_path_factory, "alipay", "the vendor's client")


@pytest.fixture(scope="module")
def public(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Apart from the vendor's: both call their package `alipay`."""
    return locked_python(pytestconfig, tmp_path_factory, "alipay_public", "python-alipay-sdk")


def pem(key: Any, form: str = "PKCS1") -> str:
    kind = s.PrivateFormat.TraditionalOpenSSL if form == "PKCS1" else s.PrivateFormat.PKCS8
    return str(key.private_bytes(s.Encoding.PEM, kind, s.NoEncryption()).decode())


def public_pem(key: Any) -> str:
    form = s.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(s.Encoding.PEM, form).decode())


SIGN = """
import json, sys
from alipay.aop.api.util.SignatureUtils import get_sign_content, sign_with_rsa2, verify_with_rsa
key, public, cases, mine = json.load(sys.stdin)
print(json.dumps({
    "content": [get_sign_content(case) for case in cases],
    "sign": [sign_with_rsa2(key, get_sign_content(case), "utf-8") for case in cases],
}))
"""


def cases() -> list[dict[str, str]]:
    """Return parameters of many kinds; none is empty: the vendor's client signs such, too."""
    texts = (
        "a",
        "中文 商品",
        "a=b&c=d",
        '{"bill_date":"2026-02-26","x":"a/b"}',
        "100%",
        "😀",
        " x ",
    )
    return [
        {"app_id": APP, "method": f"alipay.m{n}", "charset": "utf-8", "timestamp": at,
         "biz_content": text, "Zeta": "1", "_low": "2"}
        for n, text in enumerate(texts)
        for at in ("2026-02-26 09:00:00", "2026-12-31 23:59:59")
    ]  # fmt: skip


def test_our_signature_is_that_of_the_vendors_client(vendor: str) -> None:
    found = run_script(vendor, SIGN, keys.bare(pem(APP_KEY)), "", cases(), [])
    for form in ("PKCS1", "PKCS8"):
        for text in (pem(APP_KEY, form), keys.bare(pem(APP_KEY, form))):
            mine = keys.private_key(text)
            assert [keys.signature(mine, keys.content(c)) for c in cases()] == found["sign"]
    assert [keys.content(case).decode() for case in cases()] == found["content"]


USE = """
import json, sys
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayDataDataserviceBillDownloadurlQueryRequest import (
    AlipayDataDataserviceBillDownloadurlQueryRequest as LinkRequest)
from alipay.aop.api.request.AlipayDataBillAccountlogQueryRequest import (
    AlipayDataBillAccountlogQueryRequest as LogRequest)
from alipay.aop.api.response.AlipayDataBillAccountlogQueryResponse import (
    AlipayDataBillAccountlogQueryResponse as LogResponse)
from http.client import HTTPConnection
from alipay.aop.api.util import WebUtils
port, app, key, own, other = json.load(sys.stdin)
# The client connects to port 80 whatever its server_url says.
ours = port
class ToUs(HTTPConnection):
    def __init__(self, host, port, timeout):
        super().__init__(host, ours, timeout=timeout)
WebUtils.httplib.HTTPConnection = ToUs
url = "http://127.0.0.1/gateway.do"
def client(key, own):
    config = AlipayClientConfig()
    config.server_url, config.app_id = url, app
    config.app_private_key, config.alipay_public_key = key, own
    return DefaultAlipayClient(config)
def ask(request, content, client):
    request.biz_content = content
    return client.execute(request)
good, found = client(key, own), {}
found["link"] = json.loads(ask(LinkRequest(), {"bill_type": "signcustomer",
                                               "bill_date": "2026-02-26"}, good))
found["none"] = json.loads(ask(LinkRequest(), {"bill_type": "trade",
                                               "bill_date": "2026-02-26"}, good))
found["trade"] = json.loads(ask(AlipayTradeQueryRequest(), {"trade_no": "T1"}, good))
log = LogResponse()
log.parse_response_content(ask(LogRequest(), {"start_time": "2026-02-26 00:00:00",
    "end_time": "2026-02-27 00:00:00", "page_no": "1", "page_size": "2000"}, good))
found["log"] = [[e.account_log_id, e.trans_amount, e.direction] for e in log.detail_list]
found["total"] = log.total_size
try:
    ask(AlipayTradeQueryRequest(), {"trade_no": "T1"}, client(key, other))
except Exception as error:
    found["other key"] = "verify failed" in str(error)
print(json.dumps(found))
"""


def account() -> AlipaySimulator:
    system = AlipaySimulator(APP, APP_KEY.public_key(), OWN_KEY, now=lambda: NOW)
    at = datetime(2026, 2, 26, 9, tzinfo=HERE)
    system.put("account", movement("54632446", at, "88.88", 商品名称="a/b 茶杯"))
    system.put("account", movement("54632447", at + timedelta(seconds=1), "-0.53"))
    system.put("trades", trade("T1", "88.88", subject='a/b "茶杯" {x}'))
    return system


def test_the_vendors_client_reads_the_simulator(vendor: str) -> None:
    system = account()
    with serve(system) as url:
        mine = (keys.bare(pem(APP_KEY)), keys.bare(public_pem(OWN_KEY)))
        found = run_script(
            vendor, USE, int(url.rpartition(":")[2]), APP, *mine, keys.bare(public_pem(APP_KEY))
        )
    assert found["link"]["code"] == "10000"
    assert "/downloadBillFile.resource?" in found["link"]["bill_download_url"]
    assert (found["none"]["code"], found["none"]["sub_code"]) == ("40004", "isp.bill_not_exist")
    assert found["trade"]["subject"] == 'a/b "茶杯" {x}'
    assert found["log"] == [["54632446", "88.88", "收入"], ["54632447", "0.53", "支出"]]
    assert (found["total"], found["other key"]) == ("2", True)
    asked = [line.what for line in system.journal if line.kind == "request"]
    assert len(asked) == 5


PUBLIC = """
import json, sys
import alipay
url, app, key, own, cert, alipay_cert, root = json.load(sys.stdin)
plain = alipay.AliPay(app, None, key, own)
plain._gateway = url
found = {"trade": plain.server_api("alipay.trade.query", {"trade_no": "T1"}),
         "body": plain.sign_data({"app_id": app, "b": "中文 a=b", "a": "1"})}
certified = alipay.DCAliPay(app, key, cert, alipay_cert, root)
found["sns"] = [certified.app_cert_sn, certified.alipay_root_cert_sn,
                certified.get_cert_sn(alipay_cert)]
print(json.dumps(found))
"""


def certificate(key: Any, number: int, signer: Any) -> str:
    oid, name = x509.NameOID, x509.NameAttribute
    issuer = x509.Name([
        name(oid.COUNTRY_NAME, "CN"), name(oid.ORGANIZATION_NAME, "Ant Financial"),
        name(oid.ORGANIZATIONAL_UNIT_NAME, "Certification Authority"),
        name(oid.COMMON_NAME, f"Ant Financial Certification Authority R{number}"),
    ])  # fmt: skip
    made = (
        x509.CertificateBuilder().subject_name(issuer).issuer_name(issuer)
        .public_key(key.public_key()).serial_number(123456789012345678901 + number)
        .not_valid_before(NOW).not_valid_after(NOW + timedelta(days=9))
        .sign(signer, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(s.Encoding.PEM).decode()


def test_a_public_client_agrees_on_signatures_and_certificates(public: str) -> None:
    other = ec.generate_private_key(ec.SECP256R1())
    ours, theirs = certificate(APP_KEY, 1, OWN_KEY), certificate(OWN_KEY, 2, OWN_KEY)
    root = "\n".join((theirs, certificate(other, 3, other), certificate(OWN_KEY, 4, OWN_KEY)))
    system = account()
    with serve(system) as url:
        found = run_script(
            public, PUBLIC, f"{url}/gateway.do", APP, pem(APP_KEY), public_pem(OWN_KEY), ours,
            theirs, root,
        )  # fmt: skip
    assert found["trade"]["trade_status"] == "TRADE_SUCCESS"
    mine = keys.private_key(pem(APP_KEY))
    signed = keys.signature(mine, keys.content({"app_id": APP, "b": "中文 a=b", "a": "1"}))
    assert parse_qs(found["body"])["sign"] == [signed]
    own = [keys.certificates(text, "c") for text in (ours, root, theirs)]
    assert found["sns"] == [
        keys.serial(own[0][0]), keys.root_serial(own[1]), keys.serial(own[2][0]),
    ]  # fmt: skip
    assert found["sns"][1].count("_") == 1  # that of an elliptic curve does not count
