"""Bookmarks go on: by what was looked at, not by what it held, and away from what failed."""

from __future__ import annotations

from pathlib import Path

import pytest
from shopify_world import World, connector

from connectors.base import ReadRequest
from connectors.errors import Unavailable
from connectors.shopify import bulk


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.mark.parametrize(
    ("stream", "above"),
    [("fulfillments", 5000), ("transactions", 5000), ("transactions", 0), ("returns", 5000)],
)
def test_orders_that_have_none_of_it_are_not_read_again(
    tmp_path: Path, stream: str, above: int
) -> None:
    """A shop where nothing comes back: else each run would read all its orders for returns."""
    world = World(tmp_path, bulk_above=above)
    for number in range(1, 7):
        world.order(number, (1, "1.00"))
        world.time.wait(days=9)
    first = world.read(stream)
    assert "stamp" in (first.bookmark_after or {})
    world.time.wait(minutes=15)
    world.shop.journal.clear()
    world.read(stream)
    assert sum(line.records for line in world.shop.journal if line.name == "orders") <= 1
    world.close()


def test_bulk_false_lets_go_of_an_operation_that_was_waited_for(tmp_path: Path) -> None:
    """It is what the error advises: the bookmark must not lead back to the operation."""
    world = World(tmp_path)
    for number in range(1, 4):
        world.order(number, (1, "1.00"))
    shop = connector(world.shop, world.time, bulk_above=0)
    world.shop.bulk.fails = ["TIMEOUT", "TIMEOUT"]
    pages = shop.read(ReadRequest("orders"))
    mark = next(pages).bookmark
    with pytest.raises(Unavailable) as told:
        list(pages)
    assert "set bulk: false" in told.value.do
    paged = connector(world.shop, world.time, bulk=False)
    assert sum(len(page.keys) for page in paged.read(ReadRequest("orders", bookmark=mark))) == 3
    assert len(world.shop.bulk.operations) == 1
    world.close()


def test_customers_of_a_bulk_file_are_left_nowhere_by_a_run_that_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing with a name stands on disk while the lines are put together."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    line = b'{"id":"gid://shopify/Customer/%d","note":"' + b"x" * 2000 + b'"}\n'
    with bulk.spill() as lines:
        for part in range(5):
            lines.take(b"".join(line % (part * 1000 + n) for n in range(1000)))
        lines.end(5000, 5000)
        assert list(tmp_path.rglob("*")) == []
        assert sum(len(rows) for _, rows in lines.rows(0, children=False)) == 5000
