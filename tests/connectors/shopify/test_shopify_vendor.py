"""The vendor's own schema: every query that is sent, and the part of it that the simulator has."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLSchema,
    build_client_schema,
    is_enum_type,
    is_interface_type,
    is_object_type,
    parse,
    validate,
)

from connectors.shopify import queries
from connectors.shopify.catalogue import STREAMS
from connectors.shopify.simulator import ShopifySimulator
from connectors.shopify.simulator_query import Query, schema

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "shopify"
NEWEST = "admin_2026-10.json.gz"


@pytest.fixture(scope="module")
def vendor() -> GraphQLSchema:
    path = SPECS / NEWEST
    if not path.exists():
        pytest.skip(f"the vendor's schema is not here: {NEWEST}")
    with gzip.open(path) as file:
        return build_client_schema(json.load(file)["data"], assume_valid=True)


def sent() -> Iterator[tuple[str, str]]:
    """Yield every text that the connector sends, with a name."""
    yield from (("opening", queries.OPENING), ("shop", queries.SHOP))
    yield from (("operation", queries.OPERATION), ("start", queries.START))
    for name, source in STREAMS.items():
        for personal in (True, False):
            fields = queries.record(source, personal=personal)
            yield f"{name} page {personal}", queries.page(source, personal=personal)
            if source.lines:
                yield f"{name} one {personal}", queries.one(source.lines, fields)
            if source.inner:
                yield f"{name} more {personal}", queries.more(source.inner, fields)
            if source.counted:
                yield f"{name} bulk {personal}", queries.bulk(source, personal=personal)
        yield f"{name} keys", queries.page(source.keys_only(), personal=False)
        if source.lines:
            for stamp in ("", "updatedAt"):
                text = queries.more(source.lines, source.lines.fields, stamp)
                if stamp == "" or "updatedAt" in queries.record(source, personal=False).split():
                    yield f"{name} lines {stamp}", text
        if source.counted:
            yield f"{name} counted", queries.counted(source)
        if source.beside and source.beside.inner:
            yield f"{name} beside", queries.page(source.beside, personal=True)
            beside = queries.record(source.beside, personal=True)
            yield f"{name} beside more", queries.more(source.beside.inner, beside)


def test_every_query_is_one_by_the_vendors_schema(vendor: GraphQLSchema) -> None:
    texts = dict(sent())
    assert len(texts) > 60
    wrong = {name: validate(vendor, parse(text)) for name, text in texts.items()}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_the_simulators_part_of_the_schema_is_the_vendors(vendor: GraphQLSchema) -> None:
    ours = {name: one for name, one in schema().type_map.items() if not name.startswith("__")}
    assert len(ours) > 60
    for name, kind in ours.items():
        theirs = vendor.type_map[name]
        assert type(kind) is type(theirs), name
        if is_enum_type(kind) and is_enum_type(theirs):
            assert set(kind.values) == set(theirs.values), name
        if not (is_object_type(kind) or is_interface_type(kind)):
            continue
        for field, is_ours in kind.fields.items():
            is_theirs = theirs.fields[field]  # type: ignore[attr-defined]
            assert str(is_ours.type) == str(is_theirs.type), f"{name}.{field}"
            for argument, given in is_ours.args.items():
                said = is_theirs.args[argument]
                assert (str(given.type), given.default_value) == (
                    str(said.type), said.default_value,
                ), f"{name}.{field}({argument})"  # fmt: skip


def test_deprecated_fields_are_known(vendor: GraphQLSchema) -> None:
    """The one that is asked for has no successor that bulk operations can nest."""
    level = vendor.type_map["InventoryItem"].fields["variant"]  # type: ignore[attr-defined]
    assert level.deprecation_reason
    found = set()
    for name, kind in schema().type_map.items():
        for field in getattr(kind, "fields", {}) if is_object_type(kind) else ():
            if not name.startswith("__") and getattr(
                vendor.type_map[name].fields[field], "deprecation_reason", None  # type: ignore[attr-defined]
            ):  # fmt: skip
                found.add(f"{name}.{field}")
    assert found == {"InventoryItem.variant"}


def test_no_query_costs_more_than_one_may() -> None:
    shop = ShopifySimulator("token")
    for name, text in sent():
        if " bulk " in name or name == "start":
            continue
        source = STREAMS.get(name.split(" ")[0])
        size = source.size if source else 1
        if source and name.endswith("keys"):
            size = source.keys_only().size
        if source and source.beside and " beside" in name:
            size = source.beside.size
        variables = {"first": size, "id": "gid://shopify/Order/1", "limit": 5001, "query": None}
        assert Query(shop, text, variables).cost <= 1000, name
