"""Deletions that the breaker stopped: accepted by a person, or proved wrong by a later read."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.batch import Batch
from warehouse.decisions import Decision
from warehouse.errors import DecisionError
from warehouse.landing import Landing
from warehouse.session import Now, moment


@dataclass(frozen=True, slots=True)
class Hold:
    """A batch of deletions that waits. `at` is the start of the scan that missed the keys."""

    connection: str
    stream: str
    batch: int
    keys: int
    at: str
    part: str | None


def list_holds(landing: Landing, connection: str | None = None) -> list[Hold]:
    """Return the deletions that wait for a decision."""
    return [
        Hold(
            c, s, b.sequence, b.sidecar.rows, next((at for _, at in b.deletions()), ""),
            b.sidecar.part,
        )
        for c, s in landing.streams()
        if connection in (None, c)
        for b in landing.held(c, s)
    ]  # fmt: skip


def accept(
    landing: Landing,
    connection: str,
    stream: str,
    batch: int,
    *,
    why: str,
    now: Now,
    who: str = "",
) -> Decision:
    """Accept held deletions; the next load applies them. Keys seen since are left out.

    Raises DecisionError for a batch that does not wait, LandingBusy while the stream is read.
    """
    found = {b.sequence: b for b in landing.held(connection, stream)}
    if batch not in found:
        raise DecisionError(
            f"batch {batch} of {connection}/{stream} holds no deletions that wait.",
            "list the deletions; only the newest of a stream can be accepted.",
        )
    left_out, last = _seen_since(landing, found[batch])
    about = {
        "connection": connection,
        "stream": stream,
        "batch": batch,
        "sha256": found[batch].sidecar.sha256,
        "after": last,
        "keys": found[batch].sidecar.rows - len(left_out),
        "except": left_out,
    }
    return landing.decisions.append(
        "accept_deletion", why=why, who=who, at=moment(now), about=about
    )


def _seen_since(landing: Landing, batch: Batch) -> tuple[list[str], int]:
    """Return the keys of a held batch that were seen after it, and the log's last batch."""
    side = batch.sidecar
    index, lock = landing.index(side.connection, side.stream)
    try:
        held = index.held(sequence=batch.sequence)
        if held is None:
            raise DecisionError(
                "it is not known which of these keys were seen again since.",
                f"run `isthmus sync {side.connection} {side.stream} --full`, then accept what that"
                " holds back.", place=batch.label,
            )  # fmt: skip
        keys = [key for key, _ in batch.deletions()]
        last = landing.sequences(side.connection, side.stream)[-1]
        return index.seen_again(keys, held.epoch), last
    finally:
        index.close()
        lock.close()
