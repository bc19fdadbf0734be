"""Exit codes (FORMS.md section 6) and the error that ends a command with a sentence."""

from __future__ import annotations

from typing import Final

OK: Final = 0
"""Done; records in quarantine are allowed and counted on stderr."""
FAILED: Final = 1
"""A stream failed, or a quarantine share is above its limit."""
USAGE: Final = 2
"""The command line or a file of settings is wrong."""
LATER: Final = 3
"""Ended early and resumable: quota, slice, interrupt. The same command goes on."""


class CliError(Exception):
    """Ends a command: `what` happened, what to `do` next, and the exit code."""

    def __init__(self, what: str, do: str, code: int = USAGE) -> None:
        super().__init__(f"{what} {do}")
        self.what = what
        self.do = do
        self.code = code
