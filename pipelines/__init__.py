"""When, in what order, and what on failure: the room that sees all others.

`Connection` and `Company` are the component types that a `defs.yaml` names. They are handed out on
demand, so that `import pipelines` does not import Dagster (seconds, on a small machine).
"""

from __future__ import annotations

from typing import Any

__all__ = ["Company", "Connection"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from pipelines import component

        return getattr(component, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    # Dagster finds component types with dir(module): without this it sees none.
    return sorted([*globals(), *__all__])
