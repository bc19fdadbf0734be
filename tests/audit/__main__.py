"""`make audit`: run the tools, compare with the answers, exit 1 where a finding has none."""

from __future__ import annotations

import os
import sys

from tests.audit.answers import judge, load, table
from tests.audit.page import write_block
from tests.audit.tools import bandit, secrets, vulnerabilities

STRICT = "ISTHMUS_AUDIT_STRICT"


def main() -> int:
    """Run and print; return the exit code."""
    answers = load()
    if "--write" in sys.argv:
        write_block("answers", table(answers))
    found, tried = vulnerabilities()
    findings = [*bandit(), *secrets(), *found]
    if tried:
        answers = [a for a in answers if a.tool != "pip-audit"]
    verdict = judge(findings, answers)
    for tool in ("bandit", "detect-secrets", "pip-audit"):
        count = sum(f.tool == tool for f in findings)
        left = sum(f.tool == tool for f in verdict.unanswered)
        if tool != "pip-audit" or not tried:
            print(f"{tool}: {count} findings, {count - left} answered, {left} not")
    if tried:
        print("pip-audit: NOT ANSWERED HERE, which is no finding and no all-clear. Tried:")
        for line in tried:
            print(f"  {line}")
        print(f"  Run it where PyPI's JSON API or OSV is reached ({STRICT}=1 makes this an error).")
    for finding in verdict.unanswered:
        print(f"unanswered: {finding.tool} {finding.rule} {finding.place} {finding.detail}")
    for answer in verdict.stale:
        print(f"remark: fewer than answered: {answer.tool} {answer.rule} {answer.place}")
    if verdict.unanswered:
        print("Mend each, or answer it in tests/audit/answers.yaml with a reason.")
    return 1 if verdict.unanswered or (tried and os.environ.get(STRICT)) else 0


if __name__ == "__main__":
    sys.exit(main())
