"""Stock as Tryton itself counts it: a product's quantity at one storage location.

Tryton keeps no table of stock. `quantity` of a product is computed for the locations that the
context names, and is 0.0 without them, silently (seen on 8.2.1). Each location is asked for by
itself and without its children, so that the sum over locations doubles nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from connectors.base import Page, ReadRequest
from connectors.tryton.api import Api
from connectors.tryton.catalogue import Source
from connectors.tryton.wire import day, last_of

_NEVER_ZERO = ["OR", ["quantity", "!=", 0], ["forecast_quantity", "!=", 0]]
_PLACE = ("code", "name", "type", "active", "parent.name")
_MOST = 5000


@dataclass(frozen=True, slots=True)
class StockReading:
    """One read of all stock. A record is a product with the `location` that it was counted at.

    `quantity` is what lies there today, `available` the same less what is assigned to shipments
    that have not left, `forecast_quantity` what will lie there after all planned moves. Where a
    warehouse keeps its goods, products are there with 0, too; elsewhere only those with a quantity.
    """

    api: Api
    source: Source
    request: ReadRequest
    rows: int

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last says that the scan is complete."""
        wanted, company = self.request.limit, self.api.keep_to_company(self.request)
        for place, keeps_goods in self._places():
            for records in self._at(place, keeps_goods):
                keys = [f"{place['id']}/{record['id']}" for record in records]
                if self.request.mode == "sweep":
                    yield Page([], keys, self.request.bookmark or {}, kind="keys")
                    continue
                whole = [msgspec.json.encode(record) for record in records]
                yield Page(whole[:wanted], keys[:wanted], company)
                if wanted is not None:
                    return
        if wanted is None:
            sweep = self.request.mode == "sweep"
            bookmark = (self.request.bookmark or {}) if sweep else company
            yield Page([], [], bookmark, kind="keys" if sweep else "records", complete=True)

    def _places(self) -> list[tuple[dict[str, Any], bool]]:
        """Return the storage locations, each with whether a warehouse keeps its goods there."""
        found, after = list[dict[str, Any]](), 0
        fields = [*_PLACE, "storage_location"]
        kinds = ["type", "in", ["storage", "warehouse"]]
        while page := self.api.read("stock.location", [kinds, ["id", ">", after]], fields, _MOST):
            found += page
            after = last_of([one.get("id") for one in page], after, "stock.location")
        main = {place["storage_location"] for place in found if place["type"] == "warehouse"}
        return [
            ({n: v for n, v in place.items() if n != "storage_location"}, place["id"] in main)
            for place in found
            if place["type"] == "storage"
        ]

    def _at(self, place: dict[str, Any], keeps_goods: bool) -> Iterator[list[dict[str, Any]]]:
        # The last day there is: the server puts its own today in its place for `quantity`, so that
        # no time zone is guessed here, and counts all planned moves in `forecast_quantity`.
        where = {
            "locations": [place["id"]], "with_childs": False, "stock_date_end": day(date.max),
        }  # fmt: skip
        domain = [*self.source.domain, *([] if keeps_goods else [_NEVER_ZERO])]
        model, size, after = self.source.model, self.rows, 0
        if self.request.limit is not None:
            size = min(size, self.request.limit)
        while found := self.api.read(
            model, [*domain, ["id", ">", after]], self.source.fields, size, where
        ):
            after = last_of([record.get("id") for record in found], after, model)
            ids = [record["id"] for record in found]
            free = {
                record["id"]: record["quantity"]
                for record in self.api.read_ids(
                    model, ids, ["quantity"], {**where, "stock_assign": True}
                )
            }
            yield [
                {**record, "available": free.get(record["id"]), "location": place}
                for record in found
            ]
