"""One made-up person in every corner of a home: in how many files they stand, before and after.

    python -m tests.bench.canary --write      # the table of docs/privacy.md

Canaries are a name, phone, e-mail, identity number and address in shop, CRM and ERP. The search is
the tests' own, beside the product's: bytes of every file, zstd and Parquet unpacked, the tables of
DuckDB asked.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

SUPPORT = str(Path(__file__).resolve().parents[1] / "support")
sys.path.insert(0, SUPPORT)

from canary_company import ADDRESS, ID, MAIL, NAME, PHONE, homes_texts, running  # noqa: E402

from connectors.base import utc_now  # noqa: E402
from pipelines.erase import Erasure  # noqa: E402
from pipelines.sync import unify_publish  # noqa: E402
from tests.audit.page import write_block  # noqa: E402
from warehouse.landing import Landing  # noqa: E402
from warehouse.rebuild import rebuild  # noqa: E402

PAGE = Path(__file__).resolve().parents[2] / "docs" / "privacy.md"
WHAT = {"name": NAME, "phone": PHONE, "e-mail": MAIL, "identity number": ID, "address": ADDRESS}


def figures(root: Path) -> tuple[list[tuple[str, Mapping[str, set[str]]]], str]:
    """Return the files that hold a canary after each step, and what the erasure said of itself."""
    found: list[tuple[str, Mapping[str, set[str]]]] = []
    with running(root) as company:
        space = company.space
        home = space.home

        def look(step: str) -> None:
            space.control.close()
            found.append((step, homes_texts(home.root)))

        look("before")
        done = Erasure(space, utc_now).erase(MAIL, why="request 17", who="dpo")
        look("after `isthmus erase`")
        company.sync(full=True)
        look("after the systems told of them again, in full")
        rebuild(home, Landing(home.landing), lambda c, s: space.connection(c).plan(s), utc_now)
        assert unify_publish(space).error is None
        look("after `isthmus rebuild`")
        proof = done.proof
        assert proof is not None
        said = f"{proof.files} files, {proof.bytes / 1e6:.1f} MB searched by the command itself: "
        said += f"{len(proof.hits)} hits, {len(proof.unread)} unread"
    return found, said


def markdown(found: list[tuple[str, Mapping[str, set[str]]]], said: str) -> str:
    """Return the figures as a table: in how many files each canary stands."""
    lines = [
        "| files that hold the | " + " | ".join(WHAT) + " | of these in `published/` |",
        "|---|" + "---:|" * (len(WHAT) + 1),
    ]
    for step, files in found:
        counts = [sum(value in held for held in files.values()) for value in WHAT.values()]
        public = sum(name.startswith("published") for name in files)
        lines.append(f"| {step} | {' | '.join(map(str, counts))} | {public} |")
    return "\n".join([*lines, "", said + "."])


def main() -> int:
    """Print the table; returns 1 where anything is left after the erasure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.canary")
    parser.add_argument("--write", action="store_true", help="write it into docs/privacy.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="isthmus-canary-") as folder:
        found, said = figures(Path(folder))
    text = markdown(found, said)
    print(text)
    if asked.write:
        write_block("canary", text, PAGE)
    return int(any(files for _, files in found[1:]))


if __name__ == "__main__":
    sys.exit(main())
