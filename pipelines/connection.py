"""A connection: its `defs.yaml` (FORMS.md section 1), and what a run makes of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from croniter import croniter
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from connectors.base import Connector, Context, Role, Stats, utc_now
from connectors.base import Stream as DeclaredStream
from connectors.errors import ConfigError
from mappings.yamltext import Document, YamlError, read_file
from pipelines.company import known_zone
from pipelines.units import Duration, Share

if TYPE_CHECKING:
    import httpx

    from pipelines.check.problems import Problem
    from pipelines.control import Control
    from pipelines.secrets import Secrets
    from warehouse.model.plan import StreamPlan

TYPE = "pipelines.Connection"
FILE = "defs.yaml"
NAME = r"[a-z][a-z0-9_]{0,40}"
Stamp: TypeAlias = tuple[int, int, int]
NIGHTLY, NEVER = "nightly", "never"
STREAM = r"[a-z][a-z0-9_]{0,60}"
OWNER = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}|team:\w+"
"""It names a folder of the landing, a mapping file and a step of Dagster."""


def _cron(value: str | None) -> str | None:
    if value is not None and (len(value.split()) != 5 or not croniter.is_valid(value)):
        raise ValueError(
            "a schedule has five fields: minute hour day month weekday, as in */15 * * * *"
        )
    return value


def _nightly(value: str | None) -> str | None:
    return value if value in (NIGHTLY, NEVER) else _cron(value)


Roles: TypeAlias = Annotated[
    list[Role], BeforeValidator(lambda said: [said] if isinstance(said, str) else said)
]
"""One role or a list of them; an empty list says that it has none."""


class StreamOptions(BaseModel):
    """How one stream is scheduled."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schedule: str | None = Field(None, description="Five cron fields, in the connection's zone.")
    promise: Duration | None = Field(
        None, description="Freshness owed, as in 15m; default twice the interval."
    )
    sweep: str | None = Field(None, description="When hard deletes are looked for: cron fields.")
    verify: str | None = Field(
        None, description="When all of it is proved complete, however it is counted: cron fields."
    )
    wants: str | None = Field(
        None, description="SELECT on the published store: the rows that the stream asks for."
    )
    role: Roles | None = Field(
        None, description="What the stream is to the company, where not what its connection is."
    )

    _check = field_validator("schedule", "sweep", "verify")(_cron)


class ConnectionFile(BaseModel):
    """The `attributes` of a connection's file; every scalar below `config` is text as written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    system: str = Field(description="The connector, as `isthmus connectors` lists it.")
    title: str = Field("", description="A free name for people, as in 金蝶 总部.")
    config: dict[str, Any] = Field(
        default_factory=dict, description="The connector's own settings; secrets as references."
    )
    streams: list[str] | dict[str, StreamOptions] | None = Field(
        None, description="What is read; default: all that the connector offers."
    )
    role: Roles | None = Field(
        None,
        description="What the system is to the company: shop, erp, crm, oms, wms, carrier, gateway,"
        " bank, office; default: what its connector says.",
    )
    schedule: str | None = Field(None, description="Five cron fields for streams without their own")
    verify: str | None = Field(
        None,
        description="When the last month is proved complete of what the source counts by time:"
        " nightly (the default where a stream has a schedule), five cron fields, or never.",
    )
    values: dict[str, str] = Field(
        default_factory=dict,
        description="Constants that mappings name as connection.NAME, as in {currency: CNY}.",
    )
    timezone: str | None = Field(
        None, description="Zone of naive times and of schedules; default: the company's."
    )
    slice: Duration = Field(
        timedelta(minutes=10), description="After so long a first load yields to its siblings."
    )
    owners: list[str] = Field(
        default_factory=list,
        description="Whom to ask about it: e-mail addresses, or team:name; shown on its assets.",
    )
    quarantine_limit: Share | None = Field(
        None, description="Share of bad records above which the check fails; default: company's."
    )

    _check = field_validator("schedule")(_cron)
    _proof = field_validator("verify")(_nightly)

    @field_validator("owners")
    @classmethod
    def _owners(cls, value: list[str]) -> list[str]:
        for owner in value:
            if not re.fullmatch(OWNER, owner):
                raise ValueError("an owner is an e-mail address or team:name (letters, digits, _)")
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        return None if value is None else known_zone(value)

    @field_validator("streams", mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        if isinstance(value, Mapping):  # `orders:` with nothing behind it
            return {name: {} if options is None else options for name, options in value.items()}
        return value


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One stream of a connection, with its schedule. `promise` is the freshness owed.

    `roles` are what the file says of the stream itself, None where it is what its connection is.
    """

    name: str
    schedule: str | None = None
    promise: timedelta | None = None
    sweep: str | None = None
    verify: str | None = None
    wants: str | None = None
    roles: tuple[Role, ...] | None = None


@dataclass(frozen=True)
class Connection:
    """A connection whose file is in order. `overlays` are the folders mappings are looked up in."""

    name: str
    path: Path
    file: ConnectionFile
    document: Document
    timezone: str
    overlays: Sequence[Path]
    secrets: Secrets
    published: Path
    control: Callable[[], Control] = field(compare=False)
    key: Callable[[], bytes] = field(compare=False)

    @property
    def system(self) -> str:
        """The connector's entry-point name."""
        return self.file.system

    @property
    def title(self) -> str:
        """What people call it."""
        return self.file.title or self.name

    @cached_property
    def streams(self) -> list[StreamSpec]:
        """The streams that are read, in the file's order; raises ConfigError for bad settings."""
        wanted = self.file.streams
        if wanted is None:
            wanted = list(self._connector(Context(connection=self.name)).streams())
        for name in wanted:
            if not re.fullmatch(STREAM, name):
                raise ConfigError(
                    f"the stream name {name[:60]!r} cannot be used.",
                    "use small letters, digits and _, a letter first; people read its title.",
                    place=str(self.path),
                )
        options = wanted if isinstance(wanted, Mapping) else {n: StreamOptions() for n in wanted}
        return [
            StreamSpec(
                name,
                schedule := option.schedule or self.file.schedule,
                option.promise or (_promise(schedule) if schedule else None),
                option.sweep,
                option.verify,
                option.wants,
                None if option.role is None else tuple(option.role),
            )
            for name, option in options.items()
        ]

    def roles(self) -> Iterator[tuple[str, str, str]]:
        """Yield (connection, stream, role): the stream's own, the file's or its connector's.

        Imports the connector where only it can tell; raises ConfigError.
        """
        from connectors.registry import load

        said = self.file.role
        for spec in self.streams:
            own = spec.roles if spec.roles is not None else said
            for role in load(self.system).roles if own is None else own:
                yield self.name, spec.name, role

    def stream(self, name: str) -> StreamSpec:
        """Return the stream called `name`; raises ConfigError."""
        for spec in self.streams:
            if spec.name == name:
                return spec
        names = ", ".join(spec.name for spec in self.streams)
        raise ConfigError(
            f"{self.name} has no stream {name}.", f"use one of: {names}.", place=str(self.path)
        )

    def wanted(
        self, declared: DeclaredStream
    ) -> AbstractContextManager[Iterator[Mapping[str, str | None]]]:
        """Run the query of a stream that must be told what to ask for; see `pipelines.wanted`."""
        from pipelines.wanted import wanted

        return wanted(self.published, declared, self.stream(declared.name))

    def connector(
        self,
        *,
        now: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] | None = None,
        transport: httpx.BaseTransport | None = None,
        stats: Stats | None = None,
    ) -> Connector:
        """Return the connector with validated settings; nothing is reached. Raises ConfigError."""
        from pipelines.asked import ControlAsked  # SQLAlchemy: nothing that only reads needs it
        from pipelines.shelves import ControlShelf
        from pipelines.tokens import ControlTokens

        return self._connector(
            Context(
                connection=self.name,
                timezone=self.timezone,
                secret=self.secrets.resolve,
                now=now,
                pause=pause,
                transport=transport,
                shelf=ControlShelf(self.control, self.name),
                tokens=ControlTokens(self.control, self.key, self.name, now, pause),
                asked=ControlAsked(self.control, self.name),
                base=str(self.path.parent.parent.parent),  # beside defs/, as for `file:` secrets
                stats=stats or Stats(),
            )
        )

    def _connector(self, context: Context) -> Connector:
        from connectors.registry import load

        kind = load(self.system)
        return kind(kind.Settings.model_validate(self.file.config), context)

    def mapping_path(self, stream: str) -> Path | None:
        """Return the mapping file of a stream, None where there is none."""
        from mappings.find import locate

        return locate(self.name, self.system, stream, self.overlays)

    def entities(self, stream: str) -> frozenset[str]:
        """Return the entities that a stream feeds, for the asset graph.

        Empty where the mapping is missing or broken: the stream's own run says why.
        """
        path = self.mapping_path(stream)
        return frozenset() if path is None else _entities(path, stamp(path), tuple(self.overlays))

    def plan(self, stream: str) -> StreamPlan:
        """Return the compiled mapping of a stream; raises MappingError or ConfigError."""
        from mappings.compile import compile_mapping
        from mappings.keys import key_mismatch
        from mappings.load import load_mapping

        path = self.mapping_path(stream)
        if path is None:
            raise ConfigError(
                f"the stream {self.name}/{stream} has no mapping.",
                f"write mappings/{self.name}/{stream}.yaml; "
                f"`isthmus preview {self.name} {stream} --suggest` proposes one.",
            )
        mapping = load_mapping(path, search=self.overlays)
        wrong = key_mismatch(mapping, self.connector().streams()[stream].key)
        if wrong is not None:
            raise wrong
        return compile_mapping(
            mapping,
            connection=self.name,
            stream=stream,
            zone=self.timezone,
            settings=self.settings(),
        )

    def settings(self) -> dict[str, str]:
        """Return the settings that a mapping may name as `connection.NAME`: scalars, no secret."""
        from pipelines.secrets import is_reference

        found = {n: v for n, v in self.file.config.items() if isinstance(v, str)}
        found |= self.file.values
        found |= {"name": self.name, "system": self.system, "timezone": self.timezone}
        return {name: value for name, value in found.items() if not is_reference(value)}


@dataclass(frozen=True)
class BrokenConnection:
    """A connection whose file has mistakes: it is shown, not run, and stops nobody else."""

    name: str
    path: Path
    problems: Sequence[Problem] = field(default_factory=tuple)

    @property
    def text(self) -> str:
        """The mistakes, a line each: file, line, field, what was found and meant."""
        return "\n".join(str(problem) for problem in self.problems)


def read_connection_file(path: Path) -> tuple[Document, ConnectionFile]:
    """Read and validate a connection's file.

    Raises YamlError for what is no YAML of ours, pydantic's ValidationError for a wrong value.
    """
    document = read_file(path)
    data = document.data
    if not isinstance(data, dict) or data.get("type") != TYPE:
        raise YamlError(str(path), document.line(("type",)), "is no connection.",
                        f"write type: {TYPE} on its first line.")  # fmt: skip
    attributes = data.get("attributes")
    return document, ConnectionFile.model_validate({} if attributes is None else attributes)


def stamp(path: Path) -> Stamp:
    """Return what a file looks like from outside: another stamp, other content."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_size, found.st_ino)


@lru_cache(maxsize=8192)
def _entities(path: Path, _stamp: Stamp, overlays: tuple[Path, ...]) -> frozenset[str]:
    """Return the entities that a mapping makes; empty where it is broken.

    Hundreds of mappings are asked at each load of the definitions: the plain form is read off its
    text, the whole mapping is read only where it takes or makes more.
    """
    from mappings.errors import MappingError
    from mappings.load import load_mapping

    text = path.read_text(encoding="utf-8-sig", errors="replace")
    plain = re.findall(r"^entity:[ ]*([a-z_]+)[ ]*(?:#.*)?$", text, re.MULTILINE)
    if len(plain) == 1 and not re.search(r"^(extends|also)\b", text, re.MULTILINE):
        return frozenset(plain)
    try:
        form = load_mapping(path, search=overlays).form
    except MappingError:
        return frozenset()
    return frozenset({form.entity, *(target.entity for target in form.also.values())})


@lru_cache(maxsize=1024)
def _promise(schedule: str) -> timedelta:
    """Return twice the longest of the next intervals: nights and weekends are no break of it."""
    ticks = croniter(schedule, datetime(2026, 1, 1))  # noqa: DTZ001 - intervals, not instants
    times = [ticks.get_next(datetime) for _ in range(60)]
    return 2 * max(b - a for a, b in pairwise(times))
