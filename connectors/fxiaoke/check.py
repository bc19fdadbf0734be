"""Reach the tenant: what each object answers this user, how much, which fields are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.clock import clock_finding
from connectors.errors import AuthError, ConnectorError, Unavailable
from connectors.fxiaoke.catalogue import KEY, Source
from connectors.fxiaoke.describe import Fitted
from connectors.fxiaoke.settings import HOSTS
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.fxiaoke.connector import FxiaokeConnector


def check(connector: FxiaokeConnector) -> Iterator[Finding]:
    """Yield what may be read; a stream that fails does not stop the others."""
    settings = connector.settings
    yield from tls_findings(settings.tls)
    if connector.host not in HOSTS:
        yield Finding(
            "base_url", None, f"{connector.host} is none of the vendor's hosts that are known.",
            f"right for a cloud of one's own; else use one of {', '.join(HOSTS)}.",
        )  # fmt: skip
    try:
        with connector.clean("credentials"):
            connector.api().prove_secrets()
    except ConnectorError as error:  # a secret that is not set: each stream would say so
        yield Finding.failed("credentials", error)
        return
    missing: list[Fitted] = []
    for name in connector.streams():
        try:
            with connector.clean(name):
                found = list(_stream(connector, name, settings.sources[name], missing))
        except (AuthError, Unavailable) as error:
            yield Finding.failed("credentials" if isinstance(error, AuthError) else "system", error)
            return  # all others would be answered alike
        except ConnectorError as error:
            yield Finding.failed(name, error)
            continue
        yield from found
    if missing:
        said = "; ".join(f"{', '.join(one.missing)} of {one.object.api}" for one in missing)
        yield Finding(
            "fields", None, f"these are not there and left empty: {said}.",
            "say under names: {object: {field: …}} what they are called here, or nothing where "
            "they are not used.",
        )  # fmt: skip
    yield Finding(
        "user", None, "the counts above are what this user may see; the rest is missing untold.",
        "compare them with the totals of the same lists in the CRM, as an administrator.",
    )  # fmt: skip
    date = connector.api().date
    if date is not None:
        yield clock_finding("The system's", date - connector.context.now())


def _stream(
    connector: FxiaokeConnector, name: str, source: Source, missing: list[Fitted]
) -> Iterator[Finding]:
    """Yield what is said of one stream; objects that lack fields are added to `missing`."""
    head = connector.api().fitted(source.head)
    if not head.is_there:
        yield Finding(
            name, None, f"the tenant has no {source.head.api}.", f"write skip: with {name} in it."
        )
        return
    count = _count(connector, head)
    if count:
        yield Finding(name, True, f"{source.head.api} can be read: {count} records.")
    else:
        yield Finding(
            name, None, "no record comes.",
            "right where there is none; else give the user the right to see all records.",
        )  # fmt: skip
    yield from _left_empty(head, name, missing)
    if source.lines is None:
        return
    lines = connector.api().fitted(source.lines, source.head.api)
    if not lines.is_there or not lines.link:
        what = f"has no {lines.object.api}" if lines.is_there is False else "names no link in it"
        yield Finding(
            name, None, f"the tenant {what}: {source.each} are left out.",
            f"right where it is not used; else give the user the right to {lines.object.api}, or "
            f"write names: {{{lines.object.api}: …}}.",
        )  # fmt: skip
        return
    parts = _count(connector, lines)
    if parts and not count:
        yield Finding(
            name, None, f"{lines.object.api} can be read, {source.head.api} answers nothing.",
            "the user lacks the right to see the heads of what it may see lines of.",
        )  # fmt: skip
    if count and not parts:
        yield Finding(
            name, None, f"{source.head.api} can be read, {lines.object.api} answers nothing.",
            f"right where no record has {source.each}; else the user lacks the right to see them.",
        )  # fmt: skip
    yield from _left_empty(lines, name, missing)


def _count(connector: FxiaokeConnector, fitted: Fitted) -> int:
    """Return how many records the system says that this user may see, at least what came."""
    found = connector.api().query(fitted, [], only=(KEY,), limit=1, counted=True)
    return max(found.total or 0, len(found.cut.keys))


def _left_empty(fitted: Fitted, name: str, missing: list[Fitted]) -> Iterator[Finding]:
    if fitted.missing:
        missing.append(fitted)
    if not fitted.has_stamp:
        yield Finding(
            name, None, f"{fitted.object.api} has no last_modified_time: every run reads all.",
            "ask the vendor why.",
        )  # fmt: skip
