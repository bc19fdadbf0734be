"""Who asks and what is answered: another shop, missing rights, refusals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from shopify_world import World, connector

from connectors.asgi import Reply
from connectors.base import ReadRequest
from connectors.errors import AuthError, ConfigError, ContractBroken
from connectors.shopify import sample


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, lookback="1s")
    yield made
    made.close()


def test_another_shop_does_not_come_beside_the_first(world: World) -> None:
    world.order(1)
    world.time.wait(hours=1)
    mark = [*connector(world.shop, world.time).read(ReadRequest("orders"))][-1].bookmark
    other = connector(world.shop, world.time, base_url="http://other.example")
    with pytest.raises(ConfigError, match=r"other\.example"):
        list(other.read(ReadRequest("orders", bookmark=mark)))


def test_check_says_what_is_missing(world: World) -> None:
    world.order(1)
    world.shop.put("customers", sample.customer(7712))
    world.shop.scopes -= {"read_all_orders", "read_returns", "read_locations"}
    world.shop.approved = False
    found = list(connector(world.shop, world.time, version="2025-04").check())
    told = {(one.subject, one.ok): one for one in found}
    assert "its money is CNY" in told["shop", True].what
    assert "2026-01 answered" in told["version", None].what
    assert "read_all_orders" in told["orders", None].what
    assert "read_returns" in told["returns", None].what
    assert "protected customer data" in told["customers", None].do
    assert "docs/shopify.md" in told["locations", False].do
    plain = connector(world.shop, world.time, personal=False)
    assert not [one for one in plain.check() if one.subject == "customers" and not one.ok]


@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(402, {"errors": "Payment Required"}), AuthError, "Payment Required"),
        (Reply(423, {"errors": "Locked"}), AuthError, "Locked"),
        (Reply(404, {"errors": "Not Found"}), ConfigError, "Not Found"),
        (Reply(200, {"data": {}, "errors": [{"message": "odd"}]}), ContractBroken, "odd"),
        (Reply(200, {"data": None}), ContractBroken, "no data.currentAppInst"),
    ],
)
def test_what_an_answer_means(world: World, reply: Reply, kind: type[Exception], said: str) -> None:
    world.shop.faults = [reply]
    with pytest.raises(kind, match=said):
        list(connector(world.shop, world.time).read(ReadRequest("orders")))
