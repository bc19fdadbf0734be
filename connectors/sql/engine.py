"""The engine of a connection: judged addresses, sessions that only read, a deadline a statement."""

from __future__ import annotations

import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.errors import ConfigError, Unavailable
from connectors.sql.address import Target

if TYPE_CHECKING:
    from sqlalchemy import URL, Dialect, Engine

CLIENT = {
    "gb18030": "GB18030", "big5": "BIG5", "shift_jis": "SJIS", "euc_jp": "EUC_JP",
    "euc_kr": "EUC_KR", "cp949": "UHC", "iso8859-1": "LATIN1", "cp1251": "WIN1251",
    "cp1252": "WIN1252",
}  # fmt: skip
"""PostgreSQL's names of encodings: so names and single values of a SQL_ASCII database are read."""
IDLE_SECONDS = 3600
"""How long a server may wait for us between two partitions, while one is landed and loaded."""


@dataclass(slots=True)
class Options:
    """What an engine is made from beside its target; durations are in seconds."""

    password: str | None
    encoding: str
    timezone: str
    timeout: float
    connect_timeout: float
    isolation: str | None


@dataclass(slots=True)
class Watch:
    """Breaks off what takes too long: a driver waits for ever for a server that hangs."""

    seconds: float
    broken: bool = False
    _break: Callable[[], None] | None = field(default=None, repr=False)

    def over(self, connection: Any) -> None:
        """Watch over this driver's connection from now on."""
        self._break = _breaker(connection)

    @contextmanager
    def limit(self) -> Iterator[None]:
        """Give the block `seconds`; raises Unavailable when they are over."""
        timer = threading.Timer(self.seconds, self._end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception:
            if self.broken:
                raise self._late() from None
            raise
        finally:
            timer.cancel()
        if self.broken:
            raise self._late()

    def _end(self) -> None:
        self.broken = True
        if self._break is not None:
            with suppress(Exception):  # the connection may be closed by now
                self._break()

    def _late(self) -> Unavailable:
        return Unavailable(
            f"The database did not answer within {self.seconds:.0f} s.",
            "look for locks and a missing index, or raise `timeout`.",
        )


def make_engine(target: Target, options: Options, watch: Watch) -> Engine:
    """Return the engine; nothing is reached yet. Raises ConfigError where the driver is missing.

    Each use opens a connection of its own and closes it.
    """
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool

    url = target.url
    if options.password is not None:
        url = url.set(password=options.password)
    try:
        engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    except (ImportError, NoSuchModuleError):
        extra = target.kind.extra
        raise ConfigError(
            f"The driver of {target.kind.title} is not installed.",
            f"install isthmus[{extra}] (pip install 'isthmus[{extra}]').",
        ) from None

    @event.listens_for(engine, "do_connect")
    def _connect(dialect: Dialect, _record: Any, _args: Any, _parameters: Any) -> Any:
        connection = _open(target, url, dialect, options)
        watch.over(connection)
        return connection

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        try:
            for statement in session(target.kind.name, options):
                cursor.execute(statement)
        finally:
            cursor.close()
        if target.file is None:
            connection.commit()  # PostgreSQL takes a SET back with its transaction

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        begin = {"sqlite": "BEGIN", "oracle": "SET TRANSACTION READ ONLY"}.get(target.kind.name)
        if begin is not None:
            connection.exec_driver_sql(begin)

    return engine


def _open(target: Target, url: URL, dialect: Dialect, options: Options) -> Any:
    """Return a connection to one of the judged addresses, by turns."""
    if target.file is not None:
        return _open_file(target, options)
    tried: Exception | None = None
    for address in target.addresses or ("",):
        try:
            return _open_at(address, url, target.kind.name, dialect, options)
        except Exception as error:  # each driver has its own tree; the last one's is told
            tried = error
            if not _is_unreachable(error):
                raise
    assert tried is not None  # noqa: S101
    raise tried


def _open_at(address: str, url: URL, database: str, dialect: Dialect, options: Options) -> Any:
    """Connect to `address`, whatever the name resolves to by now ("" is a local socket)."""
    seconds = max(1, round(options.connect_timeout))
    module = dialect.loaded_dbapi
    if database == "postgresql":
        args, named = _arguments(dialect, url)
        named |= {
            "connect_timeout": seconds,
            "application_name": "isthmus",
            "client_encoding": "UTF8",
        }
        if address:
            named["hostaddr"] = address  # the name stays for the certificate
        made = module.connect(*args, **named)
        if knows_no_encoding(made):
            made.execute(f"SET client_encoding = {CLIENT.get(options.encoding, 'UTF8')}")
            made.commit()
        return made
    if database == "mysql":
        args, named = _arguments(dialect, url)
        named |= {"connect_timeout": seconds, "read_timeout": round(options.timeout) + 5}
        if not address:
            return module.connect(*args, **named)
        made = module.connect(*args, **named, defer_connect=True)
        made.connect(socket.create_connection((address, url.port or 3306), seconds))
        return made
    args, named = _arguments(dialect, url.set(host=address))
    if database == "mssql":
        named |= {
            "login_timeout": seconds,
            "timeout": round(options.timeout),
            "appname": "isthmus",
        }
        return module.connect(*args, **named)
    made = module.connect(*args, **named, tcp_connect_timeout=seconds)
    made.call_timeout = round(options.timeout * 1000)
    return made


def _arguments(dialect: Dialect, url: URL) -> tuple[list[Any], dict[str, Any]]:
    args, named = dialect.create_connect_args(url)
    return list(args), dict(named)


def _open_file(target: Target, options: Options) -> sqlite3.Connection:
    assert target.file is not None  # noqa: S101
    made = sqlite3.connect(
        f"{target.file.as_uri()}?mode=ro",
        uri=True,
        timeout=options.connect_timeout,
        isolation_level=None,  # BEGIN is said by us: a read is one snapshot
        check_same_thread=False,  # the watch breaks it off from its own thread
    )
    made.text_factory = lambda raw: text_of(raw, options.encoding)
    return made


def text_of(raw: bytes, encoding: str) -> str:
    """Return text that the database handed over as bytes: UTF-8 if it reads so, else `encoding`."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode(encoding, "replace")


def knows_no_encoding(connection: Any) -> bool:
    """Say whether this is a session with a PostgreSQL database of encoding SQL_ASCII."""
    return bool(connection.pgconn.parameter_status(b"server_encoding") == b"SQL_ASCII")


def session(database: str, options: Options) -> list[str]:
    """Return the statements that make a session one that only reads, in one snapshot."""
    milliseconds = round(options.timeout * 1000)
    level = options.isolation
    if database == "sqlite":
        return ["PRAGMA query_only = on"]
    if database == "postgresql":
        level = (level or "REPEATABLE READ").lower()
        zone = options.timezone.replace("'", "''")
        return [
            "SET default_transaction_read_only = on",
            f"SET default_transaction_isolation = '{level}'",
            f"SET statement_timeout = {milliseconds}",
            "SET datestyle = 'ISO, YMD'",
            f"SET timezone = '{zone}'",
        ]
    if database == "mysql":
        return [
            f"SET SESSION TRANSACTION ISOLATION LEVEL {level or 'REPEATABLE READ'}, READ ONLY",
            "SET SESSION time_zone = '+00:00'",
            f"SET SESSION net_write_timeout = {IDLE_SECONDS}",
        ]
    if database == "mssql":
        # The driver writes '2026-01-02 …': logins of some languages would read the 1st of February.
        said = ["SET DATEFORMAT ymd", f"SET LOCK_TIMEOUT {milliseconds}", "SET NOCOUNT ON"]
        return said if level is None else [f"SET TRANSACTION ISOLATION LEVEL {level}", *said]
    return ["ALTER SESSION SET TIME_ZONE = '+00:00'"]


def _is_unreachable(error: Exception) -> bool:
    said = str(error).lower()
    return isinstance(error, OSError) or any(
        word in said for word in ("refused", "unreachable", "timed out", "timeout", "no route")
    )


def _breaker(connection: Any) -> Callable[[], None] | None:
    """Return what ends a call of this connection from another thread, None where nothing can."""
    if isinstance(connection, sqlite3.Connection):
        return connection.interrupt
    if hasattr(connection, "pgconn"):  # psycopg
        return lambda: _shut(connection.fileno())
    if hasattr(connection, "_sock"):  # pymysql
        return lambda: connection._sock.shutdown(socket.SHUT_RDWR)
    return None  # pymssql and oracledb keep a timeout of their own


def _shut(number: int) -> None:
    with socket.socket(fileno=socket.dup(number)) as twin:
        twin.shutdown(socket.SHUT_RDWR)
