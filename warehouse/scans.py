"""Scans of a stream's landing: what a proved end says is gone, and what of it waits for a person.

Absence is a deletion only at the end of a scan that the connector proved complete, whose marks are
all there, and which saw as many records as the source counts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from warehouse.seen import WHOLE, Scan, SeenIndex

BREAKER_SHARE = 0.05
BREAKER_KEYS = 50
ALL_KEYS = 5
"""A stream of more keys than these is never emptied without a person's word."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What the end of a scan says: `gone` keys are deletions, or wait where `held` is set."""

    scan: Scan
    gone: list[str] = field(default_factory=list)
    held: bool = False
    proved: bool = True


class Scans:
    """The scans that one writer has under way, by part."""

    def __init__(
        self, index: SeenIndex, *, read: str, began: str, resumed: bool | None, keys_only: bool
    ) -> None:
        self.under_way: dict[str, Scan] = {}
        self.warnings: Counter[str] = Counter()
        self._index, self._read, self._began, self._resumed = index, read, began, resumed
        self._keys_only = keys_only
        self._without_key: Counter[str] = Counter()

    def begin(self, part: str) -> None:
        """Begin the scan of `part`, or go on with the interrupted one."""
        found = self._index.scan(part)
        goes_on = self._resumed
        if goes_on is None:
            goes_on = found is not None and found.read == self._read
        if found is None or not goes_on:
            # A read that goes on where no scan was begun has not seen what came before: no proof.
            lost = bool(goes_on) and part == WHOLE
            found = self._index.begin_scan(part, self._began, self._read, lost=lost)
            if part == WHOLE:
                self._index.set_meta(without_key=0)
        elif part == WHOLE:
            self._without_key[part] = int(self._index.meta("without_key", 0))
        self.under_way[part] = found

    def count(self, part: str | None, without_key: int) -> None:
        """Count records without key: the source's total counts them, the index has no mark."""
        if without_key:
            self._without_key[part or WHOLE] += without_key
            if WHOLE in self.under_way and part is None:
                self._index.set_meta(without_key=self._without_key[WHOLE])

    def end(self, part: str | None, total: int | None) -> Ended:
        """End a scan whose connector says that it is complete; the caller lands what is gone."""
        name, index = part or WHOLE, self._index
        scan = self.under_way.pop(name)
        seen = 0 if total is None else index.seen_since(name, scan.epoch) + self._without_key[name]
        if scan.lost:
            self.warnings["scan not proved: its marks were lost, the next full read is"] += 1
            return Ended(scan, proved=False)
        if total is not None and seen < total:
            self.warnings["scan not proved: fewer keys seen than the source counts"] += 1
            return Ended(scan, proved=False)
        gone = index.unseen(name, scan.epoch)
        return Ended(scan, gone, held=self._are_many(gone, part))

    def forget(self, ended: Ended) -> None:
        """Let the index forget what the proved scan did not see."""
        scan, index = ended.scan, self._index
        if scan.part != WHOLE and (left := index.left(scan.part, scan.epoch)):
            # What stands in the store may be what this part said: the others say it again.
            index.want_again(left)
            key, other = left[0]
            many = len({key for key, _ in left})
            self.warnings[
                f"{scan.part} dropped {many} keys that stand elsewhere too ({key} in {other}):"
                " the next run reads that again"
            ] += 1
        index.drop_unseen(scan.part, scan.epoch, without_key=not self._keys_only)

    def _are_many(self, gone: list[str], part: str | None) -> bool:
        known = self._index.known(part or WHOLE)
        if part is None and len(gone) >= known > ALL_KEYS:
            self.warnings["not one known key came: all deletions wait for a person"] += 1
            return True
        return len(gone) > BREAKER_KEYS and len(gone) > BREAKER_SHARE * known
