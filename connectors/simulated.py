"""A connector's simulator with sample records in it, and the settings that connect to it.

Nothing has to be registered: the package of a connector (the folder of its class) has a function
`simulated(now)` in its module `sample` or `simulator`, which returns a `Simulated`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from connectors import registry
from connectors.errors import ConfigError

URL = "{url}"
"""Stands in `config` for the address at which the simulator is served."""


@dataclass(frozen=True)
class Simulated:
    """An ASGI app, `config:` of a connection to it, and the variables that its references name.

    `config` needs no base_url where that is the server's own; `streams` is as in a connection's
    file, `timezone` as well.
    """

    app: Any
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(default_factory=dict)
    streams: Mapping[str, Any] | list[str] | None = None
    timezone: str = "Asia/Shanghai"

    def attributes(self, system: str, url: str) -> dict[str, Any]:
        """Return the attributes of a connection's file, the simulator being at `url`."""
        config = {"base_url": URL, "allow_private": "true", **self.config}
        made = {"system": system, "timezone": self.timezone, "config": _placed(config, url)}
        return made | ({"streams": self.streams} if self.streams else {})


def simulated(system: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Simulated:
    """Return the simulator of an installed connector; raises ConfigError where it has none."""
    package = registry.load(system).__module__.rpartition(".")[0]
    for name in ("sample", "simulator"):
        make = getattr(_module(f"{package}.{name}"), "simulated", None)
        if callable(make):
            found: Simulated = make(now)
            return found
    raise ConfigError(
        f"The connector {system} has no simulator that can be started by itself.",
        f"give {package}.sample a function simulated(now): docs/new-connector.md.",
    )


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _placed(value: Any, url: str) -> Any:
    if isinstance(value, str):
        return value.replace(URL, url)
    if isinstance(value, Mapping):
        return {name: _placed(inner, url) for name, inner in value.items()}
    return [_placed(inner, url) for inner in value] if isinstance(value, list) else value
