"""The streams of 支付宝 as data: bills of a day, lists by time, trades and refunds asked for.

Columns and members are those of the contract sheet: of public parsers of the bills, and of the
vendor's client 3.7.1411 for Python.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

TRADE_QUERY, REFUND_QUERY = "alipay.trade.query", "alipay.trade.fastpay.refund.query"
BILL_URL = "alipay.data.dataservice.bill.downloadurl.query"


@dataclass(frozen=True, slots=True)
class Bill:
    """A bill of each day: a ZIP of CSV files.

    `first` is the column that begins a row; `money`, `moments` and `words` (no digits) are columns
    whose cells have a form of their own, `free` are written by people and may hold commas. `whole`
    says by the tail's words which column it sums up, and whether for the rows of that `kind` alone.
    `needed` are columns without which nothing is read. `refund` is the column that tells the
    refunds of a trade apart, for bills where one number stands in several rows.
    """

    name: str
    title: str
    type: str
    listed: str
    columns: tuple[str, ...]
    money: frozenset[str]
    moments: frozenset[str]
    words: frozenset[str]
    free: frozenset[str]
    whole: Mapping[str, tuple[str, bool]]
    needed: frozenset[str]
    kind: str = "业务类型"
    refund: str = ""

    @property
    def first(self) -> str:
        """Return the column that begins a row."""
        return self.columns[0]

    @property
    def key(self) -> str:
        """Return the column that names a row; `_key` is one of ours."""
        return "_key" if self.refund else self.first


@dataclass(frozen=True, slots=True)
class Log:
    """A list by time: `stamp` is the member that the window filters, `key` what names an entry."""

    name: str
    title: str
    method: str
    key: str
    stamp: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for one by one; `key` are members of the answer, `query` the default wants."""

    name: str
    title: str
    method: str
    wants: tuple[str, ...]
    key: tuple[str, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Balance:
    """The account's balance as it is now: one record, named by the app."""

    name: str = "balance"
    title: str = "余额"
    method: str = "alipay.data.bill.balance.query"


Source: TypeAlias = Bill | Log | Asked | Balance


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


ACCOUNT_BILL = Bill(
    "account_bill", "账务明细", "signcustomer", "账务明细列表",
    _names(
        "账务流水号,业务流水号,商户订单号,商品名称,发生时间,对方账号,"
        "收入金额（+元）,支出金额（-元）,账户余额（元）,交易渠道,业务类型,备注"
    ),
    money=frozenset({"收入金额（+元）", "支出金额（-元）", "账户余额（元）"}),
    moments=frozenset({"发生时间"}),
    words=frozenset({"交易渠道", "业务类型"}),
    free=frozenset({"商品名称", "对方账号", "备注"}),
    whole={"收入": ("收入金额（+元）", False), "支出": ("支出金额（-元）", False)},
    needed=frozenset(_names("业务流水号,发生时间,收入金额（+元）,支出金额（-元）,业务类型")),
)  # fmt: skip

TRADE_BILL = Bill(
    "trade_bill", "业务明细", "trade", "业务明细列表",
    _names(
        "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,"
        "门店编号,门店名称,操作员,终端号,对方账户,"
        "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,"
        "支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
        "商家红包消费金额（元）,卡消费金额（元）,"
        "退款批次号/请求号,服务费（元）,分润（元）,备注"
    ),
    money=frozenset(
        _names(
            "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,"
            "支付宝优惠（元）,商家优惠（元）,券核销金额（元）,"
            "商家红包消费金额（元）,卡消费金额（元）,服务费（元）,分润（元）"
        )
    ),
    moments=frozenset({"创建时间", "完成时间"}),
    words=frozenset({"业务类型"}),
    free=frozenset({"商品名称", "门店名称", "券名称", "备注"}),
    whole={"交易": ("商家实收（元）", True), "退款": ("商家实收（元）", True)},
    needed=frozenset(
        _names("商户订单号,业务类型,完成时间,订单金额（元）,商家实收（元）,退款批次号/请求号")
    ),
    refund="退款批次号/请求号",
)  # fmt: skip

STREAMS: Mapping[str, Source] = {
    source.name: source
    for source in (
        ACCOUNT_BILL,
        Log("account_log", "账务流水", "alipay.data.bill.accountlog.query", "account_log_id",
            "trans_dt"),
        TRADE_BILL,
        Log("sells", "卖出交易", "alipay.data.bill.sell.query", "alipay_order_no", "gmt_create"),
        Log("buys", "买入交易", "alipay.data.bill.buy.query", "alipay_order_no", "gmt_create"),
        Log("transfers", "转账", "alipay.data.bill.transfer.query", "order_no", "trans_dt"),
        Balance(),
        Asked(
            "trades", "交易查询", TRADE_QUERY, ("trade_no", "out_trade_no"), ("trade_no",),
            "select null as trade_no, merchant_order_no as out_trade_no from unified.payments"
            " where method = 'alipay' and status = 'pending' and merchant_order_no is not null"
            " and coalesce(source_created_at, first_seen_at) >= now() - interval '31 days'",
        ),
        Asked(
            "refund_checks", "退款查询", REFUND_QUERY,
            ("trade_no", "out_trade_no", "out_request_no"), ("trade_no", "out_request_no"),
            "select provider_transaction_id as trade_no, merchant_order_no as out_trade_no,"
            " merchant_refund_no as out_request_no from unified.refunds where method = 'alipay'"
            " and status in ('requested', 'approved', 'pending')"
            " and merchant_refund_no is not null"
            " and coalesce(requested_at, source_created_at, first_seen_at)"
            " >= now() - interval '31 days'",
        ),
    )
}  # fmt: skip

RARE = ("sells", "buys", "transfers", "balance")
"""Lists that few apps have the right to; the bills tell of the same money."""
