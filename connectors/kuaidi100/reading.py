"""One read: the parcels that are due, a few at a time, until all are asked for or a quota ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.base import Page, ReadRequest
from connectors.details import answered
from connectors.errors import ConfigError, ContractBroken, QuotaUsed
from connectors.kuaidi100.api import Api, Said
from connectors.kuaidi100.carriers import Carriers
from connectors.kuaidi100.parcels import Parcel, choose
from connectors.kuaidi100.record import make_record
from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.kuaidi100.unanswered import Unanswered
from connectors.shared import Asked

MOST_REFUSED = 5
"""Refusals, and nothing else, after which it is not the parcels that are wrong."""
_SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said of a parcel: its record where it was found, else the system's words."""

    said: Said
    record: bytes | None
    words: str


@dataclass(slots=True)
class Reading:
    """The state of one read; `pages` does it.

    The bookmark is `{"after"}`, the key of the last parcel that was asked for: the next run goes
    on behind it. When each was asked for is kept in `asked`, so that a run that was killed does
    not ask again too soon.
    """

    api: Api
    settings: Kuaidi100Settings
    carriers: Carriers
    request: ReadRequest
    asked: Asked
    now: Callable[[], datetime]
    marks: Mapping[str, datetime] = field(default_factory=dict)
    refused: int = 0
    is_heard: bool = False
    broken: list[ContractBroken] = field(default_factory=list)
    refusals: list[tuple[Parcel, datetime]] = field(default_factory=list)
    unanswered: Unanswered = field(init=False)

    def __post_init__(self) -> None:
        self.unanswered = Unanswered(self.asked, self.request.stream, self.settings)

    def pages(self) -> Iterator[Page]:
        """Yield what was answered, page by page; then raise what ended the read early."""
        stream, mark = self.request.stream, dict(self.request.bookmark or {})
        after = mark.get("after")
        now = self.now()
        self.asked.forget(stream, now - self.settings.max_age)
        self.marks = self.asked.times(stream)
        self.unanswered.load(now - self.settings.max_age)
        choice = choose(
            self.request.wanted, self.settings, self.carriers,
            asked=self.marks, wait=self.unanswered.wait, now=now,
            after=after if isinstance(after, str) else "",
        )  # fmt: skip
        parcels = choice.parcels[: self.request.limit]
        step = self.settings.page
        if not parcels:
            yield Page([], [], mark, warnings=tuple(choice.notes), tally=choice.tally)
        for start in range(0, len(parcels), step):
            some = parcels[start : start + step]
            found, error = answered(some, self._ask, workers=self.settings.workers)
            if found and self.request.limit is None:
                mark = {**mark, "after": found[-1][0].key}
            tally, notes = self._count(one for _, one in found)
            if start == 0:
                tally, notes = choice.tally + tally, [*choice.notes, *notes]
            if error is not None:
                tally["left for the next run"] = len(parcels) - start - len(found)
            came = [(p.key, one.record) for p, one in found if one.record is not None]
            yield Page(
                [record for _, record in came], [key for key, _ in came], mark,
                warnings=tuple(notes), tally=tally,
            )  # fmt: skip
            if error is not None:
                if self.is_heard:
                    self._put_off_refused()
                raise error
            if len(self.broken) >= MOST_REFUSED:  # it is not the parcels that are wrong
                raise self.broken[-1]
        self._put_off_refused()

    def _ask(self, parcel: Parcel) -> Heard:
        """Ask for one parcel; it is marked before, and not if a quota let no request go."""
        begun = self.now()
        self._mark(parcel, begun)
        try:
            said, body, words = self.api.ask(parcel)
        except QuotaUsed:
            self._mark(parcel, self.marks.get(parcel.key))
            raise
        if self.now() - begun > _SOON:  # it waited for its turn, or was sent again
            self._mark(parcel, self.now())
        try:
            record = None if body is None else make_record(body, parcel)
        except ContractBroken as error:  # of this parcel: the others are asked for all the same
            self.broken.append(error)
            said, record, words = "refused", None, error.what
        self._learn(parcel, said, begun)
        return Heard(said, record, words)

    def _learn(self, parcel: Parcel, said: Said, at: datetime) -> None:
        """Keep since when nothing is found of a parcel; a refusal may yet be the account's."""
        if self.request.limit is not None:
            return
        if said == "found":
            self.unanswered.end(parcel)
        elif said == "refused":
            self.refusals.append((parcel, at))
        else:
            self.unanswered.begin(parcel, at)

    def _put_off_refused(self) -> None:
        """Count refusals as the parcels' own, once it is known that not the system is wrong."""
        for parcel, at in self.refusals:
            self.unanswered.begin(parcel, at)

    def _mark(self, parcel: Parcel, at: datetime | None) -> None:
        """Keep when a parcel was asked for; not of a preview, whose answer nobody keeps."""
        if self.request.limit is None:
            self.asked.mark(self.request.stream, parcel.key, at)

    def _count(self, found: Iterable[Heard]) -> tuple[Counter[str], list[str]]:
        """Return what became of a page; raises ConfigError where nothing but refusals came."""
        tally: Counter[str] = Counter()
        notes = []
        for one in found:
            tally.update(("asked", one.said))
            self.is_heard |= one.said != "refused"
            if one.said == "refused":
                self.refused += 1
                notes.append(f"A parcel was refused: {one.words}")
        if self.refused >= MOST_REFUSED and not self.is_heard:
            raise ConfigError(
                f"The first {self.refused} parcels were refused ({notes[-1]})",
                "check that customer belongs to key, that the account may query, and the codes "
                "under carriers:.",
            )  # fmt: skip
        return tally, notes
