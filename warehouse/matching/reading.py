"""Reads the distinct texts of a batch of rows: plain form, names in parts, places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import duckdb
import pyarrow as pa

from warehouse.ddl import literal
from warehouse.matching import addresses, companies, persons, phones
from warehouse.matching.places import PLACE_LETTERS
from warehouse.matching.text import is_han, plain
from warehouse.matching.words import NOBODY

_SLICE = 100_000
_STRING = pa.string()


def _slices(con: duckdb.DuckDBPyConnection, sql: str) -> Iterator[list[str]]:
    # All of it first: an Arrow table cannot be registered while a result is half fetched.
    texts = [text for (text,) in con.execute(sql).fetchall()]
    for start in range(0, len(texts), _SLICE):
        yield texts[start : start + _SLICE]


def _put(
    con: duckdb.DuckDBPyConnection,
    table: str,
    sql: str,
    schema: dict[str, Any],
    read: Callable[[list[str]], Sequence[Sequence[Any]]],
) -> None:
    """Make the temp table of (text, what `read` gives) for the texts that `sql` selects."""
    form = pa.schema([("text", _STRING), *schema.items()])
    made = False
    for texts in [*_slices(con, sql)] or [[]]:
        columns = [pa.array(texts, _STRING)]
        columns += [
            pa.array(column, kind)
            for column, kind in zip(read(texts), schema.values(), strict=True)
        ]
        con.register("matching_batch", pa.table(columns, schema=form))
        head = f"insert into {table}" if made else f"create or replace temp table {table} as"
        con.execute(f"{head} select * from matching_batch")
        con.unregister("matching_batch")
        made = True


def _turn(rows: list[Any], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(width)]


def _companies(texts: list[str]) -> list[list[Any]]:
    return _turn([companies.read(t) for t in texts], len(companies.Company._fields))


def _persons(texts: list[str]) -> list[list[Any]]:
    return _turn([persons.read(t) for t in texts], len(persons.Person._fields))


def _addresses(texts: list[str]) -> list[list[Any]]:
    return _turn([addresses.read(t) for t in texts], len(addresses.Address._fields))


_ENDS = (
    *("特别行政区", "维吾尔自治区", "壮族自治区", "回族自治区", "自治区", "自治州"),
    *("地区", "市", "省", "盟"),
)


def place(text: str) -> str:
    """Return the short name of a city or province; a name in pinyin becomes Chinese."""
    bare = "".join(text.split())
    for end in _ENDS:
        if bare.endswith(end) and len(bare) - len(end) >= 2:
            bare = bare[: -len(end)]
            break
    if is_han(bare):
        return bare
    letters = "".join(c for c in bare if c.isalpha()).removesuffix("city").removesuffix("shi")
    return PLACE_LETTERS.get(letters) or PLACE_LETTERS.get(bare) or bare


_NAMES = ("name", "legal_name", "contact_name")
_PLACES = ("region", "city", "district")
_SAID = (*_NAMES, *_PLACES, "address")


def _folded(column: str) -> str:
    return rf"regexp_replace({column}, '[\s\x00]+', ' ', 'g')"


def _each(columns: tuple[str, ...], source: str) -> str:
    return " union ".join(
        f"select distinct {c} as text from {source} where {c} is not null" for c in columns
    )


def read_texts(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Read the texts of the relation `source` into temp tables.

    matching_said: the rows with plain names, places and address (null where they say nothing).
    matching_company, matching_person (text plain, its parts), matching_address,
    matching_place (text plain, place), matching_phone (text as it came, phone E.164).
    """
    texts = " union ".join(
        f"select {_folded(c)} as text from {source} where {c} is not null" for c in _SAID
    )
    _put(con, "matching_plain", texts, {"plain": _STRING}, lambda t: [plain(t)])
    nobody = ", ".join(literal(n) for n in sorted(NOBODY))
    new = ", ".join(
        f"(case when trim({c}_p.plain) not in ('', {nobody}) then trim({c}_p.plain) end) as {c}"
        for c in _SAID
    )
    joins = " ".join(
        f"left join matching_plain {c}_p on {c}_p.text = {_folded(f's.{c}')}" for c in _SAID
    )
    con.execute(
        f"create or replace temp table matching_said as "
        f"select s.* replace ({new}) from {source} s {joins}"
    )
    names = _each(_NAMES, "matching_said")
    parts: dict[str, Any] = dict.fromkeys(companies.Company._fields, _STRING)
    _put(con, "matching_company", names, parts | {"formal": pa.bool_()}, _companies)
    parts = dict.fromkeys(persons.Person._fields, _STRING)
    parts |= {"keys": pa.list_(_STRING), "is_name": pa.bool_()}
    _put(con, "matching_person", names, parts, _persons)
    lists: dict[str, Any] = dict.fromkeys(addresses.Address._fields, pa.list_(_STRING))
    _put(con, "matching_address", _each(("address",), "matching_said"), lists, _addresses)
    where = _each(_PLACES, "matching_said")
    _put(con, "matching_place", where, {"place": _STRING}, lambda t: [[place(x) for x in t]])
    _put(
        con, "matching_phone", phones.foreign_sql("matching_said"), {"phone": _STRING}, phones.read
    )
