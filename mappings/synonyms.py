"""What systems call the canonical fields, in English and Chinese, beside the model's own labels."""

from __future__ import annotations

from collections.abc import Mapping

SYNONYMS: Mapping[str, str] = {
    "number": "order no/order number/bill no/fbillno/doc no/document number/订单号/订单编号/"
    "单据编号/单号/单据号/订单编码/invoice no/payment no/refund no/流水号/交易号/发票号",
    "code": "编码/代码/编号/客户编码/客户代码/客户编号/供应商编码/商品编码/物料编码/仓库编码/"
    "item code/customer code/fnumber",
    "sku": "sku code/sku编码/sku id/商品编码/商品代码/商品编号/物料编码/物料代码/物料编号/"
    "存货编码/货号/款号/规格编码/商家编码/编码/代码/编号/item code/item no/product code/"
    "material code/variant sku/lineitem sku",
    "barcode": "条码/商品条码/条形码/gtin/ean/upc/国际条码",
    "name": "名称/商品名称/商品名/品名/物料名称/存货名称/客户名称/客户姓名/姓名/供应商名称/"
    "仓库名称/title/item name/product name/customer name/full name/display name/lineitem name/"
    "fname",
    "spec": "规格/规格型号/型号/specification/variant title",
    "unit": "单位/计量单位/uom/unit name",
    "quantity": "qty/数量/件数/销售数量/订购数量/发货数量/出库数量/lineitem quantity/ordered qty",
    "unit_price": "price/单价/含税单价/销售单价/成交价/lineitem price/unit cost",
    "price": "单价/售价/销售价/零售价/标价/吊牌价/list price/selling price",
    "cost": "成本/成本价/成本单价/进价/采购价/cost price",
    "total": "total price/total amount/grand total/order total/金额/总金额/订单总额/总价/"
    "应付金额/合计金额/价税合计/应收金额/订单金额",
    "subtotal": "subtotal price/商品总额/小计/货款",
    "tax_total": "total tax/税额/税额合计",
    "discount_total": "total discounts/discount/折扣金额/优惠/优惠总额",
    "shipping_total": "shipping price/shipping/freight/运费/邮费",
    "amount": "金额/交易金额/收款金额/付款金额/实收金额/发生额/退款金额/收入金额/paid amount/"
    "value/total",
    "fee": "手续费/服务费/application fee",
    "currency": "币种/币别/货币/currency code",
    "status": "状态/单据状态/订单状态/state/order status/financial status/fulfillment status",
    "payment_status": "付款状态/支付状态/financial status",
    "fulfillment_status": "发货状态/物流状态/delivery status",
    "kind": "类型/type/类别/单据类型",
    "customer_key": "customer id/customer/buyer id/客户id/客户/会员id/往来单位/fcustid",
    "customer_name": "客户名称/客户/买家/买家昵称/buyer name/customer name/会员名称",
    "customer_phone": "客户电话/买家手机/buyer phone/手机/手机号/联系电话",
    "customer_email": "email/buyer email/contact email/邮箱",
    "phone": "手机/手机号/手机号码/电话/联系电话/电话号码/mobile/mobile phone/tel/telephone/"
    "phone number",
    "contact_name": "联系人/contact/联系人姓名",
    "email": "邮箱/电子邮箱/电子邮件/mail/e mail/email address",
    "uscc": "统一社会信用代码/社会信用代码/信用代码/纳税人识别号",
    "tax_number": "税号/纳税人识别号/vat number/tax id",
    "address": "地址/详细地址/联系地址/street",
    "city": "城市/市",
    "region": "省/省份/state/province/地区",
    "country": "国家/country code",
    "category": "分类/类别/类目/商品分类/product type/物料分组",
    "brand": "品牌/vendor",
    "note": "备注/remark/remarks/comment/comments/memo/说明",
    "buyer_note": "买家留言/备注/note/remark",
    "remark": "备注/摘要/用途/附言/note/memo/description",
    "placed_at": "下单时间/下单日期/订单时间/订单日期/日期/created at/create time/order date/"
    "order time/date/创建时间/成交时间",
    "order_date": "单据日期/订单日期/日期/fdate",
    "paid_at": "付款时间/支付时间/交易时间/入账时间/到账时间/收款日期/交易日期/pay time/"
    "paid date/日期/created/created at/date",
    "refunded_at": "退款时间/退款日期/created/created at",
    "shipped_at": "发货时间/发货日期/出库时间/ship date/shipment date",
    "delivered_at": "签收时间/妥投时间/delivery date",
    "issue_date": "开票日期/开票时间/invoice date/date",
    "due_date": "到期日/付款期限/到期日期",
    "on_hand": "库存数量/库存/现存量/在库数量/即时库存/实物库存/账面数量/结存数量/现有库存/"
    "实际库存/stock/stock qty/qty on hand/quantity on hand/on hand/inventory/inventory quantity/"
    "qty/quantity/数量",
    "available": "可用数量/可用库存/可用量/可售数量/可售库存/available qty/available quantity/"
    "sellable qty",
    "reserved": "占用数量/锁定数量/预占数量/已分配/冻结数量/allocated/committed/reserved qty",
    "in_transit": "在途数量/在途/在途库存",
    "incoming": "待入库数量/采购在途",
    "safety_stock": "安全库存/最低库存",
    "batch_no": "批次/批号/批次号/lot/lot number",
    "bin": "库位/货位/储位/bin location",
    "expires_on": "有效期/失效日期/到期日/expiry date/expiration date",
    "location_key": "仓库/仓库编码/仓库代码/仓库id/仓库名称/仓/门店/warehouse/warehouse code/"
    "warehouse id/location/location id/store/stock location/fstockid",
    "location_name": "仓库名称/warehouse name/location name",
    "product_key": "product id/variant id/商品id/物料id/item id",
    "order_key": "order id/订单id/销售订单id",
    "order_number": "订单号/订单编号/order no/order number/order name",
    "merchant_order_no": "商户订单号/商家订单号/out trade no/order reference/merchant order no/"
    "订单号/client reference",
    "provider_transaction_id": "交易流水号/交易号/支付单号/流水号/凭证号/transaction id/"
    "trade no/payment intent/charge/银行流水号",
    "payer_name": "对方户名/付款人/付款方/对方名称/payer",
    "payer_account": "对方账号/付款账号",
    "account": "本方账号/账号/收款账号/bank account",
    "method": "支付方式/付款方式/收款方式/payment method",
    "provider": "渠道/支付渠道/payment provider/gateway",
    "tracking_number": "运单号/快递单号/物流单号/tracking no/waybill no/mail no",
    "carrier_name": "快递公司/物流公司/承运商/carrier/shipping company",
    "carrier_code": "快递公司编码/快递编码/carrier code",
    "ship_to_name": "收货人/收件人/收货人姓名/receiver/receiver name/recipient",
    "ship_to_phone": "收货人电话/收货电话/收货人手机/receiver phone/receiver mobile",
    "ship_to_address": "收货地址/receiver address/shipping address",
    "ship_to_city": "收货城市/收货市",
    "ship_to_region": "收货省/收货省份",
    "weight": "重量/毛重/净重",
    "as_of": "更新时间/统计时间/盘点时间/库存日期/日期/时间/updated at/as of/snapshot date",
    "source_updated_at": "updated at/update time/modified/modified at/last modified/write date/"
    "更新时间/修改时间/最后修改时间/最后更新时间/fmodifydate/modified time",
    "source_created_at": "created at/create time/created/creation/创建时间/创建日期/fcreatedate/"
    "created time",
}
"""Field name -> other names, '/' between them. Compared without case, spaces, `_` and `-`."""

PLACES = ("仓库", "库位", "门店", "店铺", "warehouse", "location", "store")
IDS = (
    "id",
    "uuid",
    "guid",
    "key",
    "fid",
    "主键",
    "内码",
    "编号",
    "编码",
    "代码",
    "单号",
    "流水号",
    "number",
    "no",
)
LISTS: Mapping[str, str] = {
    "lines": "lines/line items/items/order lines/details/entries/明细/商品/order items/entry/"
    "products/invoice lines/fulfillment lines",
    "addresses": "addresses/address list/地址",
    "identifiers": "identifiers/ids",
}
STREAMS: Mapping[str, str] = {
    "party": "customers/clients/suppliers/vendors/partners/contacts/accounts/companies/客户/供应商",
    "product": "items/articles/goods/materials/skus/variants/物料/货品",
    "location": "warehouses/stores/shops/门店",
    "stock_level": "stock/inventory/stock levels/inventory levels/quants/库存",
    "order": "sales orders/sales/订单",
    "shipment": "deliveries/fulfillments/dispatches/发货/出库单",
    "payment": "receipts/transactions/charges/收款单/付款单",
    "invoice": "bills/receivables/payables",
    "refund": "退款",
    "opportunity": "deals/leads/销售机会",
}
"""Entity -> what streams of it are called, beside its own names."""
YES_NO = (("是", "否"), ("有", "无"), ("启用", "停用"), ("on", "off"), ("√", "×"), ("Y", "N"))
