"""The connector `sql`: tables and queries of any database, declared in YAML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel

from connectors.base import (
    ChangedSince,
    Changes,
    Connector,
    Context,
    Countable,
    Counted,
    Finding,
    Growing,
    Page,
    ReadRequest,
    Snapshot,
    Span,
    Stream,
)
from connectors.changes import zone_of
from connectors.named import stream_of
from connectors.redact import Redactor
from connectors.sql.settings import SqlSettings
from connectors.sql.streams import StreamSettings
from connectors.values import resolve

if TYPE_CHECKING:
    from connectors.sql.address import Target
    from connectors.sql.reading import Session
    from connectors.sql.statements import Source


class SqlConnector(Connector):
    """Reads tables, views and queries over SQLAlchemy, in sessions that only read.

    The bookmark is `{"stamp"}` or `{"number"}`, and `{"resume"}` while a read is under way: rows
    come in the order of (stamp, key), or of the key in a full read, so an interrupted one goes on.
    """

    name: ClassVar[str] = "sql"
    title: ClassVar[str] = "Database over SQLAlchemy, tables and queries declared in YAML"
    Settings: ClassVar[type[BaseModel]] = SqlSettings
    settings: SqlSettings

    def __init__(self, settings: SqlSettings, context: Context) -> None:
        super().__init__(settings, context)
        self.redactor = Redactor()

    def streams(self) -> Mapping[str, Stream]:
        """Return the streams that the settings declare."""
        return {
            name: Stream(
                name=name,
                key=spec.key,
                changes=_changes(spec),
                title=spec.title,
                stable_order=True,
                can_sweep=True,
                deletes=("full", "sweep"),
            )
            for name, spec in self.settings.streams.items()
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only ConnectorError."""
        from connectors.sql.reading import Reading

        stats, zone = self.context.stats, zone_of(self.context.timezone)
        with self._source(request.stream) as (session, source, spec):
            reading = Reading(session, source, spec, request, self.context.now(), zone, stats)
            for page in reading.pages():
                yield self.redactor.page(page)

    def countable(self, stream: str) -> Countable:
        """Say how the stream's rows can be counted: the stamp's form is looked up."""
        from connectors.sql import counting

        with self._source(stream) as (session, source, spec):
            return counting.countable(session, source, spec, zone_of(self.context.timezone))

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield count and sum of each span, by one statement for a hundred of them."""
        from connectors.sql import counting

        with self._source(stream) as (session, source, spec):
            zone = zone_of(self.context.timezone)
            yield from counting.measure(session, source, spec, zone, spans, member)

    @contextmanager
    def _source(self, stream: str) -> Iterator[tuple[Session, Source, StreamSettings]]:
        """Open what a stream reads; whatever the driver says comes out as one of our errors."""
        from connectors.sql.faults import told
        from connectors.sql.source import find_source

        spec = self.stream_settings(stream)
        with (
            self.redactor.cleaned(),
            told(stream, is_query=spec.query is not None),
            self.session() as session,
        ):
            with session.watch.limit():
                source = find_source(
                    session.connection, spec, session.database, self.settings.schema_
                )
            yield session, source, spec

    def check(self) -> Iterator[Finding]:
        """Reach the database and say what of it may be read and what does not fit."""
        from connectors.sql.check import check

        yield from map(self.redactor.finding, check(self))

    def stream_settings(self, name: str) -> StreamSettings:
        """Return a stream's settings; raises ConfigError with the name that may be meant."""
        return stream_of(self.settings.streams, name)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a connection whose one transaction only reads, and close it."""
        from connectors.sql.engine import Options, Watch, make_engine
        from connectors.sql.reading import Session

        settings = self.settings
        target, password = self.target()
        options = Options(
            password=password,
            encoding=settings.encoding,
            timezone=self.context.timezone,
            timeout=settings.timeout.total_seconds(),
            connect_timeout=settings.connect_timeout.total_seconds(),
            isolation=settings.isolation,
        )
        watch = Watch(options.timeout)
        engine = make_engine(target, options, watch)
        self.context.stats.requests += 1
        with engine.connect() as connection:
            try:
                yield Session(
                    connection, watch, target.kind.name,
                    settings.rows, settings.bytes, settings.encoding,
                )  # fmt: skip
            except BaseException:  # also GeneratorExit: a read that is left under way
                connection.invalidate()  # it may be in the midst of an answer: no ROLLBACK is sent
                raise

    def target(self) -> tuple[Target, str | None]:
        """Return where the connection leads, judged, and the password; resolves the secrets."""
        from connectors.sql.address import locate, read_url

        settings, secret = self.settings, self.context.secret
        text = resolve(settings.url, secret)
        if text != settings.url:
            self.redactor.add(text)
        url = read_url(text)
        password = url.password if isinstance(url.password, str) else None
        if settings.password is not None:
            password = resolve(settings.password, secret)
        if password:
            self.redactor.add(password)
        folder = settings.folder
        if folder is not None:
            folder = resolve(folder, secret)
        target = locate(
            url, allow_private=settings.allow_private, folder=folder, base=self.context.base,
            seconds=settings.connect_timeout.total_seconds(),
        )  # fmt: skip
        return target, password


def _changes(spec: StreamSettings) -> Changes:
    changes = spec.changes
    if changes is None:
        return Snapshot()
    if changes.since:
        return ChangedSince(", ".join(changes.since), "", changes.lookback, changes.lag)
    return Growing(changes.number or changes.rowversion or "", changes.behind)
