"""Forms and records of an account as the WebAPI shows them, for tests and the sample company.

Keys are spelled as one account has them: some differ in case from the catalogue, as they do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.simulated import URL, Simulated

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Form:
    """A form: the key of a record, the entity of its lines and their key, and its fields.

    `heads` are the fields of the metadata's entity FBillHead with what a new record has in them,
    `lines` those of `entity`.
    """

    key: str
    heads: Record
    entity: str = ""
    lines: Record | None = None

    @property
    def line(self) -> str:
        """Return the key of a line, "" where the form has none."""
        return f"{self.entity}_FEntryId" if self.entity else ""


def _none(text: str) -> Record:
    return dict.fromkeys(text.split())


_STATE = {"FDocumentStatus": "C", "FCreateDate": None, "FModifyDate": None}
_BILL = {**_STATE, "FBillNo": None, "FCancelStatus": "A", "FApproveDate": None}
_MASTER = {
    **_STATE, "FMasterId": 0, "FNumber": None, "FName": None, "FForbidStatus": "A",
    "FCreateOrgId.FNumber": "100", "FUseOrgId.FNumber": "100",
}  # fmt: skip
_LIST = {"FNumber": None, "FName": None, "FForbidStatus": "A", "FModifyDate": None}
_GOODS = _none("FSeq FMaterialId.FNumber FMaterialId.FName FMaterialId.FSpecification")
_MOVED = _none("FMaterialID.FNumber FMaterialID.FName FStockID.FNumber FLot.FNumber")
_RATE = {"FSettleCurrId.FNumber": "PRE001", "FExchangeRate": 1}
_DUE = {
    **_BILL, "FDATE": None, "FENDDATE_H": None, "FALLAMOUNTFOR": 0, "FNOTAXAMOUNTFOR": 0,
    "FCURRENCYID.FNumber": "PRE001", "FWRITTENOFFSTATUS": "A", "FOPENSTATUS": "A",
    "FSETTLEORGID.FNumber": "100", "FExchangeRate": 1,
}  # fmt: skip
_DUE_LINES = _none(
    "FSeq FMATERIALID.FNumber FMATERIALID.FName FPRICEUNITID.FNumber FPriceQty FTaxPrice "
    "FEntryTaxRate FNoTaxAmountFor_D FTAXAMOUNTFOR_D FALLAMOUNTFOR_D FSOURCETYPE FSourceBillNo"
)
_MONEY = {
    **_BILL, "FDATE": None, "FCONTACTUNITTYPE": "BD_Customer", "FCURRENCYID.FNumber": "PRE001",
    "FSETTLEORGID.FNumber": "100", **_none("FCONTACTUNIT.FNumber FCONTACTUNIT.FName FREMARK"),
}  # fmt: skip

FORMS: Mapping[str, Form] = {
    "ORG_Organizations": Form("FOrgID", dict(_LIST)),
    "BD_UNIT": Form("FUnitID", dict(_LIST)),
    "BD_Currency": Form("FCURRENCYID", {**_LIST, "FCODE": None}),
    "BD_Rate": Form(
        "FRateID",
        {"FRATETYPEID.FNumber": "HLTX01_SYS", "FCyForID.FNumber": "PRE007",
         "FCyToID.FNumber": "PRE001", "FDocumentStatus": "C", "FForbidStatus": "A",
         **_none("FExchangeRate FReverseExRate FBegDate FEndDate")},
    ),
    "BD_Department": Form("FDeptId", dict(_LIST)),
    "BD_Empinfo": Form("FID", {**_LIST, "FStaffNumber": None, "FDocumentStatus": "C"}),
    "BD_Customer": Form(
        "FCUSTID", {**_MASTER, **_none("FShortName FTEL FADDRESS FTAXREGISTERCODE FSOCIALCRECODE"),
                    "FTRADINGCURRID.FNumber": "PRE001"},
    ),
    "BD_Supplier": Form("FSupplierId", {**_MASTER, "FShortName": None}),
    "BD_MATERIAL": Form(
        "FMATERIALID", {**_MASTER, **_none("FSpecification FMaterialGroup.FName FBARCODE"),
                        "FBaseUnitId.FName": "个", "FErpClsID": "1"},
    ),
    "BD_STOCK": Form("FStockId", {**_LIST, "FUseOrgId.FNumber": "100"}),
    "STK_Inventory": Form(
        "FID",
        {**_none("FMaterialId.FNumber FMaterialId.FName FStockId.FNumber FStockId.FName "
                 "FStockLocId.FNumber FLot.FNumber"), "FStockStatusId.FNumber": "KCZT01_SYS",
         "FStockOrgId.FNumber": "100", "FBaseQty": 0, "FAVBQty": 0, "FBaseUnitId.FName": "个",
         "FOwnerId.FNumber": "100"},
    ),
    "SAL_SaleOrder": Form(
        "FID", {**_BILL, **_RATE, "FDate": None, "FCloseStatus": "A", "FSaleOrgId.FNumber": "100",
                **_none("FCustId.FNumber FCustId.FName FSalerId.FNumber FSalerId.FName FNote"),
                "FBillAllAmount": 0},
        "FSaleOrderEntry",
        {**_GOODS, "FUnitID.FNumber": "Pcs", "FStockOutQty": 0, "FDeliQty": 0, "FInvoiceQty": 0,
         "FMrpCloseStatus": "A",
         **_none("FQty FPrice FTaxPrice FEntryTaxRate FDiscount FAmount FEntryTaxAmount FAllAmount "
                 "FDeliveryDate FEntryNote")},
    ),
    "SAL_OUTSTOCK": Form(
        "FID", {**_BILL, "FDate": None, "FStockOrgId.FNumber": "100",
                **_none("FCustomerID.FNumber FCustomerID.FName FCarriageNo FLinkMan FLinkPhone "
                        "FReceiveAddress FNote")},
        "FEntity",
        {**_MOVED, "FUnitID.FNumber": "Pcs",
         **_none("FSeq FRealQty FTaxPrice FAllAmount FSrcType FSrcBillNo FSoorDerno")},
    ),
    "SAL_DELIVERYNOTICE": Form(
        "FID", {**_BILL, "FDate": None, "FCloseStatus": "A", "FSaleOrgId.FNumber": "100",
                **_none("FCustomerID.FNumber FCustomerID.FName")},
        "FEntity",
        _none("FSeq FMaterialID.FNumber FUnitID.FNumber FQty FSrcType FSrcBillNo FOrderNo"),
    ),
    "SAL_RETURNNOTICE": Form(
        "FID", {**_BILL, **_RATE, "FDate": None, "FCloseStatus": "A", "FBillAllAmount": 0,
                "FSaleOrgId.FNumber": "100", "FRetcustId.FNumber": None},
        "FEntity", _none("FSeq FMaterialId.FNumber FUnitID.FNumber FQty FSrcBillNo FOrderNo"),
    ),
    "SAL_RETURNSTOCK": Form(
        "FID", {**_BILL, **_RATE, "FDate": None, "FBillAllAmount": 0, "FStockOrgId.FNumber": "100",
                **_none("FRetcustId.FNumber FRetcustId.FName FNote")},
        "FEntity",
        {**_GOODS, "FUnitID.FNumber": "Pcs", "FStockId.FNumber": None,
         **_none("FRealQty FTaxPrice FEntryTaxRate FAllAmount FSrcType FSrcBillNo FOrderNo")},
    ),
    "PUR_PurchaseOrder": Form(
        "FID", {**_BILL, **_RATE, "FDate": None, "FCloseStatus": "A", "FBillAllAmount": 0,
                "FPurchaseOrgId.FNumber": "100",
                **_none("FSupplierId.FNumber FSupplierId.FName")},
        "FPOOrderEntry",
        {**_GOODS, "FUnitId.FNumber": "Pcs", "FReceiveQty": 0, "FStockInQty": 0,
         **_none("FQty FTaxPrice FEntryTaxRate FAllAmount FDeliveryDate")},
    ),
    "STK_InStock": Form(
        "FID", {**_BILL, "FDate": None, "FStockOrgId.FNumber": "100",
                **_none("FSupplierId.FNumber FSupplierId.FName")},
        "FInStockEntry",
        {**_GOODS, "FUnitID.FNumber": "Pcs",
         **_none("FRealQty FStockId.FNumber FLot.FNumber FPOOrderNo")},
    ),
    "AR_receivable": Form(
        "FID", {**_DUE, **_none("FCUSTOMERID.FNumber FCUSTOMERID.FName FSALEERID.FNumber")},
        "FEntityDetail", _DUE_LINES,
    ),
    "AP_Payable": Form(
        "FID", {**_DUE, **_none("FSUPPLIERID.FNumber FSUPPLIERID.FName")},
        "FEntityDetail", _DUE_LINES,
    ),
    "AR_RECEIVEBILL": Form("FID", {**_MONEY, "FREALRECAMOUNTFOR": 0}),
    "AP_PAYBILL": Form(
        "FID", {**_MONEY, "FCONTACTUNITTYPE": "BD_Supplier", "FREALPAYAMOUNTFOR_H": 0}
    ),
}  # fmt: skip


def record(form: str, key: Any, lines: Sequence[Record] = (), **more: Any) -> Record:
    """Return a record; names with a dot are written with `__` in `more` (FCustId__FNumber).

    A line names its own key as `id`; without one it is the key's, times 100, and its place.
    """
    spec = FORMS[form]
    made = {spec.key: key, **spec.heads, **_dotted(more)}
    if "FMasterId" in spec.heads and not made["FMasterId"]:
        made["FMasterId"] = key
    if spec.lines is not None:
        made["lines"] = [
            {spec.line: line.get("id", int(key) * 100 + place), **spec.lines, "FSeq": place,
             **_dotted({n: v for n, v in line.items() if n != "id"})}
            for place, line in enumerate(lines, 1)
        ]  # fmt: skip
    return made


def _dotted(members: Mapping[str, Any]) -> Record:
    return {name.replace("__", "."): value for name, value in members.items()}


def order(key: int, lines: Sequence[Record], **more: Any) -> Record:
    """Return an audited sales order; a line has FQty and FTaxPrice, its sums are made of them."""
    whole = []
    for line in lines:
        gross = Decimal(str(line["FQty"])) * Decimal(str(line["FTaxPrice"]))
        net = (gross / Decimal("1.13")).quantize(Decimal("0.01"))
        whole.append(
            {"FEntryTaxRate": 13, "FAllAmount": gross, "FAmount": net,
             "FEntryTaxAmount": gross - net, **line}
        )  # fmt: skip
    total = sum((line["FAllAmount"] for line in whole), Decimal(0))
    given = {"FBillNo": f"XSDD{key:07d}", "FBillAllAmount": total, **more}
    return record("SAL_SaleOrder", key, whole, **given)


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return an account with a customer, a material and an order, and what connects to it."""
    from connectors.kingdee.simulator import KingdeeSimulator
    from connectors.kingdee.simulator_proof import Identity

    secrets = {
        "KD_APP_ID": "123456_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", "KD_APP_SECRET": "sample-secret-01"
    }  # fmt: skip
    who = Identity("60a1b2c3d4e5f6", "integration", *secrets.values())
    app = KingdeeSimulator(who, now=now)
    app.put("BD_Customer", record("BD_Customer", 5, FNumber="CUST0001", FName="华东贸易"))
    app.put("BD_MATERIAL", record("BD_MATERIAL", 9, FNumber="A-1", FName="Kettle"))
    lines = [{"FMaterialId.FNumber": "A-1", "FQty": Decimal(2), "FTaxPrice": Decimal("1.13")}]
    app.put("SAL_SaleOrder", order(1, lines, FCustId__FNumber="CUST0001"))
    config = {
        "base_url": f"{URL}/k3cloud/", "account": who.account, "user": who.user,
        "app_id": "env:KD_APP_ID", "app_secret": "env:KD_APP_SECRET",
    }  # fmt: skip
    return Simulated(app, config, secrets)
