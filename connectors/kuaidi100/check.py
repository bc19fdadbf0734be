"""Reach the account: one query for a number that is no parcel's, and what its answer means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.clock import clock_finding
from connectors.errors import ConnectorError, QuotaUsed
from connectors.kuaidi100.parcels import Parcel
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.kuaidi100.connector import Kuaidi100Connector


def check(connector: Kuaidi100Connector) -> Iterator[Finding]:
    """Yield whether the account may query; there is nothing else to ask it.

    The number differs from minute to minute: one and the same may not be asked for again and again.
    """
    settings, now = connector.settings, connector.context.now()
    yield from tls_findings(settings.tls)
    try:
        with connector.clean("tracks"):
            api = connector.api()
            said, _, words = api.ask(Parcel("yuantong", f"CHECK{int(now.timestamp()) // 60}"))
    except QuotaUsed as used:
        yield Finding("quota", False, used.what, used.do)
        return
    except ConnectorError as error:
        yield Finding.failed("tracks", error)
        return
    yield Finding(
        "tracks", True, f"parcels can be asked for; one that is none was answered: {words or said}."
    )
    if settings.daily_quota is None:
        yield Finding(
            "daily_quota", None, "queries are not counted, and each is billed.",
            "set it to what the package allows a day.",
        )  # fmt: skip
    if settings.sender_phone is None and settings.needs_phone:
        yield Finding(
            "sender_phone", None,
            f"parcels of {', '.join(settings.needs_phone)} without a receiver's phone are not "
            "asked for.", "give the sender's, which serves as well.",
        )  # fmt: skip
    if api.date is not None:
        yield clock_finding("The system's", api.date - now)
