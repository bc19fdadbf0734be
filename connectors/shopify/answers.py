"""What an answer of the Admin API means, as data.

GraphQL answers failures under HTTP 200. A throttled query was seen under 200 and is said to come
under 429, too; both carry the same body.
"""

from __future__ import annotations

from dataclasses import replace

from connectors.body import Path
from connectors.condition import parse_condition
from connectors.outcome import Rule, table
from connectors.points import Points

_STATUS = ("extensions", "cost", "throttleStatus")
POINTS = Points(
    ("extensions", "cost", "requestedQueryCost"),
    (*_STATUS, "currentlyAvailable"),
    (*_STATUS, "restoreRate"),
)
DEAREST = 850.0
"""Points of the dearest query of the catalogue, rounded up; one may cost 1,000."""
TOO_DEAR = "MAX_COST_EXCEEDED"

MESSAGES: tuple[Path, ...] = (("errors",), ("errors", "query"))

RULES = (
    *table(
        "errors[0].extensions.code",
        {
            "throttled": ["THROTTLED"],
            "denied": ["ACCESS_DENIED", "SHOP_INACTIVE"],
            "retry": ["INTERNAL_SERVER_ERROR"],
            "skip": [TOO_DEAR],  # the same in smaller pages, see `Walk`
        },
        pauses={"throttled": POINTS},
    ),
    Rule("throttled", (200, 429), parse_condition("errors[0].message = 'Throttled'"), pause=POINTS),
    Rule("fatal", (200,), parse_condition("errors is not null")),
    Rule("ok", (200,), parse_condition("data is not null"), pause=replace(POINTS, least=DEAREST)),
    Rule("denied", (402, 403, 423)),  # frozen, a missing right, locked
)
