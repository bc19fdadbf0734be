"""What a kill, a full disk or a plain file system leaves of a publication."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from publish_parts import KEY, bring, everything, order, shown
from source_rows import MOMENT, Loader

from warehouse import golden, project_tables
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


def run(home: Home) -> None:
    """Bring all up to the published file."""
    with open_store(home) as store:
        bring(store, home)
    publish(home, now=MOMENT)


def in_child(home: Home, before: Callable[[], object]) -> int:
    """Do `before` and the run in a forked child; returns its exit code, -9 where it was killed."""
    child = os.fork()
    if child == 0:
        try:
            before()
            run(home)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with two orders published and changes that are not; tests copy it."""
    home = Home(tmp_path_factory.mktemp("changed") / "home").make()
    with open_store(home) as store:
        Loader(store.con).put("order", [order("1"), order("2")])
    run(home)
    with open_store(home) as store:
        load = Loader(store.con)
        load.put("order", [order("2", total=Decimal(99)), order("3")])
        load.delete("order", "1")
    return home


@pytest.mark.parametrize("point", CRASHES)
def test_a_kill_is_mended_by_the_next_run(changed: Home, tmp_path: Path, point: str) -> None:
    home = Home(Path(shutil.copytree(changed.root, tmp_path / "home", symlinks=True)))
    code = in_child(home, lambda: os.environ.update({"ISTHMUS_CRASH_AT": point}))
    assert code == -signal.SIGKILL
    # Whatever stands published is whole: orders and lines of one moment.
    orders, lines = shown(
        home.current, "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_lines)"
    )[0]
    assert orders == lines == 2
    run(home)
    rows = "SELECT source_key, total FROM orders ORDER BY source_key"
    assert shown(home.current, rows) == [("2", Decimal(99)), ("3", Decimal(10))]
    stepwise = everything(home.current)
    with open_store(home) as store:
        home.public.unlink()
        project(store, home, privacy="masked", key=KEY, now=MOMENT)
    assert everything(home.public) == stepwise
    assert not list(home.published.glob("*.tmp"))


def die_at_the_third_slice(where: tuple[object, str]) -> None:
    """Let this process be killed as it goes on to a third slice of one row."""
    golden.SLICE = project_tables.SLICE = 1
    was, count = getattr(*where), iter(range(1_000_000))

    def slice(*values: object) -> object:
        if next(count) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return was(*values)

    setattr(*where, slice)


@pytest.mark.parametrize(
    "where", [(golden, "_slice"), (project_tables.Tables, "_slice")], ids=["unify", "project"]
)
def test_a_kill_between_slices_shows_none_of_them(home: Home, where: tuple[object, str]) -> None:
    with open_store(home) as store:
        Loader(store.con).put("order", [order(str(n)) for n in range(5)])
        bring(store, home)
    publish(home, now=MOMENT)
    with open_store(home) as store:
        Loader(store.con).put("order", [order(str(n), total=Decimal(99)) for n in range(5)])
    assert in_child(home, lambda: die_at_the_third_slice(where)) == -signal.SIGKILL
    totals = "SELECT DISTINCT total FROM orders"
    assert shown(home.current, totals) == shown(home.public, totals) == [(Decimal(10),)]
    run(home)
    assert shown(home.current, totals) == [(Decimal(99),)]
