"""The contract's own records: rows become a document, byte by byte, and an error is known."""

from __future__ import annotations

import json

import pytest

from connectors.address import Url
from connectors.body import Body
from connectors.errors import ConfigError, ContractBroken
from connectors.http import Answer
from connectors.kingdee.catalogue import STREAMS
from connectors.kingdee.faults import RULES, explained
from connectors.kingdee.fields import fit, known_of
from connectors.kingdee.rows import Shape, documents, rows_of
from connectors.kingdee.signing import client_secret
from connectors.outcome import judge

HEAD = ("FID", "FBillNo", "FDate", "FDocumentStatus", "FCloseStatus", "FCustId.FNumber",
        "FSettleCurrId.FNumber", "FModifyDate")  # fmt: skip
LINE = ("FSaleOrderEntry_FEntryId", "FMaterialId.FNumber", "FQty", "FTaxPrice", "FAllAmount",
        "FStockOutQty")  # fmt: skip
ANSWER = b"""[[100231,"XSDD0002051","2026-11-20T00:00:00","C","A","CUST0012","PRE001",\
"2026-11-20T15:04:05.123",100871,"A-1001",10.0,113.0,1130.0,4.0],
 [100231,"XSDD0002051","2026-11-20T00:00:00","C","A","CUST0012","PRE001",\
"2026-11-20T15:04:05.123",100872,"A-1002",2.0,56.5,113.0,0.0]]"""
ERROR = """[[{"Result":{"ResponseStatus":{"ErrorCode":500,"IsSuccess":false,"Errors":[{"FieldName":\
null,"Message":"元数据中标识为FNoSuch的字段不存在","DIndex":0}],"SuccessEntitys":[],\
"SuccessMessages":[],"MsgCode":9}}}]]"""


def test_two_rows_of_one_head_are_a_document_with_two_lines() -> None:
    (found,) = documents(rows_of(Body(ANSWER), (*HEAD, *LINE)))
    record = found.record(Shape(HEAD, LINE))
    assert record.startswith(b'{"FID":100231,"FBillNo":"XSDD0002051",')
    assert record.endswith(
        b'{"FSaleOrderEntry_FEntryId":100872,"FMaterialId.FNumber":"A-1002","FQty":2.0,'
        b'"FTaxPrice":56.5,"FAllAmount":113.0,"FStockOutQty":0.0}]}'
    )
    assert [line["FQty"] for line in json.loads(record)["lines"]] == [10.0, 2.0]


@pytest.mark.parametrize("text", ["[[1, 2], [3]]", '[{"FID": 1}]', '{"a": 1}', "[1]", "7"])
def test_rows_of_another_form_are_refused(text: str) -> None:
    with pytest.raises(ContractBroken, match="not what the API promises"):
        rows_of(Body(text.encode()), ("FID", "FBillNo"))


def test_the_contract_s_error_is_known() -> None:
    body = Body(ERROR.encode())
    assert judge(200, body, RULES) == "skip"
    url = Url("http://erp.example", "/k3cloud/")
    error = explained(Answer("skip", 200, {}, body, url), "SAL_SaleOrder")
    assert isinstance(error, ConfigError)
    assert "FNoSuch" in error.what
    assert "names:" in error.do


def test_no_row_of_data_is_taken_for_an_error() -> None:
    note = json.dumps([[1, "会话信息已丢失，请重新登录 MsgCode 1 ctx == null response_error:"]])
    assert judge(200, Body(note.encode()), RULES) == "ok"


def test_fields_are_spelled_as_the_metadata_have_them() -> None:
    entities = [
        {"Key": "FBillHead", "Fields": [{"Key": "FBILLNO"}, {"Key": "FModifyDate"}]},
        {"Key": "fSaleOrderEntry", "Fields": [{"Key": "FQTY"}, {"Key": "F_AB_Colour"}]},
    ]
    body = Body(json.dumps({"Result": {"NeedReturnData": {"Entrys": entities}}}).encode())
    found = fit(STREAMS["orders"], {}, ("f_ab_colour", "F_AB_None"), known_of(body))
    assert found.asked == (
        "FID", "FBILLNO", "FModifyDate", "fSaleOrderEntry_FEntryId", "FQTY", "F_AB_Colour",
    )  # fmt: skip
    assert found.shape.head == ("FID", "FBillNo", "FModifyDate")
    assert found.shape.line == ("FSaleOrderEntry_FEntryId", "FQty", "f_ab_colour")
    assert {"FNote", "FAllAmount", "F_AB_None"} <= set(found.missing)
    assert (found.open, found.org) == ("", "")
    assert known_of(Body(b'{"Result": {"NeedReturnData": null}}')) is None


def test_an_app_id_that_was_copied_wrong_is_told_without_it() -> None:
    with pytest.raises(ConfigError, match="The 32 signs of app_id") as raised:
        client_secret("123456_" + "A" * 31 + "*")
    assert "AAA" not in str(raised.value)
