"""Reaches a system and says what it answers; a failure is a finding, not an end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.errors import ConnectorError
from pipelines.texts import t

if TYPE_CHECKING:
    from pipelines.workspace import Workspace


def reach_connection(space: Workspace, name: str) -> Iterator[Finding]:
    """Yield what the connector of a connection finds out about its system."""
    found = space.connection(name)
    try:
        with closing(found.connector()) as connector:
            yield from connector.check()
    except ConnectorError as error:
        yield Finding(error.place or t("check.reach"), False, error.what, error.do)
