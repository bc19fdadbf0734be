"""Reach the system: which streams can be read, whether the settings fit the answers, the clock."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from connectors.base import Finding
from connectors.body import Body, parse_path
from connectors.changes import Window, parse_stamp
from connectors.clock import clock_finding
from connectors.errors import ConnectorError
from connectors.paging import Turn
from connectors.rest.asking import Asker
from connectors.rest.styles import make_paging
from connectors.site import tls_findings

if TYPE_CHECKING:
    from connectors.rest.connector import RestConnector

DAY = timedelta(days=1)


def check(connector: RestConnector) -> Iterator[Finding]:
    """Yield what each stream's first page shows; one that fails does not stop the others."""
    settings = connector.settings
    yield from tls_findings(settings.tls)
    clock: Finding | None = None
    for name in settings.streams:
        try:
            asker = connector.asker(name)
            turn = _ask(asker, _window(asker, connector.context.now()))
        except ConnectorError as error:
            yield Finding.failed(name, error)
            continue
        yield Finding(name, True, f"can be read; {len(turn.records)} records on the first page.")
        yield from _fits(name, asker, turn)
        yield from _filters(name, asker, turn, connector.context.now())
        clock = clock or _clock(connector, asker)
    if clock is not None:
        yield clock


def _ask(asker: Asker, window: Window) -> Turn:
    return asker.fetch(window, make_paging(asker.spec).first(), 0, 1)


def _window(asker: Asker, now: datetime) -> Window:
    """Return no bounds, or the last span where the system wants windows."""
    changes = asker.spec.changes
    if changes is None or changes.span is None:
        return Window(None, None)
    return Window(now - changes.span, now)


def _filters(name: str, asker: Asker, turn: Turn, now: datetime) -> Iterator[Finding]:
    """Ask for what changed from now on: a system that ignores the parameter answers old records.

    Every run would then read everything again.
    """
    changes = asker.spec.changes
    if changes is None or not turn.records:
        return
    try:
        late = _ask(asker, Window(now, now if changes.span else None))
    except ConnectorError as error:
        yield Finding(name, False, f"with {changes.param}: {error.what}", error.do)
        return
    read = (parse_stamp(stamp, asker.zone, changes.format) for stamp in late.stamps if stamp)
    old = sum(at < now - DAY for at in read if at is not None)
    if old:
        yield Finding(
            name, False, f"{changes.param} does not filter: {old} older records were answered.",
            "check changes.param and changes.format in the system's documentation.",
        )  # fmt: skip


def _clock(connector: RestConnector, asker: Asker) -> Finding | None:
    date = asker.client.last_date
    if date is None:
        return None
    return clock_finding("The system's", date - connector.context.now())


def _fits(name: str, asker: Asker, turn: Turn) -> Iterator[Finding]:
    """Compare the paths of the settings with the first page."""
    spec, body = asker.spec, turn.body
    if body is None:
        return
    if spec.total and body.text(parse_path(spec.total)) is None:
        yield Finding(
            name, False, f"total: {spec.total} is not in the answer{_meant(spec.total, body)}",
            "point it at the number of all records, or remove it.",
        )  # fmt: skip
    paging = spec.paging
    for path in (paging.cursor, paging.more, paging.pages) if paging else ():
        if path and body.look(parse_path(path)) is None:
            yield Finding(
                name, None, f"paging: {path} is not in the first answer{_meant(path, body)}",
                "right if the list ends here; else check its spelling.",
            )  # fmt: skip
    if not turn.records:
        yield Finding(name, None, "the first page is empty: key and stamps could not be checked.")
        return
    record = Body(bytes(turn.records[0]))
    nameless = sum(key is None for key in turn.keys)
    if nameless:
        first = next(p for p in (*spec.key, "") if not p or record.text(parse_path(p)) is None)
        yield Finding(
            name, nameless < len(turn.keys),
            f"{nameless} of {len(turn.keys)} records have no {first or '/'.join(spec.key)}"
            f"{_meant(first, record) if first else '.'}",
            "set key: to a field that every record has.",
        )  # fmt: skip
    if spec.changes is not None:
        yield from _stamps(name, asker, turn, record)


def _stamps(name: str, asker: Asker, turn: Turn, record: Body) -> Iterator[Finding]:
    changes = asker.spec.changes
    assert changes is not None  # noqa: S101
    stamps = [stamp for stamp in turn.stamps if stamp is not None]
    if not stamps:
        yield Finding(
            name, False, f"no record has {changes.since}{_meant(changes.since, record)}",
            "set changes.since to the field that moves at every change.",
        )  # fmt: skip
    elif all(parse_stamp(stamp, asker.zone, changes.format) is None for stamp in stamps):
        yield Finding(
            name, False, f"{changes.since} is {stamps[0][:40]!r}, which reads as no time.",
            "choose another field, or write its form at changes.format.",
        )  # fmt: skip


def _meant(path: str, body: Body) -> str:
    parts = parse_path(path)
    names = body.members(parts[:-1])
    close = difflib.get_close_matches(str(parts[-1]), names, n=1, cutoff=0.5)
    if close:
        return f". Did you mean {'.'.join([*map(str, parts[:-1]), close[0]])}?"
    return f"; it has {', '.join(names[:12])}." if names else "."
