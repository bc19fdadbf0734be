"""A 用友 U8 account in SQLite: the tables and columns that the ready queries name, a small company.

`FIRST` is one order that a person can check by hand; `many` adds orders whose numbers come from a
seeded generator.
"""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

from erp_tables import fill, make

TABLES = Path(__file__).with_name("erp_u8_tables.txt")
ROWVERSIONS = {
    "Customer": "pubufts", "Inventory": "pubufts", "SO_SOMain": "ufts", "SO_SODetails": "dUfts",
    "DispatchList": "ufts", "SaleBillVouch": "ufts", "Ap_CloseBill": "ufts",
}  # fmt: skip
ITEMS = {"A-100": ("不锈钢保温杯", 113), "A-200": ("陶瓷马克杯", 56.5), "B-300": ("竹制托盘", 33.9)}
BOSS = "审核甲"
NOON = "2026-11-20 12:00:00"


def line(number: int, order: int, row: int, item: str, quantity: float | None, **more: Any) -> Any:
    """Return a row of SO_SODetails: 13 % tax, amounts of the order's currency."""
    name, price = ITEMS[item]
    total = round((quantity or 0) * price, 2)
    net = round(total / 1.13, 2)
    return {
        "iSOsID": number, "ID": order, "iRowNo": row, "cInvCode": item, "cInvName": name,
        "iQuantity": quantity, "iFHQuantity": None, "iUnitPrice": round(price / 1.13, 10),
        "iTaxUnitPrice": price, "iTaxRate": 13, "iDisCount": 0, "iMoney": net,
        "iTax": round(total - net, 2), "iSum": total, "iNatSum": total,
        "dPreDate": "2026-11-30 00:00:00", "cFree1": "红色" if row == 1 else None,
    } | more  # fmt: skip


def order(number: int, customer: str, **more: Any) -> dict[str, Any]:
    """Return a row of SO_SOMain, verified."""
    return {
        "ID": number, "cSOCode": f"XS{number}", "dDate": "2026-11-20 00:00:00",
        "cCusCode": customer, "cCusName": f"客户{customer}", "cSTCode": "01",
        "cBusType": "普通销售", "cDepCode": "0201", "cPersonCode": "P01", "cexch_name": "人民币",
        "iExchRate": 1, "cVerifier": BOSS, "dcreatesystime": "2026-11-20 09:30:00",
        "dverifysystime": "2026-11-20 10:00:00",
    } | more  # fmt: skip


def account(path: Path) -> sqlite3.Connection:
    """Make a small account of every kind of document, status and trap."""
    con = make(path, TABLES.read_text("utf-8"), ROWVERSIONS)
    fill(con, "CustomerClass", [{"cCCCode": "01", "cCCName": "经销商"}])
    fill(con, "Customer", [
        {"cCusCode": f"C{n}", "cCusName": f"客户{n}有限公司", "cCusAbbName": f"客户{n}",
         "cCCCode": "01", "cCusRegCode": f"9131000000000000{n}X", "cCusPerson": f"联系人{n}",
         "cCusHand": f"1380000000{n}", "iCusCreLine": 50000, "dCusDevDate": "2020-01-01 00:00:00",
         "dEndDate": "2025-12-31 00:00:00" if n == 3 else None} for n in (1, 2, 3)
    ])  # fmt: skip
    fill(con, "InventoryClass", [{"cInvCCode": "A", "cInvCName": "成品"}])
    fill(con, "ComputationUnit", [{"cComunitCode": "1", "cComUnitName": "个"}])
    fill(con, "Inventory", [
        {"cInvCode": code, "cInvName": name, "cInvStd": "500ml", "cInvCCode": "A",
         "cComUnitCode": "1", "bService": 0, "bInvBatch": 1, "iTaxRate": 13}
        for code, (name, _) in ITEMS.items()
    ])  # fmt: skip
    fill(con, "Warehouse", [{"cWhCode": "W1", "cWhName": "成品仓", "bFreeze": 0},
                            {"cWhCode": "W2", "cWhName": "退货仓", "bFreeze": 0}])  # fmt: skip
    fill(con, "CurrentStock", [
        {"cWhCode": "W1", "cInvCode": "A-100", "ItemId": 1, "cFree1": "红色", "iQuantity": 380,
         "fOutQuantity": 6},
        {"cWhCode": "W1", "cInvCode": "A-100", "ItemId": 2, "cFree1": "蓝色", "iQuantity": 20},
        {"cWhCode": "W1", "cInvCode": "A-200", "ItemId": 3, "cBatch": "20261101", "iQuantity": 64},
        {"cWhCode": "W2", "cInvCode": "A-200", "ItemId": 3, "cBatch": "20261101"},
        {"cWhCode": "W2", "cInvCode": "B-300", "ItemId": 4, "iQuantity": 5, "bStopFlag": 1},
    ])  # fmt: skip
    fill(con, "SO_SOMain", [
        order(1001, "C1"),
        order(1002, "C2", cVerifier=None, dverifysystime=None),
        order(1003, "C1", cCloser=BOSS, dclosesystime=NOON),
        order(1004, "C2", cexch_name="美元", iExchRate=7.1),
        order(1005, "C3", bReturnFlag=1),
        order(1006, "C1"),
    ])  # fmt: skip
    fill(con, "SO_SODetails", [
        line(11, 1001, 1, "A-100", 10, iFHQuantity=6),
        line(12, 1001, 2, "A-200", 2),
        line(13, 1002, 1, "B-300", None),
        line(14, 1003, 1, "A-200", 4, iFHQuantity=4, cSCloser=BOSS),
        line(15, 1004, 1, "B-300", 3, iNatSum=722.07),
        line(16, 1005, 1, "A-100", -1),
        line(17, 1006, 1, "A-100", 10),
        line(18, 1006, 2, "A-200", -1),
    ])  # fmt: skip
    fill(con, "DispatchList", [
        {"DLID": 501, "cDLCode": "FH501", "cVouchType": "05", "dDate": "2026-11-21 00:00:00",
         "cCusCode": "C1", "cVerifier": BOSS, "dcreatesystime": NOON},
        {"DLID": 502, "cDLCode": "FH502", "cVouchType": "05", "dDate": "2026-11-21 00:00:00",
         "cCusCode": "C1", "dcreatesystime": NOON},
        {"DLID": 503, "cDLCode": "TH503", "cVouchType": "05", "dDate": "2026-11-21 00:00:00",
         "cCusCode": "C1", "bReturnFlag": 1, "cVerifier": BOSS, "dcreatesystime": NOON},
        {"DLID": 504, "cDLCode": "WT504", "cVouchType": "06", "dDate": "2026-11-21 00:00:00",
         "cCusCode": "C1", "cVerifier": BOSS, "dcreatesystime": NOON},
    ])  # fmt: skip
    fill(con, "DispatchLists", [
        {"DLID": d, "iDLsID": n, "irowno": 1, "cWhCode": w, "cInvCode": i, "iQuantity": q,
         "iSOsID": s} for n, d, w, i, q, s in (
            (71, 501, "W1", "A-100", 6, 11), (72, 502, "W1", "A-200", 2, 12),
            (73, 502, "W2", "A-200", 4, 14), (74, 503, "W2", "A-100", -1, 11),
            (75, 504, "W1", "A-100", 1, None))
    ])  # fmt: skip
    fill(con, "SaleBillVouch", [
        {"SBVID": n, "cSBVCode": f"FP{n}", "cVouchType": kind, "dDate": "2026-11-22 00:00:00",
         "cCusCode": "C1", "cCusName": "客户1有限公司", "cexch_name": "人民币", "iExchRate": 1,
         "dcreatesystime": NOON} | more
        for n, kind, more in (
            (301, "26", {"cChecker": BOSS, "cSOCode": "XS1001", "dGatheringDate": "2026-12-22"}),
            (302, "27", {}), (303, "26", {"bReturnFlag": 1, "cChecker": BOSS}),
            (304, "27", {"cInvalider": BOSS}), (305, "29", {"cChecker": BOSS}))
    ])  # fmt: skip
    fill(con, "SaleBillVouchs", [
        {"SBVID": b, "cInvCode": "A-100", "iQuantity": q, "iTaxUnitPrice": 113, "iMoney": q * 100,
         "iTax": q * 13, "iSum": q * 113, "iSOsID": s, "iTaxRate": 13}
        for b, q, s in ((301, 6, 11), (302, 2, 12), (303, -1, 11), (304, 1, None), (305, 9, None))
    ])  # fmt: skip
    fill(con, "Ap_CloseBill", [
        {"iID": n, "cVouchType": kind, "cFlag": flag, "cVouchID": f"SK{n}", "cDwCode": "C1",
         "dVouchDate": "2026-11-23 00:00:00", "cexch_name": "人民币", "iExchRate": 1,
         "iAmount": amount, "iAmount_f": amount, "cSSCode": "2", "cCheckMan": man,
         "dcreatesystime": NOON}
        for n, kind, flag, amount, man in (
            (901, "48", "AR", 678, BOSS), (902, "48", "AR", 100.1, None),
            (903, "48", "AR", -13, BOSS), (904, "49", "AP", 5000, BOSS),
            (905, "49", "AR", 20, BOSS), (906, "48", "AP", 7, BOSS))
    ])  # fmt: skip
    return con


def many(con: sqlite3.Connection, count: int, seed: int = 7) -> None:
    """Add orders 2001 and on, of one to four lines each."""
    dice = random.Random(seed)
    number = 10_000
    orders, lines = [], []
    for n in range(2001, 2001 + count):
        orders.append(order(n, dice.choice(["C1", "C2", "C3"])))
        for row in range(1, dice.randint(1, 4) + 1):
            number += 1
            item = dice.choice(sorted(ITEMS))
            lines.append(line(number, n, row, item, round(dice.uniform(0.5, 40), 3)))
    fill(con, "SO_SOMain", orders)
    fill(con, "SO_SODetails", lines)
