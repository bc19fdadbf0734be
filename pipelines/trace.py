"""The one writer of traces: secrets out, owner alone, two files of bounded size."""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from connectors.redact import Redactor
from warehouse.home import private_folder

LOG_BYTES = 5_000_000


def note_access(file: Path, what: str, name: str, at: datetime) -> None:
    """Append who looked at what to `file`, a JSON object a line; raises OSError."""
    private_folder(file.parent)
    line = json.dumps({"at": at.isoformat(), "uid": os.getuid(), "what": what, "id": name})
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as out:
        out.write(line + "\n")


def write_trace(
    file: Path, error: BaseException, secrets: Iterable[str] = (), *, head: str = ""
) -> Path:
    """Append the trace of `error` to `file` without `secrets`; raises OSError where it cannot."""
    private_folder(file.parent)
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_suffix(".log.1"))
    trace = Redactor(secrets).mask("".join(traceback.format_exception(error)))
    # Indented and without controls: what a message holds cannot look like an entry of its own.
    lines = ("".join(c if c.isprintable() else "�" for c in line) for line in trace.split("\n"))
    text = head + "".join(f"  {line}\n" for line in lines if line)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as out:
        out.write(text)
    return file
