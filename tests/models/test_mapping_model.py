"""A mapping is a total function: every record ends as a row or in quarantine, amounts exact.

A mapping of all fields for each entity is fed records of hostile values, all in one load.
`ISTHMUS_HYPOTHESIS=full` makes it 10,000 records an entity.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import pytest
from hand_plan import empty
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from connectors.body import scalar_text
from connectors.numbers import quote_long
from mappings.compile import compile_mapping
from mappings.load import parse_mapping
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.model import ENTITIES, HEADERS
from warehouse.model.plan import StreamPlan
from warehouse.store import Store, open_store

FULL = os.environ.get("ISTHMUS_HYPOTHESIS") == "full"
RECORDS = 10_000 if FULL else 100
NOW = datetime(2026, 3, 1, tzinfo=UTC)
LEAST = Decimal("1e-308")
EXACT = {"money", "price", "rate", "quantity", "integer"}

NUMBERS = [
    "0", "-0", "1", "7.5", "-3", "12.3456", "0.1", "0.10", "99999999999999.9999", "1e3", "1E-3",
    "1.5e2", "1e400", "-1e400", "1e-400", "12345678901234567.25", "9007199254740993", "0.00001",
    "9223372036854775807", "9223372036854775808", "123456789012345678901234567890", "5.0000000000",
    "0.123456789012345678901234567890", "1" + "0" * 400, "3.00",
]  # fmt: skip
TEXTS = [
    "", " ", "n/a", "1,234.50", "¥5", "1_000", "0x1F", "NaN", "inf", "-inf", "１２", "١٢", " 12 ",
    "+5", "5.", ".5", "--1", "1e", "true", "是", "null", "CNY", "cny", "RMB", "US", "paid",
    "shipped", "2026-02-30", "0000-00-00", "0000-00-00 00:00:00", "2026-03-01T08:00:00+08:00",
    "2026-03-01", "20260301", "24:00:00", "infinity", "9999-12-31", "0001-01-01 (BC)", "-5 days",
    "\x00", "a\x00b", "😀", "x" * 5_000, "'; drop table source.orders; --", "\u202e", "\ufeff1",
    "{", "[1", '{"a":1}', "13912345678", "a@b.c", "é", "e\u0301", "%", "\\", '"', "\r\n\t",
]  # fmt: skip
OTHERS = ["null", "true", "false", "[]", "{}", "[1,2]", '{"a":{"b":[1]}}', "[null]", '[{"id":1}]']


def token(chance: random.Random) -> str:
    """Return one JSON value as text."""
    pick = chance.random()
    if pick < 0.35:
        return chance.choice(NUMBERS)
    if pick < 0.45:
        return f"{chance.randrange(-10_000, 10_000)}.{chance.randrange(10_000):04d}"
    if pick < 0.55:
        return json.dumps(chance.choice(NUMBERS))
    if pick < 0.62:
        return json.dumps("".join(chr(chance.randrange(32, 0xD7FF)) for _ in range(5)))
    if pick < 0.9:
        return json.dumps(chance.choice(TEXTS), ensure_ascii=chance.random() < 0.5)
    return chance.choice(OTHERS)


def record(entity: str, key: str, chance: random.Random) -> dict[str, str]:
    """Return the members of a record as JSON texts; most have few fields, so that some load."""
    names = [n for n in ENTITIES[entity].columns() if chance.random() < 0.06]
    members = {"id": key, **{name: token(chance) for name in names}}
    if chance.random() < 0.5:
        members["v"] = chance.choice(["1", '"2026-01-01"', "null", token(chance)])
    for name, child in ENTITIES[entity].children.items():
        if chance.random() < 0.3:
            members[name] = token(chance)
        elif chance.random() < 0.5:
            lines = [_line(child, n, chance) for n in range(chance.randrange(4))]
            members[name] = f"[{','.join(lines)}]"
    return members


def _line(child: str, n: int, chance: random.Random) -> str:
    columns = ENTITIES[child].columns()
    members = {name: token(chance) for name in columns if chance.random() < 0.04}
    members |= {"id": str(n) if chance.random() < 0.97 else token(chance)}
    return _object(members)


def _object(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{json.dumps(n)}:{value}" for n, value in members.items()) + "}"


def plan_of(entity: str) -> StreamPlan:
    """Return a mapping that takes every field of the entity and its children from its own name."""
    lines = [f"entity: {entity}", "key: id", "version: v", "fields:"]
    lines += [f"  {name}: {name}" for name in ENTITIES[entity].columns()]
    if ENTITIES[entity].children:
        lines.append("children:")
    for name, child in ENTITIES[entity].children.items():
        fields = ", ".join(f"{n}: {n}" for n in ENTITIES[child].columns())
        lines.append(f"  {name}: {{each: {name}, entity: {child}, key: id, fields: {{{fields}}}}}")
    return compile_mapping(
        parse_mapping("\n".join(lines) + "\n"),
        connection="shop", stream="things", zone="Asia/Shanghai", settings={},
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(Home(tmp_path_factory.mktemp("home")).make()) as found:
        yield found


def check(store: Store, entity: str, seed: int, folder: Path) -> None:
    empty(store)
    chance = random.Random(f"{entity} {seed}")
    records = [record(entity, f'"k{n}"', chance) for n in range(RECORDS)]
    for n in range(0, RECORDS, 50):  # keys that are none: each a line of quarantine of its own
        records[n]["id"] = chance.choice(["null", '""', '" "'])
    texts = [quote_long(_object(members).encode()) for members in records]
    keys = [f"k{n}" if members["id"][1] == "k" else None for n, members in enumerate(records)]
    landing = Landing(folder, now=lambda: NOW)
    with landing.writer(
        "shop", "things", mode="changed", read="r", connector="rest@1", started=NOW
    ) as writer:
        writer.add(texts, keys, {})
    report = load_pending(store, landing, plan_of(entity), now=NOW)
    assert report.inserted + report.quarantined == RECORDS, report
    (aside,) = store.con.execute(
        "select count(distinct (batch, position)) from ops.quarantine"
    ).fetchone() or (0,)
    assert (aside, report.refused) == (report.quarantined, 0)
    numbers = [n for n, c in ENTITIES[entity].columns().items() if c.kind in EXACT]
    wanted = dict(zip(keys, records, strict=True))
    found = store.con.execute(
        f"select source_key{''.join(f', {n}' for n in numbers)} from source.{_table(entity)}"
    ).fetchall()
    assert len(found) == report.inserted
    for key, *values in found:
        for name, value in zip(numbers, values, strict=True):
            assert_exact(f"{key} {name}", wanted[key].get(name, "null"), value)


def _table(entity: str) -> str:
    return ENTITIES[entity].table


def assert_exact(place: str, said: str, stored: Any) -> None:
    """A number stands as it was sent, to the last digit; what is no number does not become one."""
    text = scalar_text(said.encode())
    try:
        wanted = None if said in ("true", "false") or text is None else Decimal(text.strip())
    except InvalidOperation:
        wanted = None
    if stored is None:
        assert wanted is None or not wanted.is_finite(), f"{place}: {said} became null"
    else:
        # A JSON number below the least double is zero to DuckDB's reader.
        is_nothing = wanted is not None and abs(wanted) < LEAST and stored == 0
        assert wanted == stored or is_nothing, f"{place}: {said} became {stored}"


@settings(
    max_examples=3 if FULL else 1, deadline=None, database=None, derandomize=not FULL,
    phases=[Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(seed=st.integers(0, 2**32))
@pytest.mark.parametrize("entity", HEADERS)
def test_every_record_ends_as_a_row_or_in_quarantine(
    store: Store, entity: str, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    check(store, entity, seed, tmp_path_factory.mktemp("landing"))
