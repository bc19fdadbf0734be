"""The clock that tests hand the product: the one that the conformance suite ships."""

from __future__ import annotations

from connectors.testing.clock import START, StillClock

__all__ = ["START", "StillClock"]
