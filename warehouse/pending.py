"""What of a landed stream is to be loaded, and which decisions of people are about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import duckdb

from warehouse.batch import Batch
from warehouse.decisions import Named
from warehouse.errors import LandingDamaged
from warehouse.landing import Landing
from warehouse.model.plan import StreamPlan
from warehouse.store import Store


@dataclass(frozen=True, slots=True)
class Pending:
    """A batch to apply; `left_out` are keys of accepted deletions that were seen since."""

    batch: Batch
    trusted: bool
    left_out: frozenset[str] = frozenset()


@dataclass(slots=True)
class Work:
    """The batches to apply in order, and the records that are not to be loaded.

    `held` counts deletions that wait for a decision. `void` says, with a count of batches or
    records, which decisions are not applied: their batch is gone, or another one has its number.
    """

    batches: list[Pending] = field(default_factory=list)
    discarded: list[Mapping[str, Any]] = field(default_factory=list)
    held: int = 0
    void: Counter[str] = field(default_factory=Counter)


def sums_of(con: duckdb.DuckDBPyConnection, place: tuple[str, str]) -> dict[int, str]:
    """Return the batches of a connection's stream that the store holds, with their sums."""
    sql = "select batch, sha256 from ops.batches where connection = ? and stream = ?"
    return dict(con.execute(sql, place).fetchall())


def find(store: Store, landing: Landing, plan: StreamPlan) -> Work:
    """Return what is landed and not applied; accepted deletions stand where they fell.

    A decision that is not applied is told until a batch of its number is. Raises LandingDamaged
    where the landing lacks what the store would be short of.
    """
    place = (plan.connection, plan.stream)
    applied = sums_of(store.con, place)
    landed = landing.sequences(*place)
    _is_whole(landing, place, landed, applied)
    pending = {n: landing.batch(*place, n) for n in landed if n not in applied}
    sums = applied | {n: batch.sidecar.sha256 for n, batch in pending.items()}
    work = Work()
    accepted: dict[int, Mapping[str, Any]] = {}
    trusted: set[int] = set()
    for named in landing.decisions.named(*place):
        if not named.is_about(sums.get(named.batch)):
            if named.batch not in applied:
                work.void[_void(named)] += 1
        elif named.kind == "discard":
            work.discarded.append(named.about)
        elif named.kind == "accept_deletion":
            accepted[named.batch] = named.about
        else:
            trusted.add(named.batch)
    found: list[tuple[float, Pending]] = []
    for number, batch in pending.items():
        trust = batch.sidecar.trust or number in trusted
        if not batch.sidecar.held:
            found.append((number, Pending(batch, trust)))
        elif number in accepted:
            about = accepted[number]
            # It acts after the batches that the person who accepted it knew.
            rank = max(number, int(about["after"])) + 0.5
            found.append((rank, Pending(batch, trust, frozenset(about["except"]))))
        else:
            work.held += batch.sidecar.rows
    found.sort(key=lambda one: (one[0], one[1].batch.sequence))
    work.batches = [one for _, one in found]
    return work


def _void(named: Named) -> str:
    return (
        f"decision {named.sequence} ({named.kind}) is not applied: its batch {named.batch} is gone,"
        " or another one has its number; decide anew"
    )


def _is_whole(
    landing: Landing, place: tuple[str, str], landed: Sequence[int], applied: Mapping[int, str]
) -> None:
    """Raise LandingDamaged where a batch is gone unloaded, or another one has taken its number."""
    gone = set(range(1, max(landed, default=0))) - set(landed) - applied.keys()
    if gone:
        raise LandingDamaged(
            f"batch {min(gone)} is missing and the store does not hold it.",
            "restore its files from a backup: without them the store would be short. Where there "
            "is none, docs/restore.md says how to go on.",
            place=f"{'/'.join(place)}",
        )
    known = max((n for n in landed if n in applied), default=None)
    if known is not None and landing.batch(*place, known).sidecar.sha256 != applied[known]:
        raise LandingDamaged(
            f"batch {known} is another one than the store has loaded under this number.",
            "the landing is older than the store, or lost its last batches: restore the newest "
            "backup of it and run `isthmus rebuild`; where there is none, `isthmus rebuild "
            "--accept-loss`, then `isthmus sync --all --full`.",
            place=f"{'/'.join(place)}",
        )


def trust(
    landing: Landing, plan: StreamPlan, pending: Sequence[Pending], at: datetime
) -> list[Pending]:
    """Return `pending` as trusted, which is written down as a decision."""
    new = [p.batch for p in pending if not p.trusted]
    if new:
        about = {
            "connection": plan.connection,
            "stream": plan.stream,
            "batches": [batch.sequence for batch in new],
            "sha256": [batch.sidecar.sha256 for batch in new],
        }
        landing.decisions.append(
            "trust_source", why="loaded with --trust-source", at=at, about=about
        )
    return [replace(p, trusted=True) for p in pending]
