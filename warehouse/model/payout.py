"""What a payment is for, and what a provider pays out of the payments that it took."""

from __future__ import annotations

from typing import Annotated, ClassVar

from warehouse.model import columns as c
from warehouse.model.base import Entity


class PaymentAllocation(Entity):
    """A part of a payment and the order or invoice that it is for."""

    entity: ClassVar[str] = "payment_allocation"
    table: ClassVar[str] = "payment_allocations"
    en: ClassVar[str] = "Payment allocation"
    zh: ClassVar[str] = "收付款核销"
    about: ClassVar[str] = "the part of a payment that is for one order or invoice"
    parent: ClassVar[str | None] = "payment"

    order_key: Annotated[
        c.Text, c.key("Order", "订单", "The order it is for", ref="order", resolved="order_id")
    ] = None
    invoice_key: Annotated[
        c.Text,
        c.key("Invoice", "发票", "The invoice it is for", ref="invoice", resolved="invoice_id"),
    ] = None
    document_no: Annotated[
        c.Text, c.text("Document number", "单据编号", "What it is for, as the source writes it")
    ] = None
    amount: Annotated[
        c.Number, c.money("Amount", "核销金额", "The part; of the payment's own direction")
    ] = None
    currency: Annotated[c.Text, c.currency()] = None


class Payout(Entity):
    """A settlement: what a provider sends to the bank out of what it took, less fees."""

    entity: ClassVar[str] = "payout"
    table: ClassVar[str] = "payouts"
    en: ClassVar[str] = "Payout"
    zh: ClassVar[str] = "结算单"
    about: ClassVar[str] = "a settlement of a payment provider; its money is a payment beside it"
    children: ClassVar = {"lines": "payout_line"}

    number: Annotated[
        c.Text, c.text("Payout number", "结算单号", "Number at the provider", natural=True)
    ] = None
    provider: Annotated[
        c.Text, c.text("Provider", "支付渠道", "Who settles, as the source names it")
    ] = None
    kind: Annotated[
        c.Text,
        c.word("Kind", "类型", "To the bank, or taken back from it", "payout", "collection"),
    ] = None
    status: Annotated[
        c.Text,
        c.word(
            "Status",
            "状态",
            "How far it is",
            "scheduled",
            "in_transit",
            "paid",
            "failed",
            "cancelled",
        ),
    ] = None
    amount: Annotated[c.Number, c.money("Amount", "结算金额", "What is sent", positive=True)] = None
    currency: Annotated[c.Text, c.currency()] = None
    arrival_date: Annotated[
        c.Day, c.date("Arrival", "到账日期", "When the bank has it, or is to have it")
    ] = None
    is_automatic: Annotated[
        c.Flag, c.flag("Automatic", "自动结算", "Made by the provider's schedule")
    ] = None
    failure_reason: Annotated[
        c.Text, c.note("Failure reason", "失败原因", "Why it did not succeed")
    ] = None
    organization_key: Annotated[c.Text, c.organization("组织", "Own legal entity")] = None
    source_created_at: Annotated[c.Moment, c.created()] = None
    source_updated_at: Annotated[c.Moment, c.updated()] = None


class PayoutLine(Entity):
    """One entry of the ledger that a payout settles."""

    entity: ClassVar[str] = "payout_line"
    table: ClassVar[str] = "payout_lines"
    en: ClassVar[str] = "Payout line"
    zh: ClassVar[str] = "结算明细"
    about: ClassVar[str] = (
        "a payment, refund or fee that a payout settles; the sign is the ledger's"
    )
    parent: ClassVar[str | None] = "payout"

    payment_key: Annotated[
        c.Text,
        c.key(
            "Payment",
            "收付款",
            "The movement of money that is settled",
            ref="payment",
            resolved="payment_id",
        ),
    ] = None
    kind: Annotated[c.Text, c.text("Kind", "类型", "As the provider names it")] = None
    amount: Annotated[
        c.Number, c.money("Amount", "金额", "What moved; negative where it went out")
    ] = None
    fee: Annotated[c.Number, c.money("Fee", "手续费", "What the provider keeps")] = None
    net: Annotated[
        c.Number, c.money("Net", "净额", "Amount less fee; the sum over lines is the payout")
    ] = None
    currency: Annotated[c.Text, c.currency()] = None
