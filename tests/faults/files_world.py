"""A folder of files, what stands in them read by programs that are not ours, and the store's rows.

The judge reads the folder with the csv module and openpyxl, and the store's file with DuckDB; it
uses nothing of the connector, the landing or the loader.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl

from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream
from pipelines.workspace import Workspace
from tests.faults.case import Case, Result
from tests.faults.oracle import Counts

HEADINGS = ("流水号", "金额", "日期", "户名", "更新时间")
Row = tuple[str, str, str, str, str]
Value = tuple[Decimal | None, str | None, str | None]
"""Amount, date and name as they must stand in the store."""

_DEFS = """\
type: pipelines.Connection
attributes:
  system: files
  config:
    folder: {folder}
    settle: {settle}
    streams:
      bank: {{pattern: "**/*", key: 流水号{more}}}
  timezone: Asia/Shanghai
"""
_MAPPING = """\
entity: payment
key: 流水号
{more}fields:
  number: 流水号
  amount: 金额
  value_date: 日期
  payer_name: 户名
"""
STORED = """
select source_key, amount, value_date::varchar, payer_name from source.payments
where connection = 'office' and stream = 'bank' and not is_deleted
"""


def row(number: int, amount: str = "", name: str = "", stamp: str = "2026-01-01 00:00:00") -> Row:
    """Return a row; its amount and name follow from its number where they are not given."""
    return (
        f"T{number:06d}", amount or f"{number % 900 + 1}.25", f"2026-01-{number % 28 + 1:02d}",
        name or f"杭州第{number % 37}公司", stamp,
    )  # fmt: skip


def as_csv(rows: Iterable[Sequence[str]], headings: Sequence[str] = HEADINGS) -> str:
    """Return rows as the csv module writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([headings, *rows])
    return text.getvalue()


@dataclass
class FilesWorld:
    """One connection over one folder. `more` are further settings of its stream.

    `versioned` makes the mapping compare the rows' stamps.
    """

    root: Path
    folder_name: str = "in"
    more: str = ""
    versioned: bool = False
    settle: float = 0
    pause: Callable[[float], None] | None = None
    encodings: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    older: dict[str, set[Value]] = field(default_factory=dict)
    now: datetime = datetime(2030, 1, 1, tzinfo=UTC)
    wait: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        self.folder = self.root / self.folder_name
        self.folder.mkdir(parents=True, exist_ok=True)
        folder = json.dumps(str(self.folder))
        said = _DEFS.format(folder=folder, more=self.more, settle=self.settle)
        self._write("defs/office/defs.yaml", said)
        self.map("version: 更新时间\n" if self.versioned else "")
        self.space = self.discover()

    def map(self, more: str = "") -> None:
        """Write the mapping with further members."""
        self._write("maps/office/bank.yaml", _MAPPING.format(more=more))

    def _write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text, encoding="utf-8")

    def discover(self) -> Workspace:
        """Return the workspace anew, as another process has it."""
        return Workspace.discover(
            {
                "ISTHMUS_HOME": str(self.root / "home"),
                "ISTHMUS_DEFS": str(self.root / "defs"),
                "ISTHMUS_MAPPINGS": str(self.root / "maps"),
            }
        )

    # --- the folder ----------------------------------------------------------------------------
    def put(self, name: str, rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> Path:
        """Write a CSV file, or a workbook whose cells are all text."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".xlsx"):
            book = openpyxl.Workbook(write_only=True)
            sheet = book.create_sheet("账")
            for cells in (HEADINGS, *rows):
                sheet.append(list(cells))
            book.save(path)
        else:
            path.write_bytes(as_csv(rows).encode(encoding))
            self.encodings[name] = encoding
        self.unread.discard(name)
        return path

    def broken(self, name: str, content: bytes) -> None:
        """Write a file that no row may be taken from."""
        (self.folder / name).write_bytes(content)
        self.unread.add(name)

    def plain(self) -> dict[str, Value]:
        """Return what the folder's files say, the last of a key in the order of their names."""
        found: dict[str, Value] = {}
        for path in sorted(p for p in self.folder.rglob("*") if p.is_file()):
            name = path.relative_to(self.folder).as_posix()
            if name not in self.unread:
                for cells in self._cells(path, name):
                    said = dict(cells)
                    found[str(said["流水号"])] = _value(said)
        return found

    def _cells(self, path: Path, name: str) -> Iterable[dict[str, str | None]]:
        if name.endswith(".xlsx"):
            book = openpyxl.load_workbook(path, read_only=True)
            head, *rows = book.worksheets[0].iter_rows(values_only=True)
            book.close()
            return [dict(zip(map(str, head), map(_said, cells), strict=True)) for cells in rows]
        text = path.read_bytes().decode(self.encodings.get(name, "utf-8"))
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))

    # --- runs and the judge --------------------------------------------------------------------
    def sync(self, **how: Any) -> StreamOutcome:
        """Run the stream once, `wait` after the run before."""
        self.now += self.wait
        return sync_stream(
            self.space, "office", "bank", now=lambda: self.now, pause=self.pause, **how
        )

    def judge(
        self,
        want: dict[str, Value] | None = None,
        outcome: StreamOutcome | None = None,
    ) -> Counts:
        """Compare the store's rows with `want`, by default what the folder says now."""
        want = self.plain() if want is None else want
        counts = Counts(rows=len(want))
        with duckdb.connect(str(self.space.home.store), read_only=True) as con:
            stored = con.execute(STORED).fetchall()
        found: dict[str, Value] = {}
        for key, *values in stored:
            if key in found:
                counts.find("duplicated", key)
            found[key] = (values[0], values[1], values[2])
        for key in want.keys() - found.keys():
            counts.find("lost", key)
        for key in found.keys() - want.keys():
            counts.find("ghost", key)
        for key in want.keys() & found.keys():
            if found[key] != want[key]:
                kind = "stale" if found[key] in self.older.get(key, ()) else "wrong"
                counts.find(kind, f"{key}: {found[key]} is not {want[key]}")
        if outcome is not None:
            honest(outcome, counts)
        return counts

    def remember(self) -> None:
        """Keep what the folder says now, to tell an old value from a wrong one."""
        for key, value in self.plain().items():
            self.older.setdefault(key, set()).add(value)


def honest(outcome: StreamOutcome, counts: Counts) -> None:
    """Find figures of a run that do not add up."""
    if outcome.read != outcome.landed + outcome.unchanged:
        counts.find("dishonest", f"read {outcome.read}, landed {outcome.landed}")
    rows = outcome.inserted + outcome.updated + outcome.unchanged_rows
    rows += outcome.refused + outcome.quarantined
    if outcome.error is None and rows != outcome.landed:
        counts.find("dishonest", f"landed {outcome.landed}, loaded {rows}")


def files_case(
    id: str,
    name: str,
    play: Callable[..., None],
    planned: int = 1,
    *,
    points: Sequence[str] = (),
    **world: Any,
) -> Case:
    """Return a case that plays in a new world and ends as all do: a clean run, and the judge.

    `play` is given the world, the result, and the `points` where there are some.
    """

    def run(root: Path) -> Result:
        made, result = FilesWorld(root / "账 本's", **world), Result()
        try:
            play(made, result, *([points] if points else []))
            last = made.sync()
            result.expect(last.error is None, f"after the fault: {last.error}")
            result.counts.add(made.judge(outcome=last))
        finally:
            made.space.control.close()
        return result

    return Case(id, name, run, planned)


def _value(said: dict[str, str | None]) -> Value:
    amount = (said.get("金额") or "").strip()
    return (
        Decimal(amount).quantize(Decimal("0.0001")) if amount else None,
        (said.get("日期") or "").strip() or None,
        (said.get("户名") or "").strip() or None,
    )


def _said(cell: Any) -> str | None:
    return None if cell is None else str(cell)
