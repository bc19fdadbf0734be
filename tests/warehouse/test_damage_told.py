"""Damage that would pass unseen: in sidecars, decisions, the index; a landing that is shorter."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hand_plan import land, order, order_plan
from load_parts import NOW, V1, V2, Load, rows

from warehouse import reader
from warehouse.errors import DecisionError, LandingDamaged, StoreError
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.rebuild import rebuild
from warehouse.sealed import is_whole, seal
from warehouse.store import Store, open_store
from warehouse.writer import BatchWriter

pytest_plugins = ["load_fixtures"]


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 0x01
    path.write_bytes(content)


def test_a_sealed_text_tells_of_every_turned_bit() -> None:
    said = seal(b'{\n "a": 1,\n "b": {"c": "x"}\n}')
    assert is_whole(said, {"a": 1, "check": ""})
    taken = []
    for place in range(len(said)):
        for bit in range(8):
            turned = bytearray(said)
            turned[place] ^= 1 << bit
            if is_whole(bytes(turned), {"check": ""}):
                taken.append(place)
    assert all(said[place : place + 1].isspace() for place in taken), taken


def test_a_bookmark_with_another_digit_is_not_read_from(landing: Landing) -> None:
    land(landing, order(1))
    path = landing.folder("shop", "orders") / "000000000001.json"
    flip(path, path.read_bytes().index(b'"bookmark":{"n":1') + len('"bookmark":{"n":'))
    with pytest.raises(LandingDamaged, match="check differs"):
        landing.bookmark("shop", "orders")
    with pytest.raises(LandingDamaged, match="restore the file"):
        land(landing, order(2))


def trusted(landing: Landing) -> set[int]:
    return {n.batch for n in landing.decisions.named("shop", "orders", "trust_source")}


def test_a_decision_that_is_changed_or_missing_is_told(landing: Landing) -> None:
    for number in (1, 2):
        about = {"connection": "shop", "stream": "orders", "batches": [number]}
        landing.decisions.append("trust_source", why="w", at=NOW, about=about)
    assert trusted(landing) == {1, 2}
    first = landing.decisions.folder / "000000000001.json"
    content = first.read_bytes()
    first.write_bytes(content.replace(b'"who": "', b'"who": "x'))
    with pytest.raises(DecisionError, match="check differs"):
        trusted(landing)
    first.unlink()
    with pytest.raises(DecisionError, match="decision 1 is missing"):
        trusted(landing)
    first.write_bytes(content)
    assert trusted(landing) == {1, 2}


def test_an_index_with_a_turned_key_still_misses_what_is_gone(
    store: Store, landing: Landing, load: Load
) -> None:
    load(*(order(f"key-{n}", V1) for n in range(30)), mode="full", complete=True)
    path = landing.folder("shop", "orders") / "seen.db"
    flip(path, path.read_bytes().index(b"key-11") + len("key-1"))
    report = []
    with landing.writer(
        "shop", "orders", mode="full", read="r2", connector="rest@1", started=NOW
    ) as writer:
        keys = [f"key-{n}" for n in range(30) if n != 11]

        writer.add([json.dumps(order(k, V1)).encode() for k in keys], keys, {}, complete=True)
        report = list(writer.report.warnings)
    assert "the index of seen keys did not fit the landing; it is made anew" in report
    load_pending(store, landing, order_plan(), now=NOW)
    assert rows(store, "source_key", "source.orders where is_deleted") == [("key-11",)]


def test_what_only_an_overwritten_batch_had_is_landed_again(
    store: Store, landing: Landing, load: Load
) -> None:
    folder = landing.folder("shop", "orders")
    load(order(1, V1))
    load(order(2, V1))
    backup = {path: path.read_bytes() for path in folder.glob("000000000002.*")}
    for path in backup:
        path.unlink()
    land(landing, order(3, V1))  # takes the number of the lost batch
    land(landing, order(4, V1))  # the last batch is what it was
    for path, content in backup.items():
        path.write_bytes(content)
    load(order(1, V1), order(2, V1), order(3, V1), mode="full")
    assert rows(store, "source_key") == [("1",), ("2",), ("3",), ("4",)]


def test_an_index_outlives_sidecars_that_are_only_copied(
    store: Store, landing: Landing, load: Load
) -> None:
    load(*(order(n, V1) for n in range(3)))
    sidecar = landing.folder("shop", "orders") / "000000000001.json"
    os.utime(sidecar, (1, 1))  # as a restore by tar or from an object store leaves it
    with _writer(landing) as writer:
        assert not writer.report.warnings


def test_an_index_outlives_a_sidecar_that_was_damaged_and_put_back(
    store: Store, landing: Landing, load: Load
) -> None:
    load(*(order(n, V1) for n in range(3)))
    sidecar = landing.folder("shop", "orders") / "000000000001.json"
    content = sidecar.read_bytes()
    sidecar.write_bytes(content.replace(b'"rows":3', b'"rows":4'))
    with pytest.raises(LandingDamaged), _writer(landing):
        pass
    sidecar.write_bytes(content)
    with _writer(landing) as writer:
        assert not writer.report.warnings


def _writer(landing: Landing) -> BatchWriter:
    return landing.writer(
        "shop", "orders", mode="changed", read="r9", connector="rest@1", started=NOW
    )


def test_an_index_that_cannot_be_brought_up_locks_nobody_out(landing: Landing) -> None:
    land(landing, order(1, V1))
    landing.decisions.folder.mkdir(parents=True)
    (landing.decisions.folder / "000000000001.json").write_text("{")
    with pytest.raises(DecisionError) as refused:
        land(landing, order(2, V1))
    path = landing.folder("shop", "orders") / "seen.db"
    with closing(sqlite3.connect(path, timeout=0)) as db:
        db.execute("begin immediate")
    assert refused.value.__traceback__, "whoever keeps the error keeps what its frames hold"


def test_a_landing_shorter_than_the_store_is_not_made_a_store_of(
    home: Home, landing: Landing
) -> None:
    def make(**how: bool) -> None:
        rebuild(home, landing, lambda *_: order_plan(), NOW, **how)

    land(landing, order(1, V1))
    land(landing, order(2, V2))
    with open_store(home) as store:
        load_pending(store, landing, order_plan(), now=NOW)
    for path in landing.folder("shop", "orders").glob("000000000002.*"):
        path.unlink()
    with pytest.raises(LandingDamaged, match=r"batches of shop/orders.*--accept-loss"):
        make()
    assert not list(home.store.parent.glob("rebuilt*.wal"))
    with open_store(home) as store:
        assert rows(store, "source_key") == [("1",), ("2",)]
    make(accept_loss=True)
    with open_store(home) as store:
        assert rows(store, "source_key") == [("1",)]


def test_a_lost_discard_does_not_bring_a_record_back(home: Home, landing: Landing) -> None:
    from warehouse import quarantine

    land(landing, order(1, V1), order(2, V1, total="x"))
    with open_store(home) as store:
        load_pending(store, landing, order_plan(), now=NOW)
        quarantine.discard(store, landing, ["shop/orders/1/2/order"], why="w", now=NOW)
    for path in landing.decisions.folder.glob("*.json"):
        path.unlink()
    with pytest.raises(DecisionError, match="decision 1 is missing"):
        rebuild(home, landing, lambda *_: order_plan(), NOW)
    with open_store(home) as store:  # one of an older release
        store.con.execute("delete from ops.meta where name = 'last_decision'")
    with pytest.raises(LandingDamaged, match="discarded records of shop/orders"):
        rebuild(home, landing, lambda *_: order_plan(), NOW)


def test_a_query_on_a_damaged_file_does_not_blame_the_sql(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "p.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create table t as select range::varchar || 'abc' as a from range(200000)")
    content = bytearray(path.read_bytes())
    for place in range(3 * 4096, len(content), 1000):
        content[place] ^= 0x40
    path.write_bytes(content)
    with pytest.raises(StoreError, match="isthmus publish"):
        list(reader.run_query(path, "select max(a) from t").rows)
