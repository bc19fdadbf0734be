"""A first connection from an empty folder, through the command line alone.

`python -m tests.support.first_connection` writes docs/first-connection.md with what the commands
really print; a test runs the same steps and compares.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from tests.support.surroundings import plain, typed

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "first-connection.md"
HEADINGS = ["商品编码", "商品名称", "仓库", "库存数量", "可用数量", "更新时间"]
ROWS = [
    ["SKU-001", "不锈钢保温杯 500ml", "上海仓", 120, 100, "2026-11-20 08:30:00"],
    ["SKU-002", "陶瓷马克杯", "上海仓", 64, 60, "2026-11-20 08:30:00"],
    ["SKU-003", "玻璃茶壶 800ml", "杭州仓", 18, 18, "2026-11-20 08:30:00"],
    ["SKU-004", "竹制托盘", "杭州仓", "缺货", 0, "2026-11-20 08:30:00"],
]
QUERY = "select sku, on_hand, available, location_key from unified.stock_levels order by sku"


@dataclass(frozen=True)
class Step:
    """One command as it is typed, its exit code, and what stands before it on the page."""

    words: tuple[str, ...]
    text: str
    code: int = 0

    @property
    def typed(self) -> str:
        """The command line as people type it."""
        return " ".join(f'"{w}"' if " " in w else w for w in self.words)


@dataclass(frozen=True)
class Done:
    """A step that ran: both outputs, in the order in which a terminal shows them."""

    step: Step
    code: int
    output: str


STEPS = (
    Step(("isthmus", "init", "acme"), "A folder of your own; upgrades never touch it."),
    Step(
        ("isthmus", "connect", "files", "stock"),
        "Go into it (`cd acme`). `isthmus connectors` lists the systems there are; `files` reads\n"
        "a folder of Excel and CSV files, `inbox/stock` unless you name another one.",
        2,
    ),
    Step(
        ("isthmus", "connect", "files", "stock"),
        "Put a file there, for example `库存表2026-11.xlsx`, with a title above the headings\n"
        "and a sum below the rows:\n\n{sheet}\n\nAnd again:",
    ),
    Step(
        ("isthmus", "preview", "--suggest"),
        "The title row and the 合计 row are no records; both were found. `defs/stock/defs.yaml`\n"
        "has every setting with its explanation. What do the columns mean? Ask for a proposal;\n"
        "nothing is stored by it:",
    ),
    Step(
        ("isthmus", "preview", "--suggest", "--write"),
        "One row has a word where a number belongs; it would go to quarantine, and the others\n"
        "would be loaded. The proposal is a file of yours from now on, to be corrected where it\n"
        "guessed wrong:",
    ),
    Step(
        ("isthmus", "sync", "stock"),
        "Read, land, load, publish. The good rows are in. The exit code is 1, because more than\n"
        "5 % of what was read is in quarantine (`quarantine_limit` of the connection):",
        code=1,
    ),
    Step(("isthmus", "query", QUERY), "Ask:"),
    Step(("isthmus", "quarantine", "list"), "The row that was kept out:"),
    Step(
        ("isthmus", "sync", "stock"),
        "Correct the cell (0 in place of 缺货), save the file, and sync again. The row is good\n"
        "now and its quarantine entry closes by itself:",
    ),
    Step(("isthmus", "sync", "stock"), "Nothing changed since, so nothing is done:"),
    Step(("isthmus", "status"), "And how everything is:"),
)


def write_workbook(file: Path, last: object = "缺货") -> None:
    """Write the sheet of the page: title, blank row, headings, rows, sum."""
    book = Workbook()
    sheet = book.active
    sheet.title = "库存"
    sheet.append(["华东仓库存表 2026年11月"])
    sheet.append([])
    sheet.append(HEADINGS)
    for row in [*ROWS[:-1], [*ROWS[-1][:3], last, *ROWS[-1][4:]]]:
        sheet.append(row)
    sheet.append(["合计", None, None, 202, 178, None])
    sheet.merge_cells("A1:F1")
    book.save(file)


def run(folder: Path, *, own: Container[int] = range(len(STEPS))) -> Iterator[Done]:
    """Run the steps in the empty `folder` and yield them as they are done.

    The steps numbered in `own` have a process of their own; the others run in this one, which
    takes a fraction of the time.
    """
    env = plain({"ISTHMUS_LANG": "en", "PYTHONWARNINGS": "ignore", "HOME": str(folder)})
    inbox = folder / "acme" / "inbox" / "stock" / "库存表2026-11.xlsx"
    here = folder
    for number, step in enumerate(STEPS):
        if number == 1:
            here = folder / "acme"
        elif number == 2:
            write_workbook(inbox)
        elif number == 8:
            write_workbook(inbox, 0)
        if number not in own:
            said = typed(here, env, *step.words[1:], together=True)
            yield Done(step, said.returncode, said.stdout.replace(str(folder), "~"))
            continue
        done = subprocess.run(
            [Path(sys.executable).with_name("isthmus"), *step.words[1:]],
            cwd=here, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        yield Done(step, done.returncode, done.stdout.replace(str(folder), "~"))


def page(done: list[Done]) -> str:
    """Return docs/first-connection.md."""
    parts = [HEAD]
    for each in done:
        text = each.step.text.format(sheet=_sheet())
        output = "\n".join(line.rstrip() for line in each.output.strip().splitlines())
        parts.append(f"{text}\n\n```console\n$ {each.step.typed}\n{output}\n```\n")
    return "\n".join([*parts, TAIL])


def steady(text: str) -> str:
    """Return a page without what differs from run to run: times and lengths of time."""
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?Z?", "<when>", text)
    text = re.sub(r"\d\d-\d\d \d\d:\d\d \w+", "<when>", text)
    text = re.sub(r"\b\d+(\.\d+)? (s|min|h)\b", "<time>", text)
    text = re.sub(r" +\d+\.\d$", " <time>", text, flags=re.MULTILINE)
    return re.sub(r"─+|[ ]{2,}", " ", text)


def _sheet() -> str:
    rows = [HEADINGS, *ROWS, ["合计", "", "", 202, 178, ""]]
    lines = [
        "| | A | B | C | D | E | F |", "|---|---|---|---|---|---|---|",
        "| 1 | 华东仓库存表 2026年11月 | | | | | |", "| 2 | | | | | | |",
    ]  # fmt: skip
    lines += (
        f"| {n} | " + " | ".join(str(c) for c in row) + " |" for n, row in enumerate(rows, start=3)
    )
    return "\n".join(lines)


HEAD = """# A first connection

From an empty folder to a query, without reading source. Every output below is what the command
printed (`python -m tests.support.first_connection` writes this page; a test runs the same steps).
中文界面：`export ISTHMUS_LANG=zh`。
"""
TAIL = """Next: [connections over HTTP](rest.md), [files](files.md), [databases](sql.md),
[mappings](mappings.md), [all commands](cli.md), [when something fails](runbook.md).
"""


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        done = list(run(Path(folder)))
    for each in done:
        if each.code != each.step.code:
            sys.exit(f"{each.step.typed}: exit {each.code}\n{each.output}")
    PAGE.write_text(page(done), "utf-8")


if __name__ == "__main__":
    main()
