"""Nothing is lost and nothing stands twice: the shop against what was landed, run after run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from shopify_world import World, connector, same

from connectors.base import ReadRequest
from connectors.errors import (
    AuthError,
    ContractBroken,
    QuotaUsed,
    Refused,
)
from connectors.shopify import bulk, sample
from connectors.shopify.sample import gid

PARTS = ("orders", "fulfillments", "transactions", "refunds", "returns")


@pytest.fixture(autouse=True)
def _no_power_cuts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, lookback="1s")
    made.shop.most = 4
    yield made
    made.close()


def fill(world: World, count: int = 10) -> None:
    """Make orders with all that may hang on them; some share a stamp."""
    for number in range(1, count + 1):
        first = number * 1000
        parts = {
            "fulfillments": [
                sample.fulfillment(first + n, (first + n, 1)) for n in range(number % 3)
            ],
            "transactions": [sample.transaction(first, "SALE", "1.00")],
            "refunds": [sample.refund(first, "1.00", (first + 1, 1, "1.00"))] * (number % 2),
            "returns": [sample.returned(first + n, (first + 1, 1)) for n in range(number % 6)],
        }  # fmt: skip
        world.order(number, *[(1, "1.00")] * (number * 3), **parts)
        if number % 4 == 0:
            world.time.wait(minutes=2)
    world.time.wait(hours=1)


def shown(world: World, name: str) -> list[Any]:
    return [line for line in world.shop.journal if line.kind == "query" and line.name == name]


def test_a_first_load_quiet_runs_and_what_changed(world: World) -> None:
    fill(world)
    for stream in PARTS:
        world.read(stream)
    assert world.judge(*PARTS) == []
    world.time.wait(minutes=30)
    assert [world.read(stream).landed for stream in PARTS] == [0] * 5
    key = gid("Order", 3)
    world.shop.change("orders", key, note="new", transactions=[])
    world.shop.delete("orders", gid("Order", 4))
    world.time.wait(minutes=1)
    assert world.read("orders").landed == 1
    for stream in PARTS:
        world.read(stream, "sweep")
    assert world.judge(*PARTS) == []


def test_an_order_of_250_lines_comes_whole_and_of_one_moment(world: World) -> None:
    """Its lines are replaced while they are read: the record is of after, not of both."""
    key = world.order(1, *[(1, "1.00")] * 250)
    old = world.shop.living("orders")[key]["lineItems"]

    def meanwhile(number: int) -> None:
        if number == 5:
            world.time.wait(seconds=3)
            world.order(1, *[(2, "7.00")] * 250)

    world.shop.before = meanwhile
    world.read("orders")
    landed = world.landed("orders")[key]
    assert len(landed["lineItems"]["nodes"]) == len(old) == 250
    assert {line["quantity"] for line in landed["lineItems"]["nodes"]} == {2}
    assert world.judge("orders") == []


def test_what_moves_no_stamp_of_its_order_is_found_by_the_daily_look(world: World) -> None:
    """A parcel is delivered: whether the order's stamp moves then, no page of the vendor says."""
    fill(world, 8)
    world.read("fulfillments")
    row = world.shop.living("orders")[gid("Order", 2)]
    parcels = [one | {"displayStatus": "DELIVERED"} for one in row["fulfillments"]]
    world.shop.change("orders", gid("Order", 2), moves=False, fulfillments=parcels)
    world.time.wait(hours=2)
    assert world.read("fulfillments").landed == 0
    world.time.wait(hours=23)
    assert world.read("fulfillments").landed == 2
    assert world.judge("fulfillments") == []
    assert world.read("fulfillments").read < 9  # looked: no more today


def test_variants_are_read_again_when_their_product_changed(world: World) -> None:
    world.shop.put("products", sample.product(44))
    for number in range(4401, 4416):
        world.shop.put("variants", sample.variant(number, 44))
    world.time.wait(hours=1)
    world.shop.put("variants", sample.variant(4500, 45))  # the newest, which is read again anyway
    world.time.wait(minutes=1)
    world.read("variants")
    world.time.wait(days=2)
    world.shop.change("products", gid("Product", 44), title="Renamed", status="ARCHIVED")
    for number in range(4401, 4416):
        world.shop.change(
            "variants", gid("ProductVariant", number), moves=False, displayName="Renamed - M"
        )
    world.time.wait(minutes=1)
    assert world.read("variants").landed == 15
    assert world.judge("variants") == []


def test_the_index_that_lags_hides_nothing_for_good(tmp_path: Path) -> None:
    world = World(tmp_path)
    fill(world, 4)
    world.read("orders")
    world.order(40, (1, "1.00"))
    late = world.shop.living("orders")[gid("Order", 2)] | {"note": "late"}
    world.shop.put("orders", late, late=200)
    world.time.wait(seconds=30)
    world.read("orders")
    world.time.wait(minutes=4)
    world.read("orders")
    assert world.judge("orders") == []
    world.close()


def test_without_the_right_to_old_orders_nothing_is_taken_for_deleted(world: World) -> None:
    fill(world, 3)
    world.read("orders")
    world.shop.scopes.discard("read_all_orders")
    world.time.wait(days=90)  # made in 2026-01: out of sight
    for mode in ("full", "sweep"):
        done = world.read("orders", mode)  # type: ignore[arg-type]
        assert "60 days" in str(done.warnings)
    assert len(world.landed("orders")) == 3


# --- points ------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", [200, 429])
def test_the_bucket_is_waited_for_before_it_is_empty(tmp_path: Path, status: int) -> None:
    """The opening query, which is cheap, tells of the bucket; no other is turned away."""
    world = World(tmp_path)
    world.shop.bucket, world.shop.refill, world.shop.throttled = 1000.0, 10.0, status
    fill(world, 16)
    world.shop.take(900)
    done = world.read("orders")
    assert len(shown(world, "throttled")) == 0
    assert len(shown(world, "orders")) >= 2
    assert done.throttled_seconds > 60
    assert world.judge("orders") == []
    world.shop.before = lambda number: world.shop.take(1000 if number % 3 else 0)
    world.read("orders", "full")  # another app of the shop takes the points away
    assert len(shown(world, "throttled")) > 2
    assert world.judge("orders") == []
    world.close()


def test_a_page_that_is_too_dear_is_asked_for_in_smaller_ones(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.shopify.simulator.MOST_POINTS", 300)
    fill(world, 5)
    world.shop.most = 250
    with pytest.raises(ContractBroken, match="costs more"):
        world.read("orders")  # one page of 100 lines alone is dearer
    world.read("returns")
    assert {line.variables["first"] for line in shown(world, "orders")} == {8, 4, 2, 10, 5}
    assert world.judge("returns") == []


# --- bulk --------------------------------------------------------------------------------------
@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS", 3)
    monkeypatch.setattr(bulk, "PIECE", 700)


def items(world: World, count: int = 7, places: int = 7) -> None:
    for number in range(1, count + 1):
        levels = [sample.level(number, place, available=number) for place in range(1, places + 1)]
        world.shop.put("variants", sample.variant(number, 44))
        world.shop.put("items", sample.item(number, *levels))


@pytest.mark.parametrize("stream", ["orders", "transactions", "stock", "variants", "customers"])
@pytest.mark.usefixtures("small")
def test_bulk_and_pages_bring_the_same(tmp_path: Path, stream: str) -> None:
    """Children stand far behind their parents in the file; what is fetched needs no token."""
    world = World(tmp_path, bulk_above=0)
    fill(world, 6)
    items(world)
    for number in range(1, 9):
        world.shop.put("customers", sample.customer(number))
    world.read(stream)
    assert len(world.shop.bulk.operations) == 1
    assert world.judge(stream) == []
    files = [line for line in world.shop.journal if line.kind == "file"]
    assert len(files) > 2
    assert not any(line.signed for line in files)
    whole = World(tmp_path / "paged", bulk=False)
    whole.shop = world.shop
    whole.network = world.network
    whole.time.at = world.time.at
    whole.read(stream)
    assert len(world.shop.bulk.operations) == 1
    assert whole.judge(stream) == []
    for one in (world, whole):
        one.close()


@pytest.mark.parametrize("in_bulk", [False, True])
def test_an_authorisation_that_was_voided_is_promised_no_more(
    tmp_path: Path, in_bulk: bool
) -> None:
    """The void is another transaction, and points at it; its own status stays as it was."""
    world = World(tmp_path, bulk_above=0 if in_bulk else 5000)
    parts = [sample.transaction(n, "AUTHORIZATION", "9.00") for n in (1, 2, 3)]
    order = world.order(1, (1, "1.00"), transactions=parts)
    world.time.wait(hours=1)
    world.sync("transactions")
    later = {
        number: sample.transaction(
            number, kind, "9.00", status=status,
            parentTransaction={"id": gid("OrderTransaction", of)},
        )
        for number, kind, status, of in (
            (4, "VOID", "SUCCESS", 1), (5, "VOID", "FAILURE", 2), (6, "CAPTURE", "SUCCESS", 3),
            (7, "VOID", "SUCCESS", 6),
        )
    }  # fmt: skip
    world.shop.change("orders", order, transactions=[*parts, *later.values()])
    world.time.wait(minutes=5)
    done = world.sync("transactions", full=in_bulk)
    assert (done.error, done.inserted, done.updated) == (None, 1, 1)
    world.publish()
    assert world.ask(
        "select right(source_key, 1), status from source.payments order by source_key"
    ) == [("1", "cancelled"), ("2", "authorized"), ("3", "authorized"), ("6", "succeeded")]
    made = world.landed("transactions")[gid("OrderTransaction", 1)]
    assert made.pop("voidedBy") == gid("OrderTransaction", 4)
    assert same(made, parts[0])
    world.close()


@pytest.mark.slow
@pytest.mark.parametrize("stream", ["orders", "stock"])
@pytest.mark.usefixtures("small")
def test_a_bulk_read_that_is_killed_goes_on_with_its_operation(tmp_path: Path, stream: str) -> None:
    place, killed = 0, True
    while killed:
        place += 11
        world = World(tmp_path / str(place), bulk_above=0)
        fill(world, 5)
        items(world, 4, 3)
        killed = world.killed_at(place, stream)
        if killed:
            world.read(stream)
        assert len(world.shop.bulk.operations) == 1, place
        assert world.judge(stream) == [], place
        world.close()
    assert place >= 11


def test_an_operation_that_takes_long_is_left_to_the_next_run(world: World) -> None:
    shop = connector(world.shop, world.time, bulk_above=0)
    fill(world, 3)
    world.shop.bulk.takes = timedelta(hours=1)
    pages = shop.read(ReadRequest("orders"))
    mark = next(pages).bookmark
    with pytest.raises(QuotaUsed, match="not done yet") as told:
        list(pages)
    assert told.value.until is not None
    world.time.wait(hours=2)
    went_on = list(shop.read(ReadRequest("orders", bookmark=mark)))
    assert len(world.shop.bulk.operations) == 1
    assert sum(len(page.keys) for page in went_on) == 3
    assert went_on[-1].complete
    assert all(page.resumed for page in went_on)
    assert "files.example" not in str(mark)
    world.time.wait(days=8)  # expired: another is started, and its scan begins anew
    world.shop.bulk.takes = timedelta(seconds=1)
    anew = list(shop.read(ReadRequest("orders", bookmark=mark)))
    assert len(world.shop.bulk.operations) == 2
    assert not any(page.resumed for page in anew)


@pytest.mark.parametrize(("code", "kind"), [("ACCESS_DENIED", AuthError), ("TIMEOUT", Exception)])
def test_an_operation_that_failed_is_told_and_started_again(
    world: World, code: str, kind: type[Exception]
) -> None:
    shop = connector(world.shop, world.time, bulk_above=0)
    fill(world, 3)
    world.shop.bulk.fails = [code]
    pages = shop.read(ReadRequest("orders"))
    mark = next(pages).bookmark
    with pytest.raises(kind, match=code):
        list(pages)
    again = list(shop.read(ReadRequest("orders", bookmark=mark)))
    assert "another is started" in str([page.warnings for page in again])
    assert sum(len(page.keys) for page in again) == 3


def test_too_many_operations_and_an_empty_one(world: World) -> None:
    shop = connector(world.shop, world.time, bulk_above=0)
    fill(world, 1)
    world.shop.bulk.takes = timedelta(hours=1)
    for _ in range(5):
        next(shop.read(ReadRequest("orders")))
    with pytest.raises(QuotaUsed, match="already in progress"):
        next(shop.read(ReadRequest("orders")))
    world.time.wait(hours=2)
    world.shop.bulk.takes = timedelta(seconds=1)

    def meanwhile(number: int) -> None:  # counted, then gone before the operation
        world.shop._rows["orders"].clear()

    reading = shop.read(ReadRequest("orders"))
    count = world.shop.requests
    world.shop.before = lambda number: meanwhile(number) if number == count + 2 else None
    pages = list(reading)
    assert [len(page.keys) for page in pages] == [0, 0]
    assert pages[-1].complete


def test_a_file_elsewhere_is_not_fetched_and_its_link_is_not_told(world: World) -> None:
    shop = connector(world.shop, world.time, bulk_above=0)
    fill(world, 2)
    world.shop.bulk.where = "https://elsewhere.example"
    with pytest.raises(Refused) as told:
        list(shop.read(ReadRequest("orders")))
    assert "canary-signature" not in str(told.value)
    world.shop.bulk.where = "http://files.example"
    refusal = b'{"message":"no file for Signature=canary-signature-2"}'
    world.shop.bulk.file = lambda path, asked: (403, {}, refusal)  # type: ignore[method-assign]
    with pytest.raises(AuthError, match="no file for") as told_too:
        list(shop.read(ReadRequest("orders")))
    assert "canary-signature" not in str(told_too.value)


def test_a_file_with_a_line_less_is_not_a_whole_one(world: World) -> None:
    shop = connector(world.shop, world.time, bulk_above=0)
    fill(world, 2)
    pages = shop.read(ReadRequest("orders"))
    next(pages)
    (one,) = world.shop.bulk.operations.values()
    one.data = b"".join(one.data.splitlines(keepends=True)[:-1])
    with pytest.raises(ContractBroken, match="counts 11 objects, 2 of them on top") as told:
        list(pages)
    assert "bulk: false" in told.value.do  # the same file would be read until it expires


@pytest.mark.slow
def test_a_read_that_is_killed_at_any_request_goes_on(tmp_path: Path) -> None:
    place, killed = 0, True
    while killed:
        place += 5
        world = World(tmp_path / str(place), lookback="1s")
        world.shop.most = 2
        fill(world, 5)
        killed = world.killed_at(place, "returns")
        world.shop.change("orders", gid("Order", 1), note="x")
        world.time.wait(minutes=1)
        killed |= world.killed_at(place, "returns")
        for mode in ("changed", "changed", "sweep"):
            world.read("returns", mode)  # type: ignore[arg-type]
        assert world.judge("returns") == [], place
        world.close()
    assert place >= 6
