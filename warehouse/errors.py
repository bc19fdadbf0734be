"""Errors of the warehouse, named by what the caller should do next.

WarehouseError                two texts: what happened, what to do; `retriable`
├── LandingError
│   ├── LandingBusy           another process writes this stream: wait
│   ├── LandingFull           the disk is full: make space
│   ├── LandingDamaged        a landed file is not what its sidecar says: restore it
│   └── LandingUnknown        a sidecar of a newer release, a batch that is not there
├── LoadError                 a batch cannot be applied; nothing of it was written
│   └── MappingMismatch       the mapping names what the records do not have: mend the mapping
├── DecisionError             a decision names something that is not there, or cannot be taken
├── KeyChanged                the hashes were made with another key: put that one back
└── StoreError                the store itself: busy, of another release
    ├── StoreFull             the disk that holds it is full: make space
    └── StoreDamaged          its file is cut, changed or gone: rebuild it
"""

from __future__ import annotations

from typing import ClassVar


class WarehouseError(Exception):
    """Something that a person has to know: `what` happened and what to `do` next.

    `place` names the file, the batch or the line; `retriable` says whether the same call may
    succeed later without a person. Texts never hold a record's content.
    """

    retriable: ClassVar[bool] = False

    def __init__(self, what: str, do: str, *, place: str = "") -> None:
        super().__init__(f"{place}: {what}" if place else what)
        self.what = what
        self.do = do
        self.place = place

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.what} Do: {self.do}"


class LandingError(WarehouseError):
    """Something about the landed batches."""


class LandingBusy(LandingError):
    """Another writer holds the stream."""

    retriable = True


class LandingFull(LandingError):
    """The disk (or quota) that holds the landing is full; what was landed before stands."""

    retriable = True


class LandingDamaged(LandingError):
    """A landed file is missing, cut or changed."""


class LandingUnknown(LandingError):
    """A batch that is not there, or a sidecar that this release does not know."""


class LoadError(WarehouseError):
    """A batch cannot be applied; nothing of it was written."""


class MappingMismatch(LoadError):
    """A path of the mapping is absent from every record while another spelling is there."""


class DecisionError(WarehouseError):
    """A decision of a person names something that is not there, or comes too late."""


class KeyChanged(WarehouseError):
    """The key of masked values is not the one that the published hashes were made with."""


class StoreError(WarehouseError):
    """The store file itself."""


class StoreFull(StoreError):
    """There is not enough room on the disk; what was committed before stands."""

    retriable = True


class StoreDamaged(StoreError):
    """The file is cut, changed or gone; the landing holds all that it is made of."""
