"""Parties as published, for the commands that tell of them: masked, by the ids of records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pipelines.cli.query import current
from pipelines.cli.session import workspace

if TYPE_CHECKING:
    from uuid import UUID

TOLD = ("name", "legal_name", "uscc", "tax_number", "phone", "email", "contact_name", "city",
        "address")  # fmt: skip
"""Fields that a person compares, as published."""


def rows(sql: str) -> list[dict[str, Any]]:
    """Return the answer of the published file."""
    from warehouse import reader

    result = reader.run_query(current(workspace().home), sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def ids_sql(ids: Iterable[UUID | str]) -> str:
    """Return the SQL list of `ids`."""
    from warehouse.ddl import literal

    return "(" + ", ".join(f"{literal(i)}::uuid" for i in sorted(map(str, ids))) + ")"


def records(ids: Iterable[UUID | str]) -> dict[str, dict[str, Any]]:
    """Return the living records that found `ids`, by these: key, party and fields as published."""
    wanted = sorted(set(map(str, ids)))
    if not wanted:
        return {}
    fields = ", ".join(f"p.{name}" for name in TOLD)
    found = rows(
        "select x.own_id, x.golden_id as party_id, x.connection, x.stream, x.source_key, "
        f"{fields} from (select * from unified.xref where entity = 'party' and own_id in "
        f"{ids_sql(wanted)}) x left join source.parties p using (connection, stream, source_key)"
    )
    return {str(r["own_id"]): {n: _plain(v) for n, v in r.items()} for r in found}


def name_of(record: dict[str, Any] | None, id: object) -> str:
    """Return what a record is called: `connection/stream/key` as published, else its id."""
    if record is None:
        return str(id)
    return f"{record['connection']}/{record['stream']}/{record['source_key']}"


def _plain(value: Any) -> Any:
    from uuid import UUID

    return str(value) if isinstance(value, UUID) else value
