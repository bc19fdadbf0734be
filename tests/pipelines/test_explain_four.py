"""`isthmus explain` of an order that shop, OMS, ERP and CRM each know in part, as printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from file_connections import connection, write_all

from pipelines.cli import main
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.identity import golden_id

LINES = """children:
  lines:
    each: rows
    key: line
    fields:
      sku: sku
      quantity: quantity
      unit_price: price
"""
HEAD = "entity: order\ngroup: id\nkey: id\nversion: changed\nfields:\n"
SHOP = f"""{HEAD}  number: name
  platform_order_no: id
  channel: source
  kind: "'sale'"
  status:
    value: state
    words: {{OPEN: confirmed, CLOSED: closed}}
  placed_at: created
  currency: currency
  total: total
  merchant_order_no: name
  ship_to_city: city
  payment_method: gateway
  source_updated_at: changed
{LINES}"""
OMS = f"""{HEAD}  number: id
  platform_order_no: so_id
  status:
    value: status
    words: {{WaitConfirm: pending_approval, Delivering: processing, Sent: completed}}
  shipped_at: send_date
  currency: "'CNY'"
  total: pay_amount
  ship_to_city: upper(receiver_city)
  location_key: wms
  source_updated_at: changed
{LINES}"""
ERP = f"""{HEAD}  number: id
  platform_order_no: src
  currency: "'CNY'"
  tax_total: tax
  total: amount
  order_date: day
  price_list: price_list
  salesperson_key: seller
  source_updated_at: changed
{LINES}"""
CRM = f"""{HEAD}  number: id
  merchant_order_no: erp_no
  po_number: customer_no
  currency: "'CNY'"
  total: expected
  salesperson_key: lower(owner)
  promised_at: promised
  source_updated_at: changed
{LINES}"""
MAPPINGS = {"shop": SHOP, "oms": OMS, "erp": ERP, "crm": CRM}
RECORDS = {
    "shop": """\
id,name,source,state,created,currency,total,city,gateway,changed,line,sku,quantity,price
90017,#SO1017,web,OPEN,2026-03-01T02:10:00Z,CNY,356,杭州,alipay,2026-03-01T02:11:00Z,1,TEA-01,2,128
90017,#SO1017,web,OPEN,2026-03-01T02:10:00Z,CNY,356,杭州,alipay,2026-03-01T02:11:00Z,2,CUP-07,1,100
90018,#SO1018,web,OPEN,2026-03-01T03:10:00Z,CNY,128,上海,alipay,2026-03-01T03:11:00Z,1,TEA-01,1,128
""",
    "oms": """\
id,so_id,status,send_date,pay_amount,receiver_city,wms,changed,line,sku,quantity,price
O5531,SO1017,Sent,2026-03-02T09:30:00Z,356,hangzhou,WH-2,2026-03-02T09:31:00Z,1,TEA-01,2,128
O5531,SO1017,Sent,2026-03-02T09:30:00Z,356,hangzhou,WH-2,2026-03-02T09:31:00Z,2,CUP-07,1,100
O5532,SO1018,Delivering,,128,shanghai,WH-2,2026-03-02T09:31:00Z,1,TEA-01,1,128
""",
    "erp": """\
id,src,amount,tax,day,price_list,seller,changed,line,sku,quantity,price
XSDD7001,O5531,350,40.27,2026-03-02,RETAIL-2026,E-14,2026-03-02T10:00:00Z,1,TEA-01,2,125
XSDD7001,O5531,350,40.27,2026-03-02,RETAIL-2026,E-14,2026-03-02T10:00:00Z,2,CUP-07,1,100
XSDD7002,,9000,1035.40,2026-03-02,WHOLESALE,E-02,2026-03-02T10:05:00Z,1,TEA-01,90,100
""",
    "crm": """\
id,erp_no,customer_no,expected,owner,promised,changed,line,sku,quantity,price
D-88,XSDD7001,PO-3310,360,WANG,2026-03-05T00:00:00Z,2026-03-02T11:00:00Z,1,TEA-01,2,130
""",
}
COMPANY = """type: pipelines.Company
attributes:
  priority: {order.status: [oms], order.salesperson_key: [crm, erp]}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("company")
    write_all(root, {"defs/company/defs.yaml": COMPANY})
    for name, mapping in MAPPINGS.items():
        write_all(root, {
            f"defs/{name}/defs.yaml": connection(name, orders="id"),
            f"mappings/{name}/orders.yaml": mapping,
            f"inbox/{name}/orders.csv": RECORDS[name],
        })  # fmt: skip
    space = Workspace.discover({}, start=root)
    for name in ("crm", "erp", "oms", "shop"):  # the order that was placed comes last
        outcome = sync_stream(space, name, "orders")
        assert outcome.error is None
        assert outcome.quarantined == 0
    assert unify_publish(space).error is None
    space.control.close()
    return root


@pytest.fixture
def printed(
    company: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.chdir(company)
    monkeypatch.setenv("ISTHMUS_LANG", "en")
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["explain", "order", "SO1017", "--lines"]) == 0
    return capsys.readouterr().out


def test_the_four_records_are_named_with_what_joined_them(printed: str) -> None:
    head, records, documents, *_ = printed.split("\n\n")
    assert head == f"order {golden_id('order', 'crm', 'orders', 'D-88')} #SO1017"
    assert {tuple(cells[:2]) for cells in _rows(records)} == {
        ("shop/orders/90017", "deterministic"), ("oms/orders/O5531", "deterministic"),
        ("erp/orders/XSDD7001", "deterministic"), ("crm/orders/D-88", "founder"),
    }  # fmt: skip
    assert "merchant_order_no = number" in records
    assert records.count("platform_order_no = number") == 2
    roles = {cells[0].split("/")[0]: cells[1] for cells in _rows(documents)}
    assert roles == {"shop": "placed", "oms": "processed", "erp": "processed", "crm": "processed"}


@pytest.mark.parametrize(
    ("field", "value", "origin", "expression", "lost"),
    [
        ("total", "356.0000", "shop", "total", "crm: 360.0000; erp: 350.0000"),
        ("status", "completed", "oms", "status", "shop: confirmed"),
        ("salesperson_key", "wang", "crm", "lower(owner)", "erp: E-14"),
        ("ship_to_city", "杭州", "shop", "city", "oms: HANGZHOU"),
        ("price_list", "RETAIL-2026", "erp", "price_list", ""),
        ("location_key", "WH-2", "oms", "wms", ""),
        ("po_number", "PO-3310", "crm", "customer_no", ""),
    ],
)
def test_a_value_names_who_won_where_it_was_made_and_who_lost(
    printed: str, field: str, value: str, origin: str, expression: str, lost: str
) -> None:
    fields = printed.split("\n\n")[3]
    (cells,) = [cells for cells in _rows(fields) if cells[0] == field]
    assert cells[1:4] == [value, f"{origin}/orders", "1:1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\dZ", cells[4])
    file, line = cells[5].split(":")
    assert file == f"mappings/{origin}/orders.yaml"
    assert MAPPINGS[origin].splitlines()[int(line) - 1].endswith(f" {expression}")
    assert cells[6] == expression
    assert cells[7:] == ([lost] if lost else [])


def test_the_lines_are_those_of_what_was_placed(printed: str) -> None:
    first, second = printed.split("\n\n")[4:]
    for told, sku, key in ((first, "TEA-01", "1"), (second, "CUP-07", "2")):
        assert told.startswith(f"order_line shop/orders/90017/{key}\n")
        said = {cells[0]: cells for cells in _rows(told)}
        assert said["sku"][1:3] == [sku, "shop/orders"]
        file, line = said["sku"][5].split(":")
        assert file == "mappings/shop/orders.yaml"
        assert SHOP.splitlines()[int(line) - 1] == "      sku: sku"


def _rows(table: str) -> list[list[str]]:
    """Return the cells of the rows of a printed table, those that are empty at its end left out."""
    rows = table.strip().splitlines()
    start = next(n for n, row in enumerate(rows) if set(row) == {"─"})
    return [re.split(r"\s{2,}", row.strip()) for row in rows[start + 1 :]]
