"""A bill's ZIP as a table: members found by name, rows cut and put right, counts held together.

A bill is a ZIP of GBK CSVs. The detail's head and tail begin with `#`; cells end with a TAB; names
of goods may hold commas, in older files without quotes. What the tail and the summary count must
be what was read: a bill of which something is missing is refused whole.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from connectors import zips
from connectors.alipay import billproof, billrows
from connectors.alipay.catalogue import Bill
from connectors.errors import ContractBroken

MEMBERS = 64
BILL = zips.Words(
    "The bill",
    again="run again: it is downloaded anew",
    anew="run again: it is downloaded anew",
    smaller="ask the vendor what this is",
    split="raise `max_unpacked` if this is right",
)
_DATES = re.compile(r"起始日期：\[([0-9]{4})年([0-9]{2})月([0-9]{2})日[^\]]*\]")
_ACCOUNT = re.compile(r"账号：\[([0-9]+)\]")


class BadBill(ContractBroken):
    """One day's bill is not whole or not what was asked for; other days' may be."""


@dataclass(slots=True)
class Detail:
    """The rows of one day's bill; `account` is whose it is, `notes` are for people."""

    table: pa.Table
    keys: list[str | None]
    account: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Caps:
    """Bounds of a bill: bytes unpacked, and unpacked over packed."""

    max_bytes: int
    max_ratio: int


@dataclass(slots=True)
class _Text:
    """One member of the ZIP: its head, its rows without the headings, its tail."""

    head: list[str]
    heading: str
    rows: list[str]
    tail: list[str]


def read(data: bytes, bill: Bill, day: date, caps: Caps, *, strict: bool = True) -> Detail:
    """Return the rows of a bill; raises BadBill, TooLarge, Refused.

    `strict` False lands a bill whose counts do not agree, and says so in the notes.
    """
    place = f"{bill.title} {day}"
    notes: list[str] = []
    details, summaries = _members(data, place, caps, notes)
    tables, account, tails = [], "", list[str]()
    for text in details:
        found = _cut(text, bill, place)
        account = _whose(found.head, day, place) or account
        tables.append(_table(found, bill, place, notes))
        tails += found.tail
    table = billrows.told_apart(pa.concat_tables(tables, promote_options="default"), bill)
    counted, wrong = billproof.compared(table, bill, tails, summaries)
    if wrong and strict:
        raise BadBill(
            f"The bill is not whole: {'; '.join(wrong)}.",
            "nothing of the day was landed, the next run downloads it again. Does it stay so, "
            "compare the file on the merchant's page; proof: warn lands it as it is.", place=place,
        )  # fmt: skip
    notes += [f"{place}: {text}; landed all the same (proof: warn)." for text in wrong]
    if not counted:
        notes.append(f"{place}: neither tail nor summary counts the rows: nothing proves them.")
    return Detail(table, table[bill.key].to_pylist(), account, notes)


# --- the archive -------------------------------------------------------------------------------
def _members(data: bytes, place: str, caps: Caps, notes: list[str]) -> tuple[list[str], list[str]]:
    """Return the texts of the detail's members and of the summary's, whatever their order."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _bad(zips.damaged(place, "", BILL)) from None
    details: list[tuple[str, str]] = []
    summaries: list[str] = []
    with archive:
        try:
            zips.check_entries(
                archive, place, BILL, packed=len(data), max_entries=MEMBERS,
                max_bytes=caps.max_bytes, max_ratio=caps.max_ratio,
            )  # fmt: skip
            for entry in archive.infolist():
                name = _named(entry)
                if not name.lower().endswith(".csv"):
                    continue
                raw = b"".join(zips.inflate(archive, entry, place, BILL))
                if "汇总" in name:
                    summaries.append(_decoded(raw, place, notes))
                elif "明细" in name:
                    details.append((name, _decoded(raw, place, notes)))
        except ContractBroken as error:
            raise _bad(error) from None
    if not details:
        raise BadBill(
            "The bill has no member that is the detail (…明细….csv).",
            "ask the vendor.",
            place=place,
        )
    return [text for _, text in sorted(details)], summaries


def _bad(error: ContractBroken) -> BadBill:
    return BadBill(error.what, error.do, place=error.place)


def _named(entry: zipfile.ZipInfo) -> str:
    """Return a member's name: GBK, where it does not say that it is UTF-8."""
    if entry.flag_bits & 0x800:
        return entry.filename
    return entry.filename.encode("cp437", "replace").decode("gb18030", "replace")


def _decoded(raw: bytes, place: str, notes: list[str]) -> str:
    """Return GBK as text; what is none is replaced and told: the row is not lost for a letter."""
    text = raw.decode("gb18030", "replace")
    if broken := sum("\ufffd" in line for line in text.split("\n")) if "\ufffd" in text else 0:
        notes.append(f"{place}: {broken} lines are not wholly GBK; what is none became U+FFFD.")
    return text


# --- one member --------------------------------------------------------------------------------
def _cut(text: str, bill: Bill, place: str) -> _Text:
    """Cut a detail at its markers; raises BadBill where its end is missing."""
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    head = [number for number, line in enumerate(lines) if line.startswith("#")]
    begin = next((n for n in head if bill.listed in lines[n] and "结束" not in lines[n]), None)
    end = next((n for n in head if f"{bill.listed}结束" in lines[n]), None)
    if begin is None or end is None or end < begin + 1:
        raise BadBill(
            f"The bill's file has no {'end' if begin is not None else 'beginning'} of its list "
            f"(#…{bill.listed}{'结束' if begin is not None else ''}…): it is torn.",
            "the next run downloads it again.", place=place,
        )  # fmt: skip
    rows = [line for line in lines[begin + 1 : end] if line.strip()]
    heading = rows[0] if rows else ""
    return _Text(lines[:begin], heading, rows[1:], lines[end + 1 :])


def _whose(head: Sequence[str], day: date, place: str) -> str:
    """Return the account that the head names; raises BadBill for the bill of another day."""
    text = "\n".join(head)
    if said := _DATES.search(text):
        found = tuple(map(int, said.groups()))
        if found != (day.year, day.month, day.day):
            raise BadBill(
                f"The bill is of {'-'.join(said.groups())}, not of the day that was asked for.",
                "the next run asks again; ask the vendor if it stays so.", place=place,
            )  # fmt: skip
    account = _ACCOUNT.search(text)
    return account[1] if account else ""


def _table(text: _Text, bill: Bill, place: str, notes: list[str]) -> pa.Table:
    """Return the rows as columns of text; raises BadBill where columns are missing."""
    columns = billrows.headings(text.heading) if text.heading else bill.columns
    needed = (bill.first, *sorted(bill.needed))
    if missing := [name for name in needed if name not in columns]:
        raise BadBill(
            f"The bill has no column {', '.join(missing)}; it has {', '.join(columns)[:300]}.",
            "ask the vendor what has changed.", place=place,
        )  # fmt: skip
    table, uncut = billrows.table(text.rows, columns, bill)
    if uncut:
        notes.append(
            f"{place}: {uncut} rows cannot be cut into {len(columns)} cells without a guess: they "
            "wait in quarantine."
        )
    return table
