"""Reads by the row number `ts`: every change gives a record a greater one, and pages come sorted.

The next page is asked for from the greatest number of the last one on, always as page 1 (the
vendor's advice), so that what changes meanwhile moves nothing over an edge: it comes again, later.
Nobody says whether the number that is asked for is itself given. So one less is asked for, and what
is given twice is left out: a tie at a page's edge is whole either way. A tie wider than a page is
walked by page numbers until two walks brought the same; what one of them lost, because a record
left the tie while it was walked, cannot stand in both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, TypeAlias

from connectors.base import Page, ReadRequest
from connectors.changes import parse_stamp, unreadable_bookmark
from connectors.errors import ConfigError, ContractBroken, Unavailable
from connectors.jushuitan.api import NUMBERED, Api, more
from connectors.jushuitan.catalogue import BEIJING, WAREHOUSE, Source
from connectors.jushuitan.settings import JushuitanSettings
from connectors.paging import Turn, walk
from connectors.records import field_text

DAY = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
"""Stands for the stamp of a record that no floor passes in this read, nor where it goes on later:
it has none, or is younger than the lookback when it is read."""
_WHOLE = ("after", "floor", "held")
WALKS = 6
"""How often a list is walked until two walks in a row are alike."""
Row: TypeAlias = tuple[str, int]
_modified = field_text(("modified",))


@dataclass(slots=True)
class Cursor:
    """One read. The bookmark is `{"floor": {warehouse: ts}}`, with `{"resume"}` while under way.

    A floor is a number that nothing new comes below: that of the last record before the first one
    that changed within the lookback of the newest. The next read begins there, because a
    transaction may commit after others that have greater numbers. Streams that are not read by
    warehouse have the one "".
    """

    api: Api
    source: Source
    settings: JushuitanSettings
    request: ReadRequest
    floors: dict[str, int] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)
    part: str = ""
    after: int = 0
    floor: int = 0
    greatest: datetime | None = None
    recent: deque[tuple[datetime | None, int]] = field(default_factory=deque)
    count: int = 0
    resumed: bool = False
    notes: list[str] = field(default_factory=list)

    def pages(self) -> Iterator[Page]:
        """Yield the pages; raises ContractBroken for a bookmark or an answer that is none."""
        if self.request.mode == "sweep":
            return  # nothing is deleted there, and keys alone cannot be had
        parts = [str(one) for one in self.settings.warehouses] if self.source.by_warehouse else [""]
        resume = self._begin(parts)
        for part in parts:
            if part in self.done:
                continue
            self.part, self.greatest = part, None
            self.recent.clear()
            self.floor = self.after = self._start(part)
            if resume.get("part") == part:
                self.after, self.floor = resume["after"], resume["floor"]
                if young := resume["young"]:
                    self.recent.append((datetime.fromisoformat(young[0]), young[1]))
                if held := resume.get("held", 0):
                    self.recent.append((NEVER, held))
            for turn, new, after in self._walk():
                yield self._page(turn, new, self._mark(after))
                if self.request.limit is not None and self.count >= self.request.limit:
                    return
            self.done[part] = self.floor
        if self.request.limit is None:
            yield Page([], [], {"floor": self.done}, warnings=tuple(self.notes),
                       resumed=self.resumed)  # fmt: skip

    # --- where to begin ------------------------------------------------------------------------
    def _begin(self, parts: Sequence[str]) -> Mapping[str, Any]:
        mark, is_full = self.request.bookmark or {}, self.request.mode == "full"
        floors = mark.get("floor", {})
        if _are_numbers(floors):
            self.floors = dict(floors)
        elif not is_full:
            raise unreadable_bookmark()
        if left_out := self.floors.keys() - parts:
            raise ConfigError(
                f"Stock of the warehouses {', '.join(sorted(left_out))} was read until now and is "
                "not among warehouses: any more.",
                "add them again, or make a connection of its own: what was read of them would stay "
                "and count twice.",
            )
        resume = mark.get("resume")
        if not isinstance(resume, dict) or not _goes_on(resume, self.request.mode):
            return {}
        self.done, self.resumed = dict(resume["done"]), True
        return resume

    def _start(self, part: str) -> int:
        if self.request.mode == "full":
            return self.settings.start_ts
        return self.floors.get(part, self.settings.start_ts)

    # --- walking -------------------------------------------------------------------------------
    def _walk(self) -> Iterator[tuple[Turn, list[int], int]]:
        """Yield each page, the places of the new records on it, and where to go on behind it."""
        least, edge = self._start(self.part), set[Row]()
        while True:
            turn = self._ask(1)
            rows = _rows(turn)
            best = max((ts for _, ts in rows), default=0)
            if not rows and least == self.after > self.settings.start_ts:
                self.notes.append(
                    "Not even the newest records of the last read came: they were deleted, or the "
                    "source was restored. After a restore run a full sync."
                )
            if best <= self.after and more(turn):
                for turn, rows in self._tie():
                    best = max((ts for _, ts in rows), default=best)
                    yield turn, self._new(turn, rows, edge, least), self.after
                    edge.update(rows)
            else:
                yield turn, self._new(turn, rows, edge, least), max(best, self.after)
            if best <= self.after:
                return
            edge = {row for row in (*edge, *rows) if row[1] >= best - 1}
            self.after = best

    def _new(self, turn: Turn, rows: list[Row], edge: set[Row], least: int) -> list[int]:
        """Leave out what this read has given already, and what the reads before it have."""
        self._raise_floor(turn, rows)
        return [at for at, row in enumerate(rows) if row[1] > least and row not in edge]

    def _tie(self) -> Iterator[tuple[Turn, list[Row]]]:
        """Walk a whole page of one number by page numbers, up to the first greater one."""
        before: list[Row] = []
        for _ in range(WALKS):
            seen: list[Row] = []
            for turn, _step in walk(NUMBERED, lambda step, got, number: self._ask(number, got)):
                rows = _rows(turn)
                seen += rows
                yield turn, rows
                if any(ts > self.after for _, ts in rows) or not more(turn):
                    break
            if seen == before:
                return
            before = seen
        raise Unavailable(
            f"More than a page of {self.source.title} have the ts {self.after}, and they change "
            "faster than they can be listed.",
            "run again when less is changed.",
        )

    def _ask(self, number: int, received: int = 0) -> Turn:
        biz: dict[str, Any] = {self.source.cursor: max(self.after - 1, 1), "is_get_total": False}
        if self.part:
            biz["wms_co_id"] = int(self.part)
        return self.api.page(self.source, biz, received=received, number=number, stamp="ts")

    def _raise_floor(self, turn: Turn, rows: list[Row]) -> None:
        """Let the floor follow the greatest stamp seen, a lookback behind it."""
        here = self.api.here()
        for record, (_, ts) in zip(turn.records, rows, strict=True):
            if ts <= self.floor:
                continue
            text = _modified(record)
            at = parse_stamp(text, BEIJING) if text else None
            if at is None:
                self._remark()
            elif at > here + DAY:
                continue  # a slip of the pen must not hold the floor for years
            else:
                if at <= here - self.settings.lag:
                    self.greatest = max(self.greatest or at, at)
                if at >= here - self.settings.lookback:
                    at = NEVER  # what may yet be committed below it is for the next read to find
            self.recent.append((at, ts))
        edge = self.greatest and self.greatest - self.settings.lookback
        reached = self.floor
        while edge and self.recent and (at := self.recent[0][0]) is not None and at < edge:
            reached = max(reached, self.recent.popleft()[1])
        if self.recent:  # of one number are also some that are young
            reached = min(reached, self.recent[0][1] - 1)
        self.floor = max(self.floor, reached)

    def _remark(self) -> None:
        note = "A record does not say when it was modified: all behind it is read at every run."
        if note not in self.notes:
            self.notes.append(note)

    # --- pages ---------------------------------------------------------------------------------
    def _mark(self, after: int) -> dict[str, Any]:
        young = [((at or NEVER).isoformat(), ts) for at, ts in islice(self.recent, 1)]
        resume = {
            "mode": self.request.mode, "part": self.part, "after": after, "floor": self.floor,
            "young": [*young[0]] if young else [], "done": dict(self.done),
            "held": next((ts for at, ts in self.recent if at == NEVER), 0),
        }  # fmt: skip
        return {"floor": dict(self.floors), "resume": resume}

    def _page(self, turn: Turn, new: list[int], mark: Mapping[str, Any]) -> Page:
        limit = self.request.limit
        if limit is not None:
            new, mark = new[: limit - self.count], self.request.bookmark or {}
        self.count += len(new)
        records = [turn.records[at] for at in new]
        keys = [turn.keys[at] for at in new]
        if self.part:
            records = [_with_warehouse(record, self.part) for record in records]
            keys = [f"{self.part}/{key}" for key in keys]
        notes, self.notes = tuple(self.notes), []
        return Page(records, keys, mark, warnings=notes, resumed=self.resumed)


def _rows(turn: Turn) -> list[Row]:
    """Return key and number of each record; raises ContractBroken where they do not rise."""
    rows: list[Row] = []
    for key, text in zip(turn.keys, turn.stamps, strict=True):
        if text is None or not text.isascii() or not text.isdigit():
            raise ContractBroken("A record has no ts.", "ask the vendor.", place=turn.place)
        rows.append((key or "", int(text)))
        if len(rows) > 1 and rows[-1][1] < rows[-2][1]:
            raise ContractBroken(
                "The page is not sorted by ts, as was promised.", "ask the vendor.",
                place=turn.place,
            )  # fmt: skip
    return rows


def _with_warehouse(record: bytes, part: str) -> bytes:
    """Return the record with the warehouse that it was asked for as a member."""
    inner = record.lstrip()[1:].lstrip()
    comma = b"" if inner[:1] == b"}" else b","
    return f'{{"{WAREHOUSE}":"{part}"'.encode() + comma + inner


def _are_numbers(found: object) -> bool:
    return isinstance(found, dict) and all(
        isinstance(name, str) and type(number) is int and number >= 0
        for name, number in found.items()
    )


def _goes_on(resume: Mapping[str, Any], mode: str) -> bool:
    numbers = {name: resume.get(name, 0 if name == "held" else None) for name in _WHOLE}
    return (
        resume.get("mode") == mode
        and isinstance(resume.get("part"), str)
        and _are_numbers(numbers)
        and _are_numbers(resume.get("done"))
        and _is_young(resume.get("young"))
    )


def _is_young(found: object) -> bool:
    """Say whether this is a stamp and its number, or nothing."""
    if not isinstance(found, list) or (found and [type(one) for one in found] != [str, int]):
        return False
    try:
        return not found or datetime.fromisoformat(found[0]).tzinfo is not None
    except ValueError:
        return False
