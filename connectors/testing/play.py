"""One bench in play: records put and changed, and a store that takes pages as the landing would.

The store is not the product's: keys and versions alone, counted by the rules of a landing
(FORMS.md section 4), so that a connector is judged by what its pages say and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from connectors.base import (
    Bookmark,
    ChangedSince,
    Changes,
    Feed,
    Growing,
    KeySweep,
    Mode,
    OpenDocuments,
    Page,
    ReadRequest,
    Stream,
)
from connectors.errors import ConnectorError
from connectors.testing.bench import Bench, Unsupported
from connectors.testing.case import Failed, must, none_of
from connectors.testing.wire import Wire

STEP = timedelta(minutes=30)
YOUNGEST = timedelta(seconds=30)


@dataclass
class Store:
    """What stands in a store after the pages it took, by key; `gone` are keys it let go.

    Absence removes only at the end of a scan that the connector calls complete and that was not
    interrupted, unless the stream's order is stable.
    """

    stream: Stream
    version: Callable[[Mapping[str, Any]], str]
    rows: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    bookmark: Bookmark | None = None
    _seen: dict[str | None, set[str]] = field(default_factory=dict)
    _part: dict[str, str | None] = field(default_factory=dict)
    _spoilt: bool = False

    def copy(self) -> Store:
        """Return a store that holds the same, of a process that starts anew."""
        made = Store(self.stream, self.version, dict(self.rows), set(), self.bookmark)
        made._part = dict(self._part)
        return made

    def begin(self, page: Page) -> None:
        """Begin a scan with a read's first page, or go on with the one that was interrupted."""
        if not page.resumed:
            self._seen.clear()
            self._spoilt = False
        elif not self.stream.stable_order:
            self._spoilt = True

    def take(self, page: Page) -> None:
        """Take one page."""
        keys = [key for key in page.keys if key is not None]
        if page.kind == "deletions":
            self._remove(set(keys))
        else:
            self._seen.setdefault(page.part, set()).update(keys)
        if page.kind == "records":
            for key, record in zip(page.keys, records_of(page), strict=True):
                if key is not None:
                    self.rows[key] = self.version(record)
                    self._part[key] = page.part
        if page.complete and not self._spoilt:
            seen = self._seen.get(page.part, set())
            mine = {k for k in self.rows if page.part is None or self._part[k] == page.part}
            self._remove(mine - seen)
        self.bookmark = json.loads(json.dumps(page.bookmark))

    def _remove(self, keys: set[str]) -> None:
        self.gone |= keys & self.rows.keys()
        for key in keys:
            self.rows.pop(key, None)


class Play:
    """A bench, what was put on it, and the store that its stream is read into."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.stamps: dict[int, datetime] = {}
        self.keys: dict[int, str] = {}
        self._versions: dict[int, int] = {}
        self._rules = self._declared()
        self.store = self.new_store()

    @property
    def stream(self) -> Stream:
        """The stream that the cases are about."""
        return self._rules

    @property
    def wire(self) -> Wire:
        """The wire; raises Unsupported for a system that is not reached over HTTP."""
        if self.bench.wire is None:
            raise Unsupported("the system is not reached over HTTP")
        return self.bench.wire

    @property
    def count(self) -> int:
        """How many records make three pages, the last of one record."""
        return 2 * self.bench.page_size + 1

    def new_store(self) -> Store:
        """Return an empty store."""
        return Store(self.stream, self.bench.version)

    def _declared(self) -> Stream:
        connector = self.bench.make()
        found = connector.streams()[self.bench.stream]
        connector.close()
        return found

    # --- the source --------------------------------------------------------------------------
    def put(self, number: int, at: datetime | None = None) -> str:
        """Add or change a record, stamped now or `at`; return its key."""
        version = self._versions[number] = self._versions.get(number, 0) + 1
        self.stamps[number] = at or self.bench.clock.now()
        self.keys[number] = self.bench.put(number, version, self.stamps[number])
        return self.keys[number]

    def fill(self, count: int | None = None, at: datetime | None = None) -> None:
        """Put records half an hour apart, the last a moment ago; or all `at` one stamp."""
        count = self.count if count is None else count
        youngest = self.bench.clock.now() - YOUNGEST
        for number in range(1, count + 1):
            self.put(number, at or youngest - STEP * (count - number))

    def delete(self, number: int) -> str:
        """Delete a record; return its key."""
        self.bench.delete(number)
        self.stamps.pop(number)
        return self.keys.pop(number)

    def wait(self, **how: float) -> None:
        """Let time pass."""
        self.bench.clock.wait(**how)

    @property
    def lookback(self) -> timedelta:
        """The declared lookback; raises Unsupported for a stream without stamps."""
        main = self.main
        if not isinstance(main, ChangedSince | Feed) or not main.lookback:
            raise Unsupported("the stream declares no lookback")
        return main.lookback

    @property
    def main(self) -> Changes:
        """How changes are found, without what is read beside it (sweeps, open documents)."""
        changes = self.stream.changes
        while isinstance(changes, KeySweep | OpenDocuments):
            changes = changes.main
        return changes

    def near(self, numbers: Mapping[int, datetime]) -> set[str]:
        """Return the keys that the overlap of a second read may bring again."""
        main = self.main
        young: list[int] = []
        if isinstance(main, Growing):
            young = sorted(numbers)[-main.behind - 1 :]
        elif isinstance(main, ChangedSince | Feed):
            edge = max(numbers.values()) - main.lookback
            young = [number for number, at in numbers.items() if at >= edge]
        return {self.keys[number] for number in young}

    # --- reading -----------------------------------------------------------------------------
    def request(
        self,
        mode: Mode = "changed",
        bookmark: Bookmark | None = None,
        *,
        stream: str = "",
        limit: int | None = None,
    ) -> ReadRequest:
        """Return what a run asks of a stream, by default the bench's."""
        stream = stream or self.bench.stream
        return ReadRequest(stream, mode, bookmark, limit, wanted=self.bench.wanted(stream))

    def read(
        self,
        mode: Mode = "changed",
        *,
        store: Store | None = None,
        stop: int | None = None,
        between: Callable[[list[Page]], None] | None = None,
    ) -> list[Page]:
        """Read the stream into a store as one run does; return the pages.

        `stop` ends the run after so many pages, as a kill does; `between` is called with the
        pages that came, before the next is asked for.
        """
        store = self.store if store is None else store
        connector = self.bench.make()
        if self.bench.wire is not None:
            self.bench.wire.begin()
        pages: list[Page] = []
        reading = connector.read(self.request(mode, store.bookmark))
        try:
            for page in reading:
                self.look(page)
                if not pages:
                    store.begin(page)
                store.take(page)
                pages.append(page)
                if len(pages) == stop:
                    break
                if between is not None:
                    between(pages)
        finally:
            close = getattr(reading, "close", None)
            if close is not None:
                close()
            connector.close()
        return pages

    def fails(self, mode: Mode = "changed", *, store: Store | None = None) -> ConnectorError:
        """Read, and return the error that must come of it: two texts, no secret."""
        try:
            self.read(mode, store=store)
        except ConnectorError as error:
            must(error.what.strip() and error.do.strip(), f"{error!r} lacks one of its two texts")
            self.hides(str(error))
            return error
        raise Failed("the read ended as if nothing were wrong")

    def look(self, page: Page) -> None:
        """Hold against one page what every page must be."""
        self.hides(json.dumps(page.bookmark), *page.warnings)
        if page.kind != "records":
            must(not len(page.records), f"a page of {page.kind} has records")
            must(all(page.keys), f"a page of {page.kind} has an empty key")
            return
        must(len(page.keys) == len(page.records), "a page has not one key a record")
        if not isinstance(page.records, pa.Table):
            torn = [r for r in page.records if b"\n" in bytes(r) or b"\r" in bytes(r)]
            none_of(torn[:1], "a record has a raw line break")

    def hides(self, *texts: str) -> None:
        """Fail where a text holds a secret of the bench."""
        for name, value in self.bench.secrets.items():
            must(all(value not in text for text in texts), f"the value of {name} is told")

    # --- judging -----------------------------------------------------------------------------
    def equal(self, store: Store | None = None, when: str = "after the read") -> None:
        """Fail where the store differs from what stands at the source."""
        rows = (store or self.store).rows
        self.whole(store, when)
        none_of(rows.keys() - self.bench.living().keys(), f"{when} these are ghosts")

    def whole(self, store: Store | None = None, when: str = "after the read") -> None:
        """Fail where a record of the source is not in the store as it stands; ghosts may be."""
        rows, living = (store or self.store).rows, self.bench.living()
        none_of(living.keys() - rows.keys(), f"{when} these are lost")
        stale = {key for key, version in living.items() if rows[key] != version}
        none_of(stale, f"{when} these are stale")


def records_of(page: Page) -> list[Mapping[str, Any]]:
    """Return the records of a page as dictionaries."""
    if isinstance(page.records, pa.Table):
        return list(page.records.to_pylist())
    return [json.loads(bytes(record)) for record in page.records]


def keys_of(pages: list[Page]) -> list[str | None]:
    """Return the keys of pages in their order."""
    return [key for page in pages for key in page.keys]
