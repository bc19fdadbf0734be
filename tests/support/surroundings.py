"""An environment without what other tests of the process left: it would go before `.env`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
