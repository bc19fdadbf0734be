"""The vendor's own client for Python against the simulator, and its signatures against ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import kingdee_world
import pytest
from kingdee_world import IDENTITY, SECRET
from own_environment import locked_python, run_script

from connectors.asgi import Reply
from connectors.base import Context, ReadRequest
from connectors.kingdee import KingdeeConnector
from connectors.kingdee.sample import order
from connectors.kingdee.settings import KingdeeSettings
from connectors.kingdee.signing import Identity
from connectors.kingdee.simulator import KingdeeSimulator
from connectors.rest.serve import serve

pytestmark = pytest.mark.timeout(600)  # the first run installs the client
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def python(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the interpreter of an environment with the vendor's client, made once."""
    return locked_python(pytestconfig, tmp_path_factory, "kingdee", "the vendor's client")


SIGN = """
import json, sys, time
from k3cloud_webapi_sdk.main import K3CloudApiSdk
made = []
for account, user, app, secret, language, organisation, url, at in json.load(sys.stdin)[0]:
    time.time = lambda: at
    sdk = K3CloudApiSdk("http://h/")
    sdk.InitConfig(account, user, app, secret, "http://h/", language, int(organisation))
    made.append(sdk.BuildHeader(url))
print(json.dumps(made))
"""
APPS = (
    "123456_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
    "9_" + "Zm9vYmFy" * 4,
    "1_short",
    "none",
    "a_b_c",
)
PATHS = ("/k3cloud/S.ExecuteBillQuery", "/K3Cloud/a~b_c.d-e", "/云星空/S.View", "/a%2Fb/x y")


def test_our_signature_is_that_of_the_vendors_client(python: str) -> None:
    cases = [
        ("60a1b2c3d4e5f6", user, app, "0123456789abcdef", language, organisation,
         f"https://erp.example.com{path}", 1700000000.9)
        for app in APPS
        for path in PATHS
        for user, language, organisation in (("integration", 2052, "100"), ("管理员", 1033, "0"))
    ]  # fmt: skip
    for case, theirs in zip(cases, run_script(python, SIGN, cases), strict=True):
        account, user, app, secret, language, organisation, url, at = case
        mine = Identity(account, user, app, secret, language, organisation)
        path = url.removeprefix("https://erp.example.com")
        ours = mine.headers(path, datetime.fromtimestamp(at, UTC))
        assert {name: theirs[name] for name in ours} == ours, case


USE = """
import json, sys
from k3cloud_webapi_sdk.main import K3CloudApiSdk
url, account, user, app, secret = json.load(sys.stdin)
def client(secret):
    sdk = K3CloudApiSdk(url)
    sdk.InitConfig(account, user, app, secret, url, org_num=100)
    return sdk
sdk, found = client(secret), {}
query = {"FormId": "SAL_SaleOrder", "FieldKeys": "FID,FBillNo,FAllAmount", "OrderString":
         "FID ASC,FSaleOrderEntry_FEntryId ASC", "FilterString": "FID > 1", "TopRowCount": 0,
         "StartRow": 1, "Limit": 3}
found["rows"] = json.loads(sdk.ExecuteBillQuery(query))
found["objects"] = json.loads(sdk.BillQuery(query))
found["top"] = json.loads(sdk.ExecuteBillQuery({**query, "TopRowCount": 2, "StartRow": 2}))
found["fields"] = json.loads(sdk.QueryBusinessInfo({"FormId": "SAL_SaleOrder"}))
found["view"] = json.loads(sdk.View("SAL_SaleOrder", {"Number": "XSDD0000002"}))
bad = {**query, "FieldKeys": "FID,FNoSuch"}
found["unknown"] = json.loads(sdk.ExecuteBillQuery(bad))
found["unknown object"] = json.loads(sdk.BillQuery(bad))
found["refused"] = json.loads(client("wrong").ExecuteBillQuery(query))
try:
    client(secret).ExecuteBillQuery(query)
except RuntimeError as error:
    found["broken"] = str(error)
print(json.dumps(found))
"""


def test_the_vendors_client_reads_the_simulator_and_so_do_we(python: str) -> None:
    erp = KingdeeSimulator(IDENTITY, now=lambda: NOW)
    for key in (1, 2, 3):
        lines = [{"FQty": n, "FTaxPrice": Decimal("1.5")} for n in range(1, key + 1)]
        erp.put("SAL_SaleOrder", order(key, lines))

    def last(number: int) -> None:
        erp.faults = [Reply(200, b"response_error: something broke")] if number == 9 else []

    erp.before = last
    with serve(erp) as url:
        base = f"{url}/k3cloud/"
        mine = (IDENTITY.account, IDENTITY.user, IDENTITY.app_id)
        found = run_script(python, USE, base, *mine, SECRET)
        opened = len(erp.sessions)
        erp.before = lambda number: None
        settings = {
            **kingdee_world.CONFIG, "base_url": base, "allow_private": "true", "rows": 2,
        }  # fmt: skip
        context = Context("erp", "Asia/Shanghai", secret=kingdee_world.SECRETS.__getitem__)
        one = KingdeeConnector(KingdeeSettings.model_validate(settings), context)
        records = [json.loads(bytes(r)) for p in one.read(ReadRequest("orders")) for r in p.records]
        one.close()
    assert found["rows"] == [
        [2, "XSDD0000002", 3.0], [3, "XSDD0000003", 1.5], [3, "XSDD0000003", 3.0],
    ]  # fmt: skip
    assert [list(row.values()) for row in found["objects"]] == found["rows"]
    assert found["top"] == []  # TopRowCount is the last row, not a page's size
    keys = [one["Key"] for one in found["fields"]["Result"]["NeedReturnData"]["Entrys"]]
    assert keys == ["FBillHead", "FSaleOrderEntry"]
    assert found["view"]["Result"]["Result"]["BillNo"] == "XSDD0000002"
    status = found["unknown"][0][0]["Result"]["ResponseStatus"]
    assert (status["MsgCode"], "FNoSuch" in status["Errors"][0]["Message"]) == (9, True)
    assert found["unknown object"][0]["Result"]["ResponseStatus"]["MsgCode"] == 9
    assert found["refused"][0][0]["Result"]["ResponseStatus"]["MsgCode"] == 1
    assert "something brok" in found["broken"]  # the client cuts signs off the end
    assert opened == 2  # one a client: it sends the session back; the refused one has none
    # Ours signs and reads the same over the same socket.
    assert [(r["FID"], len(r["lines"])) for r in records] == [(1, 1), (2, 2), (3, 3)]
