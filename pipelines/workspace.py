"""Where everything of one installation stands: home, definitions, mappings, key, control."""

from __future__ import annotations

import hashlib
import os
import re
import secrets as random
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from connectors.errors import ConfigError
from mappings.yamltext import Document, YamlError, read_file
from pipelines.company import CompanyFile
from pipelines.connection import (
    FILE,
    NAME,
    TYPE,
    BrokenConnection,
    Connection,
    ConnectionFile,
    Stamp,
    read_connection_file,
    stamp,
)
from pipelines.dotenv_file import load_env
from pipelines.secrets import Secrets
from warehouse.home import Home

if TYPE_CHECKING:
    from pipelines.control import Control

PROJECT = Path(__file__).resolve().parent.parent
KEY_BYTES = 32
KEY_LEAST = 16
RESERVED = frozenset({"unified", "mart", "published", "recon"})
"""Names that stand first in asset keys of our own."""


@dataclass(frozen=True)
class Workspace:
    """One installation. Made by `discover`; nothing is read or written before it is asked for."""

    home: Home
    defs: Path
    overlays: tuple[Path, ...]
    control_url: str
    env: Mapping[str, str]

    @classmethod
    def discover(
        cls, env: MutableMapping[str, str] = os.environ, *, start: Path | None = None
    ) -> Workspace:
        """Return the workspace that the environment names.

        `ISTHMUS_DEFS` names the definitions; else those of the folder `start` (the working folder)
        or of one above it that holds `defs` and `mappings`; else the project's own. A `.env` file
        beside them is read into `env` without overriding what others set.
        """
        defs, own = _find_defs(env, start or Path.cwd())
        folders = dict.fromkeys((defs.parent, PROJECT if own else defs.parent))
        load_env([folder / ".env" for folder in folders], env)
        root = env.get("ISTHMUS_HOME")
        home = Path(root).expanduser() if root else (PROJECT if own else defs.parent) / "var"
        named = [Path(p).expanduser() for p in env.get("ISTHMUS_MAPPINGS", "").split(os.pathsep)
                 if p]  # fmt: skip
        overlays = [*named, defs.parent / "mappings"]
        return cls(
            home=Home(home.absolute()),
            defs=defs,
            overlays=tuple(dict.fromkeys(p.absolute() for p in overlays if p.is_dir())),
            control_url=env.get("ISTHMUS_CONTROL_URL", ""),
            env=env,
        )

    @property
    def is_sample(self) -> bool:
        """Whether the definitions are the project's own, the sample company's."""
        return self.defs.resolve() == PROJECT / "pipelines" / "defs"

    def export(self, env: MutableMapping[str, str] = os.environ) -> None:
        """Write this workspace into `env`, for Dagster's definitions and for child processes."""
        env["ISTHMUS_HOME"] = str(self.home.root)
        env["ISTHMUS_DEFS"] = str(self.defs)
        env["ISTHMUS_MAPPINGS"] = os.pathsep.join(map(str, self.overlays))
        if self.control_url:
            env["ISTHMUS_CONTROL_URL"] = self.control_url

    @cached_property
    def secrets(self) -> Secrets:
        """The resolver of references; `file:PATH` starts from the folder that holds `defs`."""
        return Secrets(self.env, self.defs.parent)

    @cached_property
    def control(self) -> Control:
        """The control database, made or upgraded at first use."""
        from pipelines.control import Control  # SQLAlchemy costs most of a second to import

        if self.control_url:
            return Control(self.control_url)
        self.home.make()
        self.home.control.touch(mode=0o600)  # its own default would be readable by all
        return Control(f"sqlite:///{self.home.control}")

    @cached_property
    def key(self) -> bytes:
        """The key of masked values: `ISTHMUS_KEY`, else the home's own, made at first use."""
        given = self.env.get("ISTHMUS_KEY")
        if given:
            if len(given.encode()) < KEY_LEAST:
                raise ConfigError(
                    f"ISTHMUS_KEY is shorter than {KEY_LEAST} bytes.",
                    "unset it to use the home's own key, or set a long random one.",
                )
            return given.encode()
        path = self.home.key_file
        if not path.exists():
            if self.home.public.exists() or self.home.current.exists():
                raise ConfigError(
                    "the key of masked values is gone: neither ISTHMUS_KEY nor this file is there.",
                    "restore `.env` or the file from a backup. With another key every masked value"
                    " would change; if it is lost for good, write a new ISTHMUS_KEY into `.env` and"
                    " run `isthmus publish --new-key`: docs/restore.md.",
                    place=str(path),
                )
            self.home.make()
            own = path.with_name(f".key.{os.getpid()}.{random.token_hex(4)}")
            with os.fdopen(os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
                key = random.token_hex(KEY_BYTES)
                out.write(f"{key}\n{_check_of(key)}\n")
                out.flush()
                os.fsync(out.fileno())
            try:
                os.link(own, path)  # the first of two processes wins, whole
            except FileExistsError:
                pass
            finally:
                own.unlink()
        key, _, check = path.read_text("utf-8", "replace").strip().partition("\n")
        if len(key) < KEY_LEAST or check not in ("", _check_of(key)):
            raise ConfigError(
                "the key is not as it was written.",
                "restore the file from a backup; docs/restore.md says what to do without one.",
                place=str(path),
            )
        return key.encode()

    def company(self) -> CompanyFile:
        """Return the company's settings; raises ConfigError with file and line."""
        path = self.company_path
        if not path.exists():
            return CompanyFile()
        try:
            document = read_file(path)
            data = document.data if isinstance(document.data, dict) else {}
            return CompanyFile.model_validate(data.get("attributes") or {})
        except YamlError as error:
            raise ConfigError(error.what, error.do, place=f"{error.file}:{error.line}") from None
        except ValidationError as error:
            from pipelines.check.problems import from_validation

            problems = from_validation(document, error, CompanyFile, under=("attributes",))
            first = problems[0]
            raise ConfigError(
                f"{first.field}: {first.found}", first.meant, place=f"{first.file}:{first.line}"
            ) from None

    @property
    def company_path(self) -> Path:
        """The company's file, whether it is there or not."""
        return self.defs / "company" / FILE

    def connections(self) -> dict[str, Connection | BrokenConnection]:
        """Return the connections by name, broken ones as such; read anew at each call."""
        try:
            zone = self.company().timezone
        except ConfigError:
            zone = "UTC"  # the company's file says its own mistake; connections go on
        found: dict[str, Connection | BrokenConnection] = {}
        for path in self.connection_files():
            found[path.parent.name] = self._connection(path, zone)
        return found

    def connection(self, name: str) -> Connection:
        """Return one connection; raises ConfigError where it is broken or not there."""
        path = self.defs / name / FILE
        if not re.fullmatch(NAME, name) or not path.is_file():
            names = ", ".join(p.parent.name for p in self.connection_files()) or "none is defined"
            raise ConfigError(f"there is no connection {name}.", f"use one of: {names}.")
        try:
            zone = self.company().timezone
        except ConfigError:
            zone = "UTC"
        found = self._connection(path, zone)
        if isinstance(found, BrokenConnection):
            raise ConfigError(
                f"the connection {name} is broken: {found.text}", "mend its file, then "
                f"`isthmus check {name}`.", place=str(path),
            )  # fmt: skip
        return found

    def connection_files(self) -> list[Path]:
        """Return the files of connections, broken ones too, ordered by name."""
        if not self.defs.is_dir():
            return []
        return [p for p in sorted(self.defs.glob(f"*/{FILE}")) if _is_connection(p, stamp(p))]

    def _connection(self, path: Path, zone: str) -> Connection | BrokenConnection:
        name = path.parent.name
        read = _read(path, stamp(path))
        if isinstance(read, BrokenConnection):
            return read
        document, file = read
        found = Connection(
            name=name,
            path=path,
            file=file,
            document=document,
            timezone=file.timezone or zone,
            overlays=self.overlays,
            secrets=self.secrets,
            published=self.home.current,
            control=lambda: self.control,
            key=lambda: self.key,
        )
        try:
            _ = found.streams
        except ConfigError as error:
            from pipelines.check import Problem

            line = document.line(("attributes", "config", "streams"))
            said = Problem(str(path), line, "streams", error.what, error.do)
            return BrokenConnection(name, path, (said,))
        return found


def _check_of(key: str) -> str:
    """Return what stands below the key in its file, so that a damaged one is not taken."""
    return hashlib.sha256(f"isthmus key {key}".encode()).hexdigest()[:8]


def _find_defs(env: Mapping[str, str], start: Path) -> tuple[Path, bool]:
    """Return the folder of definitions, and whether it is the project's own."""
    project = PROJECT / "pipelines" / "defs"
    named = env.get("ISTHMUS_DEFS")
    if named:
        defs = Path(named).expanduser().absolute()
        return defs, defs.resolve() == project
    for folder in (start.absolute(), *start.absolute().parents):
        defs = folder / "defs"
        if defs.is_dir() and (folder / "mappings").is_dir():
            return defs, defs.resolve() == project
    return project, True


@lru_cache(maxsize=1024)
def _read(path: Path, _stamp: Stamp) -> tuple[Document, ConnectionFile] | BrokenConnection:
    """Check and read a connection's file, once for each state of it: a load asks several times."""
    from pipelines.check import Problem, check_connection_file

    name = path.parent.name
    problems = check_connection_file(path)
    if name in RESERVED:
        said = Problem(str(path), 1, "folder", f"{name} is a name of our own.", "rename it.")
        problems = [said, *problems]
    return BrokenConnection(name, path, tuple(problems)) if problems else read_connection_file(path)


@lru_cache(maxsize=1024)
def _is_connection(path: Path, _stamp: Stamp) -> bool:
    """Say whether a file is a connection's, by its type; what is unreadable counts as one."""
    if path.parent.name == "company":
        return False
    try:
        data = read_file(path).data
    except YamlError:
        return True
    kind = data.get("type") if isinstance(data, dict) else None
    # Other component types belong to the people who wrote them; a misspelt one is ours to tell.
    return kind == TYPE or not isinstance(kind, str) or "." not in kind or kind.startswith("pipel")
