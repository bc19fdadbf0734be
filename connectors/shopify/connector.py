"""The connector `shopify`: orders and all that hangs on them, products, stock and customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    OpenDocuments,
    Page,
    ReadRequest,
    Snapshot,
    Stream,
)
from connectors.errors import AuthError
from connectors.named import stream_of
from connectors.redact import Redactor
from connectors.shopify.catalogue import STREAMS, Source
from connectors.shopify.settings import ShopifySettings
from connectors.site import tls_remarks
from connectors.whose import MEMBER, keep_to

if TYPE_CHECKING:
    from connectors.shopify.api import Api


class ShopifyConnector(Connector):
    """Reads one shop over the Admin GraphQL API, in pages or by bulk operations."""

    name: ClassVar[str] = "shopify"
    title: ClassVar[str] = "Shopify: orders, fulfilments, money, returns, products and stock"
    Settings: ClassVar[type[BaseModel]] = ShopifySettings
    settings: ShopifySettings

    def __init__(self, settings: ShopifySettings, context: Context) -> None:
        super().__init__(settings, context)
        self.redactor = Redactor()
        self._api: Api | None = None

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
            notes = tls_remarks(self.settings.tls)
            reading = Reading(
                self.api(), STREAMS[request.stream], self.context, request, self._since()
            )
            for page in reading.pages():
                page = replace(
                    page,
                    bookmark={**page.bookmark, MEMBER: whose},
                    warnings=(*notes, *page.warnings),
                )
                yield self.redactor.page(page)
                notes = ()

    def check(self) -> Iterator[Finding]:
        """Reach the shop: which one it is, what the app may read and what comes empty."""
        from connectors.shopify.check import check

        yield from map(self.redactor.finding, check(self))

    def close(self) -> None:
        """Close the connections."""
        api, self._api = self._api, None
        if api is not None:
            api.close()

    def api(self) -> Api:
        """Return what calls the shop; resolves secrets."""
        from connectors.shopify.api import Api

        if self._api is None:
            self._api = Api(self.settings, self.context, self.redactor)
        return self._api

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
