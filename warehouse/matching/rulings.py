"""What people decided about pairs of records."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Rulings:
    """Pairs of records by the ids that they found; the newest decision about a pair holds.

    `same` are one thing for ever, `apart` are never in one group.
    """

    same: tuple[tuple[UUID, UUID], ...] = ()
    apart: tuple[tuple[UUID, UUID], ...] = ()
