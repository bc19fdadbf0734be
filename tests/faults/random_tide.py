"""How far a bookmark may have come by the rule (FORMS.md section 1), without asking the product.

A run that believed the product's own bookmark would never owe what a wrong one passes over.
"""

from __future__ import annotations

from datetime import datetime, timedelta

LAG = timedelta(seconds=5)


class Tide:
    """`high` is the greatest stamp that a bookmark may stand at; None before any whole read.

    `ever` are all stamps that were ever committed.
    """

    def __init__(self, lookback: float) -> None:
        self.lookback = timedelta(seconds=lookback)
        self.high: datetime | None = None
        self.ever: set[datetime] = set()

    def is_owed(self, at: datetime) -> bool:
        """Say whether the next changed read must find a commit stamped `at`: the bound is in."""
        return self.high is None or at >= self.high - self.lookback

    def rise(self, begun: datetime, *, full: bool, surely: bool) -> None:
        """Take note of a read that began at `begun` and ended well, or (not `surely`) may have."""
        known = max((at for at in self.ever if at <= begun - LAG), default=None)
        if known is None:
            return
        keeps = self.high is not None and not (full and surely)
        self.high = max(known, self.high) if keeps and self.high else known
