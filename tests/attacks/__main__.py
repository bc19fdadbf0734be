"""Run every attack family, print tried / refused / succeeded, exit 1 where one succeeded."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tests.attacks import a12_page
from tests.attacks.attempt import Attempt
from tests.attacks.report import as_dict, markdown
from tests.attacks.runner import run, titles
from tests.audit.page import write_block


def tell(one: Attempt) -> None:
    """Print an attempt as it is made."""
    print(f"{one.id:8} {one.outcome:9} {one.name!r:60} {one.detail!r}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m tests.attacks",
        description="Attack the product and count what was refused.",
        epilog=f"Families: {'; '.join(f'{i} {title}' for i, title in titles().items())}.",
    )
    parser.add_argument("families", nargs="*", help="A1 A9 …, see below (default: all)")
    parser.add_argument("--quick", action="store_true", help="the part that `make test` runs")
    parser.add_argument("--json", type=Path, help="write the figures here, too")
    parser.add_argument("--detail", action="store_true", help="print every attempt")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write docs/hostile-statements.md and, of all families, the table of docs/security.md",
    )
    asked = parser.parse_args()
    families = run(asked.families, quick=asked.quick, told=tell if asked.detail else None)
    found = as_dict(families)
    print(markdown(found))
    if asked.json:
        asked.json.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    if asked.write:
        for family in families:
            if family.id == "A12" and not asked.quick:
                a12_page.write(family)
        if not asked.families:
            write_block("attacks", markdown(found))
    sys.exit(1 if found["succeeded"] else 0)
