"""Records without a key: landed once, counted, never living keys and never deletions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from warehouse.landing import Landing
from warehouse.writer import WriterReport

START = datetime(2026, 3, 1, tzinfo=UTC)
Read = Callable[..., WriterReport]
A, B, C = b'{"id":null,"v":1}', b'{"id":null,"v":2}', b"17"


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", now=lambda: START)


@pytest.fixture
def read(landing: Landing) -> Read:
    """Return a function that lands one page, which has one keyed record too."""

    def run(*nameless: bytes, mode: str = "full", page: dict | None = None, **more) -> WriterReport:
        with landing.writer(
            "shop", "orders", mode=mode, read="r", connector="rest@1", started=START, **more
        ) as writer:
            records = [b'{"id":1}', *nameless]
            keys = ["1", *[None] * len(nameless)]
            writer.add(records, keys, {}, **(page or {"complete": mode == "full"}))
        return writer.report

    return run


def forget_index(landing: Landing) -> None:
    for path in landing.folder("shop", "orders").glob("seen.db*"):
        path.unlink()


@pytest.mark.parametrize("mode", ["full", "changed"])
@pytest.mark.parametrize("lost", [False, True])
def test_an_equal_one_is_landed_once(landing: Landing, read: Read, mode: str, lost: bool) -> None:
    assert read(A, C, mode=mode).landed == 3
    for _ in range(2):
        if lost:
            forget_index(landing)
        again = read(A, C, mode=mode)
        assert (again.landed, again.unchanged, again.deleted, again.held) == (0, 3, 0, 0)
    assert [b.sidecar.content for b in landing.batches("shop", "orders")] == ["records"]
    assert read(A, B, C, mode=mode).landed == 1


def test_two_equal_ones_of_one_page_are_landed_both(read: Read) -> None:
    assert read(A, A).landed == 3
    assert read(A, A).landed == 0


@pytest.mark.parametrize("mode", ["full", "changed"])
def test_one_that_flips_back_is_landed_again(read: Read, mode: str) -> None:
    assert [read(one, mode=mode).landed for one in (A, B, A, A)] == [2, 1, 1, 0]


def test_reads_between_that_do_not_show_it_change_nothing(read: Read) -> None:
    assert read(A).landed == 2
    assert read(mode="changed").landed == 0
    assert read(A).landed == 0


def test_they_are_no_living_keys_and_no_deletions(landing: Landing, read: Read) -> None:
    read(A, B, C)
    after = read()
    assert (after.deleted, after.held) == (0, 0)
    index, lock = landing.index("shop", "orders")
    assert index.known("") == 1
    assert index.db.execute("select count(*) from seen").fetchone() == (1,), "forgotten"
    index.close()
    lock.close()
    assert read(A, B, C).landed == 3


def test_a_sweep_of_keys_forgets_none(landing: Landing, read: Read) -> None:
    read(A)
    with landing.writer(
        "shop", "orders", mode="sweep", read="s", connector="rest@1", started=START
    ) as writer:
        writer.add([], ["1", None], {}, kind="keys", complete=True, total=2)
    assert not writer.report.warnings
    assert read(A).landed == 0


def test_the_total_of_the_source_counts_them(landing: Landing, read: Read) -> None:
    with landing.writer(
        "shop", "orders", mode="full", read="0", connector="rest@1", started=START
    ) as writer:
        writer.add([b'{"id":1}', b'{"id":2}', A], ["1", "2", None], {}, complete=True, total=3)
    done = read(A, page={"complete": True, "total": 2})
    assert (done.deleted, dict(done.warnings)) == (1, {})
    short = read(A, page={"complete": True, "total": 3})
    assert any("fewer keys" in line for line in short.warnings)


def test_a_scan_that_goes_on_counts_those_of_before(landing: Landing, read: Read) -> None:
    read(A)
    with landing.writer(
        "shop", "orders", mode="full", read="two", connector="rest@1", started=START, resumed=False
    ) as writer:
        writer.add([A], [None], {"n": 1})
    with landing.writer(
        "shop", "orders", mode="full", read="two", connector="rest@1", started=START, resumed=True
    ) as writer:
        writer.add([b'{"id":1}'], ["1"], {"n": 2}, complete=True, total=2)
    assert not writer.report.warnings


def test_a_grouped_stream_lands_them_all(read: Read) -> None:
    assert [read(A, grouped=True).landed for _ in range(2)] == [2, 2]


def test_rows_of_parts_are_known_in_their_part(landing: Landing) -> None:
    def run(*parts: str) -> int:
        with landing.writer(
            "shop", "orders", mode="changed", read="r", connector="files@1", started=START
        ) as writer:
            for part in parts:
                table = pa.table({"sku": ["a", None], "qty": ["1", "2"]})
                writer.add(table, ["a", None], {}, part=part, complete=True)
        return writer.report.landed

    assert [run("a.csv"), run("a.csv"), run("a.csv", "b.csv"), run("b.csv")] == [2, 0, 2, 0]
