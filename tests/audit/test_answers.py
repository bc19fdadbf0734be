"""The audit would find a bad line: its logic, and the tools' output as it is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.answers import ANSWERS, Answer, Finding, judge, load, table
from tests.audit.tools import LOCKS, ROOT, _read

OLD = Answer("bandit", "B608", "warehouse/load.py", 2, "names pass the quoting function")


def found(count: int, rule: str = "B608", place: str = "warehouse/load.py") -> list[Finding]:
    return [Finding("bandit", rule, place, f"line {n}") for n in range(count)]


def test_what_is_answered_passes() -> None:
    verdict = judge(found(2), [OLD])
    assert verdict.unanswered == []
    assert verdict.stale == []


@pytest.mark.parametrize(
    "bad", [found(3), found(1, rule="B602"), found(1, place="warehouse/new.py")],
    ids=["one more of the same", "another rule", "another file"],
)  # fmt: skip
def test_an_injected_bad_line_is_found(bad: list[Finding]) -> None:
    assert judge([*found(0), *bad], [OLD]).unanswered == bad


def test_an_answer_that_nothing_asks_for_is_told() -> None:
    assert judge(found(1), [OLD]).stale == [OLD]
    assert judge([], [OLD]).unanswered == []


def test_an_answer_needs_a_reason_and_is_given_once(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text("- {tool: bandit, rule: B1, reason: fine, places: {a.py: 1}}\n")
    with pytest.raises(ValueError, match="say why"):
        load(file)
    one = "- {tool: bandit, rule: B1, reason: because it is only a test, places: {a.py: 1}}\n"
    file.write_text(one * 2)
    with pytest.raises(ValueError, match="twice"):
        load(file)


def test_every_answer_is_about_a_file_that_is_there() -> None:
    for answer in load(ANSWERS):
        if not answer.place.startswith("history: "):
            assert (ROOT / answer.place).is_file(), answer.place


def test_the_page_for_it_has_every_answer() -> None:
    page = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    assert table(load(ANSWERS)) in page


def test_vulnerable_and_unknown_packages_are_findings() -> None:
    told = {"dependencies": [
        {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]},
        {"name": "b", "skip_reason": "not found"}, {"name": "c", "version": "1", "vulns": []},
    ]}  # fmt: skip
    assert [(f.rule, f.place) for f in _read("x.lock", told)] == [
        ("PYSEC-1", "x.lock: a"), ("not audited", "x.lock: b"),
    ]  # fmt: skip


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_have_hashes_and_no_hosts(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert entries
    assert all("==" in line for line in entries)
    assert text.count("--hash=sha256:") >= len(entries)
    assert "://" not in text
