"""Bills as the platform packs them: CSV in GBK with head and tail, a summary, a ZIP of both.

The ZIP is written by hand: Python's own cannot write names in GBK.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from connectors.alipay.sample import Record, movement, trade_row

_RULE = "-" * 40


@dataclass
class Style:
    """Habits in which bills differ: quotes, brackets, order of members, TABs, what proves them."""

    quoted: bool = False
    half_width: bool = False
    summary_first: bool = True
    tabs: bool = True
    tail: bool = True
    end: bool = True
    encoding: str = "gbk"


def bill(kind: str, rows: Sequence[Record], day: date, account: str, style: Style) -> bytes:
    """Return the ZIP of a day's bill; kind is account or trade."""
    what = "账务" if kind == "account" else "业务"
    stem = f"{account}_{day:%Y%m%d}_{what}明细"
    detail = _detail(kind, what, rows, day, account, style)
    summary = _summary(what, rows, style)
    members = [(f"{stem}.csv", detail), (f"{stem}(汇总).csv", summary)]
    return packed(members[::-1] if style.summary_first else members)


def _detail(
    kind: str, what: str, rows: Sequence[Record], day: date, account: str, style: Style
) -> bytes:
    after = day + timedelta(days=1)
    columns = list(_COLUMNS[kind])
    names = [n.replace("（", "(").replace("）", ")") if style.half_width else n for n in columns]
    lines = [
        f"#支付宝{what}明细查询",
        f"#账号：[{account}]",
        f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{after:%Y年%m月%d日} 00:00:00]",
        f"#{_RULE}{what}明细列表{_RULE}",
        ",".join(names),
    ]
    for row in rows:
        cells = []
        for name in columns:
            text = str(row[name])
            if style.quoted and name == "商品名称":
                text = '"' + text.replace('"', '""') + '"'
            cells.append(text + ("\t" if style.tabs and "金额" not in name else ""))
        lines.append(",".join(cells))
    if style.end:
        lines.append(f"#{_RULE}{what}明细列表结束{_RULE}")
        lines += _tail(kind, rows) if style.tail else []
        lines.append("#导出时间：[2026年11月21日 09:12:10]")
    return _bytes(lines, style)


def _tail(kind: str, rows: Sequence[Record]) -> list[str]:
    if kind == "account":
        into = [Decimal(row["收入金额（+元）"]) for row in rows]
        out = [Decimal(row["支出金额（-元）"]) for row in rows]
        return [
            f"#支出合计：{sum(1 for one in out if one)}笔，共{sum(out, Decimal(0)):.2f}元",
            f"#收入合计：{sum(1 for one in into if one)}笔，共{sum(into, Decimal(0)):.2f}元",
        ]
    lines = []
    for word, tail in (("交易", "商家实收共"), ("退款", "商家实收退款共")):
        mine = [Decimal(row["商家实收（元）"]) for row in rows if row["业务类型"] == word]
        said = f"{tail}{sum(mine, Decimal(0)):.2f}元，商家优惠{word[:0]}共0.00元"
        lines.append(f"#{word}合计：{len(mine)}笔，{said}")
    return lines


def _summary(what: str, rows: Sequence[Record], style: Style) -> bytes:
    lines = [f"#支付宝{what}汇总查询", f"#{_RULE}{what}汇总列表{_RULE}"]
    if what == "业务":
        kinds = [row["业务类型"] for row in rows]
        names = "门店编号,门店名称,交易订单总笔数,退款订单总笔数,订单金额（元）,商家实收（元）"
        total = sum((Decimal(row["商家实收（元）"]) for row in rows), Decimal(0))
        counts = f"{kinds.count('交易')},{kinds.count('退款')},{total:.2f},{total:.2f}"
        lines += [names, f"合计\t,\t,{counts}"]
    lines.append(f"#{_RULE}{what}汇总列表结束{_RULE}")
    return _bytes(lines, style)


def _bytes(lines: Sequence[str], style: Style) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode(style.encoding, "replace")


def packed(members: Sequence[tuple[str, bytes]], *, crc: int | None = None) -> bytes:
    """Return a ZIP whose names are GBK and do not say so; `crc` stands in place of the true one."""
    body, index = b"", b""
    for name, data in members:
        press = zlib.compressobj(9, zlib.DEFLATED, -15)
        small = press.compress(data) + press.flush()
        coded, mark = name.encode("gbk"), zlib.crc32(data) if crc is None else crc
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, 8, 0, 0x21, mark, len(small), len(data), len(coded), 0
        )
        index += b"PK\x01\x02" + struct.pack("<H", 20) + common
        index += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + coded
        body += b"PK\x03\x04" + common + coded + small
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(index), len(body), 0)
    return body + index + b"PK\x05\x06" + end


def _columns() -> dict[str, tuple[str, ...]]:
    from datetime import datetime

    at = datetime(2026, 1, 1)  # noqa: DTZ001 - the names alone are wanted
    return {"account": tuple(movement("1", at, "1")), "trade": tuple(trade_row("1", at, "1"))}


_COLUMNS = _columns()
