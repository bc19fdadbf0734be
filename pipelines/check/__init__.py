"""The checker of the files that people write: every mistake with file, line and what was meant.

`isthmus check` runs it over everything; the workspace runs it over each connection, so that a
broken one is shown and the others go on.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.check.problems import Problem

__all__ = ["Problem", "check_company_file", "check_connection_file"]


def check_connection_file(path: Path) -> list[Problem]:
    """Return every mistake in a connection's file; nothing is reached."""
    from pipelines.check import connection_file  # settings models: not for did-you-mean alone

    return connection_file.check_connection_file(path)


def check_company_file(path: Path) -> list[Problem]:
    """Return every mistake in the company's file."""
    from pipelines.check import connection_file

    return connection_file.check_company_file(path)
