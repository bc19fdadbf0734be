"""A bucket of points that refills, as a system tells of it in its answers.

Some systems count what a request costs, not requests: the cost is known when the answer comes. So
nothing is counted here. What an answer says of the bucket becomes a hold on the connection
(`Budget.hold`), which all its runs share, before the bucket is empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from connectors.body import Body, Path

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class Points:
    """Where an answer says what its request cost, what the bucket holds, and its refill a second.

    Stands at `pause` of a rule: of a throttled answer it lets the same request wait until it can be
    paid, of one that was taken it holds the connection until the next can. That one may cost more:
    `least` is what the dearest costs.
    """

    cost: Path
    available: Path
    refill: Path
    least: float = 0.0

    def left(self, body: Body | None, now: datetime, zone: tzinfo) -> float | None:
        """Return the seconds until so many are there; None where the answer does not say."""
        if body is None:
            return None
        texts = [body.text(path) or "" for path in (self.cost, self.available, self.refill)]
        if not all(map(_NUMBER.fullmatch, texts)):
            return None
        cost, available, refill = map(float, texts)
        return max(max(cost, self.least) - available, 0.0) / refill if refill else None
