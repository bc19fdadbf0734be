"""Runs a matcher over a data set in a DuckDB of its own, and reads what it left."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import duckdb
import pyarrow as pa

from tests.eval.dataset import DataSet
from warehouse.identity import golden_id
from warehouse.matching import results
from warehouse.matching.parties import group_parties

STREAM = "parties"
ROWS = "eval_rows"
Matcher = Callable[[duckdb.DuckDBPyConnection, str], object]

_TEXTS = ("connection", "source_key", "kind", "name", "legal_name", "contact_name", "uscc",
          "tax_number", "id_number", "email", "phone", "contact_phone", "country", "region", "city",
          "district", "postal_code", "address")  # fmt: skip
TYPED = f"""
    SELECT id::uuid AS id, connection, '{STREAM}' AS stream, source_key, true AS is_alive,
        timestamptz '2026-01-01 00:00:00+00' AS first_seen_at,
        kind, name, legal_name, contact_name, uscc, tax_number, id_number, email, phone,
        contact_phone, try_cast(birth_date AS date) AS birth_date, country, region, city, district,
        postal_code, address, try_cast(created_at AS timestamptz) AS created_at,
        []::struct(scheme varchar, value varchar)[] AS identifiers
    FROM given
"""
"""The relation that a matcher is given, out of `given`, where all is text and id the own id."""


class Broken(Exception):
    """A matcher left a result that is none: rows missing, twice, or suggestions of nothing."""


@dataclass(slots=True)
class Outcome:
    """What a matcher said, by places of rows: the group of each, and pairs for a person to see.

    `seconds` is the matcher's call alone. `why` is (method, rule) of each row's link.
    """

    groups: list[UUID]
    suggestions: list[tuple[int, int]]
    seconds: float
    why: list[tuple[str, str]]


def fresh(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """Return an empty store, in memory or in a file, with what a matcher writes to."""
    con = duckdb.connect(path or ":memory:")
    con.execute("SET TimeZone = 'UTC'")
    results.create(con)
    return con


def ours(con: duckdb.DuckDBPyConnection, rows: str, changed: str | None = None) -> None:
    """Group as the project does: all rows, or those of the relation of changed ids."""
    group_parties(con, rows, changed=changed)


def run(data: DataSet, matcher: Matcher) -> Outcome:
    """Return what the matcher makes of the set; raises Broken where that is no result."""
    con = fresh()
    try:
        ids = _load(con, data)
        began = time.perf_counter()
        matcher(con, ROWS)
        seconds = time.perf_counter() - began
        return _read(con, ids, seconds)
    finally:
        con.close()


def _load(con: duckdb.DuckDBPyConnection, data: DataSet) -> list[UUID]:
    ids = [golden_id("party", row.key[0], STREAM, row.key[1]) for row in data.rows]
    columns: dict[str, Sequence[str | None]] = {"id": [str(one) for one in ids]}
    for name in (*_TEXTS, "birth_date", "created_at", "province"):
        columns[name] = [row.values.get(name) or None for row in data.rows]
    columns["region"] = [
        a or b for a, b in zip(columns["region"], columns.pop("province"), strict=True)
    ]
    given = pa.table({name: pa.array(cells, pa.string()) for name, cells in columns.items()})
    con.register("given", given)
    con.execute(f"CREATE TABLE {ROWS} AS {TYPED}")
    con.unregister("given")
    return ids


def _read(con: duckdb.DuckDBPyConnection, ids: list[UUID], seconds: float) -> Outcome:
    links = con.execute(
        "SELECT id, golden_id, method, coalesce(rule, '') FROM identity.links "
        "WHERE entity = 'party'"
    ).fetchall()
    told = {one: (golden, method, rule) for one, golden, method, rule in links}
    if len(links) != len(ids) or told.keys() != set(ids):
        raise Broken(f"identity.links has {len(links)} rows, {len(told)} ids, for {len(ids)} rows")
    place = {one: number for number, one in enumerate(ids)}
    pairs = con.execute("SELECT a_id, b_id FROM ops.suggestions WHERE entity = 'party'").fetchall()
    if wrong := [pair for pair in pairs if pair[0] not in place or pair[1] not in place]:
        raise Broken(f"ops.suggestions names rows that are not there: {wrong[0]}")
    if wrong := [(a, b) for a, b in pairs if told[a][0] == told[b][0]]:
        raise Broken(f"ops.suggestions has a pair that is one group already: {wrong[0]}")
    groups = [told[one][0] for one in ids]
    why = [(told[one][1], told[one][2]) for one in ids]
    return Outcome(groups, [(place[a], place[b]) for a, b in pairs], seconds, why)
