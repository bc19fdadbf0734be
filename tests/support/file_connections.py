"""Workspaces whose connections are folders of files, as an IT team writes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

CONNECTION = """type: pipelines.Connection
attributes:
  system: files
  config:
    folder: inbox/{name}
    settle: 0
    streams: {{{streams}}}
"""


def connection(name: str, **keys: str) -> str:
    """Return the file of the connection `name`: its streams with their keys.

    A stream's files begin with its name.
    """
    streams = ", ".join(
        f"{one}: {{pattern: '{one}*.csv', key: {key}}}" for one, key in keys.items()
    )
    return CONNECTION.format(name=name, streams=streams)


def write_all(root: Path, files: Mapping[str, str]) -> None:
    """Write texts under `root` by their paths."""
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
