"""Reach the site: who we are there, what each form answers, which of its fields are not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from connectors.base import Finding
from connectors.body import scalar_text
from connectors.clock import clock_finding
from connectors.errors import AuthError, ConnectorError, Unavailable
from connectors.kingdee.catalogue import STREAMS
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.kingdee.connector import KingdeeConnector


def check(connector: KingdeeConnector) -> Iterator[Finding]:
    """Yield what may be read; a stream that fails does not stop the others."""
    settings = connector.settings
    yield from tls_findings(settings.tls)
    if connector.context.timezone == "UTC":
        yield Finding(
            "timezone", None, "the system writes its own times without an offset: read as UTC.",
            "write timezone: Asia/Shanghai, or where the server stands.",
        )  # fmt: skip
    try:
        with connector.clean("credentials"):
            connector.api().prove_secrets()
    except ConnectorError as error:  # a secret that is not set: each stream would say so
        yield Finding.failed("credentials", error)
        return
    for name in connector.streams():
        try:
            with connector.clean(name):
                found = list(_stream(connector, name))
        except (AuthError, Unavailable) as error:
            yield Finding.failed("credentials" if isinstance(error, AuthError) else "system", error)
            return  # all others would be answered alike
        except ConnectorError as error:
            yield Finding.failed(name, error)
            continue
        yield from found
    with suppress(ConnectorError):
        yield from _organisations(connector)
    date = connector.api().date
    if date is not None:
        yield clock_finding("The system's", date - connector.context.now())


def _stream(connector: KingdeeConnector, name: str) -> Iterator[Finding]:
    api, source = connector.api(), STREAMS[name]
    known = api.fitted(name)
    rows = api.ask(known, [], 1)
    if rows:
        yield Finding(name, True, f"{source.form} can be read.")
    else:
        yield Finding(
            name, None, f"{source.form} answers nothing.",
            "right where there is none; else give the user the right to query this form, which "
            "is missing without a word.",
        )  # fmt: skip
    if known.missing:
        said = ", ".join(known.missing)
        yield Finding(
            name, None, f"{source.form} has no {said}: left out.",
            "say under names: what they are called here, or nothing where they are not used.",
        )  # fmt: skip
    if source.stamp and not known.stamp:
        yield Finding(
            name, None, f"{source.form} has no {source.stamp}: every run reads all.",
            f"say under names: {{{name}: {{{source.stamp}: …}}}} what it is called here.",
        )  # fmt: skip


def _organisations(connector: KingdeeConnector) -> Iterator[Finding]:
    """Say which organisations there are, and which of the settings are none of them."""
    wanted = connector.settings.organisations
    rows = connector.api().query("ORG_Organizations", ("FNumber",), [], "FNumber ASC", 200)
    there = [text for row in rows if (text := scalar_text(msgspec.Raw(row[0])))]
    unknown = [one for one in wanted if one not in there]
    if unknown and there:
        yield Finding(
            "organisations", False, f"there is no {', '.join(unknown)}.",
            f"write codes (组织编码) of: {', '.join(there[:20])}.",
        )  # fmt: skip
    elif len(there) > 1 and not wanted:
        yield Finding(
            "organisations", None, f"all that the user may see are read, of {len(there)}.",
            "name those that are meant under organisations:.",
        )  # fmt: skip
