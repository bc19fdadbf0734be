"""docs/cli.md is what the commands say of themselves."""

import os
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_reference_is_up_to_date() -> None:
    script = "from pipelines.cli.reference import reference; print(reference(), end='')"
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"ISTHMUS_LANG": "en"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    written = (DOCS / "cli.md").read_text("utf-8")
    assert done.stdout == written, "run ISTHMUS_LANG=en python -m pipelines.cli.reference"


def test_pages_name_only_commands_that_exist() -> None:
    import re

    from pipelines.cli.app import app

    known = {c.name for c in app.registered_commands} | {g.name for g in app.registered_groups}
    for page in ("on-call.md", "runbook.md", "runbook.zh.md", "first-connection.md"):
        text = (DOCS / page).read_text("utf-8")
        named = set(re.findall(r"isthmus ([a-z]+)", text))
        assert named <= known, page
