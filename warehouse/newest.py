"""What the names in a stream's folder say, for those who read no sidecar."""

from __future__ import annotations

import os
from pathlib import Path

from warehouse.batch import DIGITS
from warehouse.packs import range_of


def last_number(folder: Path) -> int:
    """Return the number of the newest complete batch, by itself or in a pack; 0 without one."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return 0
    return max((_last(name) for name in names if name.endswith(".json")), default=0)


def _last(name: str) -> int:
    """Return the last batch that the sidecar of this name is of, 0 for other files."""
    pack = range_of(name)
    if pack is not None:
        return pack[1]
    number = name.removesuffix(".json")
    return int(number) if len(number) == DIGITS and number.isdigit() else 0
