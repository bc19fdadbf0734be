"""What proves that a bill was read whole: its own tail and its summary, held against the rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from connectors.alipay.billrows import LINE, headings
from connectors.alipay.catalogue import Bill

_TAIL = re.compile(r"#+\s*(\S{2})合计：\s*([0-9]+)笔.*?共(-?[0-9]+(?:\.[0-9]+)?)元")
_AMOUNT = r"^[+-]?[0-9]{1,15}(\.[0-9]{1,8})?$"
_EXACT = pa.decimal128(38, 8)
_COUNTS = {"交易": "交易订单总笔数", "退款": "退款订单总笔数"}


def compared(
    table: pa.Table, bill: Bill, tails: Sequence[str], summaries: Sequence[str]
) -> tuple[bool, list[str]]:
    """Say whether anything counts the rows, and where it counts otherwise.

    Rows that could not be cut may be of any sort: then sums prove nothing, and counts are bounds.
    """
    said = _tail(tails, bill)
    summary = _summary(summaries) if bill.refund else {}
    rows = {word: _rows(table, bill, word) for word in bill.whole}
    uncut = table.num_rows - table[LINE].null_count
    wrong = []
    for word, (count, total) in said.items():
        many, amount = rows[word]
        if not many <= count <= many + uncut:
            wrong.append(f"its tail counts {count} of {word}, {many} were read")
        elif not uncut and abs(amount) != abs(total):
            wrong.append(f"its tail sums {word} up to {total}, the rows to {amount.normalize():f}")
    for word, count in summary.items():
        if not rows[word][0] <= count <= rows[word][0] + uncut:
            wrong.append(f"its summary counts {count} of {word}, {rows[word][0]} were read")
    return bool(said or summary), wrong


def _tail(lines: Sequence[str], bill: Bill) -> dict[str, tuple[int, Decimal]]:
    """Return what tails count, of several files together: `#收入合计：18笔，共14989.00元`."""
    found: dict[str, tuple[int, Decimal]] = {}
    for line in lines:
        hit = _TAIL.match(line.strip())
        if hit and hit[1] in bill.whole:
            count, total = found.get(hit[1], (0, Decimal(0)))
            found[hit[1]] = (count + int(hit[2]), total + Decimal(hit[3]))
    return found


def _rows(table: pa.Table, bill: Bill, word: str) -> tuple[int, Decimal]:
    """Return how many rows are of a sort, and their sum."""
    column, by_kind = bill.whole[word]
    cells = pc.coalesce(table[column], "")
    amounts = pc.if_else(pc.match_substring_regex(cells, _AMOUNT), cells, "0")
    exact = pc.cast(amounts, _EXACT)
    mine = (
        pc.equal(pc.coalesce(table[bill.kind], ""), word)
        if by_kind
        else pc.not_equal(exact, pa.scalar(Decimal(0), _EXACT))
    )
    chosen = exact.filter(mine)
    return len(chosen), pc.sum(chosen).as_py() or Decimal(0)


def _summary(texts: Sequence[str]) -> dict[str, int]:
    """Return what the line 合计 of the trades' summary counts."""
    return dict(pair for text in texts for pair in _counts(text))


def _counts(text: str) -> Iterator[tuple[str, int]]:
    names: tuple[str, ...] = ()
    for line in text.replace("\r\n", "\n").replace("\t", "").split("\n"):
        if _COUNTS["交易"] in line:
            names = headings(line)
        elif names and line.strip().startswith("合计"):
            cells: Mapping[str, str] = dict(
                zip(names, (cell.strip() for cell in line.split(",")), strict=False)
            )
            for word, name in _COUNTS.items():
                if cells.get(name, "").isdecimal():
                    yield word, int(cells[name])
