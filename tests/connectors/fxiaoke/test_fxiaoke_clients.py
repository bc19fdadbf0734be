"""Two independent clients against the simulator: what they read there is what we read there.

The vendor has no client of its own; fxiaoke-python and crm-cli were written by others against real
tenants, in the legacy convention. Their host is fixed, so it is replaced by the simulator's.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from fxiaoke_world import CODE, IDENTITY, LEGACY, MOBILE, SECRET, SECRETS
from own_environment import locked_python, run_script

from connectors.base import Context, ReadRequest
from connectors.fxiaoke import FxiaokeConnector
from connectors.fxiaoke.sample import oid, order, record
from connectors.fxiaoke.settings import FxiaokeSettings
from connectors.fxiaoke.simulator import FxiaokeSimulator
from connectors.rest.serve import serve

pytestmark = pytest.mark.timeout(600)  # the first run installs the clients
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def python(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the interpreter of an environment with both clients, made once."""
    return locked_python(pytestconfig, tmp_path_factory, "fxiaoke", "the clients of fxiaoke")


USE = """
import json, sys
import requests
base, app, secret, code, user, mobile, low, high = json.load(sys.stdin)
posted = requests.Session.request
def to_the_simulator(self, method, url, **how):
    return posted(self, method, url.replace("https://open.fxiaoke.com", base), **how)
requests.Session.request = to_the_simulator
from fxiaoke.api import Cursor, FxiaokeApi
from fxiaoke.baseObj import baseObj
api = FxiaokeApi.init(app, secret, code, user)
thing, found = baseObj(), {}
def walk(name, filters, limit):
    search = {"limit": limit, "offset": 0, "filters": filters, "fieldProjection": [],
              "orders": [{"fieldName": "_id", "isAsc": True}]}
    data = {"dataObjectApiName": name, "search_query_info": search, "find_explicit_total_num": True}
    return list(Cursor(params={"data": data}, api=api, node_id="data", endpoint="query"))
between = {"field_name": "last_modified_time", "operator": "BETWEEN", "field_values": [low, high]}
found["orders"] = walk("SalesOrderObj", [between], 5)
found["lines"] = walk("SalesOrderProductObj", [], 100)
found["first"] = list(thing.query("SalesOrderObj", limit=5))
found["own"] = list(thing.query("machine__c"))
found["fields"] = thing.describe("CasesObj")["describe"]["fields"]
found["one"] = thing.get(found["first"][0]["_id"], "SalesOrderObj")
def refused(**how):
    try:
        thing.query("SalesOrderObj", **how)
    except RuntimeError as error:
        return str(error)
found["limit"] = refused(limit=101)
found["offset"] = refused(limit=100, offset=10100)
found["odd"] = refused(limit=100, offset=150)
from src.describe import DescribeClient
from src.fxiaoke_auth import TokenManager
from src.query import LeadQueryClient
tokens = TokenManager(app, secret, code, mobile)
lead = LeadQueryClient(tokens).query_by_email("li@example.com")
found["lead"] = [lead.lead_id, lead.company]
found["nobody"] = LeadQueryClient(tokens).query_by_email("x@example.com")
found["label"] = DescribeClient(tokens).describe_field("CasesObj", "title__c").label
found["user"] = tokens.get_current_open_user_id()
found["wrong"] = TokenManager(app, "wrong", code).get_corp_access_token()
print(json.dumps(found))
"""


def tenant() -> FxiaokeSimulator:
    crm = FxiaokeSimulator(IDENTITY, now=lambda: NOW)
    for number in range(1, 14):
        head, *lines = order(number, [{"quantity": "2", "sales_price": "1.5"}] * (number % 3))
        crm.put("SalesOrderObj", head, at=NOW - timedelta(hours=number))
        for one in lines:
            crm.put("SalesOrderProductObj", one)
    crm.put("machine__c", record("machine__c", 1))
    lead = record("LeadsObj", 1, company="上海某某", email="li@example.com")
    crm.put("LeadsObj", lead)
    return crm


def test_the_clients_read_the_simulator_and_we_read_the_same(python: str) -> None:
    crm = tenant()
    low, high = (int((NOW - timedelta(hours=hours)).timestamp() * 1000) for hours in (12, 2))
    with serve(crm) as url:
        mine = (IDENTITY.app_id, SECRET, CODE, IDENTITY.open_user, MOBILE)
        found = run_script(python, USE, url, *mine, low, high)
        codes = {line.code for line in crm.journal if line.kind == "request"}
        settings = {**LEGACY, "base_url": url, "allow_private": "true", "rows": 5}
        context = Context("crm", "Asia/Shanghai", secret=SECRETS.__getitem__)
        one = FxiaokeConnector(FxiaokeSettings.model_validate(settings), context)
        ours = [json.loads(bytes(r)) for p in one.read(ReadRequest("orders")) for r in p.records]
        one.close()
    assert codes == {0, 10013, 10006}
    ids = [oid("SalesOrderObj", number) for number in range(2, 13)]
    assert [row["_id"] for row in found["orders"]] == ids  # three pages, BETWEEN
    assert len(found["first"]) == 5  # total is 0 where nobody asks, so that client stops there
    assert [row["_id"] for row in found["own"]] == [oid("machine__c", 1)]
    assert found["fields"]["title__c"]["label"] == found["label"] == "工单主题"
    assert found["one"]["_id"] == found["first"][0]["_id"]
    assert "limit out of range 100" in found["limit"]
    assert "offset out of range 10000" in found["offset"]
    assert "multiple of limit" in found["odd"]
    assert found["lead"] == [oid("LeadsObj", 1), "上海某某"]
    assert (found["nobody"], found["wrong"]) == (None, None)
    assert found["user"] == IDENTITY.open_user
    # Ours reads over the same socket, in the same convention, what they read.
    assert [row["_id"] for row in ours if row["_id"] in ids] == ids
    theirs = {row["_id"]: row for row in found["orders"]}
    assert all(row["order_amount"] == theirs[row["_id"]]["order_amount"] for row in ours[1:12])
    lines = [part["_id"] for row in ours for part in row["lines"]]
    assert lines == [row["_id"] for row in found["lines"]]
