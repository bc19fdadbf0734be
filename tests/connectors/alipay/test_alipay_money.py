"""The ready mappings through the whole path, held against values that were worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from alipay_world import World

from connectors.alipay.catalogue import STREAMS
from pipelines.workspace import PROJECT
from warehouse import ddl

D = Decimal


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


def test_every_stream_has_a_mapping() -> None:
    for name in STREAMS:
        assert (PROJECT / "mappings" / "alipay" / f"{name}.yaml").is_file(), name


def fill(world: World) -> None:
    """Three days: a sale with its fee, a second one, a part refunded, a payout to the bank."""
    sale = world.move(4, "88.88", 商户订单号="SO20261120001", 业务类型="在线支付")
    trade = {"业务流水号": sale["业务流水号"], "商户订单号": "SO20261120001"}
    world.move(4, "-0.53", 业务类型="收费", 对方账号="", **trade)
    world.move(3, "100.00", 业务类型="交易付款", 商品名称="茶杯,带盖,红色")
    world.move(2, "-30.00", 业务类型="交易退款", **trade)
    world.move(2, "-100.00", 业务类型="提现")
    world.move(2, "5.00", 业务类型="花呗红包雨")
    world.trade(4, "88.88", number="2026022022001400000000001")
    for request, amount in (("R1", "-10.00"), ("R2", "-20.00")):
        world.trade(2, amount, request=request, number="2026022022001400000000001")


def test_money_is_counted_once_and_refunds_are_documents(world: World) -> None:
    fill(world)
    for stream in ("account_bill", "trade_bill"):
        done = world.sync(stream)
        assert (done.error, done.quarantined) == (None, 0)
    world.publish()
    assert world.ask(
        "select kind, sum(amount), count(*) from unified.payments group by 1 order by 1"
    ) == [
        ("fee", D("0.53"), 1), ("payment", D("188.88"), 2), ("payout", D(100), 1),
        ("refund", D(30), 1), ("unknown", D(5), 1),
    ]  # fmt: skip
    assert world.ask(
        "select amount, currency, status, method, merchant_order_no, balance,"
        " paid_at::varchar from unified.payments where kind in ('payment', 'fee')"
        " and merchant_order_no = 'SO20261120001' order by amount"
    ) == [
        (D("0.53"), "CNY", "succeeded", "alipay", "SO20261120001", D("14533.03"),
         "2026-02-24 16:00:02+00"),
        (D("88.88"), "CNY", "succeeded", "alipay", "SO20261120001", D("14533.03"),
         "2026-02-24 16:00:01+00"),
    ]  # fmt: skip
    assert world.ask("select kind_raw from source.payments where kind = 'unknown'") == [
        ("花呗红包雨",)
    ]
    assert world.ask(
        "select number, amount, status, merchant_refund_no, provider_transaction_id"
        " from unified.refunds order by 1"
    ) == [
        (f"2026022022001400000000001/{request}", amount, "succeeded", request,
         "2026022022001400000000001")
        for request, amount in (("R1", D(10)), ("R2", D(20)))
    ]  # fmt: skip


def test_which_way_money_went_is_kept(tmp_path: Path, world: World) -> None:
    """Amounts have no sign: of a transfer the columns alone say it. 支出 may have none."""
    world.move(2, "-7.00", 业务类型="转账", 对方账号="")
    world.move(2, "8.00", 业务类型="转账", 对方账号="")
    world.move(2, "0.00", **{"业务类型": "收费", "支出金额（-元）": "0.53"})
    assert world.sync("account_bill").error is None
    log = World(tmp_path / "log", movements="log")
    log.system, log.network = world.system, world.network
    assert log.sync("account_log").error is None
    told = []
    for one, names in ((world, ("收入金额（+元）", "支出金额（-元）")), (log, ("direction",))):
        with duckdb.connect(str(one.space.home.store), read_only=True) as con:
            found = con.execute("select kind, amount, ext from source.payments order by amount")
            told.append([
                (kind, amount, *(json.loads(ext)[name] for name in names))
                for kind, amount, ext in found.fetchall()
            ])  # fmt: skip
    log.close()
    assert told == [
        [
            ("fee", D("0.53"), "0.00", "0.53"), ("transfer", D(7), "0.00", "-7.00"),
            ("transfer", D(8), "8.00", "0.00"),
        ],
        [("fee", D("0.53"), "支出"), ("transfer", D(7), "支出"), ("transfer", D(8), "收入")],
    ]  # fmt: skip


@pytest.mark.parametrize("days", [10, 40])
def test_what_is_pending_for_too_long_is_not_asked_for(days: int) -> None:
    with duckdb.connect() as con:
        con.execute("create schema unified")
        for entity, status, more in (
            ("payment", "pending", {}), ("refund", "approved", {"merchant_refund_no": "R1"}),
        ):  # fmt: skip
            table = ddl.unified_table(entity)
            columns = ", ".join(f"{field.name} {field.sql_type}" for field in table.fields)
            con.execute(f"create table {table.full} ({columns})")
            row = {
                "method": "alipay", "status": status, "merchant_order_no": "SO1",
                "source_created_at": datetime.now(UTC) - timedelta(days=days), **more,
            }  # fmt: skip
            marks = ", ".join("?" * len(row))
            con.execute(
                f"insert into {table.full} ({', '.join(row)}) values ({marks})", [*row.values()]
            )
        asked = [
            con.execute(STREAMS[name].query).fetchall() for name in ("trades", "refund_checks")
        ]
    assert asked == ([[(None, "SO1")], [(None, "SO1", "R1")]] if days < 31 else [[], []])


def test_what_cannot_be_read_waits_in_quarantine_and_the_rest_is_there(world: World) -> None:
    good = world.move(2, "1.00")
    broken = world.move(2, "2.00", **{"账户余额（元）": "12,x3.00"})
    done = world.sync("account_bill")
    assert (done.error, done.inserted, done.quarantined) == (None, 1, 1)
    world.publish()
    assert world.ask("select number from unified.payments") == [(good["账务流水号"],)]
    assert [row[0] for row in world.ask("select field from ops.quarantine")] == ["amount"]
    assert (
        f"账务明细 {world.at(2).date()}: 1 rows cannot be cut into 12 cells without a guess:"
        " they wait in quarantine."
    ) in done.warnings
    world.time.wait(days=1)
    world.system.put("account", broken | {"账户余额（元）": "12.00"})  # corrected there
    done = world.sync("account_bill")
    assert (done.error, done.inserted, done.quarantined) == (None, 1, 0)
    world.publish()
    assert world.ask("select sum(amount) from unified.payments") == [(D(3),)]
    assert world.ask("select count(*) from ops.quarantine where status = 'open'") == [(0,)]


def test_the_log_makes_the_rows_that_the_bill_makes(tmp_path: Path, world: World) -> None:
    fill(world)
    assert world.sync("account_bill").error is None
    world.publish()
    other = World(tmp_path / "log", movements="log")
    other.system, other.network = world.system, world.network
    assert other.sync("account_log").error is None
    other.publish()
    sql = (
        "select number, kind, amount, currency, provider_transaction_id, reference,"
        " merchant_order_no, balance, paid_at from unified.payments order by 1"
    )
    assert other.ask(sql) == world.ask(sql)
    other.close()


def test_the_log_names_the_refund_that_money_carries_out(tmp_path: Path) -> None:
    """The bill does not: there a refund's money and its document meet by the trade alone."""
    world = World(tmp_path / "log", movements="log")
    number = "2026022022001400000000001"
    world.trade(4, "88.88", number=number)
    for request, amount in (("R1", "-10.00"), ("R2", "-20.00")):
        world.trade(2, amount, request=request, number=number)
        world.move(2, amount, 业务流水号=number, 业务类型="交易退款", _request=request)
    world.move(2, "-5.00", 业务流水号=number, 业务类型="交易退款")  # told without a request
    world.move(
        2, "0.06", 业务流水号=number, 业务类型="退款", _request="R1"
    )  # money that comes back
    for stream in ("account_log", "trade_bill"):
        done = world.sync(stream)
        assert (done.error, done.quarantined) == (None, 0)
    world.publish()
    assert world.ask(
        "select p.kind, p.amount, r.number, r.amount from unified.payments p"
        " left join unified.refunds r using (refund_id) order by 2"
    ) == [
        ("adjustment", D("0.06"), None, None), ("refund", D(5), None, None),
        ("refund", D(10), f"{number}/R1", D(10)), ("refund", D(20), f"{number}/R2", D(20)),
    ]  # fmt: skip
    world.close()
