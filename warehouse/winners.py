"""The views `unified.<table>_from`: which connection's value stands, field by field of a thing.

They are computed from the published records and `xref` by the rules of `survive.py`, so that
nothing is stored twice. A document that carries out several orders is a part of none.
"""

from __future__ import annotations

from collections.abc import Iterator

from warehouse import ddl, survive
from warehouse.ddl import Field, Table, columns_of, literal, quote
from warehouse.matching.results import MERGED
from warehouse.model import ENTITIES, HEADERS
from warehouse.survive import Priority


def tables() -> Iterator[Table]:
    """Return the views as tables: the golden id, and `<field>_from` for each field of the model."""
    for entity in HEADERS:
        cls = ENTITIES[entity]
        fields = tuple(
            Field(
                f"{name}_from", "VARCHAR", f"{col.en}: from", f"{col.zh}的来源",
                "Connection whose value stands; null where nothing is known",
            )
            for name, col in cls.columns().items()
        )  # fmt: skip
        yield Table(
            "unified", f"{cls.table}_from", f"{cls.en}: which connection each value is from",
            f"{cls.zh}各字段的来源", (ddl.id_field(entity), *fields), entity,
        )  # fmt: skip


def select(entity: str, priority: Priority) -> str:
    """Return the SELECT of the view of the header `entity`."""
    own, names = quote(f"{entity}_id"), ddl.unified_table(entity).names
    found = survive.winners(entity, priority, names)
    said = ", ".join(f"{value} AS {quote(f'{name}_from')}" for name, value in found.items())
    ranked = survive.ranked(entity, members(entity, several=True), priority, names)
    alone = ", ".join(survive.alone(entity, names).values())
    return (
        f"SELECT {own}, {said} FROM ({ranked}) GROUP BY {own} "
        f"UNION ALL SELECT {own}, {alone} FROM {members(entity, several=False)}"
    )


def members(
    entity: str,
    records: str = "",
    named: str = "main.xref",
    also: tuple[str, ...] = (),
    *,
    several: bool | None = None,
) -> str:
    """Return the relation of the living members of things, as `survive.ranked` reads them.

    `records` has the columns of the source table and `named` those of `unified.xref`: as published
    by default. `also` are further columns of the records. `several` narrows to things that several
    records may tell of, or that one does: most are these, and need no ranking.
    """
    # Not the view `unified.xref`: its name is ambiguous in a file called unified.duckdb.
    table = ddl.source_table(entity)
    kept = [n for n in table.names if n in ddl.unified_table(entity).names]
    among = ""
    if several is not None:
        among = (
            f"{'SEMI' if several else 'ANTI'} JOIN (SELECT golden_id FROM {named} "
            f"WHERE entity = {literal(entity)} AND own_id <> golden_id) g USING (golden_id) "
        )
    things = (
        f"(SELECT * FROM {named} {among}WHERE entity = {literal(entity)} "
        f"AND rule IS DISTINCT FROM {literal(MERGED)})"
    )
    return (
        f"(SELECT x.golden_id AS {quote(f'{entity}_id')}, x.own_id, x.is_lead, "
        f"{columns_of((*kept, *also), 's')} FROM {things} x JOIN {records or table.full} s "
        "ON s.connection = x.connection AND s.stream = x.stream AND s.source_key = x.source_key "
        "WHERE NOT coalesce(s.is_deleted, false))"
    )
