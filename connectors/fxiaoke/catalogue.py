"""What is read of 纷享销客, as data: a stream's object, its fields, its lines and their link.

A field written `name` is verified by the contract sheet; one written `name=标签|标签` is memory and
is looked for in the tenant's own describe: by its name, else by one of these labels. Records have
the catalogue's names, so that a mapping holds for every tenant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

KEY, STAMP = "_id", "last_modified_time"
SYSTEM = (
    "name", "record_type", "owner", "owner_department", "created_by", "create_time",
    "last_modified_by", "life_status", "lock_status", "is_deleted", "version",
)  # fmt: skip
"""Fields that objects have besides key and stamp; some lack one or another."""


@dataclass(frozen=True, slots=True)
class Object:
    """One object: its apiName and its fields with the labels that a tenant may know them by.

    `link` is the field of a line that names its head, "" for a head.
    """

    api: str
    fields: Mapping[str, tuple[str, ...]]
    link: str = ""

    @property
    def is_custom(self) -> bool:
        """Whether the tenant made it: such objects have other paths."""
        return self.api.endswith("__c")


@dataclass(frozen=True, slots=True)
class Source:
    """One stream. Without `stamp` it is read whole each time; `each` is the list of the lines."""

    title: str
    head: Object
    lines: Object | None = None
    each: str = "lines"
    stamp: bool = True

    @property
    def objects(self) -> tuple[Object, ...]:
        """The head, and the lines where there are some."""
        return (self.head,) if self.lines is None else (self.head, self.lines)


def object_of(api: str, fields: str, link: str = "") -> Object:
    """Return an object; `fields` are its names with blanks between, labels behind `=`."""
    made: dict[str, tuple[str, ...]] = {}
    for word in [*SYSTEM, *f"{link} {fields}".split()]:
        name, _, labels = word.partition("=")
        made.setdefault(name, tuple(filter(None, labels.split("|"))))
    return Object(api, MappingProxyType(made), link.partition("=")[0])


def _plain(title: str, api: str, fields: str, *, stamp: bool = True) -> Source:
    return Source(title, object_of(api, fields), stamp=stamp)


def _lined(title: str, api: str, fields: str, lines: Object, each: str = "lines") -> Source:
    return Source(title, object_of(api, fields), lines, each)


_GOODS = "product_id=产品|产品名称 unit=单位 remark=备注"

_SOURCES = {
    "departments": _plain(
        "部门", "DepartmentObj",
        "dept_code=部门编码|部门编号 parent_id=上级部门 manager_id=部门负责人 status=状态",
        stamp=False,
    ),
    "users": _plain(
        "人员", "PersonnelObj",
        "user_id=员工ID|用户ID employee_number=员工编号|工号 phone=手机|手机号 email=邮箱 "
        "main_department=主属部门 position=职位 status=状态|在职状态|启用状态",
        stamp=False,
    ),
    "customers": _lined(
        "客户", "AccountObj",
        "account_no account_type account_level account_source industry_level1 industry_level2 tel "
        "fax email url address area_location remark high_seas_id=所属公海",
        object_of(
            "AccountAddrObj",
            "country=国家 province=省|省份 city=市|城市 district=区|区县 address=详细地址|地址 "
            "contact_id=联系人 contact_way=联系方式|电话 "
            "is_default_add=默认地址|是否默认地址 is_ship_to_add=默认收货地址|是否默认收货地址",
            "account_id=客户|客户名称",
        ),
        "addresses",
    ),
    "finance_info": _plain(
        "客户财务信息", "AccountFinInfoObj",
        "account_id=客户|客户名称 title=抬头|开票抬头|发票抬头 tax_id=纳税人识别号|纳税识别号 "
        "account_bank=开户行|开户银行 account_bank_no=开户账号|银行账号",
    ),
    "suppliers": _plain(
        "供应商", "SupplierObj",
        "supplier_no=供应商编号|供应商编码 tel=电话|联系电话 address=地址|详细地址",
    ),
    "contacts": _plain(
        "联系人", "ContactObj",
        "account_id=客户|客户名称 job_title=职务 department=部门 tel=电话 tel1=电话1|电话 "
        "mobile=手机 mobile1=手机1|手机 email=邮件|邮箱 remark=备注",
    ),
    "leads": _plain(
        "销售线索", "LeadsObj",
        "company tel mobile email source biz_status leads_pool_id leads_stage assigned_time "
        "account_id contact_id new_opportunity_id is_duplicated job_title "
        "remark=备注|销售线索详情 close_reason=无效原因|关闭原因 transform_time=转换时间",
    ),
    "product_heads": _plain(
        "商品", "SPUObj", "category=分类|产品分类 unit=单位 standard_price=标准价格|价格 "
        "remark=备注"
    ),
    "units": _plain("单位", "UnitInfoObj", "is_enable=启用状态|是否启用"),
    "products": _plain(
        "产品", "ProductObj",
        "product_code product_spec unit category price off_shelves_time "
        "product_status=上下架|产品状态 barcode=条形码|条码 spu_id=商品|商品名称 remark=备注",
    ),
    "price_books": _plain(
        "价目表", "PriceBookObj",
        "active_status=启用状态|状态 start_date=有效开始日期|开始日期 "
        "end_date=有效结束日期|结束日期 "
        "is_standard=标准价目表|是否标准",
    ),
    "price_book_products": _plain(
        "价目表明细", "PriceBookProductObj",
        "mc_currency=币种 pricebook_id=价目表|价目表名称 product_id=产品|产品名称 "
        "pricebook_price=价目表价格 "
        "pricebook_sellingprice=价目表售价 discount=价目表折扣|折扣",
    ),
    "warehouses": _plain(
        "仓库", "WarehouseObj",
        "number=仓库编号|编号 is_enable=启用状态 province=省|省份 city=市|城市 "
        "address=详细地址|地址",
    ),
    "stock": _plain(
        "库存", "StockObj",
        "product_id=产品|产品名称 warehouse_id=仓库|所属仓库|仓库名称 real_stock=实际库存 "
        "blocked_stock=冻结库存 available_stock=可用库存 safety_stock=安全库存 unit=单位",
        stamp=False,
    ),
    "batch_stock": _plain(
        "批次库存", "BatchStockObj",
        "product_id=产品|产品名称 warehouse_id=仓库|所属仓库 batch_id=批次|批次编号 "
        "batch_real_stock=批次实际库存|实际库存 batch_available_stock=批次可用库存|可用库存",
        stamp=False,
    ),
    "stock_details": _plain(
        "出入库明细", "StockDetailsObj",
        "product_id=产品|产品名称 warehouse_id=仓库|所属仓库 modified_real_num=实际库存变动数量",
    ),
    "opportunities": _lined(
        "商机 2.0", "NewOpportunityObj",
        "mc_currency=币种 account_id=客户|客户名称 amount=商机金额|金额 "
        "sales_stage=商机阶段|销售阶段 "
        "sales_status=阶段状态|商机状态 probability=赢率 close_date=预计成交日期 "
        "sales_process_id=销售流程 lost_reason=输单原因 source=商机来源|来源 remark=备注",
        object_of(
            "NewOpportunityLinesObj",
            "product_id=产品|产品名称 quantity=数量 price=价格 sales_price=销售单价 "
            "total_amount=小计",
            "new_opportunity_id=商机2.0|商机",
        ),
    ),
    "old_opportunities": _plain(
        "商机", "OpportunityObj",
        "account_id oppo_stage_id sales_process_name expected_deal_closed_date "
        "sales_stg_changed_time expected_deal_amount=预计成交金额|商机金额 status=商机状态|状态 "
        "lost_reason=输单原因 remark=备注",
    ),
    "quotes": _lined(
        "报价单", "QuoteObj",
        "account_id=客户|客户名称 quote_time=报价日期 quote_amount=报价单金额|报价金额 "
        "new_opportunity_id=商机2.0|商机 valid_until=有效期至|有效期 remark=备注",
        object_of(
            "QuoteLinesObj",
            f"{_GOODS} quantity=数量 price=价格 sales_price=销售单价 total_amount=小计",
            "quote_id=报价单",
        ),
    ),
    "contracts": _plain(
        "合同", "ContractObj",
        "account_id=客户|客户名称 contract_amount=合同金额 signed_date=签约日期|签订日期 "
        "start_date=开始日期 end_date=结束日期|到期日期",
    ),
    "orders": _lined(
        "销售订单", "SalesOrderObj",
        "mc_currency=币种 account_id order_time order_amount discount quote_id delivery_date "
        "price_book_id "
        "ship_to_id ship_to_add ship_to_tel remark "
        "order_status=订单状态|状态 logistics_status=发货状态 payment_amount=已回款金额|回款金额 "
        "receivable_amount=待回款金额 product_amount=产品合计 opportunity_id=商机 "
        "new_opportunity_id=商机2.0 confirmed_receive_date=收货确认日期",
        object_of(
            "SalesOrderProductObj",
            "product_id quantity product_price sales_price discount subtotal unit "
            "price_book_product_id remark delivered_count=已发货数|已发货数量 is_giveaway=是否赠品",
            "order_id",
        ),
    ),
    "deliveries": _lined(
        "发货单", "DeliveryNoteObj",
        "sales_order_id=销售订单|销售订单编号 account_id=客户|客户名称 delivery_date=发货日期 "
        "express_org=物流公司 express_order_id=物流单号|快递单号|运单号 status=状态|发货单状态 "
        "delivery_warehouse_id=发货仓库|仓库 consignee=收货人 "
        "consignee_phone_number=收货人电话|收货电话|收货人手机 receive_address=收货地址 "
        "receive_date=收货日期 remark=备注",
        object_of(
            "DeliveryNoteProductObj",
            f"{_GOODS} sales_order_id=销售订单|销售订单编号 delivery_num=本次发货数|发货数量|数量 "
            "sales_order_product_id=销售订单产品 batch_id=批次|批次编号",
            "delivery_note_id=发货单|发货单编号",
        ),
    ),
    "outbound_notes": _lined(
        "出库单", "OutboundDeliveryNoteObj",
        "outbound_date=出库日期 outbound_type=出库类型 warehouse_id=出库仓库|仓库 "
        "delivery_note_id=发货单",
        object_of(
            "OutboundDeliveryNoteProductObj",
            f"{_GOODS} outbound_amount=出库数量|数量", "outbound_delivery_note_id=出库单",
        ),
    ),
    "goods_received": _lined(
        "入库单", "GoodsReceivedNoteObj",
        "goods_received_date=入库日期 goods_received_type=入库类型 warehouse_id=入库仓库|仓库 "
        "supplier_id=供应商 purchase_order_id=采购订单",
        object_of(
            "GoodsReceivedNoteProductObj",
            f"{_GOODS} goods_received_amount=入库数量|数量", "goods_received_note_id=入库单",
        ),
    ),
    "transfers": _lined(
        "调拨单", "RequisitionNoteObj",
        "requisition_date=调拨日期 transfer_out_warehouse_id=调出仓库 "
        "transfer_in_warehouse_id=调入仓库",
        object_of(
            "RequisitionNoteProductObj",
            f"{_GOODS} requisition_product_amount=调拨数量|数量", "requisition_note_id=调拨单",
        ),
    ),
    "payments": _lined(
        "回款", "PaymentObj",
        "mc_currency=币种 account_id order_id payment_time submit_time payment_amount "
        "payment_term remark",
        object_of("OrderPaymentObj", "order_id payment_amount", "payment_id"),
        "allocations",
    ),
    "payment_plans": _plain(
        "回款计划", "PaymentPlanObj",
        "account_id=客户 order_id=销售订单 plan_payment_time=计划回款日期 "
        "plan_payment_amount=计划回款金额 actual_payment_amount=实际回款金额",
    ),
    "refunds": _plain(
        "退款", "RefundObj",
        "mc_currency=币种 account_id=客户|客户名称 order_id=销售订单|销售订单编号 "
        "refunded_amount=退款金额 "
        "refunded_time=退款日期 refunded_method=退款方式 refunded_reason=退款原因 "
        "returned_goods_inv_id=退货单 remark=备注",
    ),
    "returns": _lined(
        "退货单", "ReturnedGoodsInvoiceObj",
        "mc_currency=币种 account_id=客户|客户名称 order_id=销售订单|销售订单编号 "
        "returned_goods_inv_amount=退货单金额|退货金额 returned_goods_time=退货日期 "
        "returned_goods_reason=退货原因 return_warehouse_id=退货仓库|退货入库仓库 remark=备注",
        object_of(
            "ReturnedGoodsInvoiceProductObj",
            f"{_GOODS} order_product_id=订单产品|销售订单产品 quantity=退货数量|数量 "
            "returned_product_price=退货价格|退货单价|价格 subtotal=小计",
            "returned_goods_inv_id=退货单|退货单编号",
        ),
    ),
    "exchange_notes": _plain(
        "退换货单", "ExchangeReturnNoteObj", "account_id=客户|客户名称 remark=备注"
    ),
    "invoices": _lined(
        "开票申请", "InvoiceApplicationObj",
        "mc_currency=币种 account_id=客户|客户名称 order_id=销售订单 invoice_date=开票日期 "
        "invoice_applied_amount=开票金额|开票金额(元)|开票金额（元） title=开票抬头|抬头|发票抬头 "
        "tax_id=纳税人识别号|纳税识别号 invoice_type=发票类型|开票类型 invoice_no=发票号码|发票号 "
        "invoice_status=开票状态|状态 remark=备注",
        object_of(
            "InvoiceApplicationLinesObj",
            f"{_GOODS} order_id=销售订单 invoiced_quantity=开票数量|本次开票数量 "
            "invoiced_amount=开票金额|本次开票金额 invoiced_price=开票单价 tax_rate=税率 "
            "tax_amount=税额",
            "invoice_id=开票申请|开票申请编号",
        ),
    ),
    "tickets": _plain(
        "工单", "CasesObj",
        "account_id=客户|客户名称 contact_id=联系人 order_id=销售订单 subject=主题|工单主题|标题 "
        "description=问题描述|描述|工单描述 case_status=工单状态|处理状态|状态 "
        "priority=优先级|紧急程度 assignee=处理人|当前处理人 finish_time=完成时间|关闭时间",
    ),
    "purchase_orders": _lined(
        "采购订单", "PurchaseOrderObj",
        "mc_currency=币种 supplier_id=供应商|供应商名称 purchase_date=采购日期|订单日期|下单日期 "
        "purchase_amount=采购金额|采购订单金额|订单金额 delivery_date=交货日期|预计到货日期 "
        "status=状态|采购订单状态 remark=备注",
        object_of(
            "PurchaseOrderProductObj",
            f"{_GOODS} quantity=采购数量|数量 price=采购单价|单价 subtotal=小计|金额 "
            "received_quantity=已入库数量|已入库数",
            "purchase_order_id=采购订单|采购订单编号",
        ),
    ),
    "activities": _plain(
        "销售记录", "ActiveRecordObj",
        "active_record_content=销售记录内容|跟进内容|内容 "
        "active_record_type=销售记录类型|跟进类型|类型 interactive_types=互动方式|沟通方式 "
        "interactive_scenario=互动场景 related_object_data=关联业务数据|关联数据 "
        "account_id=客户|客户名称 new_opportunity_id=商机2.0|商机",
    ),
    "approvals": _plain("审批流实例", "ApprovalInstanceObj", "state=状态|流程状态"),
    "approval_tasks": _plain("审批任务", "ApprovalTaskObj", "state=状态|任务状态"),
}  # fmt: skip

STREAMS: Mapping[str, Source] = MappingProxyType(_SOURCES)
"""Every stream by its name, in the order in which references find what they refer to."""

LINED = tuple(name for name, source in STREAMS.items() if source.lines is not None)
"""Streams whose records have lines."""

SELDOM = (
    "finance_info", "units", "batch_stock", "exchange_notes", "approvals",
    "approval_tasks",
)  # fmt: skip
"""Streams that `skip:` leaves out by default: long or rare, and they make no row."""
