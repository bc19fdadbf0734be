"""The contract between a connector and the rest: streams as data, pages as bytes or Arrow.

A connector says which streams it has and yields pages of one of them. It knows nothing of the
canonical model, the mapping or the store. What it yields is landed as it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel

if TYPE_CHECKING:
    import httpx
    import pyarrow as pa

    from connectors.errors import ConnectorError
    from connectors.shared import Asked, Shelf
    from connectors.tokens import TokenStore

Bookmark: TypeAlias = Mapping[str, Any]
"""Where a stream goes on: a JSON object whose members belong to the connector. Kept by the landing
in the sidecar of the last complete batch; `{}` or None means from the beginning."""

Mode: TypeAlias = Literal["changed", "full", "sweep"]


@dataclass(frozen=True, slots=True)
class ChangedSince:
    """Changes are found by a stamp: inclusive lower bound, lookback on every run.

    `format` is how the parameter is written: iso, epoch, epoch_ms or a strftime pattern. The upper
    bound of a run is frozen at its start minus `lag`; `span` splits windows for vendors that cap
    them and needs `until`.
    """

    field: str
    param: str
    lookback: timedelta = timedelta(minutes=10)
    lag: timedelta = timedelta(seconds=5)
    format: str = "iso"
    until: str | None = None
    span: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Growing:
    """Changes are found by a number that only grows: inclusive lower bound, `behind` read again."""

    field: str
    behind: int = 1000


@dataclass(frozen=True, slots=True)
class Feed:
    """The source itself tells of changes: `by` its events, a change token, the bytes of its files.

    What was told `lookback` before the last read is looked at again.
    """

    by: str
    lookback: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every read is a full one; a record that equals the last landed one is not landed again."""


@dataclass(frozen=True, slots=True)
class OpenDocuments:
    """Documents that are not at their end are read again every `every`, beside the main strategy.

    For systems that write to a document without moving its stamp.
    """

    main: ChangedSince
    every: timedelta


@dataclass(frozen=True, slots=True)
class KeySweep:
    """Hard deletes are found by listing the keys now and then, beside the main strategy."""

    main: ChangedSince | Growing | Feed | Snapshot | OpenDocuments


@dataclass(frozen=True, slots=True)
class EachWanted:
    """Each of the rows wanted is asked for by itself, and again when `every` has passed.

    For systems that answer for one number alone. What need not be asked any more is said by the
    query that gives the rows; `Context.asked` knows when each was asked last.
    """

    every: timedelta


Role: TypeAlias = Literal[
    "shop", "erp", "crm", "oms", "wms", "carrier", "gateway", "bank", "office"
]
"""What a system is to the company; reconciliation knows systems by their roles alone."""

Changes: TypeAlias = (
    ChangedSince | Growing | Feed | Snapshot | OpenDocuments | KeySweep | EachWanted
)


@dataclass(frozen=True, slots=True)
class Stream:
    """What a connector says of one stream.

    `key` is the path (or paths, joined with '/') of the source key inside a record; () where the
    position inside its part is the key. `stable_order` says that a read which was interrupted may
    go on and still count as one scan (keyset paging). `deletes` are the modes of reading that find
    what was deleted at the source for good; () where nothing is deleted there, or none finds it.
    `wants` are the columns that the stream must be told to know what to ask for (tracking numbers,
    document ids); `query` gives them from the published store where the connection's file has no
    query of its own.
    """

    name: str
    key: tuple[str, ...]
    changes: Changes
    entity: str = ""
    title: str = ""
    stable_order: bool = False
    can_sweep: bool = False
    deletes: tuple[Mode, ...] = ()
    wants: tuple[str, ...] = ()
    query: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """One page as the source gave it.

    `records` are JSON objects as the source wrote them (one bytes-like each, no raw newline, valid
    UTF-8) or an Arrow table. `keys[i]` is the key text of record i (parts joined with '/'; None
    where a part is missing), used by the landing to leave out what it has already.
    kind "keys": no records, `keys` are those present at the source (a sweep).
    kind "deletions": no records, `keys` are those that the source says are gone.
    `bookmark` is what to hand back to go on after this page. `complete` is True on the last page of
    a scan of `part` (None: the whole stream) that is proved complete: only then do keys that were
    not seen become deletions. `total` is the source's own count where it gives one. `resumed` is
    True on the pages of a read that goes on where the bookmark's interrupted one stopped; a read
    that began anew, whatever the bookmark held, leaves it False. `tally` are counts of what the
    read did besides (asked, not due, …), added up over the run and told with its figures.
    """

    records: Sequence[bytes | bytearray | memoryview] | pa.Table
    keys: Sequence[str | None]
    bookmark: Bookmark
    kind: Literal["records", "deletions", "keys"] = "records"
    part: str | None = None
    complete: bool = False
    total: int | None = None
    warnings: tuple[str, ...] = ()
    resumed: bool = False
    tally: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a run asks of a stream.

    `full` ignores the bookmark's stamps (an interrupted full read of a stable order may still go
    on), `sweep` wants keys only; `limit` ends after so many records (preview) and never says
    complete. `again` names parts that are to be read although the bookmark knows them: a record of
    theirs stands in the store as another part had it, which does not hold it any more. `wanted` are
    the rows of a stream that declares `wants`, by those names, as text; they come once. `until`
    says that records stamped from then on are not needed: a stretch behind the bookmark is read
    again. They may come all the same.
    """

    stream: str
    mode: Mode = "changed"
    bookmark: Bookmark | None = None
    limit: int | None = None
    again: frozenset[str] = frozenset()
    wanted: Iterable[Mapping[str, str | None]] = ()
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time [since, until), both aware and at whole seconds; None is an open end."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Countable:
    """How the records of a stream can be counted at the source, and `how` that is done, in words.

    kind "spans": by stretches of the stamp `by` (paths of the record; of several the first that is
    there, read as `format` says: iso, epoch, epoch_ms or a strftime pattern). "whole": only all
    records at once. "parts": by the parts that the pages of a read name. "keys": no count is given,
    a sweep lists the keys. "none": `how` says why nothing can be counted.
    `rows` says that rows are counted where several carry one key, `sums` that members of the
    record can be summed.
    """

    kind: Literal["spans", "whole", "parts", "keys", "none"]
    how: str
    by: tuple[str, ...] = ()
    format: str = "iso"
    rows: bool = False
    sums: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """What the source counts in a span or a part; `total` is the sum of the member asked for."""

    span: Span
    count: int
    total: Decimal | None = None
    part: str | None = None


@dataclass(slots=True)
class Stats:
    """What a read cost, for metadata. Seconds are wall time."""

    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `isthmus check`: ok is None for a remark."""

    subject: str
    ok: bool | None
    what: str
    do: str = ""

    @classmethod
    def failed(cls, subject: str, error: ConnectorError) -> Finding:
        """Return what an error says, with the place where it happened."""
        place = f" ({error.place})" if error.place else ""
        return cls(subject, False, f"{error.what}{place}", error.do)


def utc_now() -> datetime:
    """Return the time now, aware, in UTC: the one clock, replaced in tests."""
    return datetime.now(UTC)


def resolve_nothing(reference: str) -> str:
    """Refuse to resolve: the secrets resolver of a context that needs none."""
    raise LookupError(reference)


@dataclass(slots=True)
class Context:
    """What a connector is handed: nothing global is read inside a connector.

    `secret` turns a reference (`env:NAME`, `file:PATH`) into its value; `transport` replaces the
    network in tests; `pause` sleeps; `shelf` is shared by the processes of one connection for its
    rate budget, `tokens` for what its system issued, and `asked` for when each of the rows wanted
    was asked for (None: this process alone); `base` is the folder that relative paths of the
    settings start from.
    """

    connection: str
    timezone: str = "UTC"
    secret: Callable[[str], str] = resolve_nothing
    now: Callable[[], datetime] = utc_now
    pause: Callable[[float], None] | None = None
    transport: httpx.BaseTransport | None = None
    shelf: Shelf | None = None
    tokens: TokenStore | None = None
    asked: Asked | None = None
    base: str = "."
    stats: Stats = field(default_factory=Stats)


class Connector(ABC):
    """One system. Subclasses set the class members and implement three methods.

    `Settings` validates the connection's `config:`; every field has a description, because
    `isthmus connect` writes it into the YAML. Importing the module must be cheap. `roles` is what
    the system is to nearly every company that has it; a connection's file may say otherwise.
    """

    name: ClassVar[str]
    version: ClassVar[str] = "1"
    title: ClassVar[str] = ""
    roles: ClassVar[tuple[Role, ...]] = ()
    Settings: ClassVar[type[BaseModel]]

    def __init__(self, settings: Any, context: Context) -> None:
        self.settings = settings
        self.context = context

    @abstractmethod
    def streams(self) -> Mapping[str, Stream]:
        """Return the streams by name, without touching the system."""

    @abstractmethod
    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the pages of one stream; raises only `ConnectorError`."""

    @abstractmethod
    def check(self) -> Iterator[Finding]:
        """Reach the system and say what may and may not be read, clock skew, missing rights."""

    def countable(self, stream: str) -> Countable:
        """Say how the records of a stream can be counted; may ask the system.

        By default a sweep's keys are counted, and nothing where there is no sweep. Raises only
        `ConnectorError`.
        """
        if self.streams()[stream].can_sweep:
            return Countable("keys", "all keys listed")
        return Countable("none", "the system offers no count of this list and no list of its keys")

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the counts of the spans (of all parts, where it counts by parts), in any order.

        `member` is the path of what is to be summed, given only where `Countable.sums` says so.
        Raises only `ConnectorError`.
        """
        raise NotImplementedError(f"{self.name} counts nothing")

    def close(self) -> None:
        """Give back what is held (connections, files)."""
        return
