"""The control database: leases, history of stream runs, what runs of a connection share.

SQLite unless a URL is given. It holds nothing that landing and store do not prove: lost, it is made
anew, and only the history of runs and the kept tokens are gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, delete, event, func, insert, select, update
from sqlalchemy.engine import Connection, Engine, RowMapping, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from tenacity import retry, retry_if_exception_message, stop_after_delay, wait_random

from connectors.errors import ConfigError, Unavailable
from pipelines.control_tables import leases, metadata, pauses, publishes, runs, schema, shapes
from pipelines.outcome import STRETCH
from warehouse.home import private_folder

BUSY_MS = 30_000
UPGRADING, WRITING = 714025, 714026
"""Numbers of PostgreSQL's advisory locks."""
UPGRADES: Sequence[Callable[[Connection], None]] = (metadata.create_all,) * 4
"""Numbered from 1; a released one is never changed, only followed by another."""

IS_GOOD = (runs.c.status == "ok", runs.c.mode != STRETCH)
"""Runs after which a stream is as new as its source."""


def damaged(file: str | Path) -> Unavailable:
    """Return the error of a SQLite file that is cut or changed."""
    return Unavailable(
        "the control database is damaged.",
        "delete it with its `-wal` and `-shm` and run again: it holds leases, the history of"
        " runs and kept tokens, which a sync fetches anew.",
        place=str(file),
    )


def _is_damage(error: DBAPIError) -> bool:
    """Say whether SQLite found its file cut or changed."""
    found = error.orig
    return isinstance(found, sqlite3.DatabaseError) and not isinstance(
        found, sqlite3.OperationalError | sqlite3.IntegrityError
    )


class Control:
    """The control database at `url`. Connects, and makes or upgrades the schema, at first use."""

    def __init__(self, url: str) -> None:
        self.url = url

    @cached_property
    def engine(self) -> Engine:
        """The engine, its schema being of this release."""
        engine = _engine(self.url)
        try:
            _upgrade(engine)
        except DBAPIError as error:
            shown = make_url(self.url).render_as_string(hide_password=True)
            if _is_damage(error):
                raise damaged(make_url(self.url).database or shown) from None
            raise Unavailable(
                f"the control database does not open ({type(error.orig).__name__}).",
                "check ISTHMUS_CONTROL_URL, the server and the rights of its user.",
                place=shown,
            ) from None
        return engine

    def close(self) -> None:
        """Give back the connections."""
        if "engine" in self.__dict__:
            self.engine.dispose()
            del self.__dict__["engine"]

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a connection to read; raises Unavailable where the database does not answer."""
        try:
            with self.engine.connect() as con:
                yield con
        except DBAPIError as error:
            raise self._told(error, "read") from None

    def _told(self, error: DBAPIError, what: str) -> Unavailable:
        if _is_damage(error):
            return damaged(make_url(self.url).database or "the control database")
        return Unavailable(
            f"the control database cannot be {what} ({error.orig}).",
            "check the rights and the space of its folder, or its server.",
        )

    @contextmanager
    def exclusive(self, *, synced: bool = False) -> Iterator[Connection]:
        """Open a transaction that writes: no other one of these does before it ends.

        `synced`: what is written outlives a power cut. Raises Unavailable where the database is
        locked, full or damaged; IntegrityError for a row that is there already.
        """
        try:
            with self.engine.begin() as con:
                if con.dialect.name == "sqlite":  # its driver opens no transaction by itself
                    con.exec_driver_sql(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
                    con.exec_driver_sql("BEGIN IMMEDIATE")
                elif con.dialect.name == "postgresql":  # rows that are not there cannot be locked
                    con.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITING})")
                yield con
        except IntegrityError:
            raise
        except DBAPIError as error:
            raise self._told(error, "written") from None

    def record_run(self, values: dict[str, Any]) -> None:
        """Append one run of one stream; the names are the columns of `runs`."""
        with self.engine.begin() as con:
            con.execute(insert(runs).values(**values))

    def record_publish(self, values: dict[str, Any]) -> None:
        """Append one unify and publish; the names are the columns of `publishes`."""
        with self.engine.begin() as con:
            con.execute(insert(publishes).values(**values))

    def last_publish(self, *, good: bool = True) -> RowMapping | None:
        """Return the newest publish, only one that went well unless told otherwise."""
        query = select(publishes).order_by(publishes.c.id.desc()).limit(1)
        if good:
            query = query.where(publishes.c.status == "ok")
        with self.engine.connect() as con:
            return con.execute(query).mappings().first()

    def failures_since_publish(self) -> int:
        """Return how many publishes failed since the last that went well."""
        with self.engine.connect() as con:
            good = con.execute(
                select(func.max(publishes.c.id)).where(publishes.c.status == "ok")
            ).scalar()
            return con.execute(
                select(func.count()).select_from(publishes).where(publishes.c.id > (good or 0))
            ).scalar_one()

    def runs_of(
        self, connection: str, stream: str | None = None, *, limit: int = 20
    ) -> Sequence[RowMapping]:
        """Return the newest runs of a connection, or of one of its streams, newest first."""
        query = select(runs).where(runs.c.connection == connection)
        if stream is not None:
            query = query.where(runs.c.stream == stream)
        with self.engine.connect() as con:
            return con.execute(query.order_by(runs.c.id.desc()).limit(limit)).mappings().all()

    def runs_in(self, run_id: str) -> Sequence[RowMapping]:
        """Return the stream runs of one run, in their order."""
        with self.engine.connect() as con:
            query = select(runs).where(runs.c.run_id == run_id).order_by(runs.c.id)
            return con.execute(query).mappings().all()

    def recent_runs(self, limit: int = 1000) -> Sequence[RowMapping]:
        """Return the newest runs of all streams, newest first: what `ops.runs` shows."""
        with self.engine.connect() as con:
            return (
                con.execute(select(runs).order_by(runs.c.id.desc()).limit(limit)).mappings().all()
            )

    def last_runs(self) -> dict[tuple[str, str], RowMapping]:
        """Return the newest run by (connection, stream)."""
        return self._newest(select(func.max(runs.c.id)).group_by(runs.c.connection, runs.c.stream))

    def last_successes(self) -> dict[tuple[str, str], RowMapping]:
        """Return the newest run that went well by (connection, stream)."""
        good = select(func.max(runs.c.id)).where(*IS_GOOD)
        return self._newest(good.group_by(runs.c.connection, runs.c.stream))

    def _newest(self, ids: Any) -> dict[tuple[str, str], RowMapping]:
        with self.engine.connect() as con:
            rows = con.execute(select(runs).where(runs.c.id.in_(ids))).mappings().all()
        return {(row["connection"], row["stream"]): row for row in rows}

    def forget_runs(self, before: datetime) -> int:
        """Delete the history before an instant, but for each stream's last success; the count."""
        kept = select(func.max(runs.c.id)).where(*IS_GOOD)
        kept = kept.group_by(runs.c.connection, runs.c.stream)
        with self.engine.begin() as con:
            gone = con.execute(delete(runs).where(runs.c.ended_at < before, runs.c.id.not_in(kept)))
            newest = select(func.max(publishes.c.id)).where(publishes.c.status == "ok")
            con.execute(
                delete(publishes).where(
                    publishes.c.ended_at < before, publishes.c.id.not_in(newest)
                )
            )
        return gone.rowcount

    def take_lease(self, values: dict[str, Any]) -> RowMapping | None:
        """Insert a lease; returns None when taken, else the row of its holder."""
        with suppress(IntegrityError), self.engine.begin() as con:
            con.execute(insert(leases).values(**values))
            return None
        with self.engine.connect() as con:
            query = select(leases).where(
                leases.c.connection == values["connection"], leases.c.stream == values["stream"]
            )
            held = con.execute(query).mappings().first()
        return held if held is not None else self.take_lease(values)

    def replace_lease(self, token: str, values: dict[str, Any]) -> bool:
        """Take over the lease `token`; False when another did so first."""
        with self.engine.begin() as con:
            done = con.execute(update(leases).where(leases.c.token == token).values(**values))
        return done.rowcount == 1

    def renew_lease(self, token: str, now: datetime) -> bool:
        """Say that the holder lives; False when the lease was taken over."""
        with self.engine.begin() as con:
            done = con.execute(update(leases).where(leases.c.token == token).values(renewed_at=now))
        return done.rowcount == 1

    def give_back(self, token: str) -> None:
        """Delete the lease `token`."""
        with self.engine.begin() as con:
            con.execute(delete(leases).where(leases.c.token == token))

    def shape(self, connection: str, stream: str) -> dict[str, Any] | None:
        """Return what is known of the records of a stream, None where nothing is."""
        mine = (shapes.c.connection == connection) & (shapes.c.stream == stream)
        with self.reading() as con:
            found: dict[str, Any] | None = con.execute(select(shapes.c.shape).where(mine)).scalar()
        return found

    def keep_shape(self, connection: str, stream: str, shape: dict[str, Any]) -> None:
        """Write what is known of the records of a stream."""
        mine = (shapes.c.connection == connection) & (shapes.c.stream == stream)
        with self.exclusive() as con:
            con.execute(delete(shapes).where(mine))
            con.execute(insert(shapes).values(connection=connection, stream=stream, shape=shape))

    def held_pauses(self) -> Sequence[RowMapping]:
        """Return all pauses, ended ones too."""
        with self.reading() as con:
            return con.execute(select(pauses).order_by(pauses.c.connection)).mappings().all()

    def held_leases(self) -> Sequence[RowMapping]:
        """Return all leases, dead ones too."""
        with self.engine.connect() as con:
            return con.execute(select(leases)).mappings().all()


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            # SQLAlchemy 2.1 takes psycopg 3 for the bare name; psycopg2 is what Dagster brings.
            parsed = parsed.set(drivername="postgresql+psycopg2")
        engine = create_engine(parsed, pool_pre_ping=True)
    except (ImportError, ValueError, DBAPIError) as error:
        raise ConfigError(
            f"ISTHMUS_CONTROL_URL cannot be used ({type(error).__name__}).",
            "write sqlite:///PATH; or postgresql+psycopg2://USER@HOST/DATABASE, for which "
            "psycopg2-binary must be installed.",
        ) from None
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        if parsed.database:
            private_folder(Path(parsed.database).parent)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()


# SQLite does not wait where another process writes while the journal mode of its file changes.
@retry(
    retry=retry_if_exception_message(match=".*locked"),
    wait=wait_random(0.02, 0.2),
    stop=stop_after_delay(BUSY_MS / 1000),
    reraise=True,
)
def _write_ahead(cursor: sqlite3.Cursor) -> None:
    cursor.execute("PRAGMA journal_mode=WAL")


def _upgrade(engine: Engine) -> None:
    with engine.begin() as con:
        if engine.dialect.name == "sqlite":
            con.exec_driver_sql("BEGIN IMMEDIATE")  # two first runs at once make one schema
        elif engine.dialect.name == "postgresql":
            con.exec_driver_sql(f"SELECT pg_advisory_xact_lock({UPGRADING})")
        schema.create(con, checkfirst=True)
        done = con.execute(select(func.max(schema.c.number))).scalar() or 0
        if done > len(UPGRADES):
            raise ConfigError(
                f"the control database is of a newer release (schema {done}).",
                "use that release, or another ISTHMUS_CONTROL_URL.",
            )
        for number, upgrade in enumerate(UPGRADES[done:], start=done + 1):
            upgrade(con)
            con.execute(insert(schema).values(number=number))
