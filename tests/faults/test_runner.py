"""The runner itself: what fails is told, what dies is told, the page says what was counted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import types
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.faults import __main__ as program
from tests.faults import code, runner
from tests.faults.case import Case, Result, Size, Tally
from tests.faults.oracle import Counts
from tests.faults.report import Report, as_json, markdown, take_earlier


def family(monkeypatch: pytest.MonkeyPatch, cases: list[Case]) -> list[str]:
    """Put a family of these cases where the runner looks for one."""
    module = types.ModuleType("tests.faults.invented")

    def found(size: Size, seeds: Sequence[int]) -> list[Case]:
        return cases

    module.cases = found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "tests.faults.invented", module)
    return ["invented"]


def test_cases_that_fail_raise_or_do_not_fire_are_told(monkeypatch: pytest.MonkeyPatch):
    def raises(folder: Path) -> Result:
        raise ZeroDivisionError("by design")

    cases = [
        Case("F2", "good", lambda _: Result(1, Counts(rows=3))),
        Case("F2", "loses", lambda _: Result(1, Counts(rows=3, lost=2, details=["lost: two"]))),
        Case("F10", "raises", raises),
        Case("F10", "no fault", lambda _: Result(0)),
    ]
    told: list[str] = []
    tallies = runner.play_all(family(monkeypatch, cases), "quick", [], tell=told.append)
    assert list(tallies) == ["F2", "F10"]
    assert (tallies["F2"].survived, tallies["F2"].counts.lost) == (1, 2)
    assert tallies["F10"].survived == 0
    assert len(told) == 3
    page = markdown(Report("make faults", 60, tallies))
    assert "**2 faults fired in 4 cases, 1 cases survived, 6 records compared: lost 2," in page
    assert "by design" in page


def test_a_case_that_takes_its_worker_with_it_has_failed_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch,
):
    cases = [
        Case("F1", "dies", lambda _: os._exit(3)),
        *(Case("F2", f"good {n}", lambda _: Result(1)) for n in range(3)),
    ]
    told: list[str] = []
    tallies = runner.play_all(family(monkeypatch, cases), "quick", [], workers=1, tell=told.append)
    assert (tallies["F1"].survived, tallies["F2"].survived) == (0, 3)
    assert "exit code 3" in told[0]


def test_a_case_that_hangs_has_failed_and_progress_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runner, "LIMIT", 0.5)
    monkeypatch.setattr(runner, "EVERY", 0.0)
    cases = [
        Case("F1", "hangs", lambda _: Result(threading.Event().wait())),
        Case("F2", "good", lambda _: Result(1)),
    ]
    told: list[str] = []
    tallies = runner.play_all(family(monkeypatch, cases), "quick", [], workers=1, tell=told.append)
    assert (tallies["F1"].survived, tallies["F2"].survived) == (0, 1)
    assert any("it hung" in text for text in told)
    assert "2 of 2 cases, 1 failed" in told[-1]


def test_two_cases_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch):
    cases = [Case("F1", "same", lambda _: Result(1)), Case("F1", "same", lambda _: Result(1))]
    with pytest.raises(ValueError, match="one name"):
        runner.cases_of(*family(monkeypatch, cases), "quick", [])


def test_rows_that_are_not_played_again_stand_as_an_earlier_run_counted_them():
    old, new = Tally("K1"), Tally("F2")
    case = Case("K1", "kills", lambda _: Result(), 2)
    old.take(case, Result(2, Counts(rows=7), more=Counter({"runs": 3})), 4.0)
    old.take(case, Result(1, Counts(lost=1)), 1.0)
    new.take(Case("F2", "resets", lambda _: Result()), Result(1, Counts(rows=2)), 1.0)
    outdated = Tally("F2", cases=9)
    said = json.loads(json.dumps(as_json(Report("before", 600, {"K1": old, "F2": outdated}))))
    report = Report("now", 60, {"F2": new})
    take_earlier(report, said)
    assert report.tallies == {"F2": new, "K1": old}
    assert not report.is_clean, "a case that did not survive then is not forgotten"
    page = markdown(report)
    assert "counted by one of 2 runs (sums are over all of them): the rows F2 and the parts" in page
    assert "`before`, on the code of an unknown commit, in 10 minutes; whether" in page


@pytest.mark.parametrize(
    ("product", "text"),
    [("p1", "same in both"), ("p2", "was another one then"), ("", "was not written down")],
)
def test_the_page_says_of_which_code_the_rows_are(product: str, text: str):
    alone = markdown(Report("now", 60, {"F2": Tally("F2")}, "aaa+", "p1"))
    assert "every figure on it was counted by one run of" in alone
    assert "on the code at commit aaa+, in 1 minutes" in alone
    first = Report("first", 60, {"K1": Tally("K1"), "K2": Tally("K2")}, "ccc", product, "half")
    second = Report("second", 60, {"K2": Tally("K2")}, "bbb", product)
    take_earlier(second, as_json(first))
    report = Report("now", 60, {"F2": Tally("F2")}, "aaa+", "p1")
    take_earlier(report, json.loads(json.dumps(as_json(second))))
    page = markdown(report)
    assert "counted by one run" not in page
    assert "one of 3 runs" in page
    assert "rows K2 are those of an earlier run, `second`, on the code at commit bbb," in page
    assert "rows K1 are those of an earlier run, `first`, on the code at commit ccc," in page
    assert "in 1 minutes, which was not finished: half" in page
    assert page.count(text) == 2
    assert as_json(report)["commit"] == "aaa+"


def test_a_run_keeps_what_it_has_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runner, "EVERY", 0.0)
    cases = [Case("F2", f"good {n}", lambda _: Result(1)) for n in range(3)]
    kept: list[tuple[int, str]] = []
    runner.play_all(
        family(monkeypatch, cases), "quick", [], workers=1, tell=lambda _: None,
        keep=lambda tallies, left: kept.append((tallies["F2"].cases, left)),
    )  # fmt: skip
    assert (1, "1 of 3 cases were played") in kept
    page = markdown(Report("make faults", 60, {"F2": Tally("F2")}, left=kept[0][1]))
    assert "**Not finished: 1 of 3 cases were played.**" in page
    assert "Not finished" not in markdown(Report("make faults", 60, {"F2": Tally("F2")}))


def test_a_killed_run_leaves_its_figures(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    cases = [
        Case("F2", "good", lambda _: Result(1)),
        Case("F2", "hangs", lambda _: Result(threading.Event().wait())),
    ]
    family(monkeypatch, cases)
    monkeypatch.setattr(runner, "EVERY", 0.0)
    monkeypatch.setattr(program, "PROJECT", tmp_path)
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["x", "--families", "invented", "--workers", "1", "--write"])
    (tmp_path / "docs").mkdir()
    write = program._write

    def killed(*args: object) -> None:
        write(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        program.main()
    said = json.loads((tmp_path / "faults.json").read_text())
    assert (said["commit"], said["left"]) == ("unknown", "1 of 2 cases were played")
    assert said["rows"]["F2"]["survived"] == 1
    page = (tmp_path / "docs" / "reliability.md").read_text()
    assert "Not finished: 1 of 2 cases were played" in page


def test_commit_and_product_are_told(tmp_path: Path):
    def git(*words: str) -> None:
        who = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True)

    file = tmp_path / "warehouse" / "store.py"
    file.parent.mkdir()
    file.write_text("a = 1\n")
    before = code.product(tmp_path)
    assert code.commit(tmp_path) == "unknown"
    git("init", "-q")
    git("add", "warehouse")
    git("commit", "-qm", "first")
    assert re.fullmatch("[0-9a-f]{7,}", code.commit(tmp_path))
    (tmp_path / "README").write_text("x")
    assert re.fullmatch("[0-9a-f]{7,}[+]", code.commit(tmp_path))
    assert code.product(tmp_path) == before
    file.write_text("a = 2\n")
    assert code.product(tmp_path) != before


def test_without_a_terminal_the_table_is_whole_and_the_last_line_says_it_all(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    tally = Tally("K1", cases=1_234, survived=1_233, fired=2_345)
    monkeypatch.setattr("tests.faults.__main__.play_all", lambda *a, **k: {"K1": tally})
    monkeypatch.setattr(sys, "argv", ["faults"])
    monkeypatch.setenv("ISTHMUS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        program.main()
    told = capsys.readouterr().out.splitlines()
    assert ended.value.code == 1
    assert told[-1] == "1,233 of 1,234 cases survived, 2,345 faults fired"
    (head,) = [line for line in told if "survived" in line and line != told[-1]]
    assert {"cases", "planned", "fired", "seconds"} <= set(head.replace("┃", " ").split())


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("tests.faults", ("random_runs", "default: 1000")),
        ("tests.attacks", ("A1 addresses", "A16")),
    ],
)
def test_help_says_what_the_families_are(module: str, words: tuple[str, ...]):
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    said = " ".join(done.stdout.split())
    for word in words:
        assert word in said
