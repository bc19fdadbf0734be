"""Where the mapping of a stream lies: overlay folders first, then what packages bring.

The project brings its own; a package of a connector names the folder of its own by an entry point
in the group `isthmus.mappings`: a Python package in whose folder `<system>/<stream>.yaml` lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

GROUP = "isthmus.mappings"
BUILT_IN = Path(__file__).parent


def locate(connection: str, system: str, stream: str, overlays: Sequence[Path]) -> Path | None:
    """Return the mapping file of a stream, None where there is none.

    In each overlay folder `<connection>/<stream>.yaml`, then `<system>/<stream>.yaml`; then
    `<system>/<stream>.yaml` of the project and of the packages that are installed.
    """
    for overlay in overlays:
        for owner in (connection, system):
            path = overlay / owner / f"{stream}.yaml"
            if path.is_file():
                return path
    return next(candidates(f"{system}/{stream}", ()), None)


def candidates(name: str, search: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that `extends: <system>/<stream>` may mean, in the order looked up."""
    for folder in (*search, *brought()):
        path = folder / f"{name}.yaml"
        if path.is_file():
            yield path


def is_mapped(system: str) -> bool:
    """Whether somebody brings mappings for the streams of a system."""
    return any(found for folder in brought() for found in (folder / system).glob("*.yaml"))


def known(search: Sequence[Path]) -> list[str]:
    """Return every `<system>/<stream>` that could be extended."""
    names = {
        f"{path.parent.name}/{path.stem}"
        for folder in (*search, *brought())
        for path in folder.glob("*/*.yaml")
    }
    return sorted(names)


@cache  # a package that is installed later needs a new process anyway
def brought() -> tuple[Path, ...]:
    """Return the folders of mappings: the project's, then those of installed packages.

    A package that cannot be found brings none: its connector's own error says what is wrong.
    """
    found = [BUILT_IN]
    for point in sorted(entry_points(group=GROUP), key=lambda each: each.value):
        try:
            spec = find_spec(point.value)
        except ImportError:
            continue
        if spec is not None:
            found += map(Path, spec.submodule_search_locations or ())
    return tuple(found)
