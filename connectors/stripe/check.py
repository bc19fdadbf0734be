"""Reach the account: what the key may read, whether its data are real, whether lists filter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.clock import clock_finding
from connectors.errors import ConnectorError
from connectors.site import tls_findings
from connectors.stripe.lists import Part, is_live
from connectors.stripe.streams import EVENTS, Listed

if TYPE_CHECKING:
    from connectors.stripe.connector import StripeConnector


def check(connector: StripeConnector) -> Iterator[Finding]:
    """Yield what the first member of each list shows; one that fails does not stop the others."""
    settings = connector.settings
    yield from tls_findings(settings.tls)
    live: bool | None = None
    wanted = connector.wanted()
    if settings.changes == "events":
        wanted[EVENTS.name] = EVENTS
    for listed in wanted.values():
        try:
            part = _first(connector, listed)
        except ConnectorError as error:
            yield _refused(listed, error, settings.changes)
            continue
        held = "can be read." if part.keys else "can be read; it is empty."
        yield Finding(listed.name, True, held)
        if settings.changes != "full" or listed.kept:
            yield from _filters(connector, listed)
        for record in part.records:
            said = is_live(record)
            live = said if live is None else live
    if live is False:
        yield Finding(
            "livemode", None, "the key reads test data (livemode is false).",
            "use a key of the live mode (rk_live_…) for real money.",
        )  # fmt: skip
    date = connector.lists().client.last_date
    if date is not None:
        yield clock_finding("Stripe's", date - connector.context.now())


def _first(connector: StripeConnector, listed: Listed, *, late: bool = False) -> Part:
    """Ask for one member; `late` for one of the future, of which there is none."""
    tomorrow = int(connector.context.now().timestamp()) + 86_400
    bounds = {"created[gte]": str(tomorrow)} if late else {}
    with connector.clean():
        return next(connector.lists().walk(listed, bounds, limit=1))


def _filters(connector: StripeConnector, listed: Listed) -> Iterator[Finding]:
    """Say where a server does not filter by `created`: it is a stand-in for Stripe."""
    try:
        if not _first(connector, listed, late=True).keys:
            return
        what = "an older member was answered."
    except ConnectorError as error:
        what = error.what
    yield Finding(
        listed.name, False, f"created[gte] does not filter: {what}",
        "Stripe itself filters; for a server in its place set changes: full.",
    )  # fmt: skip


def _refused(listed: Listed, error: ConnectorError, changes: str) -> Finding:
    failed = Finding.failed(listed.name, error)
    if listed is EVENTS and changes == "events" and "HTTP 403" in error.what:
        return Finding(
            listed.name, None,
            f"{failed.what}: in their place objects of the last reread: are read again, on "
            "every run.",
            "give the key the right to read events, or set changes: windows.",
        )  # fmt: skip
    return failed
