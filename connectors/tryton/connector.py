"""The connector `tryton`: parties, products, stock, orders, shipments, invoices, payments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    ChangedSince,
    Changes,
    Countable,
    Counted,
    Finding,
    KeySweep,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Span,
    Stream,
)
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.tryton.catalogue import STREAMS
from connectors.tryton.settings import TrytonSettings

if TYPE_CHECKING:
    from connectors.tryton.api import Api

STOCK = "stock"


class TrytonConnector(Remote["Api"]):
    """Reads a Tryton database over JSON-RPC (user and password) or REST (key).

    The bookmark is `{"stamp"}`, and `{"resume"}` while a read is under way: records come in the
    order of their ids, so an interrupted one goes on. Stock is read whole every time. `{"company"}`
    is whose records were read.
    """

    name: ClassVar[str] = "tryton"
    title: ClassVar[str] = "Tryton ERP, over JSON-RPC or REST"
    roles: ClassVar[tuple[Role, ...]] = ("erp",)
    Settings: ClassVar[type[BaseModel]] = TrytonSettings
    settings: TrytonSettings

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
            reading: Reading | StockReading
            if request.stream == STOCK:
                reading = StockReading(self.api(), source, request, rows)
            else:
                reading = Reading(
                    self.api(), source, request, self._since(), rows, self.context.now()
                )
            yield from self.handed(reading.pages())

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted; stock is a sum, its keys are listed."""
        from connectors.tryton.counting import countable

        return super().countable(stream) if stream == STOCK else countable()

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the count of each span."""
        from connectors.tryton.counting import measure

        with self.redactor.cleaned(stream):
            yield from measure(self.api(), STREAMS[stream], spans)

    def check(self) -> Iterator[Finding]:
        """Reach the server and say who we are there and what may be read."""
        from connectors.tryton.check import check

        yield from map(self.redactor.finding, check(self))

    def make_api(self) -> Api:
        """Return what calls the server; resolves secrets."""
        from connectors.tryton.api import Api

        return Api(self.settings, self.context, self.redactor)

    def _changes(self, name: str) -> Changes:
        return Snapshot() if name == STOCK else KeySweep(self._since())

    def _since(self) -> ChangedSince:
        return ChangedSince("write_date", "", self.settings.lookback, self.settings.lag)
