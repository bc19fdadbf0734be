"""The one writer of traces: secrets out, owner alone, two files of bounded size."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterable
from pathlib import Path

from connectors.redact import Redactor
from warehouse.home import private_folder

LOG_BYTES = 5_000_000


def write_trace(
    file: Path, error: BaseException, secrets: Iterable[str] = (), *, head: str = ""
) -> Path:
    """Append the trace of `error` to `file` without `secrets`; raises OSError where it cannot."""
    private_folder(file.parent)
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_suffix(".log.1"))
    text = Redactor(secrets).mask("".join([head, *traceback.format_exception(error)]))
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as out:
        out.write(text)
    return file
