"""A published store of a few rows, for attacks on readers and exports."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from source_rows import MOMENT, Loader

from pipelines.cli import main
from warehouse.home import Home
from warehouse.project import project
from warehouse.publish import publish
from warehouse.store import open_store
from warehouse.unify import unify


def published(root: Path, rows: Mapping[str, list[dict[str, Any]]] | None = None) -> Home:
    """Make a home whose published file holds `rows` by entity (three orders unless given)."""
    home = Home(root).make()
    orders = [
        {"key": str(n), "number": f"N{n}", "total": Decimal("9.90"), "placed_at": MOMENT}
        for n in range(3)
    ]
    with open_store(home) as store:
        loader = Loader(store.con)
        for entity, given in (rows or {"order": orders}).items():
            loader.put(entity, given)
        unify(store, now=MOMENT)
        project(store, home, privacy="clear" if rows else "masked", key=b"0" * 32, now=MOMENT)
    publish(home, now=MOMENT)
    return home


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    """Set variables while the block runs, and put every variable back that it changed."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def command(*words: str, given: str = "") -> tuple[int, str, str]:
    """Run the command line in this process; return exit code, stdout, stderr."""
    import sys

    out, err, stdin = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(given)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(list(words))
    finally:
        sys.stdin = stdin
    return code, out.getvalue(), err.getvalue()
