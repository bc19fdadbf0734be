from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from warehouse import writer as writer_module
from warehouse.errors import (
    LandingBusy,
    LandingDamaged,
    LandingError,
    LandingFull,
    LandingUnknown,
)
from warehouse.landing import Landing
from warehouse.writer import BatchWriter

START = datetime(2026, 3, 1, tzinfo=UTC)
Open = Callable[..., BatchWriter]


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", now=lambda: START)


@pytest.fixture
def opened(landing: Landing) -> Open:
    def make(mode: str = "changed", read: str = "r1", **more) -> BatchWriter:
        return landing.writer(
            "shop", "orders", mode=mode, read=read, connector="rest@1", started=START, **more
        )

    return make


def record(key: object, value: int = 0) -> bytes:
    return json.dumps({"id": key, "v": value}).encode()


def page(*keys: object, value: int = 0) -> tuple[list[bytes], list[str]]:
    return [record(k, value) for k in keys], [str(k) for k in keys]


def contents(landing: Landing) -> list[tuple[str, int, bool]]:
    return [
        (b.sidecar.content, b.sidecar.rows, b.sidecar.held)
        for b in landing.batches("shop", "orders")
    ]


def deleted(landing: Landing) -> list[str]:
    return [
        key
        for b in landing.batches("shop", "orders")
        if b.sidecar.content == "deletions" and not b.sidecar.held
        for key, _ in b.deletions()
    ]


def test_a_batch_is_its_data_and_its_sidecar(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        writer.add(*page(1, 2), {"stamp": "a"})
        writer.add(*page(3), {"stamp": "b"})
    (batch,) = landing.batches("shop", "orders")
    assert batch.data.name == "000000000001.ndjson.zst"
    assert list(batch.lines()) == [record(1), record(2), record(3)]
    batch.verify()
    side = batch.sidecar
    assert (side.rows, side.unchanged, side.mode, side.read) == (3, 0, "changed", "r1")
    assert side.started_at == side.ended_at == "2026-03-01T00:00:00+00:00"
    assert landing.bookmark("shop", "orders") == {"stamp": "b"}
    assert landing.streams() == [("shop", "orders")]
    assert landing.record("shop", "orders", 1, 2) == record(2)
    assert sorted(p.name for p in batch.folder.iterdir() if "seen" not in p.name) == [
        ".lock", "000000000001.json", "000000000001.keys.zst", "000000000001.ndjson.zst",
    ]  # fmt: skip


def test_what_equals_the_last_landed_is_counted_and_not_landed(
    landing: Landing, opened: Open
) -> None:
    with opened() as writer:
        writer.add(*page(1, 2), {})
    with opened() as writer:
        writer.add(*page(1), {})
        writer.add(*page(2, value=5), {})
    assert (writer.report.unchanged, writer.report.landed) == (1, 1)
    assert list(landing.batch("shop", "orders", 2).lines()) == [record(2, 5)]
    with opened() as writer:  # it was landed after the other content, so it is news again
        writer.add(*page(2), {})
    assert writer.report.landed == 1


def test_a_key_twice_is_always_landed(landing: Landing, opened: Open) -> None:
    for _ in range(2):
        with opened() as writer:
            writer.add(
                [record(1), record(1, 2), record(None), record(3)], ["1", "1", None, "3"], {}
            )
    assert [rows for _, rows, _ in contents(landing)] == [4, 2]
    assert writer.report.unchanged == 2


def test_a_key_that_flips_back_inside_one_batch_is_landed(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        writer.add(*page(1), {})
    with opened() as writer:
        writer.add(*page(1, value=2), {})
        writer.add(*page(1), {})
    assert list(landing.batch("shop", "orders", 2).lines()) == [record(1, 2), record(1)]


def test_newlines_between_tokens_do_not_cut_a_record(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        writer.add([b'{\n "id": 1\r\n}', b'{"id": 2}', b""], ["1", "2", None], {})
    assert list(landing.batch("shop", "orders", 1).lines()) == [
        b'{  "id": 1  }', b'{"id": 2}', b"null",
    ]  # fmt: skip


def test_an_empty_batch_is_written_only_when_the_bookmark_moved(
    landing: Landing, opened: Open
) -> None:
    for bookmark, batches in (({"stamp": 1}, 1), ({"stamp": 1}, 1), ({"stamp": 2}, 2)):
        with opened() as writer:
            writer.add([], [], bookmark)
        assert len(landing.sequences("shop", "orders")) == batches
    assert landing.bookmark("shop", "orders") == {"stamp": 2}


def test_batches_are_cut_by_records_and_by_bytes(
    landing: Landing, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MAX_RECORDS", 10)
    with opened() as writer:
        writer.add(*page(*range(25)), {"n": 25})
    assert [rows for _, rows, _ in contents(landing)] == [10, 10, 5]
    # Only the end of the page may be gone on from.
    assert [b.sidecar.bookmark for b in landing.batches("shop", "orders")] == [
        None,
        None,
        {"n": 25},
    ]
    monkeypatch.setattr(writer_module, "MAX_BYTES", 38)
    with opened() as writer:
        writer.add(*page(*range(100, 104)), {"n": 4})
    assert [rows for _, rows, _ in contents(landing)][3:] == [2, 2]


def test_tables_are_landed_as_parquet_and_compared_by_row(landing: Landing, opened: Open) -> None:
    table = pa.table({"code": ["a", "b", None], "qty": [1, 2, 3]})
    with opened() as writer:
        writer.add(table, ["1", "2", "3"], {})
    with opened() as writer:
        writer.add(pa.table({"qty": [1, 9, 3], "code": ["a", "b", None]}), ["1", "2", "3"], {})
    first, second = landing.batches("shop", "orders")
    assert first.data.name == "000000000001.parquet"
    assert (second.sidecar.rows, second.sidecar.unchanged) == (1, 2)
    assert json.loads(second.record(1)) == {"qty": 9, "code": "b"}


def test_a_row_that_moved_to_another_line_is_the_same_row(landing: Landing, opened: Open) -> None:
    def land(**more: list[str]) -> int:
        with opened() as writer:
            table = pa.table({"sku": ["a", "b"], "_file": ["f", "f"], **more})
            writer.add(table, ["a", "b"], {})
        return writer.report.landed

    assert land(_row=["2", "3"], _sheet=["s", "s"]) == 2
    assert land(_row=["2", "4"], _sheet=["s", "s"]) == 0
    assert land(_row=["2", "4"], _sheet=["s", "t"]) == 1
    assert land(_row=["2", "3"], _sheet=["s", "t"], _key=["2", "3"]) == 2
    assert land(_row=["2", "4"], _sheet=["s", "t"], _key=["2", "4"]) == 1


def test_records_and_tables_of_one_read_become_batches_of_their_own(
    landing: Landing, opened: Open
) -> None:
    with opened() as writer:
        writer.add(*page(1), {})
        writer.add(pa.table({"a": ["x"]}), ["2"], {})
        writer.add(pa.table({"b": ["x"]}), ["3"], {})
        writer.add(*page(4), {})
    assert [b.sidecar.encoding for b in landing.batches("shop", "orders")] == [
        "ndjson.zst", "parquet", "parquet", "ndjson.zst",
    ]  # fmt: skip
    with opened() as writer:
        writer.add(*page(1, 4), {})
    assert writer.report.unchanged == 2


def test_two_writers_of_a_stream_exclude_each_other(landing: Landing, opened: Open) -> None:
    with opened():
        with pytest.raises(LandingBusy, match=str(os.getpid())) as caught:
            opened()
        assert caught.value.retriable
        with landing.writer(
            "shop", "other", mode="changed", read="r", connector="c@1", started=START
        ):
            pass
    opened().close()


def test_a_writer_that_was_let_go_gives_the_stream_back(opened: Open) -> None:
    writer = opened()
    del writer
    opened().close()


def test_leftovers_of_dead_writers_are_removed(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        writer.add(*page(1), {})
    folder = landing.folder("shop", "orders")
    for name in (".000000000002.ndjson.zst.part", "000000000002.parquet", "000000000002.keys.zst"):
        (folder / name).write_bytes(b"half")
    with opened() as writer:
        writer.add(*page(2), {})
    assert landing.sequences("shop", "orders") == [1, 2]
    assert not [p.name for p in folder.iterdir() if p.name.endswith(("part", "2.parquet"))]


@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_batch_is_named(landing: Landing, opened: Open, damage: str) -> None:
    with opened() as writer:
        writer.add(*page(*range(50)), {})
    (batch,) = landing.batches("shop", "orders")
    raw = bytearray(batch.data.read_bytes())
    if damage == "cut":
        batch.data.write_bytes(raw[:-5])
    elif damage == "flip":
        raw[20] ^= 1
        batch.data.write_bytes(raw)
    else:
        batch.data.unlink()
    with pytest.raises(LandingDamaged) as caught:
        batch.verify()
    assert "000000000001.ndjson.zst" in str(caught.value)
    assert "backup" in caught.value.do


def test_a_sidecar_of_a_newer_release_is_refused_and_unknown_members_are_not(
    landing: Landing, opened: Open
) -> None:
    with opened() as writer:
        writer.add(*page(1), {})
    path = landing.folder("shop", "orders") / "000000000001.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps(said | {"rows": 1}))
    with pytest.raises(LandingDamaged, match="check differs"):
        landing.batch("shop", "orders", 1)
    del said["check"]
    path.write_text(json.dumps(said | {"colour": "blue"}))
    assert landing.batch("shop", "orders", 1).sequence == 1
    path.write_text(json.dumps(said | {"version": 2}))
    with pytest.raises(LandingUnknown, match="version 2"):
        landing.batch("shop", "orders", 1)
    path.write_text("{")
    with pytest.raises(LandingDamaged):
        landing.batch("shop", "orders", 1)


@pytest.mark.parametrize("name", ["", "..", "a/b", "_decisions", "a\0", ".x", "n" * 200])
def test_names_that_leave_the_folder_are_refused(landing: Landing, name: str) -> None:
    with pytest.raises(LandingError):
        landing.folder("shop", name)


def test_there_is_no_such_record(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        writer.add(*page(1), {})
    with pytest.raises(LandingUnknown, match="no record 7"):
        landing.record("shop", "orders", 1, 7)
    with pytest.raises(LandingUnknown):
        landing.record("shop", "orders", 9, 1)


def test_as_many_keys_as_records(opened: Open) -> None:
    with opened() as writer, pytest.raises(LandingError, match="1 records and 2 keys"):
        writer.add([record(1)], ["1", "2"], {})


def test_a_read_that_fails_keeps_its_whole_pages(landing: Landing, opened: Open) -> None:
    def reading() -> None:
        with opened() as writer:
            writer.add(*page(1), {"n": 1})
            raise ConnectionError

    with pytest.raises(ConnectionError):
        reading()
    assert landing.bookmark("shop", "orders") == {"n": 1}


def test_trust_lands_what_equals_and_tells_the_loader(landing: Landing, opened: Open) -> None:
    for trust in (False, True):
        with opened(trust_source=trust) as writer:
            writer.add(*page(1), {})
    assert [b.sidecar.trust for b in landing.batches("shop", "orders")] == [False, True]


def test_a_full_disk_is_said_and_what_was_landed_stands(
    landing: Landing, opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened() as writer:
        writer.add(*page(1), {"n": 1})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer_module, "write_data", full)
    writer = opened()
    writer.add(*page(2), {"n": 2})
    with pytest.raises(LandingFull, match="make space"):
        writer.close()
    monkeypatch.undo()
    assert landing.bookmark("shop", "orders") == {"n": 1}
    with opened() as writer:
        writer.add(*page(2), {"n": 2})
    assert landing.bookmark("shop", "orders") == {"n": 2}


def test_the_index_is_caught_up_or_made_again(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        writer.add(*page(1, 2, 3), {})
    folder = landing.folder("shop", "orders")
    kept = {p.name: p.read_bytes() for p in folder.iterdir() if p.name.startswith("seen")}
    with opened() as writer:
        writer.add(*page(2, value=7), {})
        writer.add([], ["3"], {}, kind="deletions")

    def unchanged() -> int:
        with opened() as writer:
            writer.add([record(1), record(2, 7), record(3)], ["1", "2", "3"], {})
        last = landing.last("shop", "orders")
        assert last is not None
        assert list(last.lines()) == [record(3)]
        for path in folder.glob(f"{last.sequence:012d}.*"):  # as if it had not been
            path.unlink()
        return writer.report.unchanged

    for name in [p.name for p in folder.iterdir() if p.name.startswith("seen")]:
        (folder / name).unlink()
    assert unchanged() == 2, "made again from the log"
    for name in [p.name for p in folder.iterdir() if p.name.startswith("seen")]:
        (folder / name).unlink()
    for name, raw in kept.items():
        (folder / name).write_bytes(raw)
    assert unchanged() == 2, "an old one is caught up"
    (folder / "seen.db").write_bytes(b"no database at all" * 100)
    assert unchanged() == 2, "a damaged one is made again"
