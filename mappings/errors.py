"""Errors of a mapping file: where it stands, what was found, what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class MappingError(Exception):
    """One mistake in a mapping file. `line` counts from 1; `field` is empty for the file itself.

    `all` holds every mistake that was found together with this one, itself first.
    """

    def __init__(
        self,
        file: str,
        line: int,
        field: str,
        what: str,
        do: str,
        others: Iterable[MappingError] = (),
    ) -> None:
        where = f" {field}:" if field else ""
        super().__init__(f"{file}:{line}:{where} {what} Do: {do}")
        self.file = file
        self.line = line
        self.field = field
        self.what = what
        self.do = do
        self.all: tuple[MappingError, ...] = (self, *others)


class ValueRefused(Exception):
    """A value that is no path and no allowed expression; the compiler adds file, line and field."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what} Do: {do}")
        self.what = what
        self.do = do


def first_of(errors: list[MappingError]) -> MappingError:
    """Return one error that carries all of `errors`, the first in file order."""
    ordered = sorted(errors, key=lambda e: (e.file, e.line))
    head, *rest = ordered
    return MappingError(head.file, head.line, head.field, head.what, head.do, rest)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean X?`, or nothing where no known word is close."""
    known = list(known)
    by_fold = {k.casefold(): k for k in known}
    close = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    return f" Did you mean {by_fold[close[0]]}?" if close else ""


REASONS: Mapping[str, str] = {
    "is missing": "缺失",
    "stands twice in its parent": "在同一上级中重复",
    "is not a list of records": "不是记录列表",
    "is null although the source has a value": "源系统有值，但转换结果为空",
    "is not a number": "不是数字",
    "does not fit the column": "超出字段范围",
    "has more decimals than the column keeps": "小数位数超过字段精度",
    "is not a whole number": "不是整数",
    "is not a moment in time": "不是有效时间",
    "is not a date": "不是有效日期",
    "is neither yes nor no": "不是是/否",
    "holds a zero character": "含有空字符（NUL）",
    "unknown word": "未知取值",
}
"""Reasons of broken values as the compiled SQL says them, with their Chinese text. A rule of the
model that is broken is said in the column's own `rule_en` (Chinese: `rule_zh`)."""
