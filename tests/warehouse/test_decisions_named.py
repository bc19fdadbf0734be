"""Decisions are about a batch, not about its number: another batch under it is not meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hand_plan import land, order, order_plan
from load_parts import NOW, V1, V2, rows

from warehouse import quarantine
from warehouse.holds import accept, list_holds
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import LoadReport, load_pending
from warehouse.rebuild import Rebuilt, rebuild
from warehouse.sealed import seal
from warehouse.store import open_store

pytest_plugins = ["load_fixtures"]
Step = Callable[[Home, Landing], None]


def loaded(home: Home, landing: Landing, *, trust_source: bool = False) -> LoadReport:
    with open_store(home) as store:
        return load_pending(store, landing, order_plan(), now=NOW, trust_source=trust_source)


def remade(home: Home, landing: Landing) -> Rebuilt:
    return rebuild(home, landing, lambda *_: order_plan(), NOW, accept_loss=True)


def living(home: Home) -> list[tuple[object, ...]]:
    with open_store(home) as store:
        sql = "source.orders where not is_deleted order by source_key"
        return rows(store, "source_key, number", sql)


def many(landing: Landing, count: int, **more: object) -> None:
    land(landing, *(order(n, V1) for n in range(count)), mode="full", complete=True, **more)


def discards(home: Home, landing: Landing) -> None:
    land(landing, order(1, V1))
    land(landing, order(2, V1, total="x"))
    loaded(home, landing)
    with open_store(home) as store:
        quarantine.discard(store, landing, ["shop/orders/2/1/order"], why="w", now=NOW)


def trusts(home: Home, landing: Landing) -> None:
    land(landing, order(1, V2))
    land(landing, order(1, V1, name="restored"))
    loaded(home, landing, trust_source=True)


def accepts(home: Home, landing: Landing) -> None:
    many(landing, 100)
    many(landing, 10)
    (hold,) = list_holds(landing)
    assert hold.batch == 3, "after the batch that says that the scan ended"
    accept(landing, "shop", "orders", 3, why="sold", now=NOW)
    loaded(home, landing)


KINDS: dict[str, tuple[Step, Callable[[Landing], None], int, int]] = {
    "discard": (discards, lambda at: land(at, order(3, V1)), 2, 2),
    "trust_source": (trusts, lambda at: land(at, order(1, V1, name="late")), 2, 1),
    "accept_deletion": (accepts, lambda at: many(at, 20), 3, 100),
}
"""Kind -> what leads to the decision, what takes the batch's number, that, living orders then."""


def lose(landing: Landing) -> None:
    """Lose all batches but the first."""
    for path in landing.folder("shop", "orders").glob("00000000000[23].*"):
        path.unlink()


def without_sums(landing: Landing) -> None:
    """Write the decisions as they were written before they held sums."""
    for path in landing.decisions.folder.glob("*.json"):
        said = json.loads(path.read_bytes())
        del said["check"]
        for members in (said["about"], *said["about"].get("records", ())):
            members.pop("sha256", None)
        path.write_bytes(seal(json.dumps(said).encode()))


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_about_a_lost_batch_is_not_about_its_successor(
    kind: str, home: Home, landing: Landing
) -> None:
    decide, another, number, count = KINDS[kind]
    decide(home, landing)
    lose(landing)
    said = {
        f"decision 1 ({kind}) is not applied: its batch {number} is gone, or another one has its"
        " number; decide anew": 1
    }
    assert remade(home, landing).void == {"shop/orders": said}, "gone"
    another(landing)
    assert loaded(home, landing).void == said, "another one"
    assert len(living(home)) == count
    assert "late" not in dict(living(home)).values()
    with open_store(home) as store:
        assert rows(store, "*", "ops.quarantine") == []
    assert remade(home, landing).void == {"shop/orders": said}
    assert len(living(home)) == count
    if kind == "accept_deletion":
        (hold,) = list_holds(landing)
        accept(landing, "shop", "orders", hold.batch, why="sold", now=NOW)
        assert loaded(home, landing).deleted == 80
        assert len(living(home)) == 20


@pytest.mark.parametrize("kind", KINDS)
def test_a_decision_about_a_batch_that_is_there_is_repeated(
    kind: str, home: Home, landing: Landing
) -> None:
    KINDS[kind][0](home, landing)
    before = living(home)
    for _ in range(2):
        assert remade(home, landing).void == {}
        assert living(home) == before
        without_sums(landing)  # and as before, by the number
    land(landing, order(500, V1))
    assert loaded(home, landing).void == {}


def test_a_decision_without_sums_goes_by_the_number(home: Home, landing: Landing) -> None:
    trusts(home, landing)
    without_sums(landing)
    lose(landing)
    assert remade(home, landing).void == {}
    land(landing, order(1, V1, name="late"))
    assert loaded(home, landing).void == {}
    assert living(home) == [("1", "late")]


def test_an_accepted_deletion_that_is_lost_does_not_stop_the_reading(
    home: Home, landing: Landing
) -> None:
    accepts(home, landing)
    lose(landing)
    many(landing, 100)
    for path in landing.folder("shop", "orders").glob("seen.db*"):
        Path(path).unlink()
    land(landing, order(200, V1))
    remade(home, landing)
    assert len(living(home)) == 101
