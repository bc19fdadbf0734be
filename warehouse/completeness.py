"""The table ops.completeness: what the newest check of each stream found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from warehouse import bounds, ops_tables, temptables
from warehouse.bounds import sparing
from warehouse.ddl import columns_of, literal
from warehouse.store import Store


def replace(store: Store, connection: str, stream: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows of one stream's check in place of those of the check before.

    Members are the columns of the table, but for connection and stream; a missing one is null.
    """
    table = ops_tables.COMPLETENESS
    kinds = {field.name: field.sql_type for field in table.fields}
    place = f"connection = {literal(connection)} and stream = {literal(stream)}"
    whole = ({**row, "connection": connection, "stream": stream} for row in rows)
    with sparing(store):
        temptables.fill(
            store.con, "checked", kinds, ([_plain(row.get(n)) for n in kinds] for row in whole)
        )
        with bounds.transaction(store) as con:
            con.execute(f"delete from {table.full} where {place}")
            names = columns_of(table.names)
            con.execute(f"insert into {table.full} ({names}) select {names} from checked")
        store.con.execute("drop table checked")
        bounds.checkpoint(store)


def _plain(value: Any) -> Any:
    """Return a value as JSON takes it: numbers exactly, instants as ISO-8601."""
    if value is None or isinstance(value, int | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
