"""How many use a value, and which rows must be looked at again because that moved."""

from __future__ import annotations

import duckdb

from warehouse.matching import keys

_AFFECTED = (
    "(select v.* from identity.party_values v "
    "semi join matching_affected f on f.scheme = v.scheme and f.value = v.value)"
)


def note_values(con: duckdb.DuckDBPyConnection, changed: str, *, first: bool) -> None:
    """Note the values that the changed rows hold: once before and once after they are read."""
    head = "create or replace temp table matching_affected as" if first else (
        "insert into matching_affected"
    )  # fmt: skip
    con.execute(
        f"{head} select distinct scheme, value from identity.party_values "
        f"where id in (select id from {changed})"
    )


def count_all(con: duckdb.DuckDBPyConnection) -> None:
    """Count every value anew; every row is dirty."""
    con.execute("delete from identity.party_stats")
    con.execute(f"insert into identity.party_stats {keys.stats_sql('identity.party_values')}")
    con.execute("create or replace temp table matching_dirty as select id from identity.party_rows")


def count_again(con: duckdb.DuckDBPyConnection, changed: str) -> None:
    """Count the affected values anew; leaves `matching_dirty (id)`.

    Dirty are the changed rows and those that hold a value whose counts moved a step: all that a
    pair is judged by are its two rows and the steps of the values that they share.
    """
    con.execute(
        "create or replace temp table matching_was as select s.* from identity.party_stats s "
        "semi join matching_affected f on f.scheme = s.scheme and f.value = s.value"
    )
    con.execute(f"create or replace temp table matching_is as {keys.stats_sql(_AFFECTED)}")
    con.execute(
        "create or replace temp table matching_steps as select scheme, value from ("
        "(from matching_was except from matching_is) union all "
        "(from matching_is except from matching_was)) group by all"
    )
    con.execute(
        "delete from identity.party_stats s using matching_affected f "
        "where f.scheme = s.scheme and f.value = s.value"
    )
    con.execute("insert into identity.party_stats from matching_is")
    con.execute(
        "create or replace temp table matching_dirty as "
        f"select id from {changed} union select v.id from identity.party_values v "
        "semi join matching_steps s on s.scheme = v.scheme and s.value = v.value"
    )
