"""Money that moved, and the documents that promise it back."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity

_METHODS = (
    "cash", "card", "bank_transfer", "alipay", "wechat_pay", "unionpay", "paypal", "store_credit",
    "cod", "other",
)  # fmt: skip
_SIDES = ("organization", "person")


class Payment(Entity):
    """One movement of money, at the gateway, the bank, the shop or the ERP."""

    entity: ClassVar[str] = "payment"
    table: ClassVar[str] = "payments"
    en: ClassVar[str] = "Payment"
    zh: ClassVar[str] = "收付款"
    about: ClassVar[str] = "one movement of money; amounts are positive, kind says the direction"
    children: ClassVar = {"allocations": "payment_allocation"}

    number: Annotated[
        c.Text, c.text("Payment number", "收款单号", "Number of the document", natural=True)
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "类型",
            "Direction and sense; a payment comes in, refund, fee and payout go out",
            "payment",
            "refund",
            "chargeback",
            "fee",
            "payout",
            "transfer",
            "adjustment",
        ),
    ] = None
    order_key: Annotated[
        c.Text, c.key("Order", "订单", "The order it pays", ref="order", resolved="order_id")
    ] = None
    refund_key: Annotated[
        c.Text,
        c.key(
            "Refund",
            "退款单",
            "The refund document it carries out",
            ref="refund",
            resolved="refund_id",
        ),
    ] = None
    invoice_key: Annotated[
        c.Text,
        c.key("Invoice", "发票", "The invoice it pays", ref="invoice", resolved="invoice_id"),
    ] = None
    customer_key: Annotated[
        c.Text, c.key("Customer", "客户", "Who pays or is paid", ref="party", resolved="party_id")
    ] = None
    provider: Annotated[
        c.Text, c.text("Provider", "支付渠道", "Gateway or bank, as the source names it")
    ] = None
    method: Annotated[c.Text, c.word("Method", "支付方式", "How it was paid", *_METHODS)] = None
    amount: Annotated[c.Number, c.money("Amount", "金额", "What moved", positive=True)] = None
    fee: Annotated[c.Number, c.money("Fee", "手续费", "What the provider keeps")] = None
    net: Annotated[c.Number, c.money("Net", "净额", "Amount less fee")] = None
    refunded_amount: Annotated[
        c.Number, c.money("Refunded", "已退金额", "Refunded so far, as the source says")
    ] = None
    balance: Annotated[
        c.Number, c.money("Balance", "账户余额", "Balance of the account after it")
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
    fx_rate: Annotated[
        c.Number, c.rate("Exchange rate", "汇率", "One unit in the base currency")
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "Whether the money has moved",
            "pending",
            "authorized",
            "succeeded",
            "failed",
            "cancelled",
        ),
    ] = None
    authorized_at: Annotated[
        c.Moment, c.instant("Authorised at", "授权时间", "When it was promised")
    ] = None
    paid_at: Annotated[c.Moment, c.instant("Paid at", "支付时间", "When the money moved")] = None
    value_date: Annotated[c.Day, c.date("Value date", "入账日期", "Business date at the bank")] = (
        None
    )
    provider_transaction_id: Annotated[
        c.Text,
        c.text("Provider transaction", "渠道交易号", "Number at the gateway or bank", natural=True),
    ] = None
    merchant_order_no: Annotated[
        c.Text,
        c.text(
            "Merchant order number", "商户订单号", "Order number that was handed to the gateway"
        ),
    ] = None
    merchant_refund_no: Annotated[
        c.Text,
        c.text("Merchant refund number", "商户退款单号", "Refund number handed to the gateway"),
    ] = None
    payout_no: Annotated[
        c.Text, c.text("Payout", "结算批次号", "Settlement it was paid out with")
    ] = None
    payout_key: Annotated[
        c.Text,
        c.key(
            "Payout",
            "结算单",
            "The settlement that it is the money of",
            ref="payout",
            resolved="payout_id",
        ),
    ] = None
    reference: Annotated[
        c.Text,
        c.note("Reference", "参考号", "What the bank carries along; payers write names in it"),
    ] = None
    account: Annotated[
        c.Text,
        c.text("Own account", "本方账户", "Own account, as the source names it", privacy="bank"),
    ] = None
    payer_kind: Annotated[
        c.Text, c.word("Payer kind", "付款方类型", "Decides what is personal", *_SIDES)
    ] = None
    payer_name: Annotated[
        c.Text, c.text("Payer", "付款方", "Who paid", privacy="name", person_only=True)
    ] = None
    payer_account: Annotated[
        c.Text,
        c.text(
            "Payer's account", "付款账号", "Account it came from", privacy="bank", person_only=True
        ),
    ] = None
    payer_openid: Annotated[
        c.Text,
        c.text(
            "Payer's openid", "付款人 openid", "Id of the payer at the gateway", privacy="openid"
        ),
    ] = None
    payee_kind: Annotated[
        c.Text, c.word("Payee kind", "收款方类型", "Decides what is personal", *_SIDES)
    ] = None
    payee_name: Annotated[
        c.Text, c.text("Payee", "收款方", "Who was paid", privacy="name", person_only=True)
    ] = None
    payee_account: Annotated[
        c.Text,
        c.text(
            "Payee's account", "收款账号", "Account it went to", privacy="bank", person_only=True
        ),
    ] = None
    organization_key: Annotated[c.Text, c.organization("收款组织", "Own legal entity")] = None
    remark: Annotated[c.Text, c.note("Remark", "附言", "Free text of payer or bank")] = None
    failure_reason: Annotated[
        c.Text, c.note("Failure reason", "失败原因", "Why it did not succeed")
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class Refund(Entity):
    """A document that promises money back; the movement itself is a payment of kind refund."""

    entity: ClassVar[str] = "refund"
    table: ClassVar[str] = "refunds"
    en: ClassVar[str] = "Refund"
    zh: ClassVar[str] = "退款单"
    about: ClassVar[str] = "a refund document; its money is a payment of kind refund"
    children: ClassVar = {"lines": "refund_line"}

    number: Annotated[
        c.Text, c.text("Refund number", "退款单号", "Number of the document", natural=True)
    ] = None
    order_key: Annotated[
        c.Text, c.key("Order", "订单", "The order it gives back", ref="order", resolved="order_id")
    ] = None
    payment_key: Annotated[
        c.Text,
        c.key(
            "Payment", "原支付", "The payment it gives back", ref="payment", resolved="payment_id"
        ),
    ] = None
    customer_key: Annotated[
        c.Text, c.key("Customer", "客户", "Who gets the money", ref="party", resolved="party_id")
    ] = None
    kind: Annotated[
        c.Text,
        c.word(
            "Kind",
            "售后类型",
            "Whether goods come back",
            "refund_only",
            "return_refund",
            "exchange",
            "compensation",
        ),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "Where the refund stands",
            "requested",
            "approved",
            "pending",
            "succeeded",
            "rejected",
            "failed",
            "cancelled",
        ),
    ] = None
    amount: Annotated[
        c.Number, c.money("Amount", "退款金额", "What is given back", positive=True)
    ] = None
    shipping_amount: Annotated[c.Number, c.money("Shipping", "退运费", "Part that is shipping")] = (
        None
    )
    tax: Annotated[c.Number, c.money("Tax", "税额", "Part that is tax")] = None
    currency: Annotated[c.Text, c.currency()] = None
    method: Annotated[c.Text, c.word("Method", "退款方式", "How it is given back", *_METHODS)] = (
        None
    )
    requested_at: Annotated[
        c.Moment, c.instant("Requested at", "申请时间", "When it was asked for")
    ] = None
    refunded_at: Annotated[
        c.Moment, c.instant("Refunded at", "退款时间", "When the money moved")
    ] = None
    provider_refund_id: Annotated[
        c.Text, c.text("Provider refund", "渠道退款单号", "Number at the gateway", natural=True)
    ] = None
    provider_transaction_id: Annotated[
        c.Text, c.text("Provider transaction", "渠道交易号", "Number of the payment at the gateway")
    ] = None
    merchant_refund_no: Annotated[
        c.Text,
        c.text(
            "Merchant refund number",
            "商户退款单号",
            "Refund number handed to the gateway",
            natural=True,
        ),
    ] = None
    merchant_order_no: Annotated[
        c.Text, c.text("Merchant order number", "商户订单号", "Order number handed to the gateway")
    ] = None
    organization_key: Annotated[c.Text, c.organization("组织", "Own legal entity")] = None
    reason: Annotated[
        c.Text, c.note("Reason", "退款原因", "Why, in the words of customer or staff")
    ] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class RefundLine(Entity):
    """One line of a refund: what of the order is given back."""

    entity: ClassVar[str] = "refund_line"
    table: ClassVar[str] = "refund_lines"
    en: ClassVar[str] = "Refund line"
    zh: ClassVar[str] = "退款明细"
    about: ClassVar[str] = "one line of a refund; quantities and sums are positive"
    parent: ClassVar[str | None] = "refund"

    order_line_key: Annotated[
        c.Text,
        c.text("Order line", "订单行", "Key of the line inside its order, as the source said it"),
    ] = None
    product_key: Annotated[
        c.Text, c.key("Product", "商品", "What is refunded", ref="product", resolved="product_id")
    ] = None
    sku: Annotated[c.Text, c.text("SKU", "SKU 编码", "Code as written on the line")] = None
    name: Annotated[c.Text, c.text("Name", "商品名称", "Name as written on the line")] = None
    quantity: Annotated[c.Number, c.quantity("Quantity", "数量", "Refunded pieces")] = None
    amount: Annotated[c.Number, c.money("Amount", "退款金额", "Given back, without tax")] = None
    tax: Annotated[c.Number, c.money("Tax", "税额", "Tax given back")] = None
    restock: Annotated[
        c.Text,
        c.word(
            "Restock",
            "入库方式",
            "Whether the goods are stock again",
            "none",
            "returned",
            "cancelled",
        ),
    ] = None
    location_key: Annotated[
        c.Text,
        c.key("Restocked at", "入库仓库", "Where to", ref="location", resolved="location_id"),
    ] = None
