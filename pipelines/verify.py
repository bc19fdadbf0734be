"""The completeness proof of a stream: counted at the source, held against the store, healed.

No lock of the store is held while the source is asked: it is taken for the copy of keys that a
stock is made of, for the load of what was read again, and for writing the result.

A difference is called one only when it stands after the stream was brought up to date: what changed
since the last read has moved out of its window at the source. Then what the store lost is put back
from the landing, what was never landed is read again by its window, and what is gone at the source
is looked for by a sweep. What differs after that stays in the report.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from connectors.base import Span, Stats, utc_now
from connectors.errors import Unavailable
from pipelines.comparing import Comparing
from pipelines.explain import explain
from pipelines.leases import AlreadyRunning
from pipelines.outcome import INTERRUPTED, ErrorText, StreamOutcome
from pipelines.proof import StreamProof, Window, joined, named
from pipelines.stops import stops_pass
from pipelines.sync import sync_stream
from pipelines.waiting import waiting

if TYPE_CHECKING:
    import httpx

    from connectors.base import Connector
    from pipelines.connection import Connection
    from pipelines.workspace import Workspace
    from warehouse.landing import Landing
    from warehouse.model.plan import StreamPlan
    from warehouse.stock import Stock


AGAIN_SECONDS = 5.0
"""How often a run is asked after that reads the stream at this moment."""


def verify_stream(
    workspace: Workspace,
    connection: str,
    stream: str,
    *,
    since: date | None = None,
    heal: bool = True,
    now: Callable[[], datetime] = utc_now,
    pause: Callable[[float], None] | None = None,
    transport: httpx.BaseTransport | None = None,
    run_id: str | None = None,
    recent: bool = False,
    patience: timedelta = timedelta(0),
) -> StreamProof:
    """Prove one stream complete, or say what is missing; the result stands in ops.completeness.

    `since` leaves out what is stamped before that day. `heal` mends what differs; a run
    that reads the stream at that moment is waited for, as long as `patience`. `recent` looks at the
    last month alone and passes over streams that the source does not count by time. Whatever goes
    wrong is in the proof's `error`.
    """
    begun = now()
    proof = StreamProof(connection, stream)
    try:
        with stops_pass():
            found = workspace.connection(connection)
            found.stream(stream)
            check = _Check(
                workspace, found, proof, since, heal, now, pause, transport,
                run_id or str(uuid.uuid4()), recent, patience,
            )  # fmt: skip
            check.run()
    except Exception as error:  # the boundary of a step: its failure is data
        proof.error = explain(error, workspace.home, workspace.secrets.given)
    except BaseException:
        proof.error = ErrorText(
            INTERRUPTED, "was stopped from outside.", "run it again.", retriable=True
        )
        raise
    proof.seconds = round((now() - begun).total_seconds(), 3)
    return proof


@dataclass
class _Check:
    """One check under way."""

    workspace: Workspace
    connection: Connection
    proof: StreamProof
    since: date | None
    heal: bool
    now: Callable[[], datetime]
    pause: Callable[[float], None] | None
    transport: httpx.BaseTransport | None
    run_id: str
    recent: bool
    patience: timedelta
    stats: Stats = field(default_factory=Stats)
    plan: StreamPlan = field(init=False)
    landing: Landing = field(init=False)
    connector: Connector = field(init=False)
    comparing: Comparing = field(init=False)

    def run(self) -> None:
        """Compare, heal, compare again, write down."""
        from warehouse.landing import Landing

        self.plan = self.connection.plan(self.stream)
        self.landing = Landing(self.workspace.home.landing, now=self.now)
        self.connector = self.connection.connector(
            now=self.now, pause=self.pause, transport=self.transport, stats=self.stats
        )
        with closing(self.connector):
            self.comparing = Comparing(
                self.workspace.home, self.connection, self.connector, self.landing, self.plan,
                self.proof, self.since, self.now,
            )  # fmt: skip
            if self.recent and not self.comparing.keep_to_last_month():
                self.proof.passed_over = True
                return
            if self.comparing.countable.kind == "none":
                self._uncounted()
            elif self.landing.last(*self._place) is None:
                said = "nothing was read yet: sync the stream first"
                self.proof.windows = [Window(Span(), message=said)]
            else:
                self._counted()
        self.proof.requests = self.stats.requests
        self._write()

    @property
    def stream(self) -> str:
        """The stream's name."""
        return self.proof.stream

    @property
    def _place(self) -> tuple[str, str]:
        return self.proof.connection, self.stream

    # --- the course of a check ---------------------------------------------------------------

    def _counted(self) -> None:
        with self.comparing.stock(whole=False) as stock:
            spans = self.comparing.spans(stock)
            if not spans:
                said = "no read of the stream has come to its end yet: sync it first"
                self.proof.windows = [Window(Span(), message=said)]
                return
            found = self.comparing.compare(spans, stock)
            strangers = stock.strangers() if self.comparing.since is None else []
        if self.heal and any(w.is_off for w in found):
            found = self._healed(found)
        self.proof.windows = found
        for window in found:
            self._say(window)
        if strangers:
            self._tell_of(strangers)

    def _healed(self, found: list[Window]) -> list[Window]:
        """Bring the stream up to date, then mend what differs still; return all windows anew."""
        self._took(self._sync())
        found = self._again(found, days=True)
        before = {(w.span, w.part) for w in found if w.is_off}
        if not before:
            return found
        lost = any(w.lost for w in found)
        if lost:
            self._put_back()
            found = self._again(found)
        missing = [w for w in found if w.status in ("missing", "differs")]
        if missing:
            self._read_again(missing)
            found = self._again(found)
        if any(w.status == "surplus" for w in found):
            if self.connector.streams()[self.stream].can_sweep:
                done = self._took(self._sync(sweep=True))
                self.proof.deleted += done.deleted
            found = self._again(found)
        gone = before - {(w.span, w.part) for w in found}
        found += [Window(span, part, status="healed") for span, part in gone if span == Span()]
        for window in found:
            if (window.span, window.part) in before and window.status == "equal":
                window.status = "healed"
        return found

    def _again(self, found: list[Window], *, days: bool = False) -> list[Window]:
        """Compare the windows that differed once more, with `days` by their days."""
        off = [w for w in found if w.is_off]
        if not off:
            return found
        with self.comparing.stock(whole=False) as stock:
            new = self.comparing.compare([w.span for w in off], stock)
            if days and self.comparing.countable.kind == "spans":
                new = self._by_days(new, stock)
        kept = (
            [] if self.comparing.countable.kind == "parts" else [w for w in found if not w.is_off]
        )
        return sorted(kept + new, key=lambda w: (str(w.span.since or ""), w.part or ""))

    def _by_days(self, found: Sequence[Window], stock: Stock) -> list[Window]:
        """Return the windows, those that differ and are longer than a day by their days."""
        days = [day for w in found if w.is_off for day in w.days]
        kept = [w for w in found if not (w.is_off and w.days)]
        return [*kept, *self.comparing.compare(days, stock)] if days else kept

    # --- healing -----------------------------------------------------------------------------

    def _put_back(self) -> None:
        """Apply what the store lost again from the landing; the source is not asked."""
        from warehouse.replay import put_back
        from warehouse.store import open_store

        with self.comparing.stock() as stock:
            places = stock.places()
        with open_store(self.workspace.home, clock=self.now, on_wait=waiting) as store:
            self.proof.put_back += put_back(store, self.landing, self.plan, places, now=self.now)

    def _read_again(self, missing: Sequence[Window]) -> None:
        """Read stretches behind the bookmark again; what is open below, by a full read."""
        if self.comparing.countable.kind == "parts":
            with self.comparing.stock() as stock:
                stock.want_again([w.part for w in missing if w.part is not None])
            self.proof.read_again += self._took(self._sync()).landed
            return
        stretches = joined([w.span for w in missing])
        if any(w.span.since is None for w in missing):
            done = self._took(self._sync(full=True))
            self.proof.read_again += done.landed
            self.proof.deleted += done.deleted
            return
        for stretch in stretches:
            self.proof.read_again += self._took(self._sync(stretch=stretch)).landed

    def _sync(
        self,
        *,
        full: bool = False,
        sweep: bool = False,
        stretch: tuple[datetime, datetime] | None = None,
    ) -> StreamOutcome:
        until = self.now() + self.patience
        while True:
            outcome = sync_stream(
                self.workspace, self.connection, self.stream, full=full, sweep=sweep,
                stretch=stretch, now=self.now, pause=self.pause, transport=self.transport,
                run_id=self.run_id,
            )  # fmt: skip
            busy = outcome.error is not None and outcome.error.kind == AlreadyRunning.__name__
            if not busy or self.now() >= until:
                return outcome
            (self.pause or time.sleep)(AGAIN_SECONDS)

    def _took(self, outcome: StreamOutcome) -> StreamOutcome:
        """Return an outcome that is none of a failure; raises Unavailable."""
        self.stats.requests += outcome.requests
        if outcome.error is not None:
            raise Unavailable(
                f"the stream could not be read again: {outcome.error.what}", outcome.error.do
            )
        return outcome

    # --- what is told ------------------------------------------------------------------------

    def _uncounted(self) -> None:
        """Say why nothing is counted; what the store lost of the landing is found all the same."""
        window = Window(Span(), status="cannot_count")
        if self.landing.last(*self._place) is not None:
            with self.comparing.stock() as stock:
                (held,) = stock.count([(None, None)])
                lost = stock.lost_keys()
            if lost and self.heal:
                self._put_back()
                window.message = f"{self.proof.put_back} rows were put back from the landing"
                with self.comparing.stock() as stock:
                    (held,) = stock.count([(None, None)])
            elif lost:
                window.status = "missing"
                window.message = named(
                    "landed and not in the store", lost, of_party=self.comparing.is_of_party
                )
            window.store, window.aside, window.left_out = held.count, held.aside, held.left_out
        self.proof.windows = [window]

    def _say(self, window: Window) -> None:
        """Complete a window's message: what was done, or what a person does."""
        said = [window.message] if window.message else []
        if window.status == "healed":
            said.append(
                f"healed: {self.proof.put_back} rows put back from the landing,"
                f" {self.proof.read_again} records read again, {self.proof.deleted} deleted"
            )
        elif window.lost:
            said.append(f"{window.lost} landed records are not in the store")
        if window.status == "surplus" and self.heal:
            said.append(
                "records are here that the source does not count: see isthmus deletions list, or"
                f" run isthmus sync {self.proof.connection} {self.stream} --full"
            )
        elif window.status == "missing" and self.heal:
            said.append(
                "the source counts more than it gives: ask its support, or look for records whose"
                " key repeats"
            )
        elif window.is_off and not self.heal:
            said.append(
                f"run isthmus verify {self.proof.connection} {self.stream}: it reads again what"
                " differs"
            )
        if window.aside:
            said.append(f"{window.aside} in quarantine")
        window.message = "; ".join(dict.fromkeys(said))

    def _tell_of(self, strangers: Sequence[str]) -> None:
        """Say that rows stand in the store that no landed record made."""
        window = self.proof.windows[0]
        if not window.is_off:
            window.status = "surplus"
        said = named(
            "rows that no landed record made", strangers, of_party=self.comparing.is_of_party
        )
        window.message = "; ".join(
            s
            for s in (window.message, f"{said}: isthmus rebuild makes the store without them")
            if s
        )

    def _write(self) -> None:
        from warehouse.completeness import replace
        from warehouse.store import open_store

        more = {
            "how": self.proof.how, "summed": self.proof.summed,
            "checked_at": self.now(),
        }  # fmt: skip
        rows = [w.as_row() | more for w in self.proof.windows]
        with open_store(self.workspace.home, clock=self.now, on_wait=waiting) as store:
            replace(store, *self._place, rows)
