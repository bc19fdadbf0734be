"""Where the mapping of a stream lies: overlay folders first, then what the project brings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

BUILT_IN = Path(__file__).parent


def locate(connection: str, system: str, stream: str, overlays: Sequence[Path]) -> Path | None:
    """Return the mapping file of a stream, None where there is none.

    In each overlay folder `<connection>/<stream>.yaml`, then `<system>/<stream>.yaml`; then the
    built-in `mappings/<system>/<stream>.yaml`.
    """
    for overlay in overlays:
        for owner in (connection, system):
            path = overlay / owner / f"{stream}.yaml"
            if path.is_file():
                return path
    path = BUILT_IN / system / f"{stream}.yaml"
    return path if path.is_file() else None


def candidates(name: str, search: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that `extends: <system>/<stream>` may mean, in the order looked up."""
    for folder in (*search, BUILT_IN):
        path = folder / f"{name}.yaml"
        if path.is_file():
            yield path


def is_mapped(system: str) -> bool:
    """Whether the project brings mappings for the streams of a system."""
    return any((BUILT_IN / system).glob("*.yaml"))


def known(search: Sequence[Path]) -> list[str]:
    """Return every `<system>/<stream>` that could be extended."""
    names = {
        f"{path.parent.name}/{path.stem}"
        for folder in (*search, BUILT_IN)
        for path in folder.glob("*/*.yaml")
    }
    return sorted(names)
