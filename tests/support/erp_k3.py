"""A 金蝶 K/3 account in SQLite: the tables and columns that the ready queries name, a few rows."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from erp_tables import fill, make

TABLES = Path(__file__).with_name("erp_k3_tables.txt")
ROWVERSIONS = {"t_ICItem": "FModifyTime", "SEOrder": "FOperDate", "ICStockBill": "FOperDate"}
DAY = "2026-11-20 00:00:00"


def order(number: int, customer: int, **more: Any) -> dict[str, Any]:
    """Return a row of SEOrder, approved."""
    return {
        "FInterID": number, "FBillNo": f"SEORD{number}", "FDate": DAY, "FCustID": customer,
        "FCurrencyID": 1, "FExchangeRate": 1, "FStatus": 1, "FCheckerID": 9, "FCheckDate": DAY,
    } | more  # fmt: skip


def line(order: int, row: int, item: int, quantity: float, price: float, **more: Any) -> Any:
    """Return a row of SEOrderEntry: 13 % tax."""
    total = round(quantity * price, 2)
    net = round(total / 1.13, 2)
    return {
        "FInterID": order, "FEntryID": row, "FItemID": item, "FUnitID": 5, "FAuxQty": quantity,
        "FAuxPrice": round(price / 1.13, 10), "FAuxTaxPrice": price, "FAuxPriceDiscount": price,
        "FCess": 13, "FAmount": net, "FTaxAmt": round(total - net, 2), "FAllAmount": total,
        "FAllStdAmount": total, "FDate": "2026-12-01 00:00:00",
    } | more  # fmt: skip


def account(path: Path) -> sqlite3.Connection:
    """Make a small account of every kind of document, status and trap."""
    con = make(path, TABLES.read_text("utf-8"), ROWVERSIONS)
    fill(con, "t_Organization", [
        {"FItemID": n, "FNumber": f"01.0{n}", "FName": f"客户{n}有限公司", "FShortName": f"客户{n}",
         "FDeleted": int(n == 3)} for n in (1, 2, 3)
    ])  # fmt: skip
    fill(con, "t_MeasureUnit", [{"FMeasureUnitID": 5, "FName": "个"}])
    fill(con, "t_Currency", [{"FCurrencyID": 1, "FNumber": "RMB", "FName": "人民币"},
                             {"FCurrencyID": 2, "FNumber": "USD", "FName": "美元"}])  # fmt: skip
    fill(con, "t_ICItem", [
        {"FItemID": n, "FNumber": f"A.{n}", "FName": name, "FUnitID": 5, "FBatchManager": 1,
         "FErpClsID": 2} for n, name in ((100, "不锈钢保温杯"), (200, "陶瓷马克杯"))
    ])  # fmt: skip
    fill(con, "t_Stock", [{"FItemID": 11, "FNumber": "W1", "FName": "成品仓", "FTypeID": 500}])
    fill(con, "ICInventory", [
        {"FItemID": 100, "FStockID": 11, "FQty": 380.5, "FBatchNo": "20261101"},
        {"FItemID": 100, "FStockID": 11, "FQty": 20},
        {"FItemID": 200, "FStockID": 11, "FQty": None},
    ])  # fmt: skip
    fill(con, "SEOrder", [
        order(1001, 1),
        order(1002, 2, FStatus=0, FCheckerID=0, FCheckDate=None),
        order(1003, 1, FClosed=1, FStatus=3),
        order(1004, 2, FCancellation=1, FCurrencyID=2, FExchangeRate=7.1),
        order(1005, 1, FChangeMark=1),  # what it was before it was changed
    ])  # fmt: skip
    fill(con, "SEOrderEntry", [
        line(1001, 1, 100, 10, 113, FAuxStockQty=6), line(1001, 2, 200, 2, 56.5),
        line(1002, 1, 200, 1, 56.5), line(1003, 1, 200, 4, 56.5, FAuxStockQty=4),
        line(1004, 1, 100, 3, 33.9), line(1005, 1, 100, 99, 113),
    ])  # fmt: skip
    fill(con, "ICStockBill", [
        {"FInterID": n, "FTranType": kind, "FBillNo": f"XOUT{n}", "FDate": DAY, "FSupplyID": 1,
         "FStatus": 1} | more
        for n, kind, more in ((501, 21, {}), (502, 21, {"FStatus": 0}), (503, 21, {"FROB": -1}),
                              (504, 21, {"FCancellation": 1}), (505, 24, {}))
    ])  # fmt: skip
    fill(con, "ICStockBillEntry", [
        {"FInterID": b, "FEntryID": 1, "FItemID": i, "FUnitID": 5, "FAuxQty": q, "FDCStockID": 11,
         "FOrderInterID": o, "FOrderEntryID": r, "FOrderBillNo": f"SEORD{o}" if o else ""}
        for b, i, q, o, r in ((501, 100, 6, 1001, 1), (502, 200, 4, 1003, 1), (503, 100, -1, 0, 0),
                              (504, 100, 1, 0, 0), (505, 100, 1, 0, 0))
    ])  # fmt: skip
    fill(con, "ICSale", [
        {"FInterID": n, "FTranType": kind, "FBillNo": f"FP{n}", "FDate": DAY, "FCustID": 1,
         "FCurrencyID": 1, "FExchangeRate": 1, "FStatus": 1} | more
        for n, kind, more in ((301, 80, {}), (302, 86, {"FStatus": 0}), (303, 80, {"FROB": -1}),
                              (304, 86, {"FCancellation": 1}), (305, 76, {}))
    ])  # fmt: skip
    fill(con, "ICSaleEntry", [
        {"FInterID": b, "FEntryID": 1, "FItemID": 100, "FUnitID": 5, "FAuxQty": q,
         "FAuxTaxPrice": 113, "FTaxRate": 13, "FAmount": q * 100, "FTaxAmount": q * 13,
         "FAmountincludetax": whole, "FOrderInterID": o}
        for b, q, whole, o in ((301, 6, 678, 1001), (302, 2, 0, 0), (303, -1, -113, 1001),
                               (304, 1, 113, 0), (305, 1, 113, 0))
    ])  # fmt: skip
    fill(con, "t_RP_NewReceiveBill", [
        {"FBillID": n, "FClassTypeID": kind, "FNumber": f"XSKD{n}", "FDate": DAY, "FFincDate": DAY,
         "FCustomer": 1, "FCurrencyID": 1, "FExchangeRate": 1, "FAmountFor": amount,
         "FAmount": amount, "FStatus": 1, "FChecker": man}
        for n, kind, amount, man in ((901, 1000005, 678, 9), (902, 1000005, 100.1, 0),
                                     (903, 1000005, -13, 9), (904, 1000015, 7, 9))
    ])  # fmt: skip
    return con
