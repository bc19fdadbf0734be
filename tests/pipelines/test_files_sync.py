"""Rows of files in the store: keys that stand in two files, lines that move."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.sync import sync_stream
from pipelines.workspace import Workspace
from warehouse import crashpoints
from warehouse.store import open_store
from warehouse.writer import BatchWriter

CONNECTION = """\
type: pipelines.Connection
attributes:
  system: files
  config:
    folder: {folder}
    settle: 0
    streams:
      customers: {{pattern: "**/*.csv", key: id, vanished: delete}}
"""
MAPPING = "entity: party\nkey: id\nfields:\n  name: name\n"


@pytest.fixture
def space(tmp_path: Path) -> Iterator[Workspace]:
    for name, text in (
        ("defs/office/defs.yaml", CONNECTION.format(folder=tmp_path / "in")),
        ("maps/office/customers.yaml", MAPPING),
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "in").mkdir()
    made = Workspace.discover(
        {
            "ISTHMUS_HOME": str(tmp_path / "home"),
            "ISTHMUS_DEFS": str(tmp_path / "defs"),
            "ISTHMUS_MAPPINGS": str(tmp_path / "maps"),
        }
    )
    yield made
    made.control.close()


def put(tmp_path: Path, name: str, **rows: str) -> None:
    path = tmp_path / "in" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("id,name\n" + "".join(f"{key},{value}\n" for key, value in rows.items()))


def stored(space: Workspace) -> dict[str, str]:
    with open_store(space.home) as store:
        sql = "select source_key, name from source.parties where not is_deleted"
        return dict(store.con.execute(sql).fetchall())


def test_an_inserted_line_lands_one_row(space: Workspace, tmp_path: Path) -> None:
    put(tmp_path, "a.csv", B="b", C="c", D="d")
    assert sync_stream(space, "office", "customers").landed == 3
    put(tmp_path, "a.csv", A="a", B="b", C="c", D="d")
    done = sync_stream(space, "office", "customers")
    assert (done.landed, done.unchanged, done.inserted) == (1, 3, 1)


def test_a_sub_folder_that_vanishes_keeps_its_rows(space: Workspace, tmp_path: Path) -> None:
    put(tmp_path, "a.csv", A="a")
    put(tmp_path, "in/b.csv", B="b")
    sync_stream(space, "office", "customers")
    (tmp_path / "in/in").rename(tmp_path / "elsewhere")
    done = sync_stream(space, "office", "customers")
    assert (done.deleted, set(stored(space))) == (0, {"A", "B"})
    assert any(line.startswith("in/: all 1 files") for line in done.warnings)


def test_a_row_of_two_files_has_the_value_of_the_one_that_still_holds_it(
    space: Workspace, tmp_path: Path
) -> None:
    put(tmp_path, "a.csv", X="fromA", Y="y")
    put(tmp_path, "b.csv", X="fromB", Z="z")
    assert sync_stream(space, "office", "customers").error is None
    assert stored(space) == {"X": "fromB", "Y": "y", "Z": "z"}
    put(tmp_path, "b.csv", Z="z")
    told = sync_stream(space, "office", "customers")
    assert any("b.csv dropped" in line and "X in a.csv" in line for line in told.warnings)
    again = sync_stream(space, "office", "customers")
    assert (again.landed, again.warnings) == (1, {})
    assert stored(space) == {"X": "fromA", "Y": "y", "Z": "z"}
    assert sync_stream(space, "office", "customers").read == 0


@pytest.mark.parametrize("point", ["land.sidecar", "deletions"])
def test_a_row_gone_is_deleted_though_the_run_that_saw_it_was_killed(
    space: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    """The file was known by then, so that no later run read it again."""
    put(tmp_path, "a.csv", A="a", B="b", C="c")
    put(tmp_path, "b.csv", D="d")
    sync_stream(space, "office", "customers")
    put(tmp_path, "a.csv", A="new", B="b")
    (tmp_path / "in/b.csv").unlink()

    def killed(*said: object) -> None:
        if said == (point,) or point == "deletions":
            raise RuntimeError(point)

    with monkeypatch.context() as patched:
        patched.setattr(BatchWriter, "close", BatchWriter.abandon)  # the dead land nothing
        if point == "deletions":
            patched.setattr(BatchWriter, "_deletions", killed)
        else:
            patched.setattr(crashpoints, "reach", killed)
        for _ in range(2):
            assert sync_stream(space, "office", "customers").status == "failed"
    for _ in range(2):
        assert sync_stream(space, "office", "customers").error is None
    assert stored(space) == {"A": "new", "B": "b"}
    assert sync_stream(space, "office", "customers").read == 0


def test_a_listing_of_keys_does_not_make_a_changed_file_known(
    space: Workspace, tmp_path: Path
) -> None:
    put(tmp_path, "a.csv", A="a")
    sync_stream(space, "office", "customers")
    put(tmp_path, "a.csv", A="new")
    assert sync_stream(space, "office", "customers", sweep=True).read == 0
    assert sync_stream(space, "office", "customers").updated == 1
    assert stored(space) == {"A": "new"}


def test_a_heading_that_grew_empties_no_column(space: Workspace, tmp_path: Path) -> None:
    """Short names are unlike their longer forms."""
    put(tmp_path, "a.csv", A="a")
    sync_stream(space, "office", "customers")
    (tmp_path / "in/a.csv").write_text("id,name (as registered)\nA,a\n")
    told = sync_stream(space, "office", "customers")
    assert told.error is not None
    assert "`name (as registered)` is" in told.error.what
    assert """write `'"name (as registered)"'` in""" in told.error.do
    assert stored(space) == {"A": "a"}
