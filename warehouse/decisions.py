"""What people decided: an append-only log that `rebuild` replays (FORMS.md section 4).

A decision is on disk, synced, before the store changes. A process that is killed in between has
decided all the same: the next load acts on it.

A decision names batches by number and by the sha256 of their data: a landing that lost its last
batches gives their numbers to others, which nobody decided about.
"""

from __future__ import annotations

import fcntl
import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError

from warehouse import crashpoints
from warehouse.batch import name_of, sync_folder, write_durably
from warehouse.clock import iso
from warehouse.errors import DecisionError
from warehouse.sealed import is_whole, seal

FOLDER = "_decisions"


class Decision(BaseModel):
    """One decision. `about` holds the members of its kind; texts of people stand in `why`."""

    model_config = ConfigDict(extra="ignore")

    version: Literal[1] = 1
    sequence: int
    kind: str
    who: str
    why: str
    at: str
    about: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Named:
    """A batch that a decision names; one decision may name several.

    `about` is the record that is discarded, for other kinds what the decision is about. `sha256` is
    empty where the decision was written before it was kept: the number alone counts then.
    """

    sequence: int
    kind: str
    batch: int
    sha256: str
    about: Mapping[str, Any]

    def is_about(self, sha256: str | None) -> bool:
        """Say whether the batch of that number and of this sum (None: it is gone) is meant."""
        return self.sha256 in ("", sha256)


class Decisions:
    """The log of decisions under the landing `root`."""

    def __init__(self, root: Path) -> None:
        self.folder = root / FOLDER

    def append(
        self, kind: str, *, why: str, at: datetime, who: str = "", about: Mapping[str, Any]
    ) -> Decision:
        """Write a decision durably and return it; `who` defaults to the user of this process."""
        with self._lock():
            sequence = self.newest() + 1
            decision = Decision(
                sequence=sequence, kind=kind, who=who or getpass.getuser(), why=why,
                at=iso(at), about=dict(about),
            )  # fmt: skip
            write_durably(
                self.folder / f"{name_of(sequence)}.json",
                seal(decision.model_dump_json(indent=1).encode()),
            )
        crashpoints.reach("decide.written")
        return decision

    def all(self, kind: str | None = None, after: int = 0) -> list[Decision]:
        """Return the decisions in order, of one kind or all, with a sequence above `after`."""
        numbers = sorted(self._sequences())
        lost = set(range(1, max(numbers, default=0))) - set(numbers)
        if lost:
            raise self._missing(min(lost))
        found = [self._read(n) for n in numbers if n > after]
        return [d for d in found if kind is None or d.kind == kind]

    def newest(self) -> int:
        """Return the number of the last decision, 0 where there is none."""
        return max(self._sequences(), default=0)

    def expect(self, known: int) -> int:
        """Return the number of the last decision; raises DecisionError for one below `known`."""
        newest = self.newest()
        if newest < known:
            raise self._missing(known)
        return newest

    def named(self, connection: str, stream: str, kind: str | None = None) -> list[Named]:
        """Return the batches of a stream that decisions name, in the order of the decisions."""
        return [n for d in self._of(kind, connection, stream) for n in _named(d)]

    def _of(self, kind: str | None, connection: str, stream: str) -> list[Decision]:
        place = (connection, stream)
        return [
            d for d in self.all(kind)
            if (d.about.get("connection"), d.about.get("stream")) == place
        ]  # fmt: skip

    def _sequences(self) -> list[int]:
        if not self.folder.is_dir():
            return []
        return [int(p.stem) for p in self.folder.glob("*.json") if p.stem.isdigit()]

    def _missing(self, sequence: int) -> DecisionError:
        return DecisionError(
            f"decision {sequence} is missing.",
            "restore its file from a backup; without it a rebuild would differ. Where there is no"
            " backup, docs/restore.md says what to do.",
            place=str(self.folder / f"{name_of(sequence)}.json"),
        )

    def _read(self, sequence: int) -> Decision:
        path = self.folder / f"{name_of(sequence)}.json"
        try:
            content = path.read_bytes()
            members = msgspec.json.decode(content, type=dict[str, Any])
            decision = Decision.model_validate(members)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, ValidationError) as error:
            raise _damaged(path, f"cannot be read ({type(error).__name__})") from None
        if decision.sequence != sequence or not is_whole(content, members):
            raise _damaged(path, "is not as it was written (its check differs)")
        return decision

    @contextmanager
    def _lock(self) -> Iterator[None]:
        if not self.folder.is_dir():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        with (self.folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _named(decision: Decision) -> Iterator[Named]:
    about = decision.about
    if decision.kind == "discard":
        parts = [(r["batch"], r.get("sha256"), r) for r in about["records"]]
    elif decision.kind == "accept_deletion":
        parts = [(about["batch"], about.get("sha256"), about)]
    elif decision.kind == "trust_source":
        sums = about.get("sha256") or [None] * len(about["batches"])
        parts = [(n, s, about) for n, s in zip(about["batches"], sums, strict=True)]
    else:
        return
    for number, sha256, members in parts:
        yield Named(decision.sequence, decision.kind, int(number), sha256 or "", members)


def _damaged(path: Path, how: str) -> DecisionError:
    return DecisionError(
        f"the decision {how}.",
        "restore the file from a backup; without it a rebuild would differ.",
        place=str(path),
    )
