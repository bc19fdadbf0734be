"""Reach the server: its release, who we are there, and what of each stream may be read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.base import Finding, ReadRequest
from connectors.clock import clock_finding
from connectors.errors import ConnectorError
from connectors.site import tls_findings
from connectors.tryton.catalogue import STREAMS
from connectors.tryton.reading import fit

if TYPE_CHECKING:
    from connectors.tryton.connector import TrytonConnector


def check(connector: TrytonConnector) -> Iterator[Finding]:
    """Yield what may be read; a stream that fails does not stop the others."""
    settings = connector.settings
    yield from tls_findings(settings.tls)
    try:
        api = connector.api()
        yield Finding("server", True, f"Tryton {api.version()}, database {settings.database}.")
        context = api.context()
    except ConnectorError as error:
        yield Finding.failed("server", error)
        return
    how = "a key (REST)" if api.is_rest else "a session (JSON-RPC)"
    company, others = context.get("company"), context.get("companies") or []
    if company is None:
        yield Finding("user", True, f"logged in with {how}; the database has no companies.")
    else:
        yield Finding("user", True, f"logged in with {how}; company {company}.")
    if len(others) > 1:
        yield Finding(
            "user", None, f"sees the companies {others}; only {company} is read.",
            "write company: to be sure which; a connection each reads the others.",
        )  # fmt: skip
    for name in connector.streams():
        yield from _stream(connector, name)
    if api.date is not None:
        yield clock_finding("The system's", api.date - connector.context.now())


def _stream(connector: TrytonConnector, name: str) -> Iterator[Finding]:
    api, source = connector.api(), STREAMS[name]
    try:
        fitted = fit(api, source)
        total = api.count(source.model, api.scope(source))
        came = sum(len(page.keys) for page in connector.read(ReadRequest(name, limit=1)))
    except ConnectorError as error:
        yield Finding.failed(name, error)
        return
    what = "products, counted at each location" if name == "stock" else "records"
    yield Finding(name, True, f"can be read; {total} {what}.")
    if total and not came:
        yield Finding(
            name, None, "no record of it came although some are counted.",
            "see which record rules hold for the user's groups.",
        )  # fmt: skip
    if fitted.missing:
        said = ", ".join(fitted.missing)
        yield Finding(
            name, None, f"this server has no {said}: left out.",
            "right where the module that brings them is not installed.",
        )  # fmt: skip
