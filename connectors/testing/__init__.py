"""The conformance suite: what every connector must do, as tests that its author subclasses.

It needs pytest, which nothing else of the product does: only tests import this package.
docs/new-connector.md says how it is used.
"""

from __future__ import annotations

from connectors.testing import (
    cases_changes,
    cases_reading,
    cases_settings,
    cases_story,
    cases_wire,
)
from connectors.testing.bench import Bench, Unsupported
from connectors.testing.case import CASES
from connectors.testing.clock import START, StillClock
from connectors.testing.suite import ConformanceSuite
from connectors.testing.wire import App, Wire, answer

AREAS = (cases_settings, cases_reading, cases_changes, cases_wire, cases_story)
"""The modules of the cases, in the order of docs/connectors.md."""
HTTP_CASES = tuple(n for n, one in CASES.items() if one.run.__module__ == cases_wire.__name__)
"""The cases that a system which is not reached over HTTP cannot have."""

__all__ = [
    "AREAS",
    "CASES",
    "HTTP_CASES",
    "START",
    "App",
    "Bench",
    "ConformanceSuite",
    "StillClock",
    "Unsupported",
    "Wire",
    "answer",
]
