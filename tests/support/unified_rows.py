"""What stands in `unified` of a store, table by table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warehouse import ddl
from warehouse.model import ENTITIES, HEADERS
from warehouse.store import Store


def unified_rows(store: Store) -> Mapping[str, list[tuple[Any, ...]]]:
    tables = [ENTITIES[e].table for e in ddl.families(*HEADERS)]
    names = [*tables, "xref", "forwardings", "order_documents", "payment_evidence"]
    rows = "SELECT COLUMNS(lambda c: c <> 'unify_run') FROM unified.{} ORDER BY ALL"
    return {n: store.con.execute(rows.format(n)).fetchall() for n in names}
