"""The state of a request budget as a small document, and the rules that change it.

Why no window ever has more: let N + 1 requests arrive within a window, and L be the one that was
let go last, at s. Each of the others had been let go by then, and arrives later than s less the
window, so its answer began later than that, or had not begun: it was counted when L asked, and L
would have had to wait.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

_DRIFT = 0.001  # two clocks may differ in speed by so much; an NTP client slews by half of it
_LEAST_WAIT = 0.001
_GRACE = 5.0  # who does not come back so long after its turn was dead or asleep
_LONGEST_HOLD = 86400.0
_GROUPS = 100  # a limit of more than so many requests is counted in so many groups a window


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests in so many seconds: of the connection, or `each` path by itself.

    `path` is the one that a limit of each path counts, "" where it counts all.
    """

    count: int
    seconds: float
    each: bool = False
    path: str = ""

    @property
    def name(self) -> str:
        """How the ledger calls it."""
        return f"{self.count}/{self.seconds:g}" + (f"@{self.path}" if self.path else "")

    def of(self, path: str) -> Rate:
        """Return the limit that a request to `path` stands under."""
        return Rate(self.count, self.seconds, self.each, path) if self.each else self

    def counts(self, claims: Sequence[Claim]) -> int:
        """Return how many of these requests stand under the limit."""
        return sum(1 for claim in claims if self.path in ("", claim.path))

    @property
    def window(self) -> float:
        """The seconds that a request counts, with what clocks may differ in."""
        return self.seconds * (1 + _DRIFT) + 0.001


class Group(msgspec.Struct, array_like=True):
    """`count` requests whose answers began between `first` and `last`, counted until `last`'s end.

    One group a request up to 100 of them; above, those of a hundredth of the window together, so
    that the document stays small: they count a little longer, never shorter.
    """

    first: float
    last: float
    count: int


class Claim(msgspec.Struct, array_like=True):
    """A request that waits or is under way; `until` is when it is given up as lost."""

    name: str
    owner: str
    until: float
    path: str = ""


class Ledger(msgspec.Struct, omit_defaults=True):
    """What all processes of a connection know. Times are seconds since the epoch."""

    ended: dict[str, list[Group]] = {}
    out: list[Claim] = []
    queue: list[Claim] = []
    held_at: float = 0.0
    held_for: float = 0.0

    def ask(
        self,
        rates: Sequence[Rate],
        name: str,
        owner: str,
        now: float,
        longest: float,
        patience: float,
        is_dead: Callable[[str], bool],
        path: str = "",
    ) -> float:
        """Let `name` go to `path` and return 0, or the seconds after which to ask again (> 0).

        `longest` is how long a request may be under way, `patience` how long anybody waits.
        """
        rates = [rate.of(path) for rate in rates]
        self._begin(rates, now, longest, patience)
        wait = self._wait(rates, name, now)
        if wait > 0 and self._bury(now, is_dead):
            wait = self._wait(rates, name, now)
        if wait <= 0:
            self.leave(name)
            self.out.append(Claim(name, owner, now + longest, path))
            return 0.0
        mine = next((claim for claim in self.queue if claim.name == name), None)
        if mine is None:
            mine = Claim(name, owner, 0.0, path)
            self.queue.append(mine)
        mine.until = now + wait + _GRACE
        return wait

    def end(self, name: str, now: float) -> float:
        """Take note that the answer to `name` began."""
        mine = [claim for claim in self.out if claim.name == name]
        for claim in mine:  # none where it was given up as lost, and counted then
            self.out.remove(claim)
            self._count(now, claim.path)
        return 0.0

    def leave(self, name: str) -> float:
        """Take `name` out of the queue."""
        self.queue = [claim for claim in self.queue if claim.name != name]
        return 0.0

    def stop(self, now: float, seconds: float) -> float:
        """Let nobody go for so many seconds, unless a longer stop holds already."""
        seconds = min(seconds, _LONGEST_HOLD)
        if seconds > self.held(now):
            self.held_at, self.held_for = now, seconds
        return 0.0

    def held(self, now: float) -> float:
        """Return for how many seconds nobody may go."""
        self.held_at = min(self.held_at, now)  # the clock was set back
        left = self.held_at + self.held_for - now
        return max(left, _LEAST_WAIT) if left > 0 else 0.0  # what a clock of microseconds can tell

    # --- parts -----------------------------------------------------------------------------------
    def _begin(self, rates: Sequence[Rate], now: float, longest: float, patience: float) -> None:
        """Bring the ledger to `now`: what left its window goes, what is in the future is now."""
        for rate in rates:
            if rate.name not in self.ended:  # settings changed: what is known counts for it too
                alike = [name for name in self.ended if _rate(name).path == rate.path]
                known = max(alike, key=lambda name: _rate(name).seconds, default="")
                groups = self.ended.get(known, [])
                self.ended[rate.name] = [Group(g.first, g.last, g.count) for g in groups]
        wanted = {rate.name for rate in rates}
        under_way = {claim.path for claim in self.out}
        for name, groups in list(self.ended.items()):
            window = _rate(name).window
            for group in groups:  # the clock was set back: it ended at the latest now
                group.last, group.first = min(group.last, now), min(group.first, now)
            self.ended[name] = [group for group in groups if group.last > now - window]
            if not self.ended[name] and name not in wanted and _rate(name).path not in under_way:
                del self.ended[name]
        for claim in self.out:
            claim.until = min(claim.until, now + longest)
        for claim in self.queue:
            claim.until = min(claim.until, now + patience + _GRACE)

    def _bury(self, now: float, is_dead: Callable[[str], bool]) -> bool:
        """Give up what is lost; a request of a dead process may have left until this moment."""
        owners = {claim.owner for claim in (*self.out, *self.queue)}
        dead = {owner for owner in owners if is_dead(owner)}
        lost = [c for c in self.out if c.until <= now or c.owner in dead]
        gone = [c for c in self.queue if c.until <= now or c.owner in dead]
        for claim in lost:
            self.out.remove(claim)
            self._count(now, claim.path)
        for claim in gone:
            self.queue.remove(claim)
        return bool(lost or gone)

    def _count(self, now: float, path: str) -> None:
        for name, groups in self.ended.items():
            rate = _rate(name)
            if rate.path not in ("", path):
                continue
            grain = rate.seconds / _GROUPS if rate.count > _GROUPS else 0.0
            if groups and grain and 0 <= now - groups[-1].first <= grain:
                groups[-1].last = max(groups[-1].last, now)
                groups[-1].count += 1
            else:
                groups.append(Group(now, now, 1))

    def _wait(self, rates: Sequence[Rate], name: str, now: float) -> float:
        """Return the least seconds that `name` has to wait behind those who asked before."""
        names = [claim.name for claim in self.queue]
        before = self.queue[: names.index(name)] if name in names else self.queue
        wait = self.held(now)
        for rate in rates:
            groups = self.ended[rate.name]
            used = sum(group.count for group in groups) + rate.counts(self.out)
            needed = used + rate.counts(before) + 1 - rate.count
            if needed > 0:
                wait = max(wait, _free_in(rate, groups, needed, now), _LEAST_WAIT)
        return wait


def _free_in(rate: Rate, groups: list[Group], needed: int, now: float) -> float:
    """Return after how many seconds, at the least, so many places are free again.

    Where those that ended are not enough, the others end now at the earliest.
    """
    for group in sorted(groups, key=lambda group: group.last):
        needed -= group.count
        if needed <= 0:
            return group.last + rate.window - now
    return math.ceil(needed / rate.count) * rate.window


def _rate(name: str) -> Rate:
    count, _, rest = name.partition("/")
    seconds, _, path = rest.partition("@")
    return Rate(int(count), float(seconds), bool(path), path)


def decode(text: str | None) -> Ledger:
    """Read a ledger; an empty one for what cannot be read."""
    if not text:
        return Ledger()
    try:
        return msgspec.json.decode(text, type=Ledger)
    except msgspec.DecodeError:  # ValidationError too: written by another release
        return Ledger()


def encode(ledger: Ledger) -> str:
    """Write a ledger."""
    return msgspec.json.encode(ledger).decode()
