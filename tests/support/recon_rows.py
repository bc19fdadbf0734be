"""A store made by hand whose systems are reconciled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from source_rows import MOMENT, Loader

from warehouse import roles
from warehouse.explained import Said
from warehouse.home import Home
from warehouse.recon_rules import Settings
from warehouse.reconcile import Reconciled, reconcile
from warehouse.store import Store, open_store
from warehouse.unify import unify

LATER = MOMENT + timedelta(days=30)
"""When every transit window of what happened at MOMENT is over."""
ROLE = {"shop": "shop", "erp": "erp", "oms": "oms", "wms": "wms", "gate": "gateway",
        "bank": "bank", "carrier": "carrier"}  # fmt: skip
Row = Mapping[str, Any]


def order(key: str, total: Any = 100, claims: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an order of one line, numbered T<key>, or without a platform's number of its own."""
    lines = [{"key": "1", "sku": "A", "quantity": total, "gross": total}]
    return {"key": key, "number": f"T{key}", "platform_order_no": claims, "currency": "CNY",
            "total": total, "placed_at": MOMENT, "status": "confirmed", "lines": lines,
            **more}  # fmt: skip


def paid(key: str, number: str | None, amount: Any = 100, **more: Any) -> dict[str, Any]:
    """Return a movement at a gateway that names an order's number."""
    return {"key": key, "kind": "payment", "status": "succeeded", "amount": amount,
            "currency": "CNY", "merchant_order_no": number, "paid_at": MOMENT,
            "provider": "pay", "provider_transaction_id": f"tx-of-{key}", **more}  # fmt: skip


class Company:
    """Systems, each a connection of its role's name (or what `roles` says), in one store."""

    def __init__(self, store: Store, home: Home, roles_: Mapping[str, str] = ROLE) -> None:
        self.store, self.home = store, home
        self.load = Loader(store.con)
        self.roles = dict(roles_)
        self.said: dict[tuple[str, str], Said] = {}

    def put(self, connection: str, entity: str, *rows: Row) -> None:
        """Load rows of an entity."""
        self.load.put(entity, rows, connection=connection)

    def run(self, now: datetime = LATER, settings: Settings | None = None) -> Reconciled:
        """Unify and reconcile."""
        unify(self.store, now=now)
        streams = self.store.con.execute(
            "SELECT DISTINCT connection, stream FROM ops.batches"
        ).fetchall()
        roles.write(self.store, [(c, s, self.roles[c]) for c, s in streams if self.roles.get(c)])
        return reconcile(self.store, now=now, settings=settings, said=self.said)

    def breaks(self, *columns: str, where: str = "status <> 'resolved'") -> list[tuple[Any, ...]]:
        """Return columns of the breaks that stand, by rule and subject."""
        said = ", ".join(columns or ("rule", "left_number", "right_number"))
        sql = f"SELECT {said} FROM recon.breaks WHERE {where} ORDER BY rule, subject"
        return self.store.con.execute(sql).fetchall()


@contextmanager
def company(folder: Path, roles_: Mapping[str, str] = ROLE) -> Iterator[Company]:
    """Open a company in a store of its own."""
    home = Home(folder).make()
    with open_store(home) as store:
        yield Company(store, home, roles_)


def rules(found: Iterable[tuple[Any, ...]]) -> list[str]:
    """Return the rules of breaks."""
    return [row[0] for row in found]


def found(firm: Company, rule: str, *columns: str) -> list[tuple[object, ...]]:
    """Run, and return what a rule found."""
    firm.run()
    return firm.breaks(*(columns or ("left_number",)), where=f"rule = '{rule}'")
