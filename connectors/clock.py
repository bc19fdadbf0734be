"""How far a system's clock is from ours, as `isthmus check` tells it."""

from __future__ import annotations

from datetime import timedelta

from connectors.base import Finding

SKEW = timedelta(minutes=1)
"""By how much two clocks may differ without a remark."""


def clock_finding(whose: str, apart: timedelta) -> Finding:
    """Say how far `whose` clock ("The system's") is ahead of ours; a remark above SKEW."""
    skew = apart.total_seconds()
    if abs(apart) <= SKEW:
        return Finding("clock", True, f"differs by {skew:+.0f} s.")
    return Finding(
        "clock", None, f"{whose} clock differs from ours by {skew:+.0f} s.",
        f"set one of them right, or make lookback longer than {abs(skew):.0f} s.",
    )  # fmt: skip
