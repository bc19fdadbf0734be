"""An environment without what other tests of the process left: it would go before `.env`."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

LEFT = ("ISTHMUS_", "DAGSTER_", "SHOP_TOKEN")


def plain(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what tests leave in it, and with `env`."""
    return {n: v for n, v in os.environ.items() if not n.startswith(LEFT)} | dict(env)


@contextmanager
def at(folder: Path, env: Mapping[str, str]) -> Iterator[None]:
    """Let the block run in `folder` with the plain environment and `env`."""
    before, here, mine = dict(os.environ), Path.cwd(), plain(env)
    os.environ.clear()
    os.environ.update(mine)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed."""

    returncode: int
    stdout: str
    stderr: str


def typed(folder: Path, env: Mapping[str, str], *words: str, together: bool = False) -> Said:
    """Run a command of `isthmus` in `folder` with `env`, in this process: a new one takes seconds.

    What only a process shows (its imports, its signals, its logging) it does not. `together` puts
    both outputs into `stdout`, in the order in which a terminal shows them.
    """
    from pipelines.cli import main

    out = io.StringIO()
    err = out if together else io.StringIO()
    with at(folder, env), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(words)
    return Said(code, out.getvalue(), "" if together else err.getvalue())
