"""Findings and their answers: a finding that no answer covers fails the audit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ANSWERS = Path(__file__).with_name("answers.yaml")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: `place` is a file of the project, a package, or `history: file`."""

    tool: str
    rule: str
    place: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Why up to `most` findings of one rule in one place are accepted."""

    tool: str
    rule: str
    place: str
    most: int
    reason: str


@dataclass(slots=True)
class Verdict:
    """Findings that nobody answered, and answers that nothing asks for any more."""

    unanswered: list[Finding] = field(default_factory=list)
    stale: list[Answer] = field(default_factory=list)


def load(path: Path = ANSWERS) -> list[Answer]:
    """Return the answers; raises ValueError for one without a reason or said twice.

    Members: tool, rule, reason, and `places`: a map of place to the number of findings.
    """
    found = []
    for group in yaml.safe_load(path.read_text(encoding="utf-8")) or []:
        reason = str(group["reason"]).strip()
        if len(reason) < 20:
            raise ValueError(f"{group['tool']} {group['rule']}: say why")
        for place, most in group["places"].items():
            found.append(Answer(group["tool"], str(group["rule"]), place, int(most), reason))
    keys = Counter((a.tool, a.rule, a.place) for a in found)
    if twice := [key for key, count in keys.items() if count > 1]:
        raise ValueError(f"answered twice: {twice}")
    return found


def judge(findings: Iterable[Finding], answers: Sequence[Answer]) -> Verdict:
    """Return what is left. More findings than an answer counts are all shown: which is new?"""
    verdict = Verdict()
    groups: dict[tuple[str, str, str], list[Finding]] = {}
    for finding in findings:
        groups.setdefault((finding.tool, finding.rule, finding.place), []).append(finding)
    known = {(a.tool, a.rule, a.place): a for a in answers}
    for key, group in groups.items():
        answer = known.get(key)
        if answer is None or len(group) > answer.most:
            verdict.unanswered += group
    for key, answer in known.items():
        if len(groups.get(key, ())) < answer.most:
            verdict.stale.append(answer)
    return verdict


def table(answers: Sequence[Answer]) -> str:
    """Return the answers as a table of Markdown, a line a reason."""
    lines = ["| tool | rule | findings | where | why it stands |", "|---|---|---:|---|---|"]
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for answer in answers:
        groups.setdefault((answer.tool, answer.rule, answer.reason), []).append(answer)
    for (tool, rule, reason), group in groups.items():
        count = sum(answer.most for answer in group)
        places = sorted(answer.place for answer in group)
        where = ", ".join(f"`{p}`" for p in places[:3])
        where += f" and {len(places) - 3} more" if len(places) > 3 else ""
        lines.append(f"| {tool} | {rule} | {count} | {where} | {' '.join(reason.split())} |")
    return "\n".join(lines)
