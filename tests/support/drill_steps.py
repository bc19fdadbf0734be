"""Runs the commands of docs/restore.md as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.cli import main
from tests.support.surroundings import at, plain

PAGE = Path(__file__).resolve().parents[2] / "docs" / "restore.md"
BIN = Path(sys.executable).parent
_BLOCK = re.compile(r"<!-- drill: ([a-z-]+) -->\n```sh\n(.*?)```\n", re.DOTALL)
_OURS = re.compile(r"((?:[A-Z_]+=\S+ )*)isthmus (.*?)( \|\| true)?")


def steps() -> dict[str, str]:
    """Return the command blocks of the page by the name of their drill."""
    return dict(_BLOCK.findall(PAGE.read_text("utf-8")))


def run(block: str, folder: Path, env: Mapping[str, str], *, anew: bool = False) -> None:
    """Run a block in `folder`: what is ours in this process, the rest by the shell.

    `anew` leaves all to the shell: in this process Dagster remembers the home that is gone.
    Raises AssertionError where a command ends with another code than 0, unless `|| true` allows it.
    """
    others: list[str] = []
    for line in block.splitlines():
        ours = None if anew else _OURS.fullmatch(line)
        if ours is None:
            others.append(line)
            continue
        _shell(others, folder, env)
        others = []
        said = dict(pair.split("=", 1) for pair in ours[1].split())
        code = _isthmus(shlex.split(ours[2]), folder, env, said)
        assert code == 0 or ours[3], f"{line}: exit {code}"
    _shell(others, folder, env)


def _shell(lines: list[str], folder: Path, env: Mapping[str, str]) -> None:
    if lines:
        text = "set -e\n" + "\n".join(lines)
        done = subprocess.run(
            ["sh", "-c", text], cwd=folder, text=True, capture_output=True, timeout=120,
            env={**plain(env), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stderr}"


def _isthmus(
    words: list[str], folder: Path, env: Mapping[str, str], more: Mapping[str, str]
) -> int:
    with at(folder, {**env, **more}):
        return main(words)
