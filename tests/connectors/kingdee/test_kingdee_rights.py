"""A right that is lost in mid-walk: K3Cloud then answers nothing, as at the end of a list."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from kingdee_world import IDENTITY, Network, connector
from still_clock import StillClock

from connectors.base import Bookmark, Mode, ReadRequest
from connectors.errors import ContractBroken
from connectors.kingdee.sample import order
from connectors.kingdee.simulator import KingdeeSimulator

FORM = "SAL_SaleOrder"


class Taken(Network):
    """Takes the right to read the orders away after so many queries, and keeps it."""

    def __init__(self, erp: KingdeeSimulator, after: int) -> None:
        super().__init__(erp)
        self.left = after

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if "Query.common" in request.url.path:
            self.left -= 1
            if self.left < 0:
                self.simulator.denied = {FORM}
        return super().handle_request(request)


class Reader:
    """Orders read page by page, as a run lands them; the bookmark is that of the last page."""

    def __init__(self) -> None:
        self.clock = StillClock()
        self.erp = KingdeeSimulator(IDENTITY, now=self.clock.now)
        self.bookmark: Bookmark | None = None
        self.came: set[str] = set()

    def put(self, *keys: int) -> None:
        for key in keys:
            self.erp.put(FORM, order(key, [{"FQty": n, "FTaxPrice": 1} for n in (1, 2)]))

    def read(self, mode: Mode = "changed", *, after: int = 1000) -> bool:
        """Read; say whether the last page called the scan complete. `came` keeps the keys."""
        self.came, complete = set(self.came if after == 1000 else ()), False
        one = connector(self.erp, self.clock, Taken(self.erp, after), rows=5)
        try:
            for page in one.read(ReadRequest("orders", mode, self.bookmark)):
                self.came.update(key or "" for key in page.keys)
                complete, self.bookmark = page.complete, page.bookmark
        finally:
            one.close()
        return complete


@pytest.mark.parametrize("after", range(1, 6))
def test_what_changed_meanwhile_comes_when_the_right_is_back(after: int) -> None:
    here = Reader()
    here.put(*range(1, 10))
    here.read()
    here.clock.wait(hours=2)
    here.put(*range(1, 10))
    with pytest.raises(ContractBroken, match="right to query"):
        here.read(after=after)
    here.clock.at += timedelta(hours=3)  # longer than the lookback
    here.erp.denied = set()
    here.read()
    assert here.came == {str(key) for key in range(1, 10)}


@pytest.mark.parametrize("mode", ["full", "sweep"])
def test_nothing_is_called_complete_without_the_right(mode: Mode) -> None:
    here = Reader()
    here.put(*range(1, 10))
    with pytest.raises(ContractBroken, match="right to query"):
        here.read(mode, after=2)
    here.erp.denied = set()
    here.bookmark = None
    assert here.read(mode)
    assert here.came == {str(key) for key in range(1, 10)}


def test_an_account_without_documents_is_no_error() -> None:
    here = Reader()
    assert not here.read("full")
    assert not here.read("changed")
    assert here.came == set()
