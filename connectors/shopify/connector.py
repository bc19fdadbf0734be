"""The connector `shopify`: orders and all that hangs on them, products, stock and customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    ChangedSince,
    Changes,
    Countable,
    Counted,
    Finding,
    KeySweep,
    OpenDocuments,
    Page,
    ReadRequest,
    Role,
    Snapshot,
    Span,
    Stream,
)
from connectors.errors import AuthError
from connectors.named import stream_of
from connectors.remote import Remote
from connectors.shopify.catalogue import STREAMS, Source
from connectors.shopify.settings import ShopifySettings
from connectors.whose import keep_to

if TYPE_CHECKING:
    from connectors.shopify.api import Api


class ShopifyConnector(Remote["Api"]):
    """Reads one shop over the Admin GraphQL API, in pages or by bulk operations."""

    name: ClassVar[str] = "shopify"
    title: ClassVar[str] = "Shopify: orders, fulfilments, money, returns, products and stock"
    roles: ClassVar[tuple[Role, ...]] = ("shop",)
    Settings: ClassVar[type[BaseModel]] = ShopifySettings
    settings: ShopifySettings

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams but for those of `skip:`."""
        return {
            name: Stream(
                name=name,
                key=("id",),
                changes=self._changes(source),
                title=source.title,
                stable_order=source.ordered,
                can_sweep=True,
                deletes=("full", "sweep") if source.stamped else ("changed", "full", "sweep"),
            )
            for name, source in STREAMS.items()
            if name not in self.settings.skip
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.shopify.reading import Reading

        stream_of(self.streams(), request.stream)
        with self.clean(request.stream):
            whose = self.api().shop
            request = keep_to(request, whose, "base_url:")
            reading = Reading(
                self.api(), STREAMS[request.stream], self.context, request, self._since()
            )
            yield from self.handed(reading.pages(), whose)

    def countable(self, stream: str) -> Countable:
        """Say how a stream can be counted."""
        from connectors.shopify.counting import countable

        return countable(STREAMS[stream])

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the count of each span."""
        from connectors.shopify.counting import measure

        with self.clean(stream):
            yield from measure(self.api(), STREAMS[stream], spans)

    def check(self) -> Iterator[Finding]:
        """Reach the shop: which one it is, what the app may read and what comes empty."""
        from connectors.shopify.check import check

        yield from map(self.redactor.finding, check(self))

    def make_api(self) -> Api:
        """Return what calls the shop; resolves secrets."""
        from connectors.shopify.api import Api

        return Api(self.settings, self.context, self.redactor)

    @contextmanager
    def clean(self, place: str) -> Iterator[None]:
        """Take what is secret out of the errors of the block; say where a right is given."""
        with self.redactor.cleaned(place):
            try:
                yield
            except AuthError as error:
                if "lack the right" in error.what:
                    error.do = (
                        "give the app the scope that docs/shopify.md names, and approval for "
                        "protected customer data or personal: false; or name the stream at skip:."
                    )
                raise

    def _changes(self, source: Source) -> Changes:
        if not source.stamped:
            return Snapshot()
        since, settings = self._since(), self.settings
        is_again = source.rest is not None or source.beside is not None
        return KeySweep(OpenDocuments(since, settings.reread) if is_again else since)

    def _since(self) -> ChangedSince:
        return ChangedSince("updatedAt", "query", self.settings.lookback, self.settings.lag)
