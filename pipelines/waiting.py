"""Who is told that this process waits for the store's lock: a person at the command line.

The opening of the store lies behind Dagster's steps; a run of the daemon tells nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.lock import Holder

_tellers: list[Callable[[Holder | None], None]] = []


def tell_with(teller: Callable[[Holder | None], None]) -> None:
    """Let `teller` hear of every wait from here on, in place of who heard of them before."""
    _tellers[:] = [teller]


def waiting(holder: Holder | None) -> None:
    """Tell that `holder` is waited for."""
    for teller in _tellers:
        teller(holder)
