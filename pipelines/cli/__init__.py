"""The `isthmus` command. One module a group of commands; heavy imports wait for their command."""

from __future__ import annotations

from pipelines.cli.boundary import main

__all__ = ["main"]
