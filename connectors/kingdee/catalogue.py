"""What is read of K3Cloud, as data: a stream's form, its fields, its lines, what closes a document.

The keys are those of the contract sheet; which of them are seen and which are memory is in
docs/kingdee.md. A site's own spelling is asked of the form's metadata, so a key that a site does
not have is left out, and `names:` of the connection says what it is called there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

STAMP = "FModifyDate"


@dataclass(frozen=True, slots=True)
class Lines:
    """What repeats the head: the entity of the lines, the key of one, its fields, the list's name.

    `each` is the entity's key in the metadata, "" where a row of the form itself is a line.
    """

    each: str
    key: str
    fields: tuple[str, ...]
    name: str = "lines"


@dataclass(frozen=True, slots=True)
class Source:
    """One stream. Records are walked by `key`, a number (or, `by_text`, a text) that rises.

    `stamp` "" is a form whose stamp says nothing: it is read whole each time. `open` is a field and
    the value that it has when nothing more is written to the document without moving its stamp.
    `org` is the organisation that the record belongs to. `uses`: a row for each organisation that
    uses the record, each with a stamp of its own; they are one record with a list of uses.
    """

    form: str
    title: str
    key: str
    fields: tuple[str, ...]
    lines: Lines | None = None
    org: str = ""
    stamp: str = STAMP
    open: tuple[str, str] | None = None
    by_text: bool = False
    uses: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the head and the lines."""
        return (
            self.key,
            *self.fields,
            *((self.lines.key, *self.lines.fields) if self.lines else ()),
        )


def _bill(
    form: str, title: str, each: str, head: str, lines: str, org: str,
    *, stop: tuple[str, str] | None = None,
) -> Source:  # fmt: skip
    """Return a document with lines; `head` and `lines` are names with blanks between."""
    always = ("FBillNo", "FDocumentStatus", "FCancelStatus", STAMP, "FCreateDate", "FApproveDate")
    made = Lines(each, f"{each}_FEntryId", tuple(lines.split()))
    fields = (*always, f"{org}.FNumber", *head.split())
    return Source(form, title, "FID", fields, made, org=org, open=stop)


def _master(form: str, title: str, key: str, fields: str) -> Source:
    """Return master data that several organisations use: one record, a list of its uses."""
    always = (
        "FNumber", "FName", "FCreateOrgId.FNumber", "FDocumentStatus", "FForbidStatus", STAMP,
        "FCreateDate",
    )  # fmt: skip
    uses = Lines("", key, ("FUseOrgId.FNumber", "FNumber", "FForbidStatus", STAMP), "uses")
    return Source(
        form, title, "FMasterId", (*always, *fields.split()), uses, org="FUseOrgId", uses=True
    )


def _list(form: str, title: str, key: str, fields: str) -> Source:
    """Return a short list that is read whole."""
    return Source(form, title, key, tuple(fields.split()), stamp="")


_GOODS = "FSeq FMaterialId.FNumber FMaterialId.FName FMaterialId.FSpecification"
_MOVED = (
    "FSeq FMaterialID.FNumber FMaterialID.FName FUnitID.FNumber FRealQty FStockID.FNumber "
    "FLot.FNumber"
)
_DUE = (
    "FDATE FENDDATE_H FALLAMOUNTFOR FNOTAXAMOUNTFOR FCURRENCYID.FNumber FWRITTENOFFSTATUS "
    "FOPENSTATUS FExchangeRate"
)
_DUE_LINES = (
    "FSeq FMATERIALID.FNumber FMATERIALID.FName FPRICEUNITID.FNumber FPriceQty FTaxPrice "
    "FEntryTaxRate FNoTaxAmountFor_D FTAXAMOUNTFOR_D FALLAMOUNTFOR_D FSOURCETYPE FSourceBillNo"
)
_CLOSED = ("FCloseStatus", "B")
_WRITTEN_OFF = ("FWRITTENOFFSTATUS", "C")
_MONEY = "FDATE FCONTACTUNITTYPE FCONTACTUNIT.FNumber FCONTACTUNIT.FName FCURRENCYID.FNumber"

_SOURCES = {
    "organisations": _list(
        "ORG_Organizations", "组织机构", "FOrgID", "FNumber FName FForbidStatus"
    ),
    "units": _list("BD_UNIT", "计量单位", "FUnitID", "FNumber FName FForbidStatus"),
    "currencies": _list("BD_Currency", "币别", "FCURRENCYID", "FNumber FName FCODE FForbidStatus"),
    "exchange_rates": _list(
        "BD_Rate", "汇率", "FRateID",
        "FRATETYPEID.FNumber FCyForID.FNumber FCyToID.FNumber FExchangeRate FReverseExRate "
        "FBegDate FEndDate FDocumentStatus FForbidStatus",
    ),
    "departments": _list("BD_Department", "部门", "FDeptId", "FNumber FName FForbidStatus"),
    "staff": _list(
        "BD_Empinfo", "员工", "FID", "FStaffNumber FNumber FName FForbidStatus FDocumentStatus"
    ),
    "customers": _master(
        "BD_Customer", "客户", "FCUSTID",
        "FShortName FTEL FADDRESS FTAXREGISTERCODE FSOCIALCRECODE FTRADINGCURRID.FNumber",
    ),
    "suppliers": _master("BD_Supplier", "供应商", "FSupplierId", "FShortName FSOCIALCRECODE"),
    "materials": _master(
        "BD_MATERIAL", "物料", "FMATERIALID",
        "FSpecification FBaseUnitId.FName FMaterialGroup.FName FBarCode FErpClsID",
    ),
    "warehouses": Source(
        "BD_STOCK", "仓库", "FStockId",
        ("FNumber", "FName", "FForbidStatus", "FUseOrgId.FNumber", STAMP), org="FUseOrgId",
    ),
    "stock": Source(
        "STK_Inventory", "即时库存", "FID",
        (
            "FMaterialId.FNumber", "FMaterialId.FName", "FStockId.FNumber", "FStockId.FName",
            "FStockLocId.FNumber", "FLot.FNumber", "FStockStatusId.FNumber",
            "FStockOrgId.FNumber", "FBaseQty", "FAVBQty", "FBaseUnitId.FName", "FOwnerId.FNumber",
        ),
        org="FStockOrgId", stamp="", by_text=True,
    ),
    "orders": _bill(
        "SAL_SaleOrder", "销售订单", "FSaleOrderEntry",
        "FDate FCloseStatus FCustId.FNumber FCustId.FName FSalerId.FNumber FSalerId.FName "
        "FSettleCurrId.FNumber FExchangeRate FBillAllAmount FNote",
        f"{_GOODS} FQty FUnitID.FNumber FPrice FTaxPrice FEntryTaxRate FDiscount FAmount "
        "FEntryTaxAmount FAllAmount FDeliveryDate FStockOutQty FDeliQty FInvoiceQty "
        "FMrpCloseStatus FEntryNote",
        "FSaleOrgId", stop=_CLOSED,
    ),
    "delivery_notices": _bill(
        "SAL_DELIVERYNOTICE", "发货通知单", "FEntity",
        "FDate FCloseStatus FCustomerID.FNumber FCustomerID.FName",
        "FSeq FMaterialID.FNumber FUnitID.FNumber FQty FSrcType FSrcBillNo FOrderNo",
        "FSaleOrgId", stop=_CLOSED,
    ),
    "shipments": _bill(
        "SAL_OUTSTOCK", "销售出库单", "FEntity",
        "FDate FCustomerID.FNumber FCustomerID.FName FCarriageNO FLinkMan FLinkPhone "
        "FReceiveAddress FNote",
        f"{_MOVED} FTaxPrice FAllAmount FSrcType FSrcBillNo FSoorDerno", "FStockOrgId",
    ),
    "return_notices": _bill(
        "SAL_RETURNNOTICE", "退货通知单", "FEntity",
        "FDate FCloseStatus FRetcustId.FNumber FSettleCurrId.FNumber FExchangeRate FBillAllAmount",
        "FSeq FMaterialId.FNumber FUnitID.FNumber FQty FSrcBillNo FOrderNo", "FSaleOrgId",
        stop=_CLOSED,
    ),
    "returns": _bill(
        "SAL_RETURNSTOCK", "销售退货单", "FEntity",
        "FDate FRetcustId.FNumber FRetcustId.FName FSettleCurrId.FNumber FExchangeRate "
        "FBillAllAmount FNote",
        f"{_GOODS} FUnitID.FNumber FRealQty FStockId.FNumber FTaxPrice FEntryTaxRate FAllAmount "
        "FSrcType FSrcBillNo FOrderNo",
        "FStockOrgId",
    ),
    "purchase_orders": _bill(
        "PUR_PurchaseOrder", "采购订单", "FPOOrderEntry",
        "FDate FCloseStatus FSupplierId.FNumber FSupplierId.FName FSettleCurrId.FNumber "
        "FExchangeRate FBillAllAmount",
        f"{_GOODS} FUnitId.FNumber FQty FTaxPrice FEntryTaxRate FAllAmount FReceiveQty FStockInQty "
        "FDeliveryDate",
        "FPurchaseOrgId", stop=_CLOSED,
    ),
    "purchase_receipts": Source(
        "STK_InStock", "采购入库单, one record a line", "FInStockEntry_FEntryId",
        (
            "FBillNo", "FDocumentStatus", "FCancelStatus", STAMP, "FCreateDate",
            "FStockOrgId.FNumber", "FDate", "FSupplierId.FNumber", *_GOODS.split(),
            "FUnitID.FNumber", "FRealQty", "FStockId.FNumber", "FLot.FNumber", "FPOOrderNo",
        ),
        org="FStockOrgId",
    ),
    "receivables": _bill(
        "AR_receivable", "应收单", "FEntityDetail",
        f"{_DUE} FCUSTOMERID.FNumber FCUSTOMERID.FName FSALEERID.FNumber", _DUE_LINES,
        "FSETTLEORGID", stop=_WRITTEN_OFF,
    ),
    "receipts": Source(
        "AR_RECEIVEBILL", "收款单", "FID",
        (
            "FBillNo", "FDocumentStatus", "FCancelStatus", STAMP, "FCreateDate", "FApproveDate",
            "FSETTLEORGID.FNumber", *_MONEY.split(), "FREALRECAMOUNTFOR", "FREMARK",
        ),
        org="FSETTLEORGID",
    ),
    "payables": _bill(
        "AP_Payable", "应付单", "FEntityDetail",
        f"{_DUE} FSUPPLIERID.FNumber FSUPPLIERID.FName", _DUE_LINES, "FSETTLEORGID",
        stop=_WRITTEN_OFF,
    ),
    "payments": Source(
        "AP_PAYBILL", "付款单", "FID",
        (
            "FBillNo", "FDocumentStatus", "FCancelStatus", STAMP, "FCreateDate", "FApproveDate",
            "FSETTLEORGID.FNumber", *_MONEY.split(), "FREALPAYAMOUNTFOR_H", "FREMARK",
        ),
        org="FSETTLEORGID",
    ),
    "vat_invoices": _bill(
        "IV_SALESIC", "销售增值税专用发票", "FSALESICENTRY",
        "FDATE FINVOICENO FCUSTOMERID.FNumber FCURRENCYID.FNumber FALLAMOUNTFOR",
        "FSeq FMATERIALID.FNumber FPRICEQTY FALLAMOUNTFOR_D", "FSETTLEORGID",
    ),
    "plain_invoices": _bill(
        "IV_SALESOC", "销售普通发票", "FSALESICENTRY",
        "FDATE FINVOICENO FCUSTOMERID.FNumber FCURRENCYID.FNumber FALLAMOUNTFOR",
        "FSeq FMATERIALID.FNumber FPRICEQTY FALLAMOUNTFOR_D", "FSETTLEORGID",
    ),
    "vouchers": Source(
        "GL_VOUCHER", "凭证", "FVOUCHERID",
        (STAMP, "FDocumentStatus", "FDate", "FYEAR", "FPERIOD", "FVOUCHERGROUPID.FNumber",
         "FVOUCHERGROUPNO", "FACCBOOKORGID.FNumber"),
        Lines("FEntity", "FEntity_FEntryId",
              ("FEXPLANATION", "FACCOUNTID.FNumber", "FDEBIT", "FCREDIT", "FCURRENCYID.FNumber")),
        org="FACCBOOKORGID",
    ),
    "opportunities": Source(
        "CRM_OPP_Opportunity", "商机", "FID", ("FBillNo", "FName", STAMP, "FDocumentStatus")
    ),
    "leads": Source("CRM_OPP_Clue", "线索", "FID", ("FBillNo", "FName", STAMP, "FDocumentStatus")),
}  # fmt: skip

STREAMS: Mapping[str, Source] = MappingProxyType(_SOURCES)
"""Every stream by its name, in the order in which references find what they refer to."""

LICENSED = ("vat_invoices", "plain_invoices", "vouchers", "opportunities", "leads")
"""Streams that are left out unless `skip:` says otherwise: nobody has seen their forms read."""
