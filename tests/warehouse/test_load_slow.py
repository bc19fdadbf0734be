"""Lines that DuckDB refuses, and records on which a mapping's SQL raises: the rest still loads."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hand_plan import ORDER, START, empty, land, order, order_plan

from warehouse.errors import LoadError
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.store import Store, open_store

GOOD = [order(n) for n in range(1, 4)]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


@pytest.fixture
def store(shared: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    empty(shared)
    monkeypatch.setattr("warehouse.load.checkpoint_at_commit", lambda store: None)
    monkeypatch.setattr(Store, "checkpoint", lambda store: None)
    return shared


@pytest.fixture
def landing(home: Home) -> Landing:
    return Landing(home.landing, now=lambda: START)


def stored(store: Store) -> list[tuple[str, int]]:
    return store.con.execute("select source_key, position from source.orders order by 2").fetchall()


def quarantined(store: Store) -> list[tuple[int, str, str]]:
    return store.con.execute(
        "select position, rule, reason from ops.quarantine order by position"
    ).fetchall()


DEEP = b'{"id": "9", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}"
HOSTILE = {
    "cut": (b'{"id": "9", "na', "malformed"),
    "html": (b"<html><body>login</body></html>", "malformed"),
    "a list": (b"[1, 2]", "malformed"),
    "a number": (b"7", "malformed"),
    "a text": (b'"id"', "malformed"),
    "bad UTF-8": (b'{"id": "\xff\xfe"}', "malformed"),
    "overlong UTF-8": (b'{"id": "\xc0\xaf"}', "malformed"),
    "NUL": (b'{"id": "a\x00b"}', "malformed"),
    "control": (b'{"id": "a\x01b"}', "malformed"),
    "leading zero": (b'{"id": 007}', "malformed"),
    "plus": (b'{"id": +1}', "malformed"),
    "no digits": (b'{"id": .5}', "malformed"),
    "surrogate": (b'{"id": "\\ud800"}', "malformed"),
    "two values": (b'{"id": "8"} {"id": "9"}', "malformed"),
    "BOM": (b'\xef\xbb\xbf{"id": "9"}', "malformed"),
    "null": (b"null", None),
    "empty object": (b"{}", "key"),
    "deep": (DEEP, None),
    "huge number": (b'{"id": "9", "total": 1e400}', None),
    "5,000 digits": (b'{"id": "9", "total": ' + b"9" * 5000 + b"}", "check"),
    "twice": (b'{"id": "9", "name": "a", "name": "b"}', None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_one_hostile_line_costs_itself_alone(store: Store, landing: Landing, name: str) -> None:
    line, rule = HOSTILE[name]
    land(landing, GOOD[0], line, *GOOD[1:])
    report = load_pending(store, landing, order_plan(), now=START)
    assert [s for s in stored(store) if s[0] != "9"] == [("1", 1), ("2", 3), ("3", 4)]
    assert report.read == report.inserted + report.quarantined == 4
    if rule is not None:
        ((position, found, reason),) = quarantined(store)
        assert (position, found) == (2, rule)
        assert len(reason) < 200
        for piece in ("login", "999999"):
            assert piece not in reason, "never the content"
    lines = store.con.execute("select count(*) from source.order_lines").fetchone()
    assert lines == (6,)


def test_several_batches_with_bad_lines_keep_their_places(store: Store, landing: Landing) -> None:
    land(landing, b"oops", GOOD[0])
    land(landing, GOOD[1], b"[]", b"{", GOOD[2])
    land(landing, b"nothing good in here")
    report = load_pending(store, landing, order_plan(), now=START)
    assert (report.inserted, report.quarantined, report.batches) == (3, 4, 3)
    assert store.con.execute(
        "select source_key, batch, position from source.orders order by 1"
    ).fetchall() == [("1", 1, 2), ("2", 2, 1), ("3", 2, 4)]
    assert store.con.execute(
        "select id, entity, source_key from ops.quarantine order by batch, position"
    ).fetchall() == [
        (f"shop/orders/{place}/order", "order", None) for place in ("1/1", "2/2", "2/3", "3/1")
    ]
    assert store.con.execute(
        "select batch, quarantined from ops.batches order by 1"
    ).fetchall() == [(1, 1), (2, 2), (3, 1)]


def test_a_batch_that_is_no_list_of_records_is_refused(store: Store, landing: Landing) -> None:
    land(landing, *(b"<tr><td>x</td></tr>" for _ in range(1200)))
    with pytest.raises(LoadError, match="1200 of 1200 records are not JSON objects") as caught:
        load_pending(store, landing, order_plan(), now=START)
    assert "preview" in caught.value.do
    assert stored(store) == []


# A cast that is not total raises for one record, as a defect of a mapping's SQL would.
RAISING = ORDER.replace(
    "c1 as number", "case when c1 = '#bad' then c1::int::varchar else c1 end as number"
)


def test_records_on_which_the_sql_raises_are_found_by_halving(
    store: Store, landing: Landing
) -> None:
    records = [order(n, name="#bad" if n in (17, 80) else f"#{n}") for n in range(1, 101)]
    land(landing, *records)
    report = load_pending(store, landing, order_plan(order_sql=RAISING, payments=True), now=START)
    assert (report.inserted, report.quarantined) == (98, 2)
    assert quarantined(store) == [
        (n, "statement", "the mapping's SQL raises on this record (ConversionException)")
        for n in (17, 80)
    ]
    assert load_pending(store, landing, order_plan(order_sql=RAISING), now=START).batches == 0


def test_sql_that_raises_on_everything_is_an_error_of_the_mapping(
    store: Store, landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.stage.MAX_FAILED", 5)
    land(landing, *(order(n, name="#bad") for n in range(20)))
    with pytest.raises(LoadError, match="raises on more than 5 records"):
        load_pending(store, landing, order_plan(order_sql=RAISING), now=START)
    assert store.con.execute("select count(*) from ops.batches").fetchone() == (0,)


def test_a_record_of_twenty_megabytes_does_not_stop_the_others(
    store: Store, landing: Landing
) -> None:
    big = json.dumps(order(9, note="x" * 20_000_000)).encode()
    land(landing, GOOD[0], big, GOOD[1])
    report = load_pending(store, landing, order_plan(), now=START)
    assert report.inserted + report.quarantined == 3
    assert [key for key, _ in stored(store) if key != "9"] == ["1", "2"]
