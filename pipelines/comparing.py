"""Counts one stream at the source and here, window by window. Nothing is changed by it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from connectors.base import Countable, Counted, ReadRequest, Span
from pipelines.proof import RECENT, StreamProof, Window, named, windows
from pipelines.waiting import waiting

if TYPE_CHECKING:
    from connectors.base import Connector
    from mappings.load import LoadedMapping
    from pipelines.connection import Connection
    from warehouse.home import Home
    from warehouse.landing import Landing
    from warehouse.model.plan import StreamPlan
    from warehouse.stock import Stock

SECOND = timedelta(seconds=1)


@dataclass
class Comparing:
    """What the two sides are counted with; `member` is what is summed at the source."""

    home: Home
    connection: Connection
    connector: Connector
    landing: Landing
    plan: StreamPlan
    proof: StreamProof
    since: date | None
    now: Callable[[], datetime]
    countable: Countable = field(init=False)
    mapping: LoadedMapping = field(init=False)
    member: str | None = None

    def __post_init__(self) -> None:
        """Ask how the source counts, and choose the money that the mapping takes as it is."""
        from mappings.counting import summed_member
        from mappings.load import load_mapping

        self.countable = self.connector.countable(self.proof.stream)
        self.proof.how = self.countable.how
        path = self.connection.mapping_path(self.proof.stream)
        assert path is not None  # noqa: S101 - the plan was compiled of it
        self.mapping = load_mapping(path, search=self.connection.overlays)
        found = summed_member(self.mapping)
        if self.countable.sums and found is not None and not self.plan.grouped:
            self.proof.summed, self.member = found

    @property
    def is_of_party(self) -> bool:
        """Whether keys of the stream are those of parties."""
        return any(target.entity == "party" for target in self.plan.targets)

    def stock(self, *, whole: bool = True) -> Stock:
        """Take stock of the stream here; not `whole`: of what `since` leaves."""
        from mappings.counting import counting_plan
        from warehouse.stock import Stock

        counting = counting_plan(
            self.mapping, connection=self.connection.name, stream=self.proof.stream,
            zone=self.plan.zone, settings=self.connection.settings(),
            by=self.countable.by, pattern=self.countable.format,
        )  # fmt: skip
        since = None
        if self.since is not None and not whole and self.countable.kind == "spans":
            since = self._midnight(self.since)
        return Stock(
            self.home, self.landing, self.plan, counting,
            column=self.proof.summed, rows=self.countable.rows, since=since,
            clock=self.now, on_wait=waiting,
        )  # fmt: skip

    def spans(self, stock: Stock) -> list[Span]:
        """Return the windows to compare; none where no read has come to its end."""
        if self.countable.kind != "spans":
            return [Span()]
        end = self.read_until()
        if end is None:
            return []
        return windows(end, stock.earliest(), self.since, self.connection.timezone)

    def read_until(self) -> datetime | None:
        """Return where what was read ends, None where no read has come to its end."""
        said = (self.landing.bookmark(self.connection.name, self.proof.stream) or {}).get("stamp")
        if not isinstance(said, str):
            return None
        # A whole second above the bookmark: what bears its very stamp was read, too.
        return datetime.fromisoformat(said).replace(microsecond=0) + SECOND

    def keep_to_last_month(self) -> bool:
        """Leave out all but the last month that was read; False where nothing is counted so."""
        if self.countable.kind != "spans":
            return False
        if end := self.read_until():
            self.since = (end - timedelta(days=RECENT)).date()
        return True

    def compare(self, spans: Sequence[Span], stock: Stock) -> list[Window]:
        """Return the windows of the spans, counted at the source and here."""
        if self.countable.kind == "keys":
            return [self._by_keys(stock)]
        if self.countable.kind == "parts":
            return self._by_parts(stock)
        counted: dict[Span, Counted] = {
            c.span: c for c in self.connector.measure(self.proof.stream, spans, self.member)
        }
        held = stock.count([(s.since, s.until) for s in spans])
        found = []
        for span, ours in zip(spans, held, strict=True):
            window = Window(
                span, None, counted[span].count, ours.count, ours.aside, ours.left_out, ours.lost,
                counted[span].total, (ours.total or Decimal(0)) if self.proof.summed else None,
            )  # fmt: skip
            window.compare()
            found.append(window)
        return found

    def _by_parts(self, stock: Stock) -> list[Window]:
        """Compare part by part: those of the last month, where a part is a day's."""
        since = self.since or (self.now() - timedelta(days=RECENT)).date()
        begin = Span(self._midnight(since))
        counted = list(self.connector.measure(self.proof.stream, [begin], None))
        held = stock.count_parts([str(c.part) for c in counted])
        found = []
        for theirs, ours in zip(counted, held, strict=True):
            window = Window(
                Span(), theirs.part, theirs.count, ours.count, ours.aside, ours.left_out, ours.lost
            )
            window.compare()
            found.append(window)
        if lost := stock.lost_elsewhere():
            found.append(Window(Span(), lost=lost, status="missing"))
        return found

    def _by_keys(self, stock: Stock) -> Window:
        """Compare the keys that a sweep lists with those we hold."""
        keys: list[str] = []
        complete = False
        for page in self.connector.read(ReadRequest(self.proof.stream, "sweep")):
            keys += [k for k in page.keys if k is not None]
            complete = page.complete
        missing, surplus = stock.against(keys)
        (held,) = stock.count([(None, None)])
        window = Window(
            Span(), None, len(set(keys)), held.count, held.aside, held.left_out, held.lost
        )
        window.status = "missing" if missing else "surplus" if surplus and complete else "equal"
        person = self.is_of_party
        said = [
            named("missing here", missing, of_party=person),
            named("not at the source", surplus, of_party=person),
        ]
        if not complete:
            said.append("the source did not prove its list of keys complete")
        window.message = "; ".join(s for s in said if s)
        return window

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), ZoneInfo(self.connection.timezone))
