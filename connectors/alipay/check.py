"""Reach the gateway: whether the keys fit, what each stream answers, how far the clocks are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.alipay.billfile import Caps, read
from connectors.alipay.catalogue import Asked, Bill, Log, Source
from connectors.alipay.signing import BEIJING
from connectors.base import Finding
from connectors.clock import clock_finding
from connectors.errors import AuthError, ConnectorError, Unavailable
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.alipay.connector import AlipayConnector

BACK = 7
"""Days back in which a bill is looked for."""
NOBODY = "isthmus-check-0"
"""A number that no trade has: the answer says whether the app may ask."""


def check(connector: AlipayConnector) -> Iterator[Finding]:
    """Yield what may be read; a stream that fails does not stop the others."""
    yield from tls_findings(connector.settings.tls)
    for name, source in connector.sources().items():
        try:
            with connector.clean(source.title):
                yield _stream(connector, name, source)
        except (AuthError, Unavailable) as error:
            lacks = "lack the right" in error.what
            subject = name if lacks else "credentials" if isinstance(error, AuthError) else "system"
            yield Finding.failed(subject, error)
            if not lacks:
                return  # all others would be answered alike
        except ConnectorError as error:
            yield Finding.failed(name, error)
            if not connector.was_reached_for:
                return  # the keys cannot be read: each stream would say so
    clock = connector.api().clock
    if clock is not None:
        yield clock_finding("The system's", clock - connector.context.now())


def _stream(connector: AlipayConnector, name: str, source: Source) -> Finding:
    api, settings = connector.api(), connector.settings
    if isinstance(source, Bill):
        return _bill(connector, name, source)
    if isinstance(source, Log):
        now = api.now().astimezone(BEIJING)
        api.ask(source.method, {
            "start_time": _text(now - timedelta(minutes=5)), "end_time": _text(now),
            "page_no": "1", "page_size": str(settings.rows),
        })  # fmt: skip
    elif isinstance(source, Asked):
        api.ask(source.method, dict.fromkeys(source.wants, NOBODY))
    else:
        api.ask(source.method, {})
    return Finding(name, True, f"{source.title} can be asked for.")


def _bill(connector: AlipayConnector, name: str, bill: Bill) -> Finding:
    """Look for the newest bill of the last days, and read it as a run does."""
    settings = connector.settings
    caps = Caps(settings.max_unpacked, settings.max_ratio)
    today = connector.api().now().astimezone(BEIJING).date()
    for back in range(1, BACK + 1):
        day = today - timedelta(days=back)
        data = connector.api().bill(bill, day)
        if data is not None:
            detail = read(data, bill, day, caps, strict=settings.proof == "refuse")
            said = f"{bill.title} of {day}: {detail.table.num_rows:,} rows."
            return Finding(name, True, " ".join([said, *detail.notes]))
    return Finding(
        name, None, f"no bill of the last {BACK} days.",
        "right where nothing moved; else look on the merchant's page whether there are any.",
    )  # fmt: skip


def _text(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S")
