"""Which connectors are installed: entry points of the group `isthmus.connectors`, loaded late."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from connectors.base import Connector
from connectors.errors import ConfigError
from connectors.named import meant

GROUP = "isthmus.connectors"


def names() -> list[str]:
    """Return the names of all installed connectors, none of them imported."""
    return sorted(_installed())


def load(name: str) -> type[Connector]:
    """Import the connector `name`; raises ConfigError with the name that may have been meant."""
    installed = _installed()
    if name not in installed:
        raise ConfigError(
            f"There is no connector {name!r}.{meant(name, installed)}",
            f"write one of: {', '.join(sorted(installed))}; or install its package.",
        )
    points = installed[name]
    if len({point.value for point in points}) > 1:
        owners = ", ".join(sorted(_owner(point) for point in points))
        raise ConfigError(
            f"More than one package offers the connector {name!r}: {owners}.",
            "uninstall all but one.",
        )
    try:
        found = points[0].load()
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"The connector {name!r} of {_owner(points[0])} cannot be imported ({error}).",
            "install its package again.",
        ) from None
    if not (isinstance(found, type) and issubclass(found, Connector)):
        raise ConfigError(
            f"{points[0].value} is not a Connector.", "tell the maker of the package."
        )
    return found


@cache  # a package that is installed later needs a new process anyway
def _installed() -> dict[str, list[EntryPoint]]:
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    return found


def _owner(point: EntryPoint) -> str:
    return point.dist.name if point.dist is not None else point.value
