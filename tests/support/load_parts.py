"""Names that the tests of the loader share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from warehouse.load import LoadReport
from warehouse.store import Store

NOW = datetime(2026, 3, 2, tzinfo=UTC)
V1, V2, V3 = (f"2026-01-0{n}T00:00:00Z" for n in (1, 2, 3))


Load = Callable[..., LoadReport]


def rows(store: Store, what: str, sql: str = "") -> list[tuple]:
    return store.con.execute(f"select {what} from {sql or 'source.orders order by 1'}").fetchall()


def counts(report: LoadReport) -> dict[str, int]:
    names = ("inserted", "updated", "unchanged", "quarantined", "deleted", "refused")
    return {n: getattr(report, n) for n in names if getattr(report, n)}
