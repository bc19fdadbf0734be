"""Which files are read when: bookmarks, parts, files in the making, broken beside good."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from connectors.base import Context, Page, ReadRequest
from connectors.errors import ConfigError, ContractBroken, Unavailable
from connectors.files import BadFiles, FilesConnector, FilesSettings


def connector(folder: Path, **stream: object) -> FilesConnector:
    wanted = {"pattern": "*.csv", "key": "id"} | stream
    settings = FilesSettings.model_validate({"folder": str(folder), "streams": {"s": wanted}})
    return FilesConnector(settings, Context("office", pause=lambda seconds: None))


def read(source: FilesConnector, bookmark: object = None, **request: object) -> list[Page]:
    return list(source.read(ReadRequest("s", bookmark=bookmark, **request)))  # type: ignore[arg-type]


def put(folder: Path, name: str, *ids: object) -> Path:
    path = folder / name
    path.write_text("id,name\n" + "".join(f"{each},n\n" for each in ids))
    return path


def told(pages: list[Page]) -> list[tuple[str | None, list[str | None], bool]]:
    return [(page.part, list(page.keys), page.complete) for page in pages]


def test_a_known_file_is_not_read_again_and_a_changed_one_is_a_complete_part(
    tmp_path: Path,
) -> None:
    put(tmp_path, "a.csv", 1, 2, 3)
    put(tmp_path, "b.csv", 9)
    source = connector(tmp_path)
    first = read(source)
    assert told(first) == [("a.csv", ["1", "2", "3"], True), ("b.csv", ["9"], True)]
    assert read(source, first[-1].bookmark) == []
    os.utime(tmp_path / "b.csv", (1, 1))  # touched, not changed
    assert read(source, first[-1].bookmark) == []
    put(tmp_path, "a.csv", 1, 3)
    second = read(source, first[-1].bookmark)
    assert told(second) == [("a.csv", ["1", "3"], True)]
    assert read(source, second[-1].bookmark) == []
    assert told(read(source, second[-1].bookmark, mode="full")) == [
        ("a.csv", ["1", "3"], True),
        ("b.csv", ["9"], True),
    ]


def test_a_known_file_is_read_again_where_that_is_wanted(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    put(tmp_path, "b.csv", 2)
    source = connector(tmp_path)
    mark = read(source)[-1].bookmark
    again = read(source, mark, again=frozenset({"b.csv", "gone.csv"}))
    assert told(again) == [("b.csv", ["2"], True)]
    assert again[-1].bookmark == mark


def test_same_size_other_bytes_is_a_change(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", 1)
    os.utime(path, (1_000, 1_000))
    mark = read(connector(tmp_path))[-1].bookmark
    put(tmp_path, "a.csv", 2)
    os.utime(path, (1_000, 1_000))
    assert told(read(connector(tmp_path), mark)) == [("a.csv", ["2"], True)]


def test_other_settings_make_known_files_unknown(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    mark = read(connector(tmp_path))[-1].bookmark
    assert read(connector(tmp_path, title="新名"), mark) == []
    assert len(read(connector(tmp_path, key="name"), mark)) == 1


def test_a_sweep_makes_no_file_known(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1, 2)
    assert read(connector(tmp_path), mode="sweep") == []


def test_a_limit_is_never_complete(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1, 2)
    put(tmp_path, "b.csv", 3, 4)
    pages = read(connector(tmp_path), limit=3)
    assert told(pages) == [("a.csv", ["1", "2"], False), ("b.csv", ["3"], False)]
    assert pages[-1].records.num_rows == 1


def test_rows_of_a_vanished_file_are_kept_unless_told(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    put(tmp_path, "b.csv", 2)
    mark = read(connector(tmp_path))[-1].bookmark
    (tmp_path / "b.csv").unlink()
    assert read(connector(tmp_path), mark) == []
    gone = read(connector(tmp_path, vanished="delete"), mark)
    assert told(gone) == [("b.csv", [], True)]
    assert list(gone[-1].bookmark["files"]) == ["a.csv"]


def test_an_empty_folder_deletes_nothing(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    source = connector(tmp_path, vanished="delete")
    mark = read(source)[-1].bookmark
    (tmp_path / "a.csv").unlink()
    pages = read(source, mark)
    assert not any(page.complete for page in pages)
    assert "nothing is deleted" in " ".join(pages[-1].warnings)
    assert pages[-1].bookmark == mark


def test_a_sub_folder_whose_files_are_all_gone_deletes_nothing(tmp_path: Path) -> None:
    for name in ("root.csv", "old.csv", "in/a.csv", "in/b.csv", "in/deep/c.csv", "out/d.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        put(tmp_path, name, name)
    source = connector(tmp_path, pattern="**/*.csv", vanished="delete")
    mark = read(source)[-1].bookmark
    shutil.rmtree(tmp_path / "in")
    (tmp_path / "old.csv").unlink()
    pages = read(source, mark)
    assert told(pages) == [("old.csv", [], True), (None, [], False)]
    assert pages[-1].warnings == (
        "in/: all 3 files of the folder are gone: nothing is deleted, check its mount",
    )
    assert len(pages[-1].bookmark["files"]) == 5
    for name in ("in/b.csv", "in/deep/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        put(tmp_path, name, name)
    assert told(read(source, pages[-1].bookmark)) == [("in/a.csv", [], True)]


def test_a_sub_folder_that_cannot_be_read_is_an_error_and_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "in/b.csv", "in/deep/c.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        put(tmp_path, name, name)
    source = connector(tmp_path, pattern="**/*.csv", vanished="delete")
    mark = read(source)[-1].bookmark
    put(tmp_path, "a.csv", 1)

    def scandir(path: Path, scan=os.scandir):  # type: ignore[no-untyped-def]
        if Path(path).name == "in":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    pages = source.read(ReadRequest("s", bookmark=mark))
    assert told([next(pages)]) == [("a.csv", ["1"], True)]
    with pytest.raises(BadFiles, match="in/") as caught:
        next(pages)
    assert "Permission denied" in str(caught.value)


def test_one_broken_file_does_not_stop_the_others(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    (tmp_path / "b.csv").write_bytes(b"id,name\n1,\xff\xff\n")
    (tmp_path / "c.csv").write_bytes(b"")
    put(tmp_path, "d.csv", 4)
    source = connector(tmp_path)
    pages: list[Page] = []
    with pytest.raises(BadFiles) as caught:
        pages.extend(source.read(ReadRequest("s")))
    for page in source.read(ReadRequest("s")) if not pages else ():
        pages.append(page)
        if len(pages) == 2:
            break
    assert [page.part for page in pages] == ["a.csv", "d.csv"]
    assert sorted(pages[-1].bookmark["files"]) == ["a.csv", "d.csv"]
    assert [cause.place for cause in caught.value.causes] == ["b.csv", "c.csv"]
    assert isinstance(caught.value, ContractBroken)
    assert "b.csv" in str(caught.value)
    assert "c.csv" in str(caught.value)
    put(tmp_path, "b.csv", 2)
    put(tmp_path, "c.csv", 3)
    assert [p.part for p in read(source, pages[-1].bookmark)] == ["b.csv", "c.csv"]


def test_a_file_that_grows_between_two_looks_waits(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    growing = put(tmp_path, "b.csv", 2)
    source = connector(tmp_path)
    looks: list[float] = []

    def pause(seconds: float) -> None:
        looks.append(seconds)
        with growing.open("a") as handle:
            handle.write("3,n\n")

    source.context.pause = pause
    pages = read(source)
    assert looks == [0.5]
    assert [page.part for page in pages] == ["a.csv", None]
    assert pages[-1].warnings == ("b.csv: still being written, left for the next run",)
    assert list(pages[-1].bookmark["files"]) == ["a.csv"]


def test_old_files_are_not_looked_at_twice(tmp_path: Path) -> None:
    put(tmp_path, "a.csv", 1)
    source = connector(tmp_path)

    def pause(seconds: float) -> None:
        raise AssertionError

    source.context.pause = pause
    source.context.now = lambda: datetime.now(UTC) + timedelta(minutes=1)
    assert len(read(source)) == 1


def test_a_file_that_changes_while_it_is_read_waits(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,name\n" + "".join(f"{n},n\n" for n in range(120_000)))
    pages = []
    for page in connector(tmp_path).read(ReadRequest("s")):
        pages.append(page)
        if len(pages) == 1:
            with path.open("a") as handle:
                handle.write("x,y\n")
    assert not any(page.complete for page in pages)
    assert "changed while it was read" in " ".join(pages[-1].warnings)
    assert pages[-1].bookmark == {"files": {}}


def test_lock_and_temporary_names_are_not_data(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["id", "name"])
    book.active.append(["1", "n"])
    book.save(tmp_path / "a.xlsx")
    for name in ("~$a.xlsx", ".hidden.xlsx", "b.xlsx.tmp", "c.xlsx.crdownload"):
        (tmp_path / name).write_bytes(b"x")
    pages = read(connector(tmp_path, pattern="*"))
    assert [page.part for page in pages] == [None]
    assert pages[0].warnings == ("a.xlsx: open in Excel, left for the next run",)
    assert [p.part for p in read(connector(tmp_path, pattern="*", locked="read"))] == ["a.xlsx"]


def test_patterns_case_folders_and_depth(tmp_path: Path) -> None:
    (tmp_path / "2026" / "q1").mkdir(parents=True)
    for name in ("库存A.CSV", "2026/库存b.csv", "2026/q1/c.csv"):
        put(tmp_path, name, 1)

    def names(pattern: str) -> list[str | None]:
        return [page.part for page in read(connector(tmp_path, pattern=pattern))]

    assert names("库存*.csv") == ["库存A.CSV"]
    assert names("2026/*.csv") == ["2026/库存b.csv"]
    assert names("20??/*/c.csv") == ["2026/q1/c.csv"]
    assert names("**/*.csv") == ["2026/q1/c.csv", "2026/库存b.csv", "库存A.CSV"]
    assert names("**/q1/*.csv") == ["2026/q1/c.csv"]


def test_nothing_that_matches_is_said(tmp_path: Path) -> None:
    pages = read(connector(tmp_path))
    assert pages[0].warnings == ("no file in the folder matches *.csv",)
    findings = list(connector(tmp_path).check())
    assert (findings[0].ok, findings[0].do) == (False, "correct `pattern:`")


def test_a_missing_folder_may_be_an_unmounted_drive(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No such file"):
        read(connector(tmp_path / "none"))
    assert [f.ok for f in connector(tmp_path / "none").check()] == [False]


def test_a_folder_relative_to_the_project(tmp_path: Path) -> None:
    (tmp_path / "files").mkdir()
    put(tmp_path / "files", "a.csv", 1)
    source = connector(Path("files"))
    source.context.base = str(tmp_path)
    assert len(read(source)) == 1


def test_an_unknown_stream_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no stream 'x'"):
        list(connector(tmp_path).read(ReadRequest("x")))
