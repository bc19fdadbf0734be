"""The connector `rest`: streams declared in YAML, read over the one HTTP client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    Connector,
    Context,
    Countable,
    Counted,
    Feed,
    Finding,
    Mode,
    Page,
    ReadRequest,
    Snapshot,
    Span,
    Stream,
)
from connectors.changes import zone_of
from connectors.named import stream_of
from connectors.redact import Redactor
from connectors.rest.settings import RestSettings
from connectors.rest.streams import StreamSettings
from connectors.rest.styles import make_changes, make_paging
from connectors.site import tls_remarks

if TYPE_CHECKING:
    from connectors.http import HttpClient
    from connectors.rest.asking import Asker


class RestConnector(Connector):
    """Reads any system that answers lists of JSON objects over HTTP."""

    name: ClassVar[str] = "rest"
    title: ClassVar[str] = "JSON over HTTP, streams declared in YAML"
    Settings: ClassVar[type[BaseModel]] = RestSettings

    def __init__(self, settings: RestSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.redactor = Redactor()
        self._client: HttpClient | None = None

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams that the settings declare."""
        found = {}
        for name, spec in self.settings.streams.items():
            found[name] = Stream(
                name=name,
                key=spec.key,
                changes=(
                    Feed("the list of changes") if spec.feed else make_changes(spec) or Snapshot()
                ),
                title=spec.title,
                stable_order=make_paging(spec).stable,
                can_sweep=spec.feed is None,
                deletes=_deletes(spec),
            )
        return found

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.rest.feed import FeedReading
        from connectors.rest.reading import Reading

        notes = list(tls_remarks(self.settings.tls))
        asker, feed = self.asker(request.stream), self.stream_settings(request.stream).feed
        reading: Reading | FeedReading = (
            Reading(asker, request, self.context.now(), notes)
            if feed is None
            else FeedReading(asker, feed, request, notes)
        )
        with self.redactor.cleaned():
            for page in reading.pages():
                yield self.redactor.page(page)

    def countable(self, stream: str) -> Countable:
        """Say how the stream can be counted: asks whether its total heeds the stamp."""
        from connectors.rest.counting import countable

        with self.redactor.cleaned():
            return countable(self.asker(stream), self.context.now())

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the count of each span, as the totals of reads from its edges on say."""
        from connectors.rest.counting import measure

        with self.redactor.cleaned():
            yield from measure(self.asker(stream), spans)

    def check(self) -> Iterator[Finding]:
        """Ask every stream for its first page and say what is readable and what does not fit."""
        from connectors.rest.check import check

        yield from map(self.redactor.finding, check(self))

    def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def stream_settings(self, name: str) -> StreamSettings:
        """Return a stream's settings; raises ConfigError with the name that may be meant."""
        streams: Mapping[str, StreamSettings] = self.settings.streams
        return stream_of(streams, name)

    def asker(self, name: str) -> Asker:
        """Return what asks for the pages of one stream; resolves secrets."""
        from connectors.rest.asking import make_asker
        from connectors.rest.client import make_client
        from connectors.site import secret_reader

        spec = self.stream_settings(name)
        if self._client is None:
            self._client = make_client(self.settings, self.context, self.redactor)
        secret = secret_reader(self.context, self.redactor)
        zone = zone_of(self.context.timezone)
        return make_asker(self.settings, spec, self._client, zone, secret)


def _deletes(spec: StreamSettings) -> tuple[Mode, ...]:
    if spec.feed is None:
        return ("full", "sweep")
    return ("changed",) if spec.feed.deleted else ()
