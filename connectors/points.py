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

    Stands at `pause` of a rule: of an answer that was taken it holds the connection until the next
    request of that cost can be paid, of a throttled one until the same request can.
    """

    cost: Path
    available: Path
    refill: Path

    def left(self, body: Body | None, now: datetime, zone: tzinfo) -> float | None:
        """Return the seconds until `cost` is there; None where the answer does not say."""
        if body is None:
            return None
        texts = [body.text(path) or "" for path in (self.cost, self.available, self.refill)]
        if not all(map(_NUMBER.fullmatch, texts)):
            return None
        cost, available, refill = map(float, texts)
        return max(cost - available, 0.0) / refill if refill else None
