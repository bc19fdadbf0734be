"""The URL of a database: which driver, which parameters, and where it may lead.

Rules are those of every connection: private and loopback addresses and local sockets only with
`allow_private`, link-local and metadata addresses never; each resolved address is judged and the
driver connects to that very address. A SQLite file stands inside its folder.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.address import AddressRules, Origin, Resolve, checked_addresses, system_resolve
from connectors.errors import ConfigError, ConnectorError, Refused, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import URL


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of one sort of database.

    `drivers` are those of SQLAlchemy that are spoken to, the first by default; `parameters` are
    the members that the URL's query may have: others could lead the driver elsewhere.
    """

    name: str
    title: str
    drivers: tuple[str, ...]
    extra: str = ""
    port: int = 0
    parameters: frozenset[str] = frozenset()


KINDS = {
    kind.name: kind
    for kind in (
        Kind("sqlite", "SQLite", ("pysqlite",)),
        Kind(
            "postgresql", "PostgreSQL", ("psycopg",), "postgres", 5432,
            frozenset({"host", "sslmode", "sslrootcert", "sslcert", "sslkey"}),
        ),
        Kind(
            "mysql", "MySQL", ("pymysql",), "mysql", 3306,
            frozenset({"charset", "unix_socket", "ssl_ca", "ssl_cert", "ssl_key",
                       "ssl_check_hostname", "ssl_verify_cert", "ssl_verify_identity"}),
        ),
        Kind(
            "mssql", "SQL Server", ("pymssql",), "mssql", 1433,
            frozenset({"charset", "tds_version", "encryption"}),
        ),
        Kind("oracle", "Oracle", ("oracledb",), "oracle", 1521, frozenset({"service_name"})),
    )
}  # fmt: skip
KINDS["mariadb"] = KINDS["mysql"]


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect: the URL, the kind of database, and the addresses that were judged.

    `addresses` is () for a local socket or a file; `file` is a SQLite file's real path.
    """

    url: URL
    kind: Kind
    addresses: tuple[str, ...] = ()
    file: Path | None = None

    @property
    def place(self) -> str:
        """The database for messages: never user, password or parameters."""
        if self.file is not None:
            return self.file.name
        host = self.url.host or "local socket"
        return f"{self.kind.name}://{host}/{self.url.database or ''}"


def read_url(text: str) -> URL:
    """Read an SQLAlchemy URL and settle its driver; raises ConfigError, which never quotes it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    if any(ord(c) < 32 or ord(c) == 127 for c in text):
        raise ConfigError("The database URL has a control character.", "write it clean.")
    if text.partition("?")[0].count("@") > 1:  # what follows the first would be told as a host
        raise ConfigError(
            "The database URL has more than one @.",
            "write %40 for each @ in user and password, and / : # in them as %2F %3A %23.",
        )
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        raise ConfigError(
            "The database URL cannot be read.",
            "write postgresql://user:password@host:5432/database; signs such as @ : / in the "
            "password as %40 %3A %2F.",
        ) from None
    name, _, driver = url.drivername.partition("+")
    kind = KINDS.get(name)
    if kind is None:
        raise ConfigError(
            f"There is no way to speak to {name[:40]!r} here.",
            f"use one of: {', '.join(sorted(KINDS))}.",
        )
    if driver and driver not in kind.drivers:
        raise ConfigError(
            f"The driver {driver[:40]!r} is not spoken.",
            f"write {name}:// alone: {kind.drivers[0]} is used.",
        )
    if strange := sorted(set(url.query) - kind.parameters):
        known = ", ".join(sorted(kind.parameters)) or "none"
        raise ConfigError(
            f"The database URL has the parameter {strange[0][:40]!r}, which is not used here.",
            f"remove it; {kind.title} takes: {known}.",
        )
    if any(not isinstance(value, str) for value in url.query.values()):
        raise ConfigError("The database URL has a parameter twice.", "write it once.")
    return url.set(drivername=f"{name}+{kind.drivers[0]}")


def locate(
    url: URL,
    *,
    allow_private: bool,
    folder: str | None,
    base: str,
    seconds: float,
    resolve: Resolve = system_resolve,
) -> Target:
    """Return where `url` leads after judging it; raises Refused, ConfigError or Unavailable."""
    kind = KINDS[url.get_backend_name()]
    if kind.name == "sqlite":
        return Target(url, kind, file=_file(url.database or "", folder, base))
    socket = url.query.get("unix_socket") or url.query.get("host") or ""
    if socket:
        if not str(socket).startswith("/"):
            raise Refused(
                "The URL names a second host among its parameters.",
                "write the host before the path: postgresql://user@host/database.",
            )
        if url.host:
            raise ConfigError("The URL names a host and a local socket.", "write one of them.")
        if not allow_private:
            raise Refused(
                "The database stands behind a local socket.",
                "if that is meant, set allow_private: true.",
            )
        return Target(url, kind)
    if not url.host:
        raise ConfigError("The database URL has no host.", "write …//user@host/database.")
    host = _host(url.host)
    origin = Origin("https", host, url.port or kind.port)
    rules = AddressRules(allow_private=allow_private)
    try:
        addresses = checked_addresses(origin, rules, resolve=resolve, seconds=seconds)
    except ConnectorError as error:
        error.do = error.do.replace("base_url", "url")
        raise
    return Target(url, kind, tuple(addresses))


def _host(text: str) -> str:
    """Return the host as `connectors.address` reads it: disguised addresses are refused."""
    from connectors.address import parse

    bracketed = f"[{text}]" if ":" in text else text
    try:
        return parse(f"https://{bracketed}/").origin.host
    except Refused as error:
        raise Refused(error.what.replace("The URL", "The host"), "check the host in url.") from None


def _file(name: str, folder: str | None, base: str) -> Path:
    if folder is None:
        raise ConfigError("A SQLite file needs folder:.", "name the folder that it stands in.")
    if not name or name == ":memory:" or name.startswith("file:"):
        raise ConfigError("The URL names no SQLite file.", "write sqlite:///erp.db.")
    try:
        root = Path(base, folder).resolve(strict=True)
        path = (root / name).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:
        why = getattr(error, "strerror", None) or "a loop of links"
        raise Unavailable(
            f"The SQLite file cannot be reached ({why}).",
            "check `folder:`, the file's name in `url:`, the drive's mount and the rights.",
            place=Path(name).name,
        ) from None
    if not path.is_relative_to(root):
        raise Refused(
            "The SQLite file stands outside its folder.",
            "name a file inside `folder:`, or another folder; links that lead outside are refused.",
            place=Path(name).name,
        )
    if not stat.S_ISREG(path.stat().st_mode):
        raise Refused("This is no plain file.", "name a SQLite file.", place=path.name)
    return path
