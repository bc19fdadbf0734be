"""Tryton's typed JSON: objects such as {"__class__": "Decimal"} read as text, stamps written.

A mapping cannot say a point in time that comes as seven members, so the typed objects are made
plain on the decoded page, and related records, which JSON-RPC puts beside the id under a name with
a dot ("party": 7, "party.": {…}), take the id's place. That is all that is changed of a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from connectors.errors import ContractBroken
from connectors.tryton.catalogue import STAMPS

_KIND = "__class__"


def plain(value: Any) -> Any:
    """Return a decoded value with typed objects as text and related records in their place.

    Decimals keep their digits, points in time are ISO 8601 in UTC. Members stand in the order of
    their names: the server's own differs between processes. Raises ContractBroken for a type that
    is not known.
    """
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    if _KIND in value:
        return _scalar(value)
    made = {}
    for name, short in _order(tuple(value)):
        one = value[name]
        made[short] = plain(one) if isinstance(one, dict | list) else one
    return made


@lru_cache(maxsize=1024)
def _order(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return names in their order, each with what it is called; "party." replaces "party"."""
    return tuple((name, name.removesuffix(".")) for name in sorted(names))


def _scalar(value: dict[str, Any]) -> Any:
    kind = value[_KIND]
    try:
        if kind == "Decimal":
            return value["decimal"]
        if kind == "date":
            return _day(value)
        if kind == "datetime":
            return f"{_day(value)}T{_time(value)}Z"
        if kind == "time":
            return _time(value)
        if kind == "timedelta":
            return value["seconds"]
        if kind == "bytes":
            return value["base64"]
    except (KeyError, TypeError, ValueError):
        pass
    raise ContractBroken(
        f"The answer has a value of the type {str(kind)[:40]!r} that cannot be read.",
        "check the server's release: the series 6.0 to 8.2 write such values alike.",
    )


def _day(value: dict[str, Any]) -> str:
    return f"{value['year']:04d}-{value['month']:02d}-{value['day']:02d}"


def _time(value: dict[str, Any]) -> str:
    text = f"{value['hour']:02d}:{value['minute']:02d}:{value['second']:02d}"
    return f"{text}.{value['microsecond']:06d}"


def moment(at: datetime) -> dict[str, Any]:
    """Return a point in time as a domain takes it. A text would be taken too, and compare wrong."""
    at = at.astimezone(UTC)
    return {
        _KIND: "datetime", "year": at.year, "month": at.month, "day": at.day, "hour": at.hour,
        "minute": at.minute, "second": at.second, "microsecond": at.microsecond,
    }  # fmt: skip


def day(at: date) -> dict[str, Any]:
    """Return a date as a context takes it."""
    return {_KIND: "date", "year": at.year, "month": at.month, "day": at.day}


def changed(moved: tuple[str, ...], since: datetime) -> list[Any]:
    """Return the clause that a record, or one of the `moved` relations, changed since then.

    A record that was never written has no write_date, so that the date of its making counts too.
    """
    bound = moment(since)
    paths = ("", *(f"{path}." for path in moved))
    return ["OR", *([f"{path}{stamp}", ">=", bound] for path in paths for stamp in STAMPS)]


def latest(record: dict[str, Any], moved: tuple[str, ...]) -> str | None:
    """Return the greatest stamp of a plain record and of what moves it."""
    found = _stamps(record)
    for path in moved:
        level: list[Any] = [record]
        for step in path.split("."):
            level = [one for node in level for one in _many(node.get(step))]
        found += [stamp for node in level for stamp in _stamps(node)]
    return max(found, default=None)


def _many(value: Any) -> list[dict[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _stamps(record: dict[str, Any]) -> list[str]:
    return [stamp for name in STAMPS if isinstance(stamp := record.get(name), str)]


def last_of(ids: Sequence[Any], after: int, model: str) -> int:
    """Return the last of a page's ids; raises ContractBroken where they do not rise from `after`.

    What ignores order or filter would make a walk by ids pass over records, or never end.
    """
    for one in ids:
        if not isinstance(one, int) or one <= after:
            raise ContractBroken(
                f"The server did not answer {model} in the order of the ids: "
                f"{str(one)[:20]} came after {after}.",
                "does a program between change requests? Else ask the vendor.",
            )
        after = one
    return after
