"""Reach the system: what may be read, which warehouses there are, which shops will be missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.base import Finding, ReadRequest
from connectors.clock import clock_finding
from connectors.errors import AuthError, ConnectorError, Unavailable
from connectors.jushuitan.catalogue import STREAMS
from connectors.records import field_text
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.jushuitan.connector import JushuitanConnector

CLOSED = ("淘宝", "天猫", "淘系", "taobao", "tmall", "拼多多", "pinduoduo")
"""Words of `shop_site` of platforms whose orders the plain API leaves out."""
_site, _shop = field_text(("shop_site",)), field_text(("shop_name",))
_warehouse = field_text(("wms_co_id",))


def check(connector: JushuitanConnector) -> Iterator[Finding]:
    """Yield what may be read; a stream that fails does not stop the others."""
    yield from tls_findings(connector.settings.tls)
    for name in connector.streams():
        try:
            with connector.redactor.cleaned(name):
                records = _some(connector, name)
        except (AuthError, Unavailable) as error:
            yield Finding.failed("credentials" if isinstance(error, AuthError) else "system", error)
            return  # all others would be answered alike
        except ConnectorError as error:
            yield Finding.failed(name, error)
            continue
        yield Finding(name, True, f"{STREAMS[name].title} can be read.")
        if name == "shops":
            yield from _shops(records)
        if name == "warehouses":
            yield from _warehouses(connector, records)
    date = connector.api().date
    if date is not None:
        yield clock_finding("The system's", date - connector.context.now())


def _some(connector: JushuitanConnector, name: str) -> list[bytes]:
    """Return the records of a short list, or of one request where the list may be long."""
    source = STREAMS[name]
    if source.how == "list":
        pages = connector.read(ReadRequest(name, limit=1000))
        return [bytes(record) for page in pages for record in page.records]
    api = connector.api()
    if source.how == "cursor":
        biz = {source.cursor: max(connector.settings.start_ts, 1), "is_get_total": False}
        return list(api.page(source, biz, stamp="ts", size=1).records)
    from connectors.jushuitan.windows import Windows

    windows = Windows(api, source, connector.settings, ReadRequest(name))
    return windows.some(timedelta(days=1))


def _shops(records: list[bytes]) -> Iterator[Finding]:
    """Say which shops' orders will be missing."""
    closed = [
        _shop(record) or "without a name"
        for record in records
        if any(word in (_site(record) or "").lower() for word in CLOSED)
    ]
    if closed:
        shown = ", ".join(closed[:10]) + (" …" if len(closed) > 10 else "")
        yield Finding(
            "orders", None,
            f"orders of {len(closed)} shops of 淘系 or 拼多多 are not in this API: {shown}.",
            "read them at the platform; 聚水潭 gives them through 奇门, or inside the platform's "
            "cloud.",
        )  # fmt: skip


def _warehouses(connector: JushuitanConnector, records: list[bytes]) -> Iterator[Finding]:
    """Say which warehouses of the settings there are not."""
    there = {_warehouse(record) for record in records}
    unknown = [str(one) for one in connector.settings.warehouses if one and str(one) not in there]
    if unknown:
        known = ", ".join(sorted(one for one in there if one)[:20]) or "none"
        yield Finding(
            "stock", False, f"there is no warehouse {', '.join(unknown)} in use.",
            f"write wms_co_id of: {known}; 0 is the sum of all.",
        )  # fmt: skip
