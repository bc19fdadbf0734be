"""Faults of a folder of files: what stands in them. Those of the folder are in files_folder.py.

Every case runs in a folder whose name has blanks, an apostrophe and Chinese.
"""

from __future__ import annotations

import codecs
import gzip
import zipfile
from collections.abc import Callable, Sequence

from tests.faults import files_folder
from tests.faults.case import Case, Result, Size
from tests.faults.files_world import FilesWorld, as_csv, files_case, row

ROWS = [row(n) for n in range(300)]
OTHER = [row(n) for n in range(1_000, 1_040)]
QUICK = {
    "a workbook cut at each of 8 places", "bytes that are no table",
    "a key twice in a file and in two files",
    "a row gone, back, a file shorter",
    "killed while files are read, then again", "growing, temporary and renamed",
}  # fmt: skip


def cases(size: Size, seeds: Sequence[int] = ()) -> list[Case]:
    """Return the cases in the order of their rows; seeds change nothing here."""
    found = [
        files_case("F3", "cut at each of 12 places", cut, 12),
        files_case("F3", "a workbook cut at each of 8 places", cut_workbook, 8),
        files_case("F14", "a file of another shape among the others", another_shape, 2),
        files_case("F15", "a key twice in a file and in two files", repeated, 3),
        files_case("F17", "bytes that are no table", no_table, 7),
        files_case("F17", "encodings found by themselves", encodings, 6),
        files_case("F17", "GB18030 said to be UTF-8", mislabelled, 2, more=", encoding: utf-8"),
        files_case("D4", "columns added, renamed and of another type", drift, 4),
        files_case("D6", "odd keys in CSV and Excel", odd_keys, 2),
        *files_folder.cases(size),
    ]
    chosen = [case for case in found if size == "full" or case.name in QUICK]
    return sorted(chosen, key=lambda case: (case.id[0] != "F", case.id[0], int(case.id[1:])))


def load(world: FilesWorld, result: Result) -> None:
    """Put two files into the folder and load them."""
    world.put("a.csv", ROWS)
    world.put("b.xlsx", OTHER)
    first = world.sync()
    result.expect(first.error is None, f"the first load: {first.error}")
    result.counts.add(world.judge(outcome=first))
    world.remember()


# --- F3 --------------------------------------------------------------------------------------
def cut(world: FilesWorld, result: Result) -> None:
    """A CSV file arrives cut: no row that is not in the rest goes, the whole one mends it."""
    load(world, result)
    whole = as_csv(ROWS).encode()
    for part in range(1, 13):
        (world.folder / "a.csv").write_bytes(whole[: len(whole) * part // 13])
        told = world.sync()
        result.fired += 1
        result.expect(told.deleted <= 50, f"{told.deleted} rows deleted by a cut file")
        result.expect(told.held or told.error or told.deleted or told.warnings,
                      f"nothing said of a file cut at {part}/13")  # fmt: skip
        world.put("a.csv", ROWS)
        back = world.sync()
        result.expect(back.error is None, f"the whole file: {back.error}")
        result.counts.add(world.judge(outcome=back))


def cut_workbook(world: FilesWorld, result: Result) -> None:
    """A workbook arrives cut: it is named as broken, its rows of before stay."""
    load(world, result)
    want = world.plain()
    path = world.folder / "b.xlsx"
    whole = path.read_bytes()
    for part in range(1, 9):
        path.write_bytes(whole[: len(whole) * part // 9])
        told = world.sync()
        result.fired += 1
        named(result, told.error, "b.xlsx")
        result.counts.add(world.judge(want))
    path.write_bytes(whole)


def named(result: Result, error: object, *names: str) -> None:
    """Expect an error that names each of the files."""
    for name in names:
        result.expect(name in str(error), f"the error does not name {name}: {error}")


# --- F14, F15 ----------------------------------------------------------------------------------
def another_shape(world: FilesWorld, result: Result) -> None:
    """Files of another stream are refused by their columns; the others are loaded."""
    load(world, result)
    stock = as_csv([["A-1", "12", "上海"], ["A-2", "3", "上海"]], ["货号", "数量", "仓库"])
    for content in (stock.encode(), "<html><body>登录</body></html>".encode()):
        world.broken("c.csv", content)
        world.put("d.csv", [row(5_000 + result.fired)])
        told = world.sync()
        named(result, told.error, "c.csv")
        result.fired += 1
        result.counts.add(world.judge())
    (world.folder / "c.csv").unlink()


def repeated(world: FilesWorld, result: Result) -> None:
    """The last row of a key counts: in a file, over two files, and whole files twice."""
    load(world, result)
    world.put("a.csv", [*ROWS, row(7, "70.00"), row(8), row(7, "71.00")])
    result.counts.add(world.judge(outcome=world.sync()))
    world.remember()
    world.put("c.csv", [*ROWS[:50], row(7, "72.00")])
    result.counts.add(world.judge(outcome=world.sync()))
    world.put("c copy.csv", [*ROWS[:50], row(7, "72.00")])
    result.counts.add(world.judge(outcome=world.sync()))
    result.fired += 3


# --- F17 ---------------------------------------------------------------------------------------
def no_table(world: FilesWorld, result: Result) -> None:
    """Bytes that are no table are refused with the file's name; nothing of them is stored."""
    load(world, result)
    text = as_csv([row(9_000)])
    contents: list[bytes] = [
        gzip.compress(text.encode()),
        text.encode("utf-16-le"),  # no mark
        as_csv([row(9_000, name="臺灣貿易")]).encode("big5", "ignore"),
        text.encode()[:-20] + b"\xff\xfe\xff" + text.encode()[-20:],
        codecs.BOM_UTF8 + text.encode("gb18030"),
        bytes(range(256)) * 40,
    ]
    for content in contents:
        world.broken("c.csv", content)
        told = world.sync()
        named(result, told.error, "c.csv")
        result.fired += 1
        result.counts.add(world.judge())
    (world.folder / "c.csv").unlink()
    with zipfile.ZipFile(world.folder / "c.zip", "w") as packed:
        packed.writestr("c.csv", text)
    world.unread.add("c.zip")
    named(result, world.sync().error, "c.zip")
    result.fired += 1
    (world.folder / "c.zip").unlink()


def encodings(world: FilesWorld, result: Result) -> None:
    """Every encoding that is promised is found in one folder, and when a file changes to another.

    utf-16 of Python writes a mark.
    """
    load(world, result)
    said = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "gbk", "utf-8")
    for number, encoding in enumerate(said):
        world.put("c.csv", [row(n, name="深圳市龙岗区贸易") for n in range(2_000, 2_050)], encoding)
        world.put(f"{encoding}-{number}.csv", [row(3_000 + number)], encoding)
        result.fired += 1
        result.counts.add(world.judge(outcome=world.sync()))


def mislabelled(world: FilesWorld, result: Result) -> None:
    """What is not as the settings say is refused, never stored as nonsense."""
    load(world, result)
    want = world.plain()
    for bad in (as_csv([row(1)]).encode("gb18030"), as_csv([row(1)]).encode("utf-16-le")):
        world.broken("c.csv", bad)
        named(result, world.sync().error, "c.csv")
        result.fired += 1
        result.counts.add(world.judge(want))
    world.put("c.csv", [row(4_000)], "utf-8-sig")


# --- D4, D6 ------------------------------------------------------------------------------------
def drift(world: FilesWorld, result: Result) -> None:
    """A column more is no matter; one renamed empties nothing, and is let pass by `extra:`."""
    load(world, result)
    want = world.plain()
    steps: list[tuple[Callable[[str], str], bool]] = [
        (lambda text: text.replace("更新时间", "更新时间,经办人", 1), True),
        (lambda text: text.replace("流水号", "流水编号", 1), False),  # the key
        (lambda text: text.replace("金额", "金额(元)", 1), False),  # its batch is landed
    ]
    for change, good in steps:
        (world.folder / "a.csv").write_text(change(as_csv(ROWS)), encoding="utf-8")
        told = world.sync()
        result.fired += 1
        result.expect((told.error is None) == good, f"step {result.fired}: {told.error}")
        result.counts.add(world.judge(want))
        world.put("a.csv", ROWS)
        if told.error and "extra:" in told.error.do:
            world.map("extra: ['\"金额(元)\"']\n")
        back = world.sync()
        world.map()
        result.expect(back.error is None, f"right again after step {result.fired}: {back.error}")
        result.counts.add(world.judge(want))
    world.put("a.csv", [row(n, "to follow") if n in (10, 20) else row(n) for n in range(300)])
    told = world.sync()
    result.fired += 1
    result.expect(told.quarantined == 2, f"{told.quarantined} rows of words for amounts set aside")
    result.counts.add(world.judge(want))
    world.put("a.csv", ROWS)


KEYS = (
    "007", "7", "07", "0", "-5", "9007199254740993", "9223372036854775807", "18446744073709551615",
    "1" + "0" * 30, "1.50", "1.5", "0x1F", "1e5", "NaN", "null", "true", "é", "e\u0301", "订单-1",
    "'; drop table orders; --", "%", "_", "x" * 300, "😀", "A", "a", 'say "hi"', "a,b", "a/b",
    "two\nlines", "2026-01-02", "=1+1", "合计 1",
)  # fmt: skip


def odd_keys(world: FilesWorld, result: Result) -> None:
    """A key is the text that stands there, in CSV and in a workbook's cell of text.

    Each of the two files is one fault.
    """
    for prefix, name in (("", "a.csv"), ("x", "b.xlsx")):
        rows = [(prefix + key, f"{n}.5", "2026-01-02", "n", "") for n, key in enumerate(KEYS)]
        world.put(name, rows)
        result.fired += 1
        result.more["odd keys"] += len(rows)
        told = world.sync()
        result.expect(told.quarantined == 0, f"{told.quarantined} keys were not taken")
        result.counts.add(world.judge(outcome=told))
