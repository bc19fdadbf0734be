"""The tables of the control database, and how instants stand in them."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class Instant(TypeDecorator[datetime]):
    """An aware instant; SQLite keeps no zone, so it is written in UTC and read back as such."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is written: UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return what is read: aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


schema = Table("schema_version", metadata, Column("number", Integer, primary_key=True))

leases = Table(
    "leases",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("stream", String(200), primary_key=True),
    Column("token", String(36), nullable=False),
    Column("run_id", String(64), nullable=False),
    Column("host", String(255), nullable=False),
    Column("boot", String(64), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", Float, nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("renewed_at", Instant, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False),
    Column("connection", String(64), nullable=False),
    Column("stream", String(200), nullable=False),
    Column("mode", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("counts", JSON, nullable=False),
    Column("error", JSON),
    Column("bookmark_before", JSON),
    Column("bookmark_after", JSON),
    Index("runs_by_stream", "connection", "stream", "id"),
    Index("runs_by_run", "run_id"),
)

publishes = Table(
    "publishes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("mark", String(200), nullable=False),
    Column("version", String(200), nullable=False),
    Column("error", JSON),
)

shelves = Table(
    "shelves",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("text", Text, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("sealed", LargeBinary),
    Column("turn", String(36)),
    Column("owner", Text),
    Column("until", Float),
)

asked = Table(
    "asked",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("stream", String(200), primary_key=True),
    Column("item", String(200), primary_key=True),
    Column("at", Instant, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("cause", String(400), primary_key=True),
    Column("severity", String(16), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("first_at", Instant, nullable=False),
    Column("last_at", Instant, nullable=False),
)

messages = Table(
    "alert_messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("address", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("cause", String(400), nullable=False),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("tried_at", Instant),
    Column("sent_at", Instant),
    Column("error", Text),
    Index("alert_messages_by_address", "address", "sent_at"),
)

pauses = Table(
    "pauses",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("until", Instant),
    Column("who", String(200), nullable=False),
    Column("why", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

shapes = Table(
    "shapes",
    metadata,
    Column("connection", String(64), primary_key=True),
    Column("stream", String(200), primary_key=True),
    Column("shape", JSON, nullable=False),
)
