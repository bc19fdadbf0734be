"""The connector `jushuitan`: goods, stock, orders, shipments, after-sales and purchasing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    Changes,
    Countable,
    Counted,
    Feed,
    Finding,
    KeySweep,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Span,
    Stream,
)
from connectors.jushuitan.catalogue import STREAMS, WAREHOUSE, Source
from connectors.jushuitan.settings import JushuitanSettings
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.whose import keep_to

if TYPE_CHECKING:
    from connectors.jushuitan.api import Api


class JushuitanConnector(Remote["Api"]):
    """Reads 聚水潭 over its open platform V2, each request a signed form.

    Records are as the system wrote them; stock has one member more, the warehouse asked for.
    """

    name: ClassVar[str] = "jushuitan"
    title: ClassVar[str] = "聚水潭 (Jushuitan OMS), over its open platform V2"
    roles: ClassVar[tuple[Role, ...]] = ("oms",)
    Settings: ClassVar[type[BaseModel]] = JushuitanSettings
    settings: JushuitanSettings

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams but for those of `skip:`."""
        return {
            name: Stream(
                name=name,
                key=(WAREHOUSE, source.key) if source.by_warehouse else (source.key,),
                changes=self._changes(source),
                title=source.title,
                stable_order=source.how != "list",
                can_sweep=source.sweeps,
                deletes=("full", "sweep") if source.sweeps else (),
            )
            for name, source in STREAMS.items()
            if name not in self.settings.skip
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        stream_of(self.streams(), request.stream)
        with self.redactor.cleaned(request.stream):
            whose = self.api().whose
            request = keep_to(request, whose, "app_key:")
            moves = request.mode != "sweep" and request.limit is None
            yield from self.handed(self._pages(request), whose if moves else None)

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted."""
        from connectors.jushuitan.counting import countable

        return countable(STREAMS[stream])

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the count of each span."""
        from connectors.jushuitan.counting import measure

        with self.redactor.cleaned(stream):
            yield from measure(self.api(), STREAMS[stream], self.settings, spans)

    def check(self) -> Iterator[Finding]:
        """Reach the system: whether the app is let in, what may be read, how the clocks are."""
        from connectors.jushuitan.check import check

        yield from map(self.redactor.finding, check(self))

    def make_api(self) -> Api:
        """Return what calls the system; resolves secrets."""
        from connectors.jushuitan.api import Api

        return Api(self.settings, self.context, self.redactor)

    def _pages(self, request: ReadRequest) -> Iterator[Page]:
        from connectors.jushuitan.cursor import Cursor
        from connectors.jushuitan.lists import Listed
        from connectors.jushuitan.windows import Windows

        source = STREAMS[request.stream]
        if source.how == "cursor":
            return Cursor(self.api(), source, self.settings, request).pages()
        if source.how == "windows":
            return Windows(self.api(), source, self.settings, request).pages()
        return Listed(self.api(), source, request).pages()

    def _changes(self, source: Source) -> Changes:
        if source.how == "list":
            return Snapshot()
        if source.how == "cursor":
            return Feed("the row number ts", self.settings.lookback)
        since = self.settings.changed_since()
        return KeySweep(since) if source.sweeps else since
