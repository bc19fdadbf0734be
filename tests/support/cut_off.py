"""A process that ends at a request of a simulator, as a kill ends it: nothing behind it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from unittest.mock import patch


class Counting(Protocol):
    """A simulator that counts its requests and says each number before it answers."""

    requests: int
    before: Callable[[int], Any]


class Killed(BaseException):
    """The process ends here."""


def killed_at(system: Counting, place: int, read: Callable[[], object]) -> bool:
    """Read until the request of that number, counted from here; say whether it came so far."""
    last = system.requests + place

    def die(number: int) -> None:
        if number == last:
            raise Killed

    system.before = die
    try:
        with patch("warehouse.writer.MAX_RECORDS", 1):  # a batch a page
            read()
    except Killed:
        return True
    finally:
        system.before = lambda number: None
    return False
