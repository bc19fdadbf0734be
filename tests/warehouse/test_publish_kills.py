"""What a kill, a full disk or a plain file system leaves of a publication."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from decimal import Decimal

import pytest
from publish_parts import KEY, bring, everything, order, shown
from source_rows import MOMENT, Loader

from warehouse.home import Home
from warehouse.project import project
from warehouse.publish import StoreFull, publish
from warehouse.store import open_store


def test_a_file_system_that_cannot_copy_by_itself_publishes_the_same_bytes(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.EXDEV, "not here")

    with open_store(home) as store:
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
    inside = publish(home, now=MOMENT).path.read_bytes()
    for path in home.published.iterdir():
        path.unlink()
    monkeypatch.setattr(os, "copy_file_range", refuse)
    outside = publish(home, now=MOMENT).path.read_bytes()
    assert inside == outside == home.public.read_bytes()


def test_a_disk_that_fills_during_the_copy_leaves_the_old_version(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with open_store(home) as store:
        bring(store, home)
        first = publish(home, now=MOMENT)
        Loader(store.con).put("order", [order("1")])
        bring(store, home)
    monkeypatch.setattr(os, "copy_file_range", refuse)
    with pytest.raises(StoreFull, match="No space left"):
        publish(home, now=MOMENT)
    assert home.current.samefile(first.path)
    assert not list(home.published.glob("*.tmp"))


CRASHES = (
    "unify.written", "unify.committed", "project.written", "project.committed", "publish.copied",
    "publish.versioned", "publish.renamed",
)  # fmt: skip
CHILD = """
import sys
from pathlib import Path
from source_rows import MOMENT
from warehouse.home import Home
from warehouse.project import project
from warehouse.publish import publish
from warehouse.store import open_store
from warehouse.unify import unify
home = Home(Path(sys.argv[1]))
with open_store(home) as store:
    unify(store, now=MOMENT)
    project(store, home, privacy="masked", key=sys.argv[2].encode(), now=MOMENT)
publish(home, now=MOMENT)
"""


@pytest.mark.parametrize("point", CRASHES)
def test_a_kill_is_mended_by_the_next_run(home: Home, point: str) -> None:
    def run() -> None:
        with open_store(home) as store:
            bring(store, home)
        publish(home, now=MOMENT)

    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("1"), order("2")])
    run()
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("2", total=Decimal(99)), order("3")])
        load.delete("order", "1")
    path = os.pathsep.join(p for p in sys.path if p)
    child = subprocess.run(
        [sys.executable, "-c", CHILD, str(home.root), KEY.decode()],
        env={**os.environ, "PYTHONPATH": path, "ISTHMUS_CRASH_AT": point},
        timeout=60, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    # Whatever stands published is whole: orders and lines of one moment.
    orders, lines = shown(
        home.current, "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_lines)"
    )[0]
    assert orders == lines == 2
    run()
    rows = "SELECT source_key, total FROM orders ORDER BY source_key"
    assert shown(home.current, rows) == [("2", Decimal(99)), ("3", Decimal(10))]
    stepwise = everything(home.current)
    with open_store(home) as store:
        home.public.unlink()
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    assert everything(home.public) == stepwise
    assert not list(home.published.glob("*.tmp"))


BETWEEN_SLICES = """
import os, signal
from warehouse import golden, project_tables
where, count = ({where}), 0
golden.SLICE = project_tables.SLICE = 1
was = getattr(*where)
def slice(*values):
    global count
    count += 1
    if count == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return was(*values)
setattr(*where, slice)
"""


@pytest.mark.parametrize(
    "where", ["golden, '_slice'", "project_tables.Tables, '_slice'"], ids=["unify", "project"]
)
def test_a_kill_between_slices_shows_none_of_them(home: Home, where: str) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order(str(n)) for n in range(5)])
        bring(store, home)
    publish(home, now=MOMENT)
    with open_store(home) as store:
        Loader(store.con).put("order", [order(str(n), total=Decimal(99)) for n in range(5)])
    path = os.pathsep.join(p for p in sys.path if p)
    child = subprocess.run(
        [sys.executable, "-c", BETWEEN_SLICES.format(where=where) + CHILD, str(home.root),
         KEY.decode()],
        env={**os.environ, "PYTHONPATH": path}, timeout=60, check=False,
    )  # fmt: skip
    assert child.returncode == -signal.SIGKILL
    totals = "SELECT DISTINCT total FROM orders"
    assert shown(home.current, totals) == shown(home.public, totals) == [(Decimal(10),)]
    with open_store(home) as store:
        bring(store, home)
    publish(home, now=MOMENT)
    assert shown(home.current, totals) == [(Decimal(99),)]
