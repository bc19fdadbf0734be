"""Rows of a bill as columns of text: cut by commas, put right where names hold some.

Older bills have no quotes, so a name of goods with a comma makes a row of more cells than columns.
It is put right where one way alone leaves each number, moment and amount what it must be. What
cannot be is handed on with its line, so that it waits in quarantine and is not lost.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations_with_replacement, count

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from connectors.alipay.catalogue import Bill

LINE, KEY = "_line", "_key"
_MONEY = re.compile(r"[+-]?(0|[1-9][0-9]{0,14})\.[0-9]{2}|")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_NUMBER = re.compile(r"[0-9A-Za-z_-]{6,64}")
_WORD = re.compile(r"[^0-9]*")
_MOST_COMMAS = 12
_BLOCK = 64 << 20  # bytes; a row must be shorter


def headings(line: str) -> tuple[str, ...]:
    """Return the names of columns in one spelling: full-width brackets, no blanks."""
    names = (cell.strip().strip('"').strip() for cell in line.split(","))
    return tuple(name.replace("(", "（").replace(")", "）").replace(" ", "") for name in names)


def table(lines: Sequence[str], columns: Sequence[str], bill: Bill) -> tuple[pa.Table, int]:
    """Return the rows as columns of text, and how many could not be cut: those hold their line."""
    odd: list[str] = []

    def aside(row: arrow_csv.InvalidRow) -> str:
        odd.append(row.text)
        return "skip"

    found = _cleaned(_parsed("\n".join(lines), columns, aside))
    mended, lost = list[list[str]](), list[str]()
    for line in odd:
        cells = mend(line, columns, bill)
        if cells is None:
            lost.append(line)
        else:
            mended.append(cells)
    fits = _fits(found, columns, bill)  # of the right count, and yet slipped by a cell
    for row in found.filter(pc.invert(fits)).to_pylist():
        lost.append(",".join(row[name] or "" for name in columns))
    found = pa.concat_tables([found.filter(fits), _cleaned(_columns(mended, columns))])
    found = found.append_column(LINE, pa.nulls(found.num_rows, pa.string()))
    if bill.refund:
        found = found.append_column(KEY, _keys(found, bill))
    if lost:
        found = pa.concat_tables([found, _uncut(lost, columns, bill)])
    return found, len(lost)


def _parsed(
    text: str, columns: Sequence[str], aside: Callable[[arrow_csv.InvalidRow], str]
) -> pa.Table:
    if not text:
        return _columns([], columns)
    data = text.encode()
    return arrow_csv.read_csv(
        pa.BufferReader(data),
        read_options=arrow_csv.ReadOptions(
            column_names=list(columns), use_threads=False,
            block_size=min(len(data) + 1, _BLOCK),
        ),
        parse_options=arrow_csv.ParseOptions(
            quote_char=False, newlines_in_values=False, invalid_row_handler=aside
        ),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), check_utf8=False,
            strings_can_be_null=False,
        ),
    )  # fmt: skip


def _columns(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> pa.Table:
    across = list(zip(*rows, strict=True)) or [()] * len(columns)
    return pa.table([pa.array(cells, pa.string()) for cells in across], names=list(columns))


def _cleaned(table: pa.Table) -> pa.Table:
    """Take off TABs, blanks and the quotes around a whole cell; what is empty is null."""
    made = []
    for column in table.columns:
        cells = pc.utf8_trim_whitespace(column)
        if pc.any(pc.starts_with(cells, '"')).as_py():
            cells = pc.replace_substring_regex(cells, pattern=r'^"(.*)"$', replacement=r"\1")
            cells = pc.utf8_trim_whitespace(pc.replace_substring(cells, '""', '"'))
        made.append(pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells))
    return pa.table(made, names=table.column_names)


def _fits(found: pa.Table, columns: Sequence[str], bill: Bill) -> pa.ChunkedArray:
    """Say of each row whether it begins with a number and its moments read so."""
    good = pc.match_substring_regex(pc.coalesce(found[bill.first], ""), f"^{_NUMBER.pattern}$")
    for name in bill.moments & set(columns):
        cells = pc.coalesce(found[name], "")
        good = pc.and_(good, pc.match_substring_regex(cells, f"^({_MOMENT.pattern})$"))
    return good


def mend(line: str, columns: Sequence[str], bill: Bill) -> list[str] | None:
    """Return the cells of a row with more commas than columns; None where it is not plain how.

    Quoted cells are read so. Else the surplus belongs to cells that people write, and only where
    one way alone leaves each moment, amount and number what it must be.
    """
    width = len(columns)
    if '"' in line:
        try:
            quoted = next(csv.reader([line.replace("\t", "")], strict=True), [])
        except csv.Error:
            quoted = []
        if len(quoted) == width and _plausible(quoted, columns, bill):
            return quoted
    cells = line.split(",")
    surplus = len(cells) - width
    if not 0 < surplus <= _MOST_COMMAS:
        return None
    places = [number for number, name in enumerate(columns) if name in bill.free]
    found = []
    for chosen in combinations_with_replacement(places, surplus):
        made = _joined(cells, {place: chosen.count(place) for place in chosen})
        if _plausible(made, columns, bill):
            found.append(made)
            if len(found) > 1:
                return None
    return found[0] if found else None


def _joined(cells: Sequence[str], more: Mapping[int, int]) -> list[str]:
    made, at = [], 0
    for place in range(len(cells) - sum(more.values())):
        step = 1 + more.get(place, 0)
        made.append(",".join(cells[at : at + step]))
        at += step
    return made


def _plausible(cells: Sequence[str], columns: Sequence[str], bill: Bill) -> bool:
    """Say whether each cell that has a form of its own has it."""
    forms = (
        ({bill.first}, _NUMBER), (bill.money, _MONEY), (bill.moments, _MOMENT),
        (bill.words, _WORD),
    )  # fmt: skip
    for name, cell in zip(columns, cells, strict=True):
        text = cell.strip().strip('"').strip()
        if any(name in names and not form.fullmatch(text) for names, form in forms):
            return False
    return True


def _keys(found: pa.Table, bill: Bill) -> pa.ChunkedArray:
    """Return the trade's number, for a refund with the number of its request behind it.

    Refunds that were not asked for by a request of the merchant's have none: their moment and
    amount stand there.
    """
    number, kind = found[bill.first], pc.coalesce(found[bill.kind], "?")
    parts = [kind, *(pc.coalesce(found[name], "") for name in ("完成时间", "订单金额（元）"))]
    request = pc.coalesce(found[bill.refund], pc.binary_join_element_wise(*parts, " "))
    both = pc.binary_join_element_wise(number, request, "/")
    return pc.if_else(pc.equal(kind, "交易"), number, both)


def told_apart(table: pa.Table, bill: Bill) -> pa.Table:
    """Return the rows of a bill with keys that are all different.

    Rows that share one get a number behind it, by the order of what they hold: the order of rows in
    a file may be another at the next download, and rows that are equal are as good as each other.
    """
    counts = table[bill.key].value_counts()
    shared = counts.filter(pc.greater(pc.struct_field(counts, "counts"), 1))
    if not bill.refund or not len(shared):
        return table
    keys = table[bill.key].to_pylist()
    alike: dict[str, list[int]] = {}
    wanted = set(pc.struct_field(shared, "values").to_pylist()) - {None}
    for number, key in enumerate(keys):
        if key in wanted:
            alike.setdefault(key, []).append(number)
    taken = set(keys)
    for key, numbers in sorted(alike.items()):
        rows = {number: tuple(cell or "" for cell in _row(table, number)) for number in numbers}
        free = (f"{key}/{rank}" for rank in count(2) if f"{key}/{rank}" not in taken)
        for number, found in zip(sorted(numbers, key=rows.__getitem__)[1:], free, strict=False):
            keys[number] = found
            taken.add(found)
    place = table.schema.get_field_index(bill.key)
    return table.set_column(place, bill.key, pa.array(keys, pa.string()))


def _row(table: pa.Table, number: int) -> list[str | None]:
    return [column[number].as_py() for column in table.columns]


def _uncut(lines: Sequence[str], columns: Sequence[str], bill: Bill) -> pa.Table:
    """Return rows that hold their line, and their number where one begins it."""
    texts = [line.replace("\t", "") for line in lines]
    firsts = [text.split(",", 1)[0].strip().strip('"') for text in texts]
    numbers = [text if _NUMBER.fullmatch(text) else None for text in firsts]
    empty = pa.nulls(len(lines), pa.string())
    made = {name: empty for name in columns}
    made[bill.first], made[LINE] = pa.array(numbers, pa.string()), pa.array(texts, pa.string())
    if bill.refund:  # the same mark at every download
        marks = [f"{zlib.crc32(text.encode()):08x}" for text in texts]
        keys = [f"{n or '?'}/?{mark}" for n, mark in zip(numbers, marks, strict=True)]
        made[KEY] = pa.array(keys, pa.string())
    return pa.table(made)
