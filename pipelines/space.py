"""Nothing is read or published on a disk that is nearly full: a full one stops everybody."""

from __future__ import annotations

import shutil

from connectors.errors import Unavailable
from warehouse.home import Home


class DiskFull(Unavailable):
    """The disk of the home has less room than the company's least."""


def need_space(home: Home, least: int) -> None:
    """Raise DiskFull where the disk of `home` has fewer than `least` bytes free."""
    free = shutil.disk_usage(home.root).free
    if free < least:
        raise DiskFull(
            f"only {free / 1e9:.1f} GB are free, {least / 1e9:.1f} GB are the least.",
            "free space, or lower min_free in the company's file.",
            place=str(home.root),
        )
