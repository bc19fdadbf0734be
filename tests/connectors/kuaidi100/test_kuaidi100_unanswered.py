"""A parcel of which nothing is found is asked for ever more seldom, until what is asked changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from kuaidi100_world import CUSTOMER, KEY, Network, connector

from connectors.base import ReadRequest
from connectors.errors import ConfigError
from connectors.kuaidi100 import Kuaidi100Connector
from connectors.kuaidi100.sample import event
from connectors.kuaidi100.simulator import Kuaidi100Simulator
from tests.support.still_clock import StillClock


class Shop:
    """A connection whose runs share their marks, and an hourly schedule; `hours` tells the runs."""

    def __init__(self, **settings: Any) -> None:
        self.time = StillClock()
        self.start = self.time.at
        self.post = Kuaidi100Simulator(CUSTOMER, KEY, now=self.time.now)
        self.rows: dict[str, Mapping[str, str | None]] = {}
        self.made = self.again(**settings)

    def again(self, **settings: Any) -> Kuaidi100Connector:
        """Return the connection with other settings and the same marks."""
        asked = self.made.asked if hasattr(self, "made") else None
        self.made = connector(self.post, self.time, Network(self.post), **settings)
        self.made.asked = asked or self.made.asked
        return self.made

    def want(self, number: str, carrier: str = "圆通", phone: str | None = None) -> None:
        self.rows[number] = {"carrier": carrier, "number": number, "phone_last4": phone}

    def run(self) -> Counter[str]:
        request = ReadRequest("tracks", wanted=list(self.rows.values()))
        return sum((Counter(page.tally) for page in self.made.read(request)), Counter())

    def hours(self, count: int, number: str) -> list[float]:
        """Run once an hour; return after how many hours `number` was asked for."""
        began, seen = self.time.at, len(self.post.journal)
        for _ in range(count):
            self.run()
            self.time.wait(hours=1)
        lines = [
            one for one in self.post.journal[seen:] if (one.kind, one.num) == ("request", number)
        ]
        return [(one.at - began) / timedelta(hours=1) for one in lines]


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    assert made.post.hurried == []


DOUBLING = [0, 1, 2, 4, 8, 16, 32, 56, 80]


def test_a_number_that_nobody_knows_costs_little(shop: Shop):
    """20 days of hourly runs cost 25 queries; without holding back they would be 480."""
    shop.want("YT10001")
    asked = shop.hours(20 * 24, "YT10001")
    assert asked[:9] == DOUBLING
    assert len(asked) == 25


def test_a_phone_that_does_not_fit_and_a_refusal_too(shop: Shop):
    shop.post.put("shunfeng", "SF0000001", [event(shop.time.at, "x")], phone="13912345678")
    shop.want("SF0000001", "SF", "1111")
    assert shop.hours(90, "SF0000001") == DOUBLING
    shop.want("YT10001")
    shop.post.put("yuantong", "YT10001", [event(shop.time.at, "x")], nu="YT99999")
    assert shop.hours(90, "YT10001") == DOUBLING


def test_what_is_held_back_is_counted_and_others_are_not(shop: Shop):
    shop.post.put("yuantong", "YT10002", [event(shop.time.at, "x")])
    shop.want("YT10001")
    shop.want("YT10002")
    assert shop.run() == {"asked": 2, "found": 1, "no result yet": 1}
    shop.time.wait(minutes=10)
    assert shop.run() == {"not due": 2}
    shop.time.wait(hours=2)
    shop.run()
    shop.time.wait(hours=1)
    assert shop.run() == {"asked": 1, "found": 1, "put off": 1}


def test_the_first_answer_ends_it(shop: Shop):
    shop.want("YT10001")
    shop.hours(5, "YT10001")
    shop.post.put("yuantong", "YT10001", [event(shop.time.at, "x")])
    assert shop.hours(6, "YT10001") == [3, 4, 5]
    shop.post.delete("yuantong", "YT10001")
    assert shop.hours(5, "YT10001") == [0, 1, 2, 4]


def test_another_phone_or_carrier_is_asked_with_at_once(shop: Shop):
    shop.post.put("shunfeng", "SF0000001", [event(shop.time.at, "x")], phone="13912345678")
    shop.want("SF0000001", "SF", "1111")
    shop.hours(9, "SF0000001")
    shop.want("SF0000001", "SF", "2222")
    assert shop.hours(3, "SF0000001") == [0, 1, 2]  # it begins anew
    shop.want("SF0000001", "圆通", "2222")
    assert shop.hours(1, "SF0000001") == [0]
    shop.want("SF0000001", "SF", "5678")
    assert shop.hours(3, "SF0000001") == [0, 1, 2]
    assert shop.post.journal[-1].code == "200"


def test_another_phone_waits_for_the_vendors_own_bound(shop: Shop):
    """A number may not be asked for twice within half an hour, whatever is new."""
    shop.again(every="6h", sender_phone="1111")
    shop.post.put("shunfeng", "SF0000001", [event(shop.time.at, "x")], phone="13912345678")
    shop.want("SF0000001", "SF")
    assert shop.run()["phone refused"] == 1
    shop.again(every="6h", sender_phone="13912345678")
    shop.time.wait(minutes=29)
    assert shop.run() == {"not due": 1}
    shop.time.wait(minutes=1)
    assert shop.run()["found"] == 1


def test_a_company_that_was_set_wrong_puts_nothing_off(shop: Shop):
    """Nothing but refusals: it is the account, and once it is right all are asked for again."""
    for number in range(6):
        shop.want(f"YT1000{number}")
    for _ in range(6):
        shop.post.faults = [400] * 6
        with pytest.raises(ConfigError, match="were refused"):
            shop.run()
        shop.time.wait(hours=1)
    assert shop.run()["asked"] == 6


def test_it_can_be_switched_off_and_lets_go_of_the_old(shop: Shop):
    shop.again(max_every="30m", max_age="1d")
    shop.want("YT10001")
    assert shop.hours(9, "YT10001") == list(range(9))
    shop.rows.clear()
    shop.time.wait(hours=25)
    shop.run()
    for stream in ("tracks", "tracks/unanswered"):
        assert shop.made.asked.times(stream) == {}


def test_a_preview_counts_for_nothing(shop: Shop):
    shop.want("YT10001")
    request = ReadRequest("tracks", limit=10, wanted=list(shop.rows.values()))
    for _ in range(3):
        list(shop.made.read(request))
        shop.time.wait(hours=1)
    assert shop.made.asked.times("tracks/unanswered") == {}
