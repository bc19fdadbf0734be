"""Copies of packed records stand in the home for a moment, and never outlive who made them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pytest
from hand_plan import order_plan
from small_landing import PLACE, do, land, make

from warehouse import aside, intake
from warehouse.batch import Batch
from warehouse.home import Home
from warehouse.store import open_store

LIVE = """
import sys, time
from pathlib import Path
from warehouse import aside
with aside.folder(Path(sys.argv[1])) as folder:
    (folder / "copy").write_text("a person")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_a_folder_goes_at_the_end_and_is_private(tmp_path: Path) -> None:
    with aside.folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "copy").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_reader_left_goes_when_the_store_is_opened(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    with subprocess.Popen(
        [sys.executable, "-c", LIVE, str(home.root)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        left = Path(process.stdout.readline().strip())
        with open_store(home):
            assert left.is_dir(), "its maker lives"
        os.kill(process.pid, signal.SIGKILL)
    assert (left / "copy").read_text() == "a person"
    with open_store(home):
        assert not left.exists()


def test_packed_records_are_laid_down_in_the_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "home"
    landing = make(root / "landing")
    for number in range(4):
        land(landing, number, number)
    do(landing)
    where: list[Path] = []
    real = intake._fill

    def fill(con: duckdb.DuckDBPyConnection, plan: object, how: str, files: Sequence[str],
             *, whole: bool) -> None:  # fmt: skip
        where.extend(Path(file).parent for file in files[:3])
        real(con, order_plan(), how, files, whole=whole)

    monkeypatch.setattr(intake, "_fill", fill)
    batches: list[Batch] = landing.batches(*PLACE)
    with duckdb.connect() as con:
        intake.read(con, order_plan(), batches)
    assert {folder.parent for folder in where} == {root}
    assert [path.name for path in root.iterdir()] == ["landing"]
