"""Whose records a bookmark is of: an account, a company, test or live data."""

from __future__ import annotations

from dataclasses import replace

from connectors.base import ReadRequest
from connectors.errors import ConfigError

MEMBER = "of"


def keep_to(request: ReadRequest, whose: str, setting: str) -> ReadRequest:
    """Return the request; of a full read without the bookmark where that is of other records.

    Any other read raises ConfigError then: it would lay one's records beside the other's, and a
    sweep would take the first's for deleted. `setting` names what to set back.
    """
    before = (request.bookmark or {}).get(MEMBER, whose)
    if before == whose:
        return request
    if request.mode == "full":
        return replace(request, bookmark=None)
    raise ConfigError(
        f"The records read until now are of {before}, and now they would be of {whose}.",
        f"set {setting} as before; make a connection of its own for the others. A full sync of the "
        "stream puts the new records in the old ones' place.",
    )
