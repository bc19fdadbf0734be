"""Plays every case on every connector: `python -m tests.conformance [--write]`.

Prints connectors by cases passed, not applicable and failed, then what failed; exit code 1 where
one did. `--write` writes docs/connectors.md.
"""

from __future__ import annotations

import sys

from connectors.testing import table
from tests.conformance.page import PAGE, SUITES, page


def main(words: list[str]) -> int:
    """Play, print, write."""
    results = table.play(SUITES)
    print(table.summary(results))
    failed = [
        f"{suite}: {case}: {said}"
        for suite, cases in results.items()
        for case, said in cases.items()
        if said not in (table.PASSED, table.NOT)
    ]
    print("\n".join(failed) or "0 failed")
    if "--write" in words:
        PAGE.write_text(page(), "utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
