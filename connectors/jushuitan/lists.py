"""Reads of short lists, whole: walked until two walks in a row have brought the same keys.

A record that goes while the pages are walked moves the next ones over an edge, and one of them is
missed. It cannot be missed by two walks that are alike: what went during the first is not in the
second. A list of one page is one answer, and needs no second walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.base import Page, ReadRequest
from connectors.jushuitan.api import NUMBERED, Api
from connectors.jushuitan.catalogue import Source
from connectors.paging import Turn, walk

WALKS = 5


@dataclass(slots=True)
class Listed:
    """One read. There is no bookmark: every read is whole, and one that was cut off begins anew."""

    api: Api
    source: Source
    request: ReadRequest

    def pages(self) -> Iterator[Page]:
        """Yield the pages; the last says whether the scan is complete."""
        limit, is_sweep = self.request.limit, self.request.mode == "sweep"
        turns, alike = self._preview(limit) if limit is not None else self._steady()
        count = 0
        for turn in turns:
            records, keys = list(turn.records), list(turn.keys)
            if limit is not None:
                records, keys = records[: limit - count], keys[: limit - count]
            count += len(keys)
            yield self._page([] if is_sweep else records, keys)
        if limit is not None:
            return
        notes = []
        if not alike:
            notes.append(
                f"The list changed while it was read, {WALKS} times: it is not proved complete, "
                "and nothing is deleted."
            )
        elif not count:
            notes.append("No record came; so nothing is deleted.")
        yield self._page([], [], complete=alike and count > 0, notes=tuple(notes))

    def _steady(self) -> tuple[list[Turn], bool]:
        """Return the pages of a walk like the one before it; or all that came, and False."""
        before: list[str | None] | None = None
        came: list[Turn] = []
        for _ in range(WALKS):
            turns = [turn for turn, _ in walk(NUMBERED, self._ask)]
            keys = [key for turn in turns for key in turn.keys]
            if keys == before or len(turns) == 1:
                return turns, True
            before = keys
            came += turns
        return came, False

    def _preview(self, limit: int) -> tuple[list[Turn], bool]:
        turns: list[Turn] = []
        for turn, _ in walk(NUMBERED, self._ask):
            turns.append(turn)
            if turn.received >= limit:
                break
        return turns, False

    def _ask(self, step: object, received: int, number: int) -> Turn:
        return self.api.page(self.source, {}, received=received, number=number)

    def _page(
        self, records: list[bytes], keys: list[str | None], *, complete: bool = False,
        notes: tuple[str, ...] = (),
    ) -> Page:  # fmt: skip
        kind = self.request.mode == "sweep"
        mark = self.request.bookmark or {}
        return Page(
            records, keys, mark, kind="keys" if kind else "records", complete=complete,
            warnings=notes,
        )  # fmt: skip
