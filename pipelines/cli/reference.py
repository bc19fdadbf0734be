"""Writes docs/cli.md from the commands themselves: `python -m pipelines.cli.reference`.

Run with ISTHMUS_LANG=en; a test holds the page against the commands.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from pipelines.cli.app import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
WIDTH = 96
HEAD = """# The command line

Made from the commands by `python -m pipelines.cli.reference`; a test keeps it up to date.

Texts are English or Chinese by `ISTHMUS_LANG=en|zh`, else by the locale. Commands find their
folder by `ISTHMUS_DEFS`, else as the nearest folder above with `defs/` and `mappings/` in it.
Reading commands (`status`, `query`, `explain`, `connectors`, `quarantine list`, `quarantine show`,
`party review`) never open the store: they read the published file, the sidecars and the control
database, and say how old that is. Commands that change the store wait for its lock and say who
holds it.

| exit code | means |
|---|---|
| 0 | done; records in quarantine are counted on stderr |
| 1 | a stream failed, a system did not pass its check, or a quarantine share is above its limit |
| 2 | the command line or a file of settings is wrong |
| 3 | ended early and resumable: run it again |

A failure is told on stderr as what happened and what to do. What nobody foresaw is logged with its
traceback in `logs/cli.log` under the home, and the message names that file.
"""


def reference() -> str:
    """Return the page."""
    return HEAD + "".join(_section(name, text) for name, text in _helps())


def main() -> int:
    """Write the page."""
    PAGE.write_text(reference(), "utf-8")
    return 0


def _helps() -> Iterator[tuple[str, str]]:
    yield from _walk(typer.main.get_command(app), None, "isthmus")


def _walk(command: Any, parent: Any, name: str) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name.rpartition(" ")[2], [], parent=parent, resilient_parsing=True,
        terminal_width=WIDTH, max_content_width=WIDTH, help_option_names=["-h", "--help"],
    )  # fmt: skip
    yield name, command.get_help(context)
    for inner, sub in getattr(command, "commands", {}).items():
        yield from _walk(sub, context, f"{name} {inner}")


def _section(name: str, text: str) -> str:
    body = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return f"\n## {name}\n\n```text\n{body}\n```\n"


if __name__ == "__main__":
    sys.exit(main())
