"""Objects and records of a tenant as OpenAPI v2 shows them, for tests and the sample company.

Some fields that the contract does not verify are called here as this tenant's administrator called
them, with the vendor's labels, as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.simulated import Simulated

Record = dict[str, Any]

_SYSTEM = """_id:text:ID name:text:名称 record_type:record_type:业务类型 owner:employee:负责人
 owner_department:text:负责人部门 created_by:employee:创建人 create_time:date_time:创建时间
 last_modified_by:employee:最后修改人 last_modified_time:date_time:最后修改时间
 life_status:select_one:生命状态 lock_status:select_one:锁定状态 is_deleted:true_or_false:是否删除
 version:number:版本"""
_SHORT = """_id:text:ID name:text:名称 create_time:date_time:创建时间
 last_modified_time:date_time:最后修改时间 is_deleted:true_or_false:是否删除"""
_ACCOUNT = "account_id:object_reference:客户名称"
_LINE = "product_id:object_reference:产品名称 unit:select_one:单位 remark:long_text:备注"

_OBJECTS = {
    "AccountObj": f"""{_SYSTEM} account_no:auto_number:客户编号 account_type:select_one:客户类型
        account_level:select_one:客户级别 account_source:select_one:客户来源
        industry_level1:select_one:一级行业 industry_level2:select_one:二级行业
        tel:phone_number:电话
        fax:text:传真 email:email:邮件 url:url:网址 address:text:详细地址
        area_location:group:地区定位 remark:long_text:备注 high_seas_id:object_reference:所属公海
        site__c:text:站点""",
    "AccountAddrObj": f"""{_SYSTEM} account_id:master_detail:客户名称 country:country:国家
        province:province:省 city:city:市 district:district:区 address:text:详细地址
        contact_way:phone_number:联系方式 is_default_add:true_or_false:默认地址
        is_ship_to_add:true_or_false:默认收货地址""",
    "AccountFinInfoObj": f"""{_SYSTEM} {_ACCOUNT} title:text:开票抬头 tax_id:text:纳税人识别号
        account_bank:text:开户行 account_bank_no:text:开户账号""",
    "SupplierObj": f"{_SYSTEM} supplier_no:auto_number:供应商编号 tel:phone_number:联系电话",
    "ContactObj": f"""{_SYSTEM} {_ACCOUNT} job_title:text:职务 department:text:部门
        mobile1:phone_number:手机1 tel1:phone_number:电话1 email:email:邮件
        remark:long_text:备注""",
    "LeadsObj": f"""{_SYSTEM} company:text:公司 tel:phone_number:电话 mobile:phone_number:手机
        email:email:邮件 source:select_one:来源 biz_status:select_one:状态
        leads_pool_id:object_reference:线索池 leads_stage:select_one:线索阶段
        assigned_time:date_time:分配时间 account_id:object_reference:转换的客户
        contact_id:object_reference:转换的联系人 new_opportunity_id:object_reference:转换的商机
        is_duplicated:true_or_false:是否重复 job_title:text:职务 remark:long_text:备注
        close_reason:select_one:无效原因""",
    "SPUObj": f"{_SYSTEM} category:select_one:分类 unit:select_one:单位",
    "UnitInfoObj": f"{_SHORT} is_enable:true_or_false:启用状态",
    "ProductObj": f"""{_SYSTEM} product_code:text:产品编码 product_spec:text:规格属性
        unit:select_one:单位 category:select_one:分类 price:currency:标准价格
        off_shelves_time:date_time:下架时间 product_status:select_one:上下架 barcode:text:条形码
        spu_id:object_reference:商品名称""",
    "PriceBookObj": f"{_SYSTEM} active_status:select_one:启用状态 start_date:date:有效开始日期",
    "PriceBookProductObj": f"""{_SYSTEM} pricebook_id:master_detail:价目表
        product_id:object_reference:产品名称 pricebook_price:currency:价目表价格
        discount:percentile:价目表折扣""",
    "WarehouseObj": f"""{_SYSTEM} number:auto_number:仓库编号 is_enable:select_one:启用状态
        province:province:省 city:city:市 address:text:详细地址""",
    "StockObj": f"""{_SYSTEM} product_id:object_reference:产品名称
        warehouse_id:object_reference:所属仓库
        real_stock:number:实际库存 blocked_stock:number:冻结库存 field_avail__c:number:可用库存
        safety_stock:number:安全库存 unit:quote:单位""",
    "BatchStockObj": f"""{_SYSTEM} product_id:object_reference:产品名称
        batch_id:object_reference:批次
        warehouse_id:object_reference:所属仓库 batch_real_stock:number:批次实际库存""",
    "StockDetailsObj": f"""{_SYSTEM} product_id:object_reference:产品名称
        warehouse_id:object_reference:所属仓库 modified_real_num:number:实际库存变动数量""",
    "OpportunityObj": f"""{_SYSTEM} {_ACCOUNT} oppo_stage_id:select_one:销售阶段
        sales_process_name:text:销售流程名称 expected_deal_closed_date:date:预计成交日期
        sales_stg_changed_time:date_time:阶段变更时间 expected_deal_amount:currency:预计成交金额
        status:select_one:状态 lost_reason:select_one:输单原因""",
    "NewOpportunityObj": f"""{_SYSTEM} {_ACCOUNT} amount:currency:商机金额
        sales_stage:select_one:商机阶段
        sales_status:select_one:阶段状态 probability:percentile:赢率 close_date:date:预计成交日期
        sales_process_id:object_reference:销售流程 lost_reason:select_one:输单原因
        source:select_one:商机来源 remark:long_text:备注""",
    "NewOpportunityLinesObj": f"""{_SYSTEM} {_LINE} new_opportunity_id:master_detail:商机2.0
        quantity:number:数量 price:currency:价格 sales_price:currency:销售单价
        total_amount:currency:小计""",
    "QuoteObj": f"""{_SYSTEM} {_ACCOUNT} quote_time:date:报价日期 quote_amount:currency:报价单金额
        new_opportunity_id:object_reference:商机2.0""",
    "QuoteLinesObj": f"""{_SYSTEM} {_LINE} quote_id:master_detail:报价单 quantity:number:数量
        price:currency:价格 sales_price:currency:销售单价 total_amount:currency:小计""",
    "ContractObj": f"""{_SYSTEM} {_ACCOUNT} contract_amount:currency:合同金额
        signed_date:date:签约日期""",
    "SalesOrderObj": f"""{_SYSTEM} {_ACCOUNT} order_time:date:下单日期
        order_amount:currency:销售订单金额
        discount:percentile:整单折扣 quote_id:object_reference:报价单 delivery_date:date:交货日期
        price_book_id:object_reference:价目表 ship_to_id:object_reference:收货人
        ship_to_add:text:收货地址 ship_to_tel:phone_number:收货人电话 remark:long_text:备注
        order_status:select_one:状态 logistics_status:select_one:发货状态
        payment_amount:currency:已回款金额 receivable_amount:currency:待回款金额
        product_amount:currency:产品合计 new_opportunity_id:object_reference:商机2.0
        opportunity_id:object_reference:商机 confirmed_receive_date:date:收货确认日期
        channel__c:select_one:来源渠道""",
    "SalesOrderProductObj": f"""{_SYSTEM} order_id:master_detail:销售订单
        product_id:object_reference:产品名称 quantity:number:数量 product_price:currency:价格
        sales_price:currency:销售单价 discount:percentile:折扣 subtotal:currency:小计
        unit:quote:单位 price_book_product_id:object_reference:价目表明细 remark:long_text:备注
        delivered_count:number:已发货数 is_giveaway:select_one:是否赠品""",
    "DeliveryNoteObj": f"""{_SYSTEM} {_ACCOUNT} sales_order_id:object_reference:销售订单
        delivery_date:date:发货日期 express_org:select_one:物流公司 waybill__c:text:物流单号
        status:select_one:状态 delivery_warehouse_id:object_reference:发货仓库 consignee:text:收货人
        consignee_phone_number:phone_number:收货电话 receive_address:text:收货地址
        receive_date:date:收货日期 remark:long_text:备注""",
    "DeliveryNoteProductObj": f"""{_SYSTEM} {_LINE} note_ref__c:master_detail:所属单据
        sales_order_id:object_reference:销售订单 delivery_num:number:本次发货数
        sales_order_product_id:object_reference:销售订单产品 batch_id:object_reference:批次""",
    "OutboundDeliveryNoteObj": f"""{_SYSTEM} outbound_date:date:出库日期
        warehouse_id:object_reference:出库仓库""",
    "OutboundDeliveryNoteProductObj": f"""{_SYSTEM} {_LINE}
        outbound_delivery_note_id:master_detail:出库单
        outbound_amount:number:出库数量""",
    "GoodsReceivedNoteObj": f"""{_SYSTEM} goods_received_date:date:入库日期
        warehouse_id:object_reference:入库仓库 supplier_id:object_reference:供应商""",
    "GoodsReceivedNoteProductObj": f"""{_SYSTEM} {_LINE} goods_received_note_id:master_detail:入库单
        goods_received_amount:number:入库数量""",
    "RequisitionNoteObj": f"""{_SYSTEM} requisition_date:date:调拨日期
        transfer_out_warehouse_id:object_reference:调出仓库""",
    "RequisitionNoteProductObj": f"""{_SYSTEM} {_LINE} requisition_note_id:master_detail:调拨单
        requisition_product_amount:number:调拨数量""",
    "PaymentObj": f"""{_SYSTEM} {_ACCOUNT} order_id:object_reference:销售订单
        payment_time:date:回款日期
        submit_time:date_time:提交时间 payment_amount:currency:回款金额
        payment_term:select_one:回款方式 remark:long_text:备注""",
    "OrderPaymentObj": f"""{_SYSTEM} payment_id:master_detail:回款编号
        order_id:object_reference:销售订单
        payment_amount:currency:回款金额""",
    "PaymentPlanObj": f"""{_SYSTEM} {_ACCOUNT} order_id:object_reference:销售订单
        plan_payment_time:date:计划回款日期 plan_payment_amount:currency:计划回款金额""",
    "RefundObj": f"""{_SYSTEM} {_ACCOUNT} order_id:object_reference:销售订单
        refunded_amount:currency:退款金额 refunded_time:date:退款日期
        refunded_method:select_one:退款方式 reason__c:long_text:退款原因""",
    "ReturnedGoodsInvoiceObj": f"""{_SYSTEM} {_ACCOUNT} order_id:object_reference:销售订单
        returned_goods_inv_amount:currency:退货单金额 returned_goods_time:date:退货日期
        returned_goods_reason:select_one:退货原因
        return_warehouse_id:object_reference:退货入库仓库""",
    "ReturnedGoodsInvoiceProductObj": f"""{_SYSTEM} {_LINE}
        returned_goods_inv_id:master_detail:退货单
        order_product_id:object_reference:订单产品 quantity:number:退货数量
        returned_product_price:currency:退货价格 subtotal:currency:小计""",
    "ExchangeReturnNoteObj": f"{_SYSTEM} {_ACCOUNT}",
    "InvoiceApplicationObj": f"""{_SYSTEM} {_ACCOUNT} order_id:object_reference:销售订单
        invoice_date:date:开票日期 invoice_applied_amount:currency:开票金额（元）
        title:text:开票抬头 tax_id:text:纳税识别号 invoice_type:select_one:发票类型
        invoice_no:text:发票号码 invoice_status:select_one:开票状态 remark:long_text:备注""",
    "InvoiceApplicationLinesObj": f"""{_SYSTEM} {_LINE} invoice_id:master_detail:开票申请
        order_id:object_reference:销售订单 invoiced_quantity:number:开票数量
        invoiced_amount:currency:开票金额 tax_rate:percentile:税率""",
    "CasesObj": f"""{_SYSTEM} {_ACCOUNT} contact_id:object_reference:联系人 title__c:text:工单主题
        description:long_text:问题描述 case_status:select_one:工单状态 priority:select_one:优先级
        order_id:object_reference:销售订单 assignee:employee:处理人
        finish_time:date_time:完成时间""",
    "PurchaseOrderObj": f"""{_SYSTEM} supplier_id:object_reference:供应商名称
        purchase_date:date:采购日期
        purchase_amount:currency:采购金额 delivery_date:date:交货日期 status:select_one:状态""",
    "PurchaseOrderProductObj": f"""{_SYSTEM} {_LINE} purchase_order_id:master_detail:采购订单
        quantity:number:采购数量 price:currency:采购单价 subtotal:currency:小计
        received_quantity:number:已入库数量""",
    "ActiveRecordObj": f"""{_SYSTEM} active_record_content:long_text:销售记录内容
        active_record_type:select_one:销售记录类型 interactive_types:select_many:互动方式
        related_object_data:group:关联业务数据""",
    "PersonnelObj": f"""{_SHORT} user_id:text:员工ID employee_number:text:员工编号
        phone:phone_number:手机
        email:email:邮箱 main_department:department:主属部门 status:select_one:状态""",
    "DepartmentObj": f"""{_SHORT} dept_code:text:部门编码 parent_id:department:上级部门
        status:select_one:状态""",
    "ApprovalInstanceObj": f"{_SHORT} state:select_one:状态",
    "ApprovalTaskObj": f"{_SHORT} state:select_one:状态",
    "machine__c": f"{_SYSTEM} {_ACCOUNT} serial__c:text:序列号",
    "machine_part__c": f"{_SYSTEM} machine_ref__c:master_detail:设备 quantity__c:number:数量",
}
_AIMS = {
    "AccountAddrObj": "AccountObj", "PriceBookProductObj": "PriceBookObj",
    "NewOpportunityLinesObj": "NewOpportunityObj", "QuoteLinesObj": "QuoteObj",
    "SalesOrderProductObj": "SalesOrderObj", "DeliveryNoteProductObj": "DeliveryNoteObj",
    "OrderPaymentObj": "PaymentObj", "ReturnedGoodsInvoiceProductObj": "ReturnedGoodsInvoiceObj",
    "InvoiceApplicationLinesObj": "InvoiceApplicationObj", "machine_part__c": "machine__c",
    "PurchaseOrderProductObj": "PurchaseOrderObj",
}  # fmt: skip


def _described(api: str, text: str) -> dict[str, Record]:
    made: dict[str, Record] = {}
    for word in text.split():
        name, kind, label = word.split(":")
        made[name] = {"api_name": name, "type": kind, "label": label, "is_active": True}
        if kind == "master_detail":
            made[name]["target_api_name"] = _AIMS.get(api, "")
    return made


DESCRIBES: Mapping[str, dict[str, Record]] = {
    api: _described(api, text) for api, text in _OBJECTS.items()
}
"""The fields of each object of the tenant, as object/describe answers them."""


def oid(api: str, number: int) -> str:
    """Return the id of an object's n-th record: 24 signs, rising with the number."""
    return f"{0x65600000 + list(DESCRIBES).index(api):08x}{number:016x}"


def record(api: str, number: int, /, **members: Any) -> Record:
    """Return a record; what is not given is as for a normal one of its object."""
    made: Record = {
        "_id": oid(api, number), "name": f"{api}-{number}", "record_type": "default__c",
        "owner": ["1003"], "owner__r": {"id": "1003", "name": "陈立"},
        "owner_department": "华东销售部", "created_by": ["1003"], "last_modified_by": ["1003"],
        "life_status": "normal", "lock_status": "0", "is_deleted": False, "version": "1",
        "object_describe_api_name": api,
    }  # fmt: skip
    return {**made, **members}


def line(api: str, head: Record, link: str, place: int, /, **members: Any) -> Record:
    """Return the n-th line of a head, of up to 99."""
    number = int(head["_id"][8:], 16) * 100 + place
    return record(api, number, **{link: head["_id"], **members})


def order(number: int, lines: Sequence[Record], **members: Any) -> list[Record]:
    """Return a sales order and its lines; a line has quantity and sales_price as texts."""
    head = record("SalesOrderObj", number, name=f"20261120-{number:06d}", discount="100.0",
                  order_time=1763568000000, **members)  # fmt: skip
    made, total = [head], Decimal(0)
    for place, given in enumerate(lines, 1):
        sum_ = Decimal(given["quantity"]) * Decimal(given["sales_price"])
        total += sum_
        one = {"subtotal": f"{sum_:.2f}", "product_price": given["sales_price"], **given}
        made.append(line("SalesOrderProductObj", head, "order_id", place, **one))
    head.setdefault("order_amount", f"{total:.2f}")
    return made


def simulated(now: Callable[[], datetime]) -> Simulated:
    """Return a tenant with a customer and an order, and what connects to it."""
    from connectors.fxiaoke.simulator import FxiaokeSimulator
    from connectors.fxiaoke.simulator_door import Identity

    secrets = {"FX_APP_SECRET": "sample-app-secret-01", "FX_PERMANENT_CODE": "sample-code-0123"}
    who = Identity("FSAID_1317001", *secrets.values())
    app = FxiaokeSimulator(who, now=now)
    app.put("AccountObj", record("AccountObj", 1, name="杭州晴川贸易有限公司"))
    head, *lines = order(
        1, [{"quantity": "2.00", "sales_price": "26.00"}], account_id=oid("AccountObj", 1)
    )
    app.put("SalesOrderObj", head)
    for each in lines:
        app.put("SalesOrderProductObj", each)
    config = {
        "app_id": who.app_id, "app_secret": "env:FX_APP_SECRET",
        "permanent_code": "env:FX_PERMANENT_CODE", "user": who.user,
    }  # fmt: skip
    return Simulated(app, config, secrets)
