"""`demo`: a sample company of four systems, synced, and what is wrong between them."""

from __future__ import annotations

import typer

from pipelines.cli.session import workspace


def demo() -> None:
    """Start the sample company, sync it, and print the answer from the published store."""
    from pipelines.sample.demo import run_demo

    code = run_demo(workspace())
    raise typer.Exit(code or 0)
