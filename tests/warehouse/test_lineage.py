"""Orders that four systems tell of: each value is that of the record named."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import duckdb
import pytest
from company import found
from publish_parts import KEY, bring, shown
from source_rows import Loader

from warehouse import lineage, reader
from warehouse.home import Home
from warehouse.store import open_store


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Home:
    home = Home(tmp_path_factory.mktemp("home")).make()
    company = found(5, 12)
    with open_store(home) as store:
        load = Loader(store.con)
        for name in ("crm", "shop", "erp", "oms"):
            rows = [row for connection, row in company.rows if connection == name]
            load.put("order", rows, connection=name)
            bring(store, home)
    return home


@pytest.fixture
def con(published: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with reader.open_reader(published.public) as opened:
        yield opened


def test_every_value_is_that_of_the_record_that_is_named(
    published: Home, con: duckdb.DuckDBPyConnection
) -> None:
    ids = [i for (i,) in shown(published.public, "SELECT order_id FROM unified.orders")]
    froms = shown(
        published.public, "SELECT order_id, total_from, number_from FROM unified.orders_from"
    )
    named = {i: (total, number) for i, total, number in froms}
    systems = set()
    for one in ids:
        told = lineage.tell(con, "order", one, lines=True)
        records = {r["own_id"]: r for r in told.records}
        systems.add(frozenset(d["connection"] for d in told.documents))
        assert told.values["total"] is not None
        for field, value in told.values.items():
            winner = told.winners.get(field)
            assert (winner is None) == (value in (None, "unknown")), field
            assert winner is None or records[winner][field] == value, field
        assert named[one] == tuple(
            records[told.winners[f]]["connection"] for f in ("total", "number")
        )
        owners = {(r["connection"], r["stream"], r["source_key"]) for r in told.records}
        lines = told.children["order_line"]
        assert len({(r["connection"], r["stream"], r["parent_key"]) for r in lines}) == 1
        assert {(r["connection"], r["stream"], r["parent_key"]) for r in lines} <= owners
    assert frozenset({"shop", "oms", "erp", "crm"}) in systems


def test_a_document_finds_the_order_that_it_carries_out(
    published: Home, con: duckdb.DuckDBPyConnection
) -> None:
    told = "SELECT order_id, connection, stream, source_key FROM unified.order_documents"
    said = shown(
        published.public,
        f"{told} WHERE connection = 'erp' AND role <> 'placed' AND order_id IN (SELECT order_id "
        "FROM unified.order_documents WHERE connection = 'shop' AND role = 'placed')",
    )
    assert said
    for order, connection, stream, key in said:
        matches = {m.id for m in lineage.find(con, "order", f"{connection}/{stream}/{key}", KEY)}
        assert matches == {o for o, *record in said if record == [connection, stream, key]}
        documents = lineage.tell(con, "order", order).documents
        assert (connection, stream, key) in {
            (d["connection"], d["stream"], d["source_key"]) for d in documents
        }


def test_an_id_that_leads_elsewhere_finds_the_thing(
    published: Home, con: duckdb.DuckDBPyConnection
) -> None:
    told = "SELECT old_id, golden_id FROM unified.forwardings WHERE golden_id IN " \
        "(SELECT order_id FROM unified.orders)"  # fmt: skip
    forwarded = shown(published.public, told)
    assert forwarded
    for old, now in forwarded[:10]:
        (match,) = lineage.find(con, "order", str(old), KEY)
        assert (match.id, match.by) == (now, "forwarding")
    assert lineage.find(con, "order", str(UUID(int=7)), KEY) == []
