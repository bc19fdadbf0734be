"""The landing: an append-only log of batches, one folder a stream (FORMS.md section 4).

The presence of a sidecar is what makes a batch complete. Readers need no lock: they look at
sidecars only.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from warehouse import packs
from warehouse.batch import DIGITS, TEMPORARY, Batch, name_of, sync_folder
from warehouse.clock import Clock, utc_now
from warehouse.decisions import Decisions
from warehouse.erase.erasures import guard
from warehouse.erase.marker import expect_none
from warehouse.errors import LandingBusy, LandingError, LandingUnknown
from warehouse.packs import read_batch
from warehouse.seen import FILE, SeenIndex
from warehouse.sidecar import Mode
from warehouse.writer import BatchWriter

LOCK = ".lock"


class Landing:
    """All landed batches under `root`."""

    def __init__(self, root: Path, *, now: Clock = utc_now) -> None:
        self.root = root
        self.now = now
        self.decisions = Decisions(root)

    # --- reading -----------------------------------------------------------------------------

    def streams(self) -> list[tuple[str, str]]:
        """Return (connection, stream) of all that was ever landed."""
        found = []
        for connection in sorted(_folders(self.root)):
            for stream in sorted(_folders(self.root / connection)):
                if self.sequences(connection, stream):
                    found.append((connection, stream))
        return found

    def sequences(self, connection: str, stream: str) -> list[int]:
        """Return the numbers of the complete batches, in order."""
        folder = self.folder(connection, stream)
        if not folder.is_dir():
            return []
        found = _complete(folder)
        if len(found) != max(found, default=0):
            found |= _complete(folder)  # batches may have gone into a pack behind our back
        return sorted(found)

    def batches(self, connection: str, stream: str, after: int = 0) -> list[Batch]:
        """Return the complete batches with a number above `after`, in order."""
        folder = self.folder(connection, stream)
        return [read_batch(folder, n) for n in self.sequences(connection, stream) if n > after]

    def batch(self, connection: str, stream: str, sequence: int) -> Batch:
        """Return one batch; raises LandingUnknown."""
        return read_batch(self.folder(connection, stream), sequence)

    def sha256(self, connection: str, stream: str, sequence: int) -> str | None:
        """Return the sum of a batch's data, None where there is no such batch."""
        try:
            return self.batch(connection, stream, sequence).sidecar.sha256
        except LandingUnknown:
            return None

    def accepted(self, connection: str, stream: str) -> dict[int, Mapping[str, Any]]:
        """Return what was decided about the held batches that a person accepted, by number."""
        place = (connection, stream)
        return {
            n.batch: n.about
            for n in self.decisions.named(*place, "accept_deletion")
            if n.is_about(self.sha256(*place, n.batch))
        }

    def last(self, connection: str, stream: str) -> Batch | None:
        """Return the last complete batch."""
        numbers = self.sequences(connection, stream)
        return self.batch(connection, stream, numbers[-1]) if numbers else None

    def bookmark(self, connection: str, stream: str) -> dict[str, Any] | None:
        """Return where extraction goes on: the bookmark of the last batch that has one."""
        for number in reversed(self.sequences(connection, stream)):
            found = self.batch(connection, stream, number).sidecar.bookmark
            if found is not None:
                return found
        return None

    def again(self, connection: str, stream: str) -> frozenset[str]:
        """Return the parts to be read again: another part dropped a key that stands there too."""
        return _wanted_again(self.folder(connection, stream))

    def record(self, connection: str, stream: str, batch: int, position: int) -> bytes:
        """Return one raw record; raises LandingUnknown or LandingDamaged."""
        return self.batch(connection, stream, batch).record(position)

    def folder(self, connection: str, stream: str) -> Path:
        """Return the folder of a stream; refuses names that are no plain folder name."""
        for name in (connection, stream):
            if (
                not name
                or name[0] in "._"
                or any(c in name for c in "/\\\0\n\r")
                or len(name) > 120
            ):
                raise LandingError(
                    f"{name[:60]!r} cannot be the name of a connection or stream.",
                    "use a short name of letters, digits and '_' that starts with a letter.",
                )
        return self.root / connection / stream

    # --- writing -----------------------------------------------------------------------------

    def writer(
        self,
        connection: str,
        stream: str,
        *,
        mode: Mode,
        read: str,
        connector: str,
        started: datetime,
        window: tuple[str | None, str | None] | None = None,
        trust_source: bool = False,
        resumed: bool | None = None,
        grouped: bool = False,
        key: Callable[[], bytes] | None = None,
    ) -> BatchWriter:
        """Open the stream for writing; raises LandingBusy while another writer has it.

        `read` names the run. `trust_source` lands records that equal the last landed ones too and
        tells the loader to take older versions (after a restore at the source). `resumed` says
        whether an interrupted scan goes on; None: it does where `read` is that of the scan.
        `grouped` keeps documents whose rows repeat their head whole: no row is left out as
        unchanged, and a batch ends between two keys only. `key` gives the installation's: with it
        erased persons are kept out (KeyChanged where it is another than theirs).
        """
        expect_none(self.root)
        folder = self.folder(connection, stream)
        if not folder.is_dir():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(folder.parent)
            sync_folder(folder.parent.parent)
        lock = _lock(folder, f"{connection}/{stream}")
        with ExitStack() as failed:
            failed.callback(lock.close)
            kept_out = guard(self.decisions, connection, stream, key)
            self._clear(folder, connection, stream)
            index = self._index(folder, connection, stream)
            failed.callback(index.close)
            made = BatchWriter(
                folder, connection, stream, mode=mode, read=read, connector=connector,
                started=started, window=window or (None, None), trust=trust_source,
                resumed=resumed, grouped=grouped, index=index, last=self.last(connection, stream),
                bookmark=self.bookmark(connection, stream), lock=lock, now=self.now,
                guard=kept_out,
            )  # fmt: skip
            failed.pop_all()
        return made

    def held(self, connection: str, stream: str) -> list[Batch]:
        """Return the deletions that the breaker stopped and nobody accepted, oldest first.

        Only the newest of a part can be accepted: it tells of all that the older ones told.
        """
        accepted = self.accepted(connection, stream)
        newest: dict[str | None, Batch] = {}
        for batch in self.batches(connection, stream):
            side = batch.sidecar
            if side.content == "deletions" and side.complete and side.part in newest:
                del newest[side.part]
            if side.held and batch.sequence not in accepted:
                newest[side.part] = batch
        return sorted(newest.values(), key=lambda b: b.sequence)

    def index(self, connection: str, stream: str) -> tuple[SeenIndex, TextIO]:
        """Open the index of seen keys, caught up, with the stream's lock; close both."""
        folder = self.folder(connection, stream)
        lock = _lock(folder, f"{connection}/{stream}")
        with ExitStack() as failed:
            failed.callback(lock.close)
            index = self._index(folder, connection, stream)
            failed.pop_all()
        return index, lock

    def _index(self, folder: Path, connection: str, stream: str) -> SeenIndex:
        index = SeenIndex(folder)
        with ExitStack() as failed:
            failed.callback(index.close, seal=False)  # left open it would lock out the next run
            try:
                self._bring_up(index, folder, connection, stream)
            except sqlite3.OperationalError:
                raise  # full, busy or not readable: the index itself may be whole
            except sqlite3.DatabaseError:
                index.was_damaged = True
                index.rebuild()
                self._bring_up(index, folder, connection, stream)
            failed.pop_all()
        return index

    def _bring_up(self, index: SeenIndex, folder: Path, connection: str, stream: str) -> None:
        numbers = self.sequences(connection, stream)
        known = read_batch(folder, index.applied) if index.applied in numbers else None
        if not index.is_of(known):
            index.rebuild()
        elif index.is_doubtful:
            sums = {n: read_batch(folder, n).sidecar.sha256 for n in numbers if n <= index.applied}
            if not index.holds(sums):  # a batch was put back over another one
                index.was_damaged = True
                index.rebuild()
        accepted = {
            n: frozenset(about["except"]) for n, about in self.accepted(connection, stream).items()
        }
        done = index.accepted()
        for number in sorted(set(accepted) - done):
            if number <= index.applied:
                keys = read_batch(folder, number).deletions()
                index.forget(k for k, _ in keys if k not in accepted[number])
        index.set_accepted(accepted)
        if numbers and numbers[-1] > index.applied:
            index.catch_up((read_batch(folder, n) for n in numbers if n > index.applied), accepted)

    def clear(self, connection: str, stream: str) -> None:
        """Remove what dead writers left; the caller holds the stream."""
        self._clear(self.folder(connection, stream), connection, stream)

    def hold(self, connection: str, stream: str) -> TextIO:
        """Take the stream's lock, that nothing is landed; raises LandingBusy. Close it."""
        return _lock(self.folder(connection, stream), f"{connection}/{stream}")

    def _clear(self, folder: Path, connection: str, stream: str) -> None:
        """Remove what dead writers left: temporary files, data after the last whole batch.

        A data file before it has lost its sidecar otherwise, and may be the only copy.
        """
        last = name_of(max(self.sequences(connection, stream), default=0))
        for name in os.listdir(folder):
            is_own = name[:DIGITS].isdigit() and packs.range_of(name) is None
            orphan = is_own and name[:DIGITS] > last
            if name.endswith(TEMPORARY) or orphan:
                (folder / name).unlink(missing_ok=True)


def _complete(folder: Path) -> set[int]:
    """Return the numbers of the batches whose sidecars, or whose pack's, stand in `folder`."""
    names = os.listdir(folder)
    found = {
        int(n[:DIGITS])
        for n in names
        if len(n) == DIGITS + 5 and n.endswith(".json") and n[:DIGITS].isdigit()
    }
    for first, last in packs.among(names):
        found.update(range(first, last + 1))
    return found


def _wanted_again(folder: Path) -> frozenset[str]:
    """Return the parts to be read again, looked up without the stream's lock.

    None where there is no index: that knowledge is lost with it, and a full read makes it good.
    """
    if not (folder / FILE).is_file():
        return frozenset()
    try:
        db = sqlite3.connect(f"{(folder / FILE).absolute().as_uri()}?mode=ro", uri=True, timeout=30)
    except sqlite3.Error:
        return frozenset()
    with closing(db), suppress(sqlite3.Error):
        return frozenset(row[0] for row in db.execute("select part from again"))
    return frozenset()


def _folders(path: Path) -> Iterator[str]:
    if path.is_dir():
        with os.scandir(path) as entries:
            yield from (e.name for e in entries if e.is_dir() and e.name[0] not in "._")


def _lock(folder: Path, label: str) -> TextIO:
    """Take the stream's OS lock; it is given back when the file is closed."""
    file = (folder / LOCK).open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read(200).strip() or "unknown"
        file.close()
        raise LandingBusy(
            f"another process (pid {holder}) is writing this stream.",
            "wait until it has ended; nothing needs to be repaired.", place=label,
        ) from None  # fmt: skip
    file.seek(0)
    file.truncate()
    file.write(str(os.getpid()))
    file.flush()
    return file
