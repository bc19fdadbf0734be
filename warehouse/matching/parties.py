"""Decides which rows of parties are one customer, supplier or person."""

from __future__ import annotations

import duckdb

from warehouse.matching import components, keys, links, pairs, rows, shared
from warehouse.matching.rulings import Rulings
from warehouse.matching.tables import create
from warehouse.temptables import fill

_NONE = Rulings()


def group_parties(
    con: duckdb.DuckDBPyConnection,
    rows: str,
    rulings: Rulings = _NONE,
    *,
    changed: str | None = None,
) -> None:
    """Bring `identity.links` and `ops.suggestions` of parties up to the relation `rows`.

    `rows` has one row a source row: its identity, `is_alive`, what it says. `changed` is a relation
    with a column `id`: the rows that are new, changed or gone since the last call; None looks at
    everything anew, with the same result. Leaves the temp table `matching_moved (id, was, now)`:
    the rows whose golden id is another, `was` null for new ones, `now` null for gone ones.
    """
    create(con)
    if changed is None:
        _read_all(con, rows)
    else:
        _read_changed(con, rows, changed)
    whole = changed is None
    _take_rulings(con, rulings)
    _pair(con, whole=whole)
    components.touch(con, whole=whole)
    components.regroup(con)
    links.write(con, whole=whole)


def _read_all(con: duckdb.DuckDBPyConnection, source: str) -> None:
    rows.load_rows(con, source, None)
    keys.load_values(con, None)
    shared.count_all(con)


def _read_changed(con: duckdb.DuckDBPyConnection, source: str, changed: str) -> None:
    con.execute(
        f"create or replace temp table matching_changed as select distinct id from {changed}"
    )
    shared.note_values(con, "matching_changed", first=True)
    rows.load_rows(con, source, "matching_changed")
    keys.load_values(con, "matching_changed")
    shared.note_values(con, "matching_changed", first=False)
    shared.count_again(con, "matching_changed")


def _take_rulings(con: duckdb.DuckDBPyConnection, rulings: Rulings) -> None:
    """Keep the rulings; leaves `matching_ruled (id)`: rows whose rulings are others than before."""
    said = [(*sorted(pair), True) for pair in rulings.same if pair[0] != pair[1]]
    said += [(*sorted(pair), False) for pair in rulings.apart if pair[0] != pair[1]]
    fill(
        con,
        "matching_said_rulings",
        {"a": "UUID", "b": "UUID", "same": "BOOLEAN"},
        ((str(a), str(b), "true" if same else "false") for a, b, same in dict.fromkeys(said)),
    )
    con.execute("""
        create or replace temp table matching_ruled as
        select distinct unnest([a, b]) as id from (
            (from identity.party_rulings except from matching_said_rulings) union all
            (from matching_said_rulings except from identity.party_rulings))
    """)
    con.execute("delete from identity.party_rulings")
    con.execute("insert into identity.party_rulings from matching_said_rulings")


def _pair(con: duckdb.DuckDBPyConnection, *, whole: bool) -> None:
    """Judge every pair with a dirty row anew; leaves `matching_partners (id)` of the old ones."""
    if whole:
        con.execute("delete from identity.party_pairs")
    else:
        con.execute("""
            create or replace temp table matching_partners as
            select distinct unnest([a, b]) as id from identity.party_pairs
            where a in (select id from matching_dirty) or b in (select id from matching_dirty)
        """)
        con.execute(
            "delete from identity.party_pairs where a in (select id from matching_dirty) "
            "or b in (select id from matching_dirty)"
        )
    pairs.find(con, whole=whole)
    pairs.weigh(con)
    pairs.write(con)
