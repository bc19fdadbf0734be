"""When absence is a deletion: only at the proved end of a scan, and never for many at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from warehouse.errors import DecisionError
from warehouse.holds import accept, list_holds
from warehouse.landing import Landing
from warehouse.writer import BatchWriter

START = datetime(2026, 3, 1, tzinfo=UTC)
Open = Callable[..., BatchWriter]


@pytest.fixture
def landing(tmp_path: Path) -> Landing:
    return Landing(tmp_path / "landing", now=lambda: START + timedelta(minutes=1))


@pytest.fixture
def opened(landing: Landing) -> Open:
    def make(mode: str = "full", read: str = "r", **more) -> BatchWriter:
        return landing.writer(
            "shop", "orders", mode=mode, read=read, connector="rest@1", started=START, **more
        )

    return make


def add(writer: BatchWriter, *keys: object, **more) -> None:
    records = [json.dumps({"id": k}).encode() for k in keys]
    writer.add(records, [str(k) for k in keys], {"last": str(keys[-1])}, **more)


def deletions(landing: Landing) -> list[tuple[str, str]]:
    return [
        one
        for b in landing.batches("shop", "orders")
        if b.sidecar.content == "deletions" and not b.sidecar.held
        for one in b.deletions()
    ]


def test_a_proved_scan_deletes_what_it_did_not_see(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, 1, 2, 3, complete=True)
    with opened() as writer:
        add(writer, 1)
        add(writer, 3, complete=True)
    assert deletions(landing) == [("2", START.isoformat())]
    last = landing.last("shop", "orders")
    assert last is not None
    assert last.complete
    assert landing.bookmark("shop", "orders") == {"last": "3"}
    with opened() as writer:  # gone is gone: it is not told again
        add(writer, 1, 3, complete=True)
    assert len(deletions(landing)) == 1
    with opened() as writer:  # and it is landed again when it comes back as it was
        add(writer, 1, 2, 3, complete=True)
    assert writer.report.landed == 1


@pytest.mark.parametrize(
    ("mode", "complete"), [("full", False), ("changed", True), ("changed", False)]
)
def test_no_proof_no_deletion(landing: Landing, opened: Open, mode: str, complete: bool) -> None:
    with opened() as writer:
        add(writer, 1, 2, complete=True)
    with opened(mode) as writer:
        add(writer, 1, complete=complete)
    assert deletions(landing) == []


def test_fewer_keys_than_the_source_counts_is_no_proof(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, 1, 2, 3, complete=True, total=3)
    with opened() as writer:
        add(writer, 1, 3, complete=True, total=3)
    assert deletions(landing) == []
    assert any("fewer keys" in w for w in writer.report.warnings)


def test_a_sweep_of_keys_marks_only(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, 1, 2, 3, complete=True)
    with opened("sweep") as writer:
        writer.add([], ["1", "9"], {"last": "3"}, kind="keys")
        writer.add([], ["3"], {"last": "3"}, kind="keys", complete=True, total=3)
    assert [key for key, _ in deletions(landing)] == ["2"]
    assert [b.sidecar.content for b in landing.batches("shop", "orders")] == [
        "records", "deletions",
    ]  # fmt: skip
    with opened() as writer:  # a key known by name only is landed when it comes
        add(writer, 9)
    assert writer.report.landed == 1


def test_what_the_source_says_is_gone_is_gone(landing: Landing, opened: Open) -> None:
    with opened("changed") as writer:
        add(writer, 1, 2)
        writer.add([], ["1"], {"last": "x"}, kind="deletions")
        add(writer, 1)
    contents = [b.sidecar.content for b in landing.batches("shop", "orders")]
    assert contents == ["records", "deletions", "records"]


def test_the_breaker_holds_many(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, *range(1000), complete=True)
    with opened() as writer:
        add(writer, *range(949), complete=True)
    assert (writer.report.held, writer.report.deleted) == (51, 0)
    assert deletions(landing) == []
    (hold,) = list_holds(landing)
    assert (hold.keys, hold.at) == (51, START.isoformat())
    batches = len(landing.sequences("shop", "orders"))
    with opened() as writer:  # the same again is told, not landed again
        add(writer, *range(949), complete=True)
    assert writer.report.held == 51
    assert len(landing.sequences("shop", "orders")) == batches


@pytest.mark.parametrize(("before", "after", "held"), [(60, 10, 0), (2000, 1901, 0), (60, 9, 51)])
def test_the_breaker_needs_a_share_and_a_number(
    opened: Open, before: int, after: int, held: int
) -> None:
    with opened() as writer:
        add(writer, *range(before), complete=True)
    with opened() as writer:
        add(writer, *range(after), complete=True)
    assert (writer.report.held, writer.report.deleted) == (held, 0 if held else before - after)


@pytest.mark.parametrize(("known", "held"), [(5, 0), (6, 6), (30, 30)])
def test_a_stream_is_never_emptied_without_a_persons_word(
    landing: Landing, opened: Open, known: int, held: int
) -> None:
    with opened() as writer:
        add(writer, *range(known), complete=True)
    with opened() as writer:
        writer.add([], [], {"last": "0"}, complete=True)
    assert (writer.report.held, writer.report.deleted) == (held, 0 if held else known)
    assert sum(hold.keys for hold in list_holds(landing)) == held
    assert any("not one known key" in line for line in writer.report.warnings) is bool(held)


def test_a_part_may_be_emptied(opened: Open) -> None:
    with opened("changed") as writer:
        add(writer, *range(30), part="a.csv", complete=True)
    with opened("changed") as writer:
        writer.add([], [], {}, part="a.csv", complete=True)
    assert writer.report.deleted == 30


def test_accepted_keys_seen_since_are_left_out(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, *range(100), complete=True)
    with opened() as writer:
        add(writer, *range(10), complete=True)
    (hold,) = list_holds(landing)
    with opened("changed") as writer:  # equal, so not landed: only the index knows it is there
        add(writer, 50)
    decision = accept(landing, "shop", "orders", hold.batch, why="moved", now=START, who="ops")
    assert decision.about["except"] == ["50"]
    assert list_holds(landing) == []
    with pytest.raises(DecisionError):
        accept(landing, "shop", "orders", hold.batch, why="again", now=START)
    with opened("changed") as writer:
        add(writer, 50, 60)
    assert (writer.report.unchanged, writer.report.landed) == (1, 1)


def test_held_deletions_of_an_index_made_again_cannot_be_accepted(
    landing: Landing, opened: Open
) -> None:
    with opened() as writer:
        add(writer, *range(100), complete=True)
    with opened() as writer:
        add(writer, *range(10), complete=True)
    (landing.folder("shop", "orders") / "seen.db").unlink()
    with pytest.raises(DecisionError, match="not known"):
        accept(landing, "shop", "orders", list_holds(landing)[0].batch, why="x", now=START)


def test_parts_are_scans_of_their_own(landing: Landing, opened: Open) -> None:
    with opened("changed") as writer:
        add(writer, 1, 2, part="a.csv", complete=True)
        add(writer, 2, 3, part="b.csv", complete=True)
    with opened("changed") as writer:  # 2 still stands in b.csv
        add(writer, 4, part="a.csv", complete=True)
    assert [key for key, _ in deletions(landing)] == ["1"]
    with opened("changed") as writer:
        add(writer, 3, part="b.csv", complete=True)
    assert [key for key, _ in deletions(landing)] == ["1", "2"]


def test_a_key_that_one_part_dropped_is_landed_again_from_the_other(
    landing: Landing, opened: Open
) -> None:
    def read(part: str, *keys: object, mode: str = "changed") -> BatchWriter:
        with opened(mode) as writer:
            add(writer, *keys, part=part, complete=True)
        return writer

    read("a.csv", 1, 2)
    read("b.csv", 2, 3)
    assert landing.again("shop", "orders") == frozenset()
    dropped = read("b.csv", 3)
    assert dropped.report.deleted == 0
    assert any("(2 in a.csv)" in line for line in dropped.report.warnings)
    assert landing.again("shop", "orders") == {"a.csv"}
    assert read("b.csv", 3).report.landed == 0
    assert landing.again("shop", "orders") == {"a.csv"}
    again = read("a.csv", 1, 2)
    assert (again.report.landed, again.report.unchanged) == (1, 1)
    assert landing.again("shop", "orders") == frozenset()
    assert read("a.csv", 1, 2).report.landed == 0


def test_an_interrupted_scan_that_goes_on_keeps_its_marks(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, 1, 2, 3, 4, complete=True)
    with opened(read="scan") as writer:
        add(writer, 1)
    with opened("changed", read="other") as writer:
        add(writer, 5)
    with opened(read="scan") as writer:  # of the same read: 1 and 5 were seen
        add(writer, 3, 4, complete=True)
    assert [key for key, _ in deletions(landing)] == ["2"]


def test_an_interrupted_scan_that_starts_again_counts_from_its_start(
    landing: Landing, opened: Open
) -> None:
    with opened() as writer:
        add(writer, 1, 2, 3, complete=True)
    with opened(read="one") as writer:
        add(writer, 1)
    with opened(read="two", resumed=False) as writer:
        add(writer, 2, 3, complete=True)
    assert [key for key, _ in deletions(landing)] == ["1"]


def test_a_scan_whose_marks_were_lost_never_deletes(landing: Landing, opened: Open) -> None:
    with opened() as writer:
        add(writer, *range(20), complete=True)
    with opened(read="scan") as writer:
        add(writer, *range(10))
    for path in landing.folder("shop", "orders").glob("seen.db*"):
        path.unlink()
    with opened(read="scan", resumed=True) as writer:
        add(writer, *range(10, 20), complete=True)
    assert deletions(landing) == []
    assert any("marks were lost" in w for w in writer.report.warnings)
    with opened(read="next") as writer:
        add(writer, *range(19), complete=True)
    assert [key for key, _ in deletions(landing)] == ["19"]


def test_a_scan_that_goes_on_where_none_was_begun_proves_nothing(
    landing: Landing, opened: Open
) -> None:
    with opened("changed", read="first") as writer:
        add(writer, 1, 2)
    with opened("full", read="second", resumed=True) as writer:
        add(writer, 3, 4, complete=True)
    assert deletions(landing) == []


def test_missing_keys_files_are_told_and_delete_nothing_more(
    landing: Landing, opened: Open
) -> None:
    with opened() as writer:
        add(writer, 1, 2, complete=True)
    folder = landing.folder("shop", "orders")
    for path in (*folder.glob("seen.db*"), *folder.glob("*.keys.zst")):
        path.unlink()
    with opened() as writer:
        add(writer, 1, complete=True)
    assert any("incomplete" in w for w in writer.report.warnings)
    assert deletions(landing) == []
