"""How a list is walked page by page: styles as data, and one guard against walking in circles."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from connectors.address import join, parse
from connectors.body import Body, Path, scalar_text
from connectors.errors import ContractBroken, PaginationLoop

MAX_EMPTY = 20
"""Empty pages in a row after which a list that promises more is a loop."""
MAX_PAGES = 1_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """What to ask for next: `params` added to the request, or a `link` in its stead.

    `state` is what resumes the walk at this step, a JSON scalar; None where it cannot be resumed.
    """

    params: Mapping[str, str | int] = field(default_factory=dict)
    link: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """One page as it came: `received` counts the records of the walk so far, this page's too.

    `stamps` are the records' change stamps as text. `odd` says why the page was not plainly
    answered ("" where it was); `listed` is False where no list stood in the list's place.
    """

    body: Body | None
    headers: Mapping[str, str]
    records: Sequence[bytes]
    keys: Sequence[str | None]
    received: int
    number: int
    place: str
    stamps: Sequence[str | None] = ()
    odd: str = ""
    listed: bool = True
    status: int = 200


class Paging(ABC):
    """One style of paging.

    `resumable`: a walk may go on at a kept state; `stable`: and still be one scan (keyset);
    `shifts`: records that come or go meanwhile move others over page edges.
    """

    resumable: ClassVar[bool] = False
    stable: ClassVar[bool] = False
    shifts: ClassVar[bool] = False
    more: Path | None = None

    @abstractmethod
    def first(self, state: str | None = None) -> Step:
        """Return the first step, or the one that `state` resumes at."""

    @abstractmethod
    def after(self, turn: Turn) -> Step | None:
        """Return the step after a page, None at the end."""

    def says_more(self, turn: Turn) -> bool | None:
        """Return what the body says at `more`; None where it says nothing."""
        raw = turn.body.look(self.more) if self.more and turn.body else None
        if raw is None:
            return None
        return (scalar_text(raw) or "").lower() not in ("", "false", "0", "no", "n")

    def ended(self, turn: Turn) -> None:
        """Take the page for the last; raises ContractBroken where the body says the contrary."""
        if self.says_more(turn):
            raise ContractBroken(
                "The answer says that there is more but has no record to go on from.",
                "check paging.more and records:; else ask the vendor.", place=turn.place,
            )  # fmt: skip


class OnePage(Paging):
    """The whole list in one answer."""

    stable = True

    def first(self, state: str | None = None) -> Step:
        """Return the only step."""
        return Step()

    def after(self, turn: Turn) -> Step | None:
        """Return None: there is no other page."""
        return None


@dataclass(frozen=True)
class CursorPaging(Paging):
    """The body holds a cursor for the next page; ends where it is missing, null or empty."""

    resumable: ClassVar[bool] = True

    cursor: Path
    param: str
    more: Path | None = None

    def first(self, state: str | None = None) -> Step:
        """Return the step at a kept cursor, or at none."""
        return Step({self.param: state}, state=state) if state else Step()

    def after(self, turn: Turn) -> Step | None:
        """Return the step at the body's cursor."""
        if turn.body is None or self.says_more(turn) is False:
            return None
        cursor = turn.body.text(self.cursor)
        if cursor:
            return self.first(cursor)
        if self.says_more(turn):
            raise ContractBroken(
                "The answer says that there is more but gives no cursor.",
                "check paging.cursor.", place=turn.place,
            )  # fmt: skip
        return None


@dataclass(frozen=True)
class PagePaging(Paging):
    """Numbered pages; ends at an empty page, where `more` is false, or at the page in `pages`.

    A short page is not taken for the last: systems clamp sizes and filter after paging.
    """

    shifts: ClassVar[bool] = True

    param: str
    size: Mapping[str, int] = field(default_factory=dict)
    start: int = 1
    more: Path | None = None
    pages: Path | None = None

    def first(self, state: str | None = None) -> Step:
        """Return the first page's step."""
        return Step({self.param: self.start, **self.size})

    def after(self, turn: Turn) -> Step | None:
        """Return the step of the next number."""
        more = self.says_more(turn)
        if more is False or (not turn.records and not more):
            return None
        last = turn.body.text(self.pages) if self.pages and turn.body else None
        if last is not None and re.fullmatch("[0-9]{1,9}", last) and turn.number >= int(last):
            return None
        return Step({self.param: self.start + turn.number, **self.size})


@dataclass(frozen=True)
class OffsetPaging(Paging):
    """Offset and limit; the offset advances by what was received, whatever was asked for."""

    shifts: ClassVar[bool] = True

    param: str
    limit: Mapping[str, int] = field(default_factory=dict)
    more: Path | None = None

    def first(self, state: str | None = None) -> Step:
        """Return the step at the beginning."""
        return Step({self.param: 0, **self.limit})

    def after(self, turn: Turn) -> Step | None:
        """Return the step behind what was received; ends at an empty page."""
        if not turn.records or self.says_more(turn) is False:
            self.ended(turn)
            return None
        return Step({self.param: turn.received, **self.limit})


@dataclass(frozen=True)
class NextPaging(Paging):
    """A link to the next page, in the body or (path None) in the Link header (RFC 8288)."""

    resumable: ClassVar[bool] = True

    path: Path | None
    more: Path | None = None

    def first(self, state: str | None = None) -> Step:
        """Return the step at a kept link, or at none."""
        return Step(link=state, state=state) if state else Step()

    def after(self, turn: Turn) -> Step | None:
        """Return the step along the link; raises Refused where it leaves the host."""
        if self.says_more(turn) is False:
            return None
        if self.path is None:
            link = next_of(turn.headers.get("link", ""))
        else:
            link = turn.body.text(self.path) if turn.body else None
        if not link:
            return None
        here = parse(turn.place)
        return self.first(str(join(here, link, here.origin)))


@dataclass(frozen=True)
class LastPaging(Paging):
    """Keyset: the last record's field goes into the parameter; ends at an empty page."""

    resumable: ClassVar[bool] = True
    stable: ClassVar[bool] = True

    field_of: Callable[[bytes], str | None]
    name: str
    param: str
    more: Path | None = None

    def first(self, state: str | None = None) -> Step:
        """Return the step behind a kept value, or at the beginning."""
        return Step({self.param: state}, state=state) if state else Step()

    def after(self, turn: Turn) -> Step | None:
        """Return the step behind the last record that has the field."""
        if not turn.records or self.says_more(turn) is False:
            self.ended(turn)
            return None
        for record in reversed(turn.records):
            value = self.field_of(record)
            if value:
                return self.first(value)
        raise ContractBroken(
            f"No record of the page has the field {self.name!r} that the next page starts from.",
            "check paging.last.", place=turn.place,
        )  # fmt: skip


def next_of(header: str) -> str | None:
    """Return the target of rel=next in a Link header, or None."""
    for target, rest in re.findall(r"<([^<>]*)>([^<]*)", header):
        rel = re.search(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))", rest, re.IGNORECASE)
        if rel and "next" in (rel[1] or rel[2] or "").lower().split():
            return str(target)
    return None


def walk(
    paging: Paging, fetch: Callable[[Step, int, int], Turn], state: str | None = None
) -> Iterator[tuple[Turn, Step | None]]:
    """Yield each page and the step after it (None at the end).

    `fetch(step, received, number)` gets one page: how many records came before it, and its number
    from 1. Raises PaginationLoop when a step or a page comes back, after whatever period; where
    pages shift, not where one page comes twice running and others follow: as many records may have
    come in before it as it has.
    """
    seen: set[bytes] = set()
    last = b""
    repeated = 0
    step: Step | None = paging.first(state)
    received = empty = 0
    for number in range(1, MAX_PAGES + 1):
        assert step is not None  # noqa: S101
        turn = fetch(step, received, number)
        received = turn.received
        _once(seen, _step_mark(step), turn, "was asked for")
        if turn.records:
            empty = 0
            mark = _page_mark(turn)
            if paging.shifts and mark == last and not repeated:
                repeated = number
            else:
                _once(seen, mark, turn, "came")
            last = mark
        else:
            empty += 1
            if empty > MAX_EMPTY:
                raise _loop(turn, f"{empty} empty pages in a row promise more.")
        step = paging.after(turn)
        if step is None and repeated == number:
            raise _loop(turn, f"page {number} came before.")
        yield turn, step
        if step is None:
            return
    raise _loop(turn, f"the list has more than {MAX_PAGES} pages.")


def _once(seen: set[bytes], mark: bytes, turn: Turn, verb: str) -> None:
    if mark in seen:
        raise _loop(turn, f"page {turn.number} {verb} before.")
    seen.add(mark)


def _loop(turn: Turn, what: str) -> PaginationLoop:
    return PaginationLoop(
        f"The pages go in a circle: {what}",
        "check paging: (name of the parameter, path of the cursor); some systems ignore a "
        "parameter they do not know.",
        place=turn.place,
    )


def _mark(*parts: Any) -> bytes:
    texts = (part if isinstance(part, bytes) else str(part).encode() for part in parts)
    return hashlib.blake2b(b"\0".join(texts), digest_size=12).digest()


def _step_mark(step: Step) -> bytes:
    return _mark("step", step.link or "", sorted(step.params.items()))


def _page_mark(turn: Turn) -> bytes:
    """Recognise a page by its keys: the same records may carry other times of day.

    Not where keys repeat or stand alone: rows of one document share a key, over pages too.
    """
    if None not in turn.keys and 1 < len(turn.keys) == len(set(turn.keys)):
        return _mark("keys", *turn.keys)
    return _mark("page", *turn.records)
