"""What `isthmus check` says of a database: reachable, readable, and whether the settings fit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from connectors.base import Finding
from connectors.changes import zone_of
from connectors.clock import SKEW, clock_finding
from connectors.errors import ConnectorError
from connectors.sql import statements
from connectors.sql.faults import told
from connectors.sql.moves import whole_number
from connectors.sql.source import find_source, indexes, unique_keys
from connectors.sql.stamps import instant_of, stamps_like
from connectors.sql.statements import Source

if TYPE_CHECKING:
    from connectors.sql.connector import SqlConnector
    from connectors.sql.reading import Session
    from connectors.sql.streams import StreamSettings

WRITES = {
    "postgresql": "select has_table_privilege({name}, 'INSERT, UPDATE, DELETE, TRUNCATE')",
    "mssql": "select max(has_perms_by_name({name}, 'OBJECT', p)) from "
    "(values ('INSERT'), ('UPDATE'), ('DELETE')) as r(p)",
}
"""Whether the account may write to a table, where a database answers that in one line."""


def check(connector: SqlConnector) -> Iterator[Finding]:
    """Yield what was found; a stream that cannot be read does not hide the others."""
    try:
        with connector.redactor.cleaned(), told("connection"), connector.session() as session:
            yield _greeting(session)
            if (clock := _clock(connector, session)) is not None:
                yield clock
    except ConnectorError as error:
        yield Finding("connection", False, error.what, error.do)
        return
    for name, spec in connector.settings.streams.items():
        try:
            is_query = spec.query is not None
            with (
                connector.redactor.cleaned(),
                told(name, is_query=is_query),
                connector.session() as session,
            ):
                yield from _stream(connector, session, name, spec)
        except ConnectorError as error:
            yield Finding(name, False, error.what, error.do)


def _greeting(session: Session) -> Finding:
    dialect = session.connection.dialect
    version = ".".join(map(str, dialect.server_version_info or ()))
    only = {
        "sqlite": "the file is opened read-only",
        "mssql": "the session cannot be made read-only there: use an account that may only read",
    }.get(session.database, "the session is read-only")
    return Finding("connection", True, f"{dialect.name} {version}; {only}.")


def _clock(connector: SqlConnector, session: Session) -> Finding | None:
    select = statements.clock(session.database)
    if select is None:
        return None
    there = session.scalar(select)
    if not isinstance(there, datetime):
        return None
    there = there.astimezone(UTC) if there.tzinfo else there.replace(tzinfo=UTC)
    return clock_finding("The database's", there - connector.context.now())


def _stream(
    connector: SqlConnector, session: Session, name: str, spec: StreamSettings
) -> Iterator[Finding]:
    schema = spec.schema_ or connector.settings.schema_
    source = find_source(session.connection, spec, session.database, schema)
    with session.watch.limit():
        row = session.connection.execute(statements.rows(source, limit=1)).first()
    columns = ", ".join(column.name for column in source.columns)
    yield Finding(name, True, f"can be read; columns: {columns}")
    if row is None:
        yield Finding(name, None, "holds no row: key and stamps could not be checked.")
    if spec.table is not None:
        yield from _rights(session, name, spec.table, schema)
    yield from _key(session, name, spec, source, schema)
    if spec.changes is not None and row is not None:
        yield from _moving(connector, session, name, spec, source)
    if spec.table is not None and source.moving:
        leading = [columns[:1] for columns, _ in indexes(session.connection, spec.table, schema)]
        if [source.moving[0]] not in leading:
            yield Finding(
                name, None, f"no index begins with {source.moving[0]}: each run looks at all rows.",
                "ask for such an index if the table is large.",
            )  # fmt: skip


def _rights(session: Session, name: str, table: str, schema: str | None) -> Iterator[Finding]:
    asked = WRITES.get(session.database)
    if asked is None:
        return
    quote = session.connection.dialect.identifier_preparer
    full = f"{quote.quote_schema(schema)}.{quote.quote(table)}" if schema else quote.quote(table)
    select: Any = sa.text(asked.format(name=":name")).bindparams(name=full)
    if session.scalar(select):
        yield Finding(
            name, None, "the account may write to this table; nothing here ever does.",
            "use an account that has SELECT only.",
        )  # fmt: skip


def _key(
    session: Session, name: str, spec: StreamSettings, source: Source, schema: str | None
) -> Iterator[Finding]:
    said = "/".join(spec.key)
    if spec.table is not None:
        known = unique_keys(session.connection, spec.table, schema)
        if any(set(columns) <= set(spec.key) for columns in known):
            yield Finding(name, True, f"the key {said} is unique in the database.")
            return
    with session.watch.limit():
        twice = session.connection.execute(statements.repeated(source)).first()
    if twice is None:
        yield Finding(name, True, f"the key {said} is unique in the rows of now.")
    else:
        yield Finding(
            name, False, f"several rows carry the same key ({said}).",
            "name more columns under `key:`; of rows with one key the last one would win.",
        )  # fmt: skip


def _moving(
    connector: SqlConnector, session: Session, name: str, spec: StreamSettings, source: Source
) -> Iterator[Finding]:
    changes = spec.changes
    assert changes is not None  # noqa: S101
    said = ", ".join(source.moving)
    top = session.scalar(statements.greatest(source))
    if top is None:
        yield Finding(
            name, False, f"no row has a value in {said}.",
            "name the column that moves at every change.",
        )  # fmt: skip
        return
    if not changes.since:
        yield Finding(name, True, f"the greatest {said} is {whole_number(said, top)}.")
        return
    known = source.column(source.moving[0]).shape.name
    stamps = stamps_like(
        top, known, zone_of(connector.context.timezone), changes.format, source.database
    )
    newest, now = instant_of(top, stamps), connector.context.now()
    if newest is None:
        yield Finding(
            name, False, f"the greatest {said} reads as no time.",
            "choose another column, or write its form at changes.format.",
        )  # fmt: skip
    elif newest - now > SKEW:
        yield Finding(
            name, None, f"the greatest {said} lies ahead of our clock ({newest.date()}).",
            "check the connection's timezone and the database's clock.",
        )  # fmt: skip
    else:
        yield Finding(name, True, f"the newest {said} is {newest.isoformat(timespec='seconds')}.")
