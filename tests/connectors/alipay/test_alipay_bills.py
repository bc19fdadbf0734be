"""One bill: rows put right or set aside, what proves it whole, ZIPs that must not be opened."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from typing import Any

import pytest

from connectors.alipay.billfile import BadBill, Caps, read
from connectors.alipay.billrows import LINE, mend
from connectors.alipay.catalogue import ACCOUNT_BILL, TRADE_BILL
from connectors.alipay.sample import Record, movement, trade_row
from connectors.alipay.simulator import HERE
from connectors.alipay.simulator_bill import Style, bill, packed
from connectors.errors import ConnectorError, ContractBroken, Refused, TooLarge

DAY = date(2026, 2, 26)
AT = datetime(2026, 2, 26, 9, 12, 58, tzinfo=HERE)
CAPS = Caps(10**8, 200)
ACCOUNT = "20880000000000000156"


def account(*rows: Record, **style: Any) -> bytes:
    return bill("account", rows, DAY, ACCOUNT, Style(**style))


def trades(*rows: Record, **style: Any) -> bytes:
    return bill("trade", rows, DAY, ACCOUNT, Style(**style))


def rows_of(data: bytes, what: Any = ACCOUNT_BILL, **how: Any) -> list[dict[str, Any]]:
    return list(read(data, what, DAY, CAPS, **how).table.to_pylist())


@pytest.mark.parametrize("summary_first", [True, False])
@pytest.mark.parametrize("half_width", [True, False])
@pytest.mark.parametrize("tabs", [True, False])
def test_a_bill_is_read_whatever_its_habits(
    summary_first: bool, half_width: bool, tabs: bool
) -> None:
    rows = [movement("54632446", AT, "88.88"), movement("54632447", AT, "-0.53", 商品名称="")]
    data = account(*rows, summary_first=summary_first, half_width=half_width, tabs=tabs)
    detail = read(data, ACCOUNT_BILL, DAY, CAPS)
    assert detail.keys == ["54632446", "54632447"]
    assert detail.account == ACCOUNT
    assert detail.notes == []
    found = [{n: v for n, v in row.items() if n != LINE} for row in detail.table.to_pylist()]
    assert found == [{n: v or None for n, v in row.items()} for row in rows]


def test_commas_in_names_are_put_right_where_one_way_alone_fits() -> None:
    names = ["茶杯,红", "茶杯,红,大,带盖", ",", "a,12.00,b"]
    rows = [movement(f"5463244{n}", AT, "1.00", 商品名称=name) for n, name in enumerate(names)]
    rows.append(movement("54632450", AT, "-2.00", 备注="退,换", 对方账号="李,四"))
    found = {row["账务流水号"]: row for row in rows_of(account(*rows))}
    assert [found[f"5463244{n}"]["商品名称"] for n in range(4)] == names
    last = found["54632450"]
    assert (last["备注"], last["对方账号"], last["支出金额（-元）"]) == ("退,换", "李,四", "-2.00")
    assert all(row[LINE] is None for row in found.values())


def test_commas_in_quoted_names_are_read_so() -> None:
    goods = '他说"好",3,4'
    rows = [trade_row("2026022622", AT, "1.00", 商品名称=goods),
            trade_row("2026022622", AT, "-1.00", "R1", 商品名称="无")]  # fmt: skip
    found = rows_of(trades(*rows, quoted=True), TRADE_BILL)
    assert {row["_key"]: row["商品名称"] for row in found} == {
        "2026022622": goods, "2026022622/R1": "无",
    }  # fmt: skip


def test_a_row_that_fits_two_ways_is_not_guessed() -> None:
    columns = ACCOUNT_BILL.columns
    row = movement("54632446", AT, "1.00", 对方账号="张,三")
    cells = [row[name] for name in columns]
    assert mend(",".join(cells), columns, ACCOUNT_BILL) == cells
    # Here the goods may end before the first moment or behind it.
    cells[5] = "2026-01-01 00:00:00,三"
    assert mend(",".join(cells), columns, ACCOUNT_BILL) is None
    assert mend("x," * 30, columns, ACCOUNT_BILL) is None
    assert mend(",".join(cells[:9]), columns, ACCOUNT_BILL) is None


def test_a_row_that_cannot_be_cut_is_handed_on_with_its_line() -> None:
    rows = [movement("54632446", AT, "1.00"), movement("54632447", AT, "2.00")]
    data = account(*rows, tabs=False)
    torn = _edited(data, "2.00,0.00", "2,000.00,0.00")  # neither 2 nor 0: a guess would be money
    detail = read(torn, ACCOUNT_BILL, DAY, CAPS)
    assert detail.keys == ["54632446", "54632447"]
    odd = detail.table.to_pylist()[1]
    assert odd[LINE] is not None
    assert ",2,000.00,0.00," in odd[LINE]
    assert {name for name, value in odd.items() if value} == {"账务流水号", LINE}
    assert len(detail.notes) == 1
    # One without a number, too: it has no key, and is not lost.
    nameless = read(_edited(data, "\r\n54632447,", "\r\n??,"), ACCOUNT_BILL, DAY, CAPS)
    assert nameless.keys == ["54632446", None]


def test_a_row_of_the_right_count_that_slipped_by_a_cell_is_no_payment() -> None:
    """One cell too few before the moment and one too many behind it: the count is right."""
    data = account(movement("54632446", AT, "1.00"), tabs=False)
    slipped = _edited(data, "纯棉T恤,2026-02-26 09:12:58,", "2026-02-26 09:12:58,9,")
    (row,) = rows_of(slipped)
    assert row[LINE] is not None
    assert row["收入金额（+元）"] is None


def test_bytes_that_are_no_gbk_do_not_lose_the_row() -> None:
    data = account(movement("54632446", AT, "1.00", 商品名称="茶杯X"))
    detail = read(_edited(data, "茶杯X", b"\x81\xff\xfe"), ACCOUNT_BILL, DAY, CAPS)
    (row,) = detail.table.to_pylist()
    assert "\ufffd" in row["商品名称"]
    assert (row["收入金额（+元）"], row[LINE]) == ("1.00", None)
    assert "not wholly GBK" in detail.notes[0]


@pytest.mark.parametrize("change", ["row", "amount", "tail"])
def test_a_bill_that_lacks_something_is_refused_whole(change: str) -> None:
    rows = [movement("54632446", AT, "1.00"), movement("54632447", AT, "2.00")]
    data = account(*rows, tabs=False)
    if change == "row":
        lines = _text(data).split("\r\n")
        data = _edited(data, next(line for line in lines if "54632447" in line) + "\r\n", "")
    elif change == "amount":
        data = _edited(data, "2.00,0.00", "2.01,0.00")
    else:
        data = _edited(data, "#收入合计：2笔", "#收入合计：3笔")
    with pytest.raises(BadBill, match="not whole"):
        read(data, ACCOUNT_BILL, DAY, CAPS)
    detail = read(data, ACCOUNT_BILL, DAY, CAPS, strict=False)
    assert detail.table.num_rows == (1 if change == "row" else 2)
    assert "landed all the same" in detail.notes[0]


def test_the_summary_is_held_against_the_rows() -> None:
    data = trades(trade_row("2026022622", AT, "1.00"), tail=False, tabs=False)
    assert len(rows_of(data, TRADE_BILL)) == 1
    with pytest.raises(BadBill, match="its summary counts 2 of 交易, 1 were read"):
        read(_edited(data, "合计\t,\t,1,", "合计\t,\t,2,", 0), TRADE_BILL, DAY, CAPS)


def test_a_bill_that_nothing_proves_says_so() -> None:
    detail = read(account(movement("54632446", AT, "1"), tail=False), ACCOUNT_BILL, DAY, CAPS)
    assert "nothing proves them" in detail.notes[0]


def test_a_torn_list_and_another_days_bill_are_refused() -> None:
    with pytest.raises(BadBill, match="has no end"):
        rows_of(account(movement("54632446", AT, "1"), end=False))
    other = bill("account", [movement("54632446", AT, "1")], date(2026, 2, 25), ACCOUNT, Style())
    with pytest.raises(BadBill, match="not of the day"):
        rows_of(other)
    with pytest.raises(BadBill, match="no column 发生时间"):
        rows_of(_edited(account(movement("54632446", AT, "1")), "发生时间", "时间"))
    with pytest.raises(BadBill, match="no member"):
        rows_of(packed([("readme.csv", b"1")]))


def test_an_empty_list_is_a_day_without_movements() -> None:
    detail = read(account(), ACCOUNT_BILL, DAY, CAPS)
    assert (detail.table.num_rows, detail.keys, detail.notes) == (0, [], [])


def test_several_detail_members_are_one_bill() -> None:
    parts = [_text(account(movement(f"5463244{n}", AT, "1.00"))).encode("gbk") for n in (1, 2)]
    data = packed([(f"a_账务明细_{n}.csv", part) for n, part in enumerate(parts)])
    assert read(data, ACCOUNT_BILL, DAY, CAPS).keys == ["54632441", "54632442"]


def _text(data: bytes) -> str:
    archive = zipfile.ZipFile(io.BytesIO(data))
    return archive.read(archive.infolist()[1]).decode("gbk")


GOOD = account(movement("54632446", AT, "1.00"))
DETAIL = _text(GOOD).encode("gbk")


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(GOOD[: len(GOOD) // 2], BadBill, id="cut in half"),
        pytest.param(b"PK\x03\x04" + b"\0" * 40, BadBill, id="no archive"),
        pytest.param(packed([("a_账务明细.csv", DETAIL)], crc=7), BadBill, id="wrong checksum"),
        pytest.param(packed([("../a_账务明细.csv", b"x")]), Refused, id="leads outside"),
        pytest.param(packed([("/a_账务明细.csv", b"x")]), Refused, id="absolute name"),
        pytest.param(packed([("a_账务明细.csv", b"x")] * 2), Refused, id="one name twice"),
        pytest.param(packed([(f"{n}.csv", b"") for n in range(65)]), TooLarge, id="many members"),
        pytest.param(packed([("a_账务明细.csv", b"0" * 30_000_000)]), TooLarge, id="a bomb"),
    ],
)
def test_zips_that_are_not_opened(data: bytes, kind: type[ConnectorError]) -> None:
    with pytest.raises(kind) as caught:
        read(data, ACCOUNT_BILL, DAY, CAPS)
    assert caught.value.do
    assert isinstance(caught.value, ContractBroken) == (kind is BadBill)


def test_a_size_that_the_archive_lies_about_is_noticed() -> None:
    honest = packed([("a_账务明细.csv", b"0" * 5000)])
    lying = honest.replace((5000).to_bytes(4, "little"), (50).to_bytes(4, "little"))
    with pytest.raises(TooLarge, match="more than the archive says"):
        read(lying, ACCOUNT_BILL, DAY, CAPS)


def _edited(data: bytes, old: str, new: str | bytes, member: int = 1) -> bytes:
    """Return the bill with a text replaced in its detail (the second member) or its summary."""
    archive = zipfile.ZipFile(io.BytesIO(data))
    names = ("a_明细(汇总).csv", "a_账务明细.csv")
    texts = [archive.read(entry) for entry in archive.infolist()]
    changed = new if isinstance(new, bytes) else new.encode("gbk")
    assert old.encode("gbk") in texts[member]
    texts[member] = texts[member].replace(old.encode("gbk"), changed)
    return packed(list(zip(names, texts, strict=True)))


# --- keys of refunds ---------------------------------------------------------------------------
def refunds(*rows: Record) -> dict[str, dict[str, Any]]:
    """Return the rows of a bill by their keys, which must be all different."""
    detail = read(trades(*rows), TRADE_BILL, DAY, CAPS)
    assert len(set(detail.keys)) == len(rows)
    made = detail.table.to_pylist()
    return {key or "": row for key, row in zip(detail.keys, made, strict=True)}


def anonymous(amount: str, note: str = "", number: str = "2026022622001400000000001") -> Record:
    """Return a refund that a person made on the merchant's page: no request, all in one second."""
    return trade_row(number, AT, amount, 业务类型="退款", 备注=note)


def test_refunds_of_one_second_without_a_request_are_told_apart() -> None:
    """One took the other's place, and its money was missing in the sum of refunds."""
    rows = [
        anonymous("-10.00"), anonymous("-20.00"), anonymous("-20.00", "again"),
        anonymous("-20.00", "again"), anonymous("-10.00", number="2026022622001400000000002"),
    ]  # fmt: skip
    found = refunds(*rows)
    assert sorted(found) == [
        "2026022622001400000000001/退款 2026-02-26 09:12:58 -10.00",
        "2026022622001400000000001/退款 2026-02-26 09:12:58 -20.00",
        "2026022622001400000000001/退款 2026-02-26 09:12:58 -20.00/2",
        "2026022622001400000000001/退款 2026-02-26 09:12:58 -20.00/3",
        "2026022622001400000000002/退款 2026-02-26 09:12:58 -10.00",
    ]
    for order in (rows[::-1], rows[2:] + rows[:2]):  # the vendor may sort as it likes
        assert refunds(*order) == found
    grown = refunds(*rows, anonymous("-1.00"))  # a corrected bill
    assert {key: row for key, row in grown.items() if key in found} == found


def test_a_request_names_its_refund_and_rows_that_share_one_stay() -> None:
    number = "2026022622001400000000001"
    rows = [trade_row(number, AT, "-4.00", "R1"), trade_row(number, AT, "-6.00", "R1", 备注="b"),
            trade_row(number, AT, "-6.00", "R2"), trade_row(number, AT, "88.00")]  # fmt: skip
    found = refunds(*rows)
    assert sorted(found) == [number, f"{number}/R1", f"{number}/R1/2", f"{number}/R2"]
    assert refunds(*rows[::-1]) == found


def test_a_number_behind_a_key_is_no_other_rows_key() -> None:
    number = "2026022622001400000000001"
    rows = [trade_row(number, AT, "-4.00", "R1"), trade_row(number, AT, "-6.00", "R1", 备注="b"),
            trade_row(number, AT, "-6.00", "R1/2")]  # fmt: skip
    found = refunds(*rows)
    assert sorted(found) == [f"{number}/R1", f"{number}/R1/2", f"{number}/R1/3"]
    assert refunds(*rows[::-1]) == found
