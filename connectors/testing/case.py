"""The cases as data: each is a function of a `Play`, known by its name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from connectors.testing.play import Play

Body: TypeAlias = Callable[["Play"], None]


class Failed(AssertionError):
    """The connector does not do what the case asks for."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `asks` is the first line of the function's docstring."""

    name: str
    asks: str
    run: Body


CASES: dict[str, Case] = {}


def case(run: Body) -> Body:
    """Make a function a case of the suite."""
    name = run.__name__
    asks = (run.__doc__ or "").strip().splitlines()[0]
    if name in CASES:
        raise ValueError(f"two cases are named {name}")
    CASES[name] = Case(name, asks, run)
    return run


def must(holds: object, what: str) -> None:
    """Raise Failed with `what` unless it holds."""
    if not holds:
        raise Failed(what)


def none_of(found: object, what: str) -> None:
    """Raise Failed with `what` and what was found, unless nothing was."""
    if found:
        shown = sorted(found, key=str) if isinstance(found, set | frozenset) else found
        raise Failed(f"{what}: {str(shown)[:400]}")


def mistakes(declared: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the cases that a suite declares not applicable."""
    found = []
    for name, reason in declared.items():
        if name not in CASES:
            close = difflib.get_close_matches(name, CASES, n=1, cutoff=0.5)
            found.append(
                f"there is no case {name!r}" + (f"; did you mean {close[0]}?" if close else "")
            )
        elif len(reason.split()) < 3:
            found.append(f"{name}: say in a sentence why it does not apply, not {reason!r}")
    return found
