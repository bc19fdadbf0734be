"""What the real server cannot be made to do, on a scripted one; the oracle counts what arrived."""

from __future__ import annotations

import itertools
import json
import os
from datetime import timedelta
from typing import Any, cast

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tryton_script import START, ScriptedTryton, connector, minutes

from connectors.base import Page, ReadRequest
from connectors.errors import AuthError, ConfigError, ConnectorError, ContractBroken, Unavailable
from connectors.tryton.api import Api
from connectors.tryton.catalogue import STREAMS
from connectors.tryton.stock import StockReading
from connectors.tryton.wire import changed, latest, moment, plain

STREAM = "opportunities"
FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"


class Store:
    """The oracle: what a store holds after the pages, by key, and how often each came."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.came: list[str] = []
        self.bookmark: Any = None

    def take(self, pages: list[Page]) -> None:
        seen: list[str] = []
        for page in pages:
            for key, record in zip(page.keys, page.records, strict=False):
                self.rows[str(key)] = json.loads(bytes(record))
            seen += [str(key) for key in page.keys]
            self.bookmark = page.bookmark
        assert len(seen) == len(set(seen)), "a record came twice in one read"
        self.came += seen
        if pages[-1].complete:
            for key in set(self.rows) - set(seen):
                del self.rows[key]

    def equals(self, server: ScriptedTryton) -> bool:
        wanted = {
            str(n): (row["state"], row["amount"]["decimal"]) for n, row in server.table.items()
        }
        return {k: (row["state"], row["amount"]) for k, row in self.rows.items()} == wanted


@pytest.fixture
def server() -> ScriptedTryton:
    made = ScriptedTryton()
    for number in range(1, 11):
        made.put(number, minutes(-100 + number))
    return made


def read(server: Any, store: Store | None = None, mode: Any = "changed", **more: Any) -> list[Page]:
    bookmark = store.bookmark if store else None
    one = connector(server, **more)
    pages = list(one.read(ReadRequest(STREAM, mode, bookmark)))
    one.close()
    if store is not None and mode != "sweep":
        store.take(pages)
    return pages


def test_a_first_read_is_whole_and_the_next_asks_only_for_what_changed(server: ScriptedTryton):
    store = Store()
    pages = read(server, store)
    assert [len(page.keys) for page in pages] == [3, 3, 3, 1, 0]
    assert pages[-1].complete
    assert pages[-1].total == 10
    assert store.equals(server)
    server.now = minutes(60)
    server.put(4, START, written=minutes(59), state="converted")
    again = read(server, store, lookback="30s")
    assert [key for page in again for key in page.keys] == ["4", "10"]  # 10 stands at the bookmark
    assert store.equals(server)
    assert not again[-1].complete


def test_stamps_that_tie_over_a_page_s_edge_are_all_read(server: ScriptedTryton):
    store = Store()
    read(server, store)
    server.now = minutes(30)
    for number in range(1, 9):
        server.put(number, START, written=minutes(29), state="opportunity")
    read(server, store, lookback="0s")
    assert store.equals(server)


def test_a_commit_that_comes_late_is_found_within_the_lookback(server: ScriptedTryton):
    store = Store()
    server.put(11, minutes(-1))
    read(server, store)
    # A long transaction: it began, and stamped, before the newest record that was read.
    server.put(2, START, written=minutes(-8), state="lost")
    server.put(12, minutes(-7))
    server.now = minutes(5)
    read(server, store)
    assert store.equals(server)
    server.put(3, START, written=minutes(-30), state="lost")  # beyond the lookback: a full read
    read(server, store)
    assert not store.equals(server)
    read(server, store, "full")
    assert store.equals(server)


def test_what_comes_and_goes_between_pages_neither_loses_nor_doubles(server: ScriptedTryton):
    store = Store()

    def meanwhile() -> None:
        del server.table[2]  # read already
        del server.table[7]  # not read yet
        server.put(1, START, written=minutes(0), state="lost")  # changes behind the read
        server.put(11, minutes(0))

    server.at(2, meanwhile)
    pages = read(server, store)
    assert not pages[-1].complete or pages[-1].total == 9
    assert set(store.rows) >= {"1", "3", "11"}
    server.now = minutes(1)
    read(server, store)
    assert store.rows["1"]["state"] == "lost"
    server.now = minutes(30)
    read(server, store, "full")
    assert store.equals(server)


def test_a_read_with_fewer_records_than_are_counted_proves_nothing(server: ScriptedTryton):
    def late() -> None:
        server.put(0, minutes(-50))  # an id below those read, as of a late commit

    server.at(5, late)
    pages = read(server, mode="full")
    assert [len(page.keys) for page in pages][-1] == 0
    assert not pages[-1].complete
    assert "not proved complete" in pages[-1].warnings[-1]


def test_a_sweep_lists_the_ids_and_leaves_the_bookmark(server: ScriptedTryton):
    store = Store()
    read(server, store)
    del server.table[5]
    pages = read(server, store, "sweep")
    assert [key for page in pages for key in page.keys] == [str(n) for n in range(1, 11) if n != 5]
    assert pages[-1].complete
    assert all(page.kind == "keys" and not page.records for page in pages)
    assert pages[-1].bookmark == store.bookmark


@pytest.mark.parametrize("mode", ["changed", "sweep"])
def test_another_company_does_not_take_the_place_of_the_one_that_was_read(
    server: ScriptedTryton, mode: Any
):
    """Without company: it is the user's current one, which people change in the client."""
    store = Store()
    read(server, store)
    server.put(11, minutes(-50), company=2)
    server.company = 2
    with pytest.raises(ConfigError, match="company 1 was read until now, and now it would be 2"):
        read(server, store, mode)  # a sweep would delete all ten, a read never find the older one
    read(server, store, "full")  # said on purpose
    assert list(store.rows) == ["11"]
    read(server, store, mode)


def test_an_interrupted_read_goes_on_where_it_stopped(server: ScriptedTryton):
    store = Store()
    server.at(3, lambda: httpx.Response(200, json={"id": 1, "error": ["TimeOutException", ""]}))
    one, pages = connector(server), list[Page]()
    with pytest.raises(Unavailable):
        pages.extend(one.read(ReadRequest(STREAM)))
    store.take(pages)
    assert [len(page.keys) for page in pages] == [3, 3]
    rest = read(server, store)
    assert [key for page in rest for key in page.keys] == ["7", "8", "9", "10"]
    assert all(page.resumed for page in rest)
    assert rest[-1].total == 10
    assert rest[-1].complete


def test_a_session_that_is_lost_in_the_middle_is_opened_again(server: ScriptedTryton):
    store = Store()
    server.at(2, lambda: (server.sessions.clear(), httpx.Response(401, text=""))[1])
    read(server, store)
    assert server.logins == 2
    assert store.equals(server)
    assert not server.sessions  # logged out at the end


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(503, html="<title>503</title>"),
        httpx.Response(502, text="bad gateway"),
        httpx.ConnectError("refused"),
        httpx.Response(200, content=b'{"id":1,"resu', headers={"content-length": "13"}),
    ],
    ids=["503", "502", "refused", "cut"],
)
def test_what_passes_is_asked_again_and_what_is_cut_is_not_taken(
    server: ScriptedTryton, answer: Any
):
    store = Store()
    server.at(2, lambda: answer)
    if isinstance(answer, httpx.Response) and answer.status_code == 200:
        with pytest.raises(ContractBroken, match="not JSON"):
            read(server, store)
    read(server, store)
    assert store.equals(server)


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        ({"error": ["UserError", ["You are not allowed to access \"Sale\".", "", None]]},
         AuthError, "not allowed"),
        ({"error": ["'lost_reason'", "Traceback …"]}, ConfigError, "no field or model"),
        ({"error": ["division by zero", "Traceback: amount = 12.50"]}, ContractBroken,
         "division by zero"),
        ({"error": ["LoginException", ["sms_code", "Code", "char"]]}, AuthError, "password"),
        ({"result": [{"id": 3}, {"id": 2}]}, ContractBroken, "order of the ids"),
        ({"result": [{"id": 1, "at": {"__class__": "lunar"}}]}, ContractBroken, "lunar"),
        ({"result": {"id": 1}}, ContractBroken, "No list"),
        ({"answer": []}, ContractBroken, "neither result nor error"),
        ("<!doctype html><title>Maintenance</title>", ContractBroken, "web page"),
    ],
)  # fmt: skip
def test_an_error_under_http_200_is_an_error(
    server: ScriptedTryton, answer: Any, kind: type[ConnectorError], said: str
):
    page = httpx.Response(200, html=answer) if isinstance(answer, str) else None
    server.at(2, lambda: page or httpx.Response(200, json={"id": 1, **answer}))
    one, pages = connector(server), list[Page]()
    with pytest.raises(kind, match=said) as caught:
        pages.extend(one.read(ReadRequest(STREAM)))
    assert [len(each.keys) for each in pages] == [3]  # what came before it is kept
    assert "Traceback" not in str(caught.value)
    assert "12.50" not in str(caught.value)
    assert caught.value.do


def test_a_wrong_password_is_tried_once_and_not_repeated(server: ScriptedTryton):
    with pytest.raises(AuthError, match="user or the password") as caught:
        read(server, password="wrong-Pass-word")
    assert server.logins == 1
    assert "wrong-Pass-word" not in str(caught.value)


def test_stamps_of_the_server_s_clock_count_not_of_ours(server: ScriptedTryton):
    """Our clock is an hour ahead: what was stamped while we read must not be passed over."""
    store = Store()
    one = connector(server)
    one.context.now = lambda: server.now + timedelta(hours=1)
    server.at(4, lambda: server.put(11, server.now))
    store.take(list(one.read(ReadRequest(STREAM))))
    assert store.bookmark["stamp"] < (server.now - timedelta(seconds=4)).isoformat()


@settings(max_examples=300 if FULL else 15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(1, 8),  # whose record
            st.sampled_from(["write", "make", "delete"]),
            st.integers(0, 9),  # minutes that the commit comes late
            st.booleans(),  # while a read is under way
        ),
        max_size=20,
    )
)
def test_nothing_is_lost_or_doubled_whatever_happens_between_and_during_reads(steps: Any):
    server, store = ScriptedTryton(), Store()
    for number in range(1, 6):
        server.put(number, minutes(-60))
    read(server, store)
    for turn, (number, what, late, during) in enumerate(steps):
        server.now += timedelta(minutes=1)

        def happen(number: int = number, what: str = what, late: int = late, n: int = turn) -> None:
            at = server.now - timedelta(minutes=late)
            if what == "delete":
                server.table.pop(number, None)
            elif what == "write" and number in server.table:
                server.put(number, START, written=at, state=f"s{n}")
            else:
                server.put(max([8, *server.table]) + 1, at)

        if during:
            server.at(len(server.calls) + 2, happen)
        else:
            happen()
        # A late commit is late against what was read: the lookback spans it.
        read(server, store, lookback="20m")
        server.hooks.clear()
    server.now += timedelta(minutes=1)
    read(server, store, lookback="20m")
    missing = set(map(str, server.table)) - set(store.rows)
    assert not missing
    read(server, store, "full")
    assert store.equals(server)


# --- values ----------------------------------------------------------------------------------
def test_typed_objects_become_text_and_related_records_take_the_place_of_their_id():
    record = {
        "party": 7, "party.": {"id": 7, "name": "甲"}, "lines": [2, 1],
        "lines.": [{"id": 2, "unit_price": {"__class__": "Decimal", "decimal": "554.3700"}}],
        "sale_date": {"__class__": "date", "year": 2026, "month": 3, "day": 1},
        "write_date": moment(START + timedelta(microseconds=7)), "origin": "sale.sale,1",
        "delay": {"__class__": "timedelta", "seconds": 90.0}, "currency": None, "currency.": None,
        "at": {"__class__": "time", "hour": 1, "minute": 2, "second": 3, "microsecond": 0},
    }  # fmt: skip
    assert plain(record) == {
        "party": {"id": 7, "name": "甲"}, "lines": [{"id": 2, "unit_price": "554.3700"}],
        "sale_date": "2026-03-01", "write_date": "2026-03-01T12:00:00.000007Z",
        "origin": "sale.sale,1", "delay": 90.0, "currency": None, "at": "01:02:03.000000",
    }  # fmt: skip
    assert list(plain(record)) == sorted(plain(record))


@pytest.mark.parametrize("model", ["stock.location", "product.product"])
def test_stock_that_comes_out_of_order_is_not_taken(model: str):
    """A page that comes again and again would never end; one out of order would pass over some."""

    class Server:
        def keep_to_company(self, _request: ReadRequest) -> dict[str, Any]:
            return {}

        def read(self, asked: str, domain: Any, *_more: Any) -> list[dict[str, Any]]:
            after = 0 if asked == model else domain[-1][2]
            found = [{"id": n, "type": "storage", "storage_location": None} for n in (1, 2)]
            return [one | {"quantity": 1.0} for one in found if one["id"] > after]

        def read_ids(self, _model: str, ids: Any, *_more: Any) -> list[dict[str, Any]]:
            return [{"id": one, "quantity": 1.0} for one in ids]

    reading = StockReading(cast(Api, Server()), STREAMS["stock"], ReadRequest("stock"), 500)
    with pytest.raises(ContractBroken, match=f"{model} in the order of the ids: 1 came after 2"):
        list(itertools.islice(reading.pages(), 50))


def test_a_change_of_a_line_is_a_change_of_its_order():
    assert changed(("lines",), START)[3:] == [
        ["lines.create_date", ">=", moment(START)], ["lines.write_date", ">=", moment(START)],
    ]  # fmt: skip
    order = {
        "create_date": "2026-01-01T00:00:00.000000Z", "write_date": None,
        "lines": [{"write_date": "2026-02-01T00:00:00.000000Z"}, {"write_date": None}],
        "template": {"prices": [{"write_date": "2026-03-01T00:00:00.000000Z"}]},
    }  # fmt: skip
    assert latest(order, ()) == "2026-01-01T00:00:00.000000Z"
    assert latest(order, ("lines",)) == "2026-02-01T00:00:00.000000Z"
    assert latest(order, ("lines", "template.prices")) == "2026-03-01T00:00:00.000000Z"
