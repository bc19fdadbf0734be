"""Named points at which a test may kill the process, to prove that a clean run mends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

POINTS: tuple[str, ...] = (
    "extract.page",  # a page was read, nothing of it is landed
    "land.data_written",  # data file written and synced under its temporary name
    "land.data_renamed",  # data file has its name, its sidecar is missing
    "land.sidecar",  # the batch is complete, the index of seen keys does not know it
    "load.begun",  # the transaction is open
    "load.staged",  # rows are staged, nothing is changed
    "load.written",  # rows are written, the transaction is open
    "load.committed",  # committed, not checkpointed
    "load.checkpointed",
    "decide.written",  # a decision is on disk, the store has not seen it
    "unify.written",  # golden rows written, the transaction is open
    "unify.committed",
    "reconcile.written",  # breaks written, the transaction is open
    "project.written",  # projection written, the transaction is open
    "project.committed",
    "publish.copied",  # the copy has its temporary name
    "publish.versioned",  # the version has its name, the current name is the old one
    "publish.renamed",
)


UPKEEP: tuple[str, ...] = (
    "store.made",  # an empty store is whole under its temporary name
    "upgrade.copied",  # the copy from before the upgrade stands, nothing is changed
    "upgrade.written",  # what is missing is added, the transaction is open
    "rebuild.filled",  # the new store is whole beside the old one
    "rebuild.swapping",  # the old one's log is gone, its file is not
    "compact.data_written",  # the files of a pack are whole, its sidecar is missing
    "compact.removing",  # a pack is complete, some of what it holds stands beside it still
    "compact.store_copied",  # the new store is whole beside the old one
    "erase.noted",  # what is to be erased is noted, encrypted; nothing is decided or changed
    "erase.batch_written",  # the data of a batch has its new content, its sidecar the old sum
    "erase.batch_done",  # one batch is rewritten
    "erase.landing_done",  # the landing is rewritten, the store holds the person still
    "erase.store_edited",  # the rows are gone, the transaction is open
    "erase.store_unified",  # nothing leads to the person, the file holds the old bytes
    "erase.store_copied",  # the new file is whole beside the old one
    "erase.published",  # the new version is published, older ones are there
    "erase.proved",  # all is done but for the removal of the note
    "token.answered",  # the system gave a new token out, it is not kept yet
)
"""Points that an ordinary sync does not pass."""

told: Callable[[str], None] | None = None
"""Called at each point that is reached, before a kill there; for tests that watch a child."""


def reach(point: str) -> None:
    """Kill this process if `ISTHMUS_CRASH_AT` names `point`, by SIGKILL.

    `ISTHMUS_CRASH_AT=point:3` lets the first two arrivals pass; `ISTHMUS_CRASH_SIGNAL=TERM` sends
    that signal instead, once. Does nothing elsewhere.
    """
    if told is not None:
        told(point)
    wanted = os.environ.get("ISTHMUS_CRASH_AT")
    if not wanted:
        return
    name, _, count = wanted.partition(":")
    if name != point:
        return
    _arrivals[point] = _arrivals.get(point, 0) + 1
    if _arrivals[point] == int(count or 1):
        os.kill(os.getpid(), signal.Signals[f"SIG{os.environ.get('ISTHMUS_CRASH_SIGNAL', 'KILL')}"])


_arrivals: dict[str, int] = {}
