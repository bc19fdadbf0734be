"""The connector `tryton`: parties, products, stock, orders, shipments, invoices, payments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    ChangedSince,
    Changes,
    Connector,
    Context,
    Finding,
    KeySweep,
    Page,
    ReadRequest,
    Snapshot,
    Stream,
)
from connectors.named import stream_of
from connectors.redact import Redactor
from connectors.site import tls_remarks
from connectors.tryton.catalogue import STREAMS
from connectors.tryton.settings import TrytonSettings

if TYPE_CHECKING:
    from connectors.tryton.api import Api

STOCK = "stock"


class TrytonConnector(Connector):
    """Reads a Tryton database over JSON-RPC (user and password) or REST (key).

    The bookmark is `{"stamp"}`, and `{"resume"}` while a read is under way: records come in the
    order of their ids, so an interrupted one goes on. Stock is read whole every time. `{"company"}`
    is whose records were read.
    """

    name: ClassVar[str] = "tryton"
    title: ClassVar[str] = "Tryton ERP, over JSON-RPC or REST"
    Settings: ClassVar[type[BaseModel]] = TrytonSettings
    settings: TrytonSettings

    def __init__(self, settings: TrytonSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.redactor = Redactor()
        self._api: Api | None = None

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams but for those of `skip:`."""
        return {
            name: Stream(
                name=name,
                key=("location.id", "id") if name == STOCK else ("id",),
                changes=self._changes(name),
                title=source.title,
                stable_order=name != STOCK,
                can_sweep=True,
                deletes=("full", "sweep"),
            )
            for name, source in STREAMS.items()
            if name not in self.settings.skip
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.tryton.reading import Reading
        from connectors.tryton.stock import StockReading

        stream_of(self.streams(), request.stream)
        source, rows = STREAMS[request.stream], self.settings.rows
        with self.redactor.cleaned(request.stream):
            notes = tls_remarks(self.settings.tls)
            reading: Reading | StockReading
            if request.stream == STOCK:
                reading = StockReading(self.api(), source, request, rows)
            else:
                reading = Reading(
                    self.api(), source, request, self._since(), rows, self.context.now()
                )
            for page in reading.pages():
                yield self.redactor.page(replace(page, warnings=(*notes, *page.warnings)))
                notes = ()

    def check(self) -> Iterator[Finding]:
        """Reach the server and say who we are there and what may be read."""
        from connectors.tryton.check import check

        yield from map(self.redactor.finding, check(self))

    def close(self) -> None:
        """End the session and close the connections."""
        api, self._api = self._api, None
        if api is not None:
            api.close()

    def api(self) -> Api:
        """Return what calls the server; resolves secrets."""
        from connectors.tryton.api import Api

        if self._api is None:
            self._api = Api(self.settings, self.context, self.redactor)
        return self._api

    def _changes(self, name: str) -> Changes:
        return Snapshot() if name == STOCK else KeySweep(self._since())

    def _since(self) -> ChangedSince:
        return ChangedSince("write_date", "", self.settings.lookback, self.settings.lag)
