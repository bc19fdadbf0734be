"""Turns whatever was raised into an `ErrorText` that holds no secret."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from connectors.errors import ConnectorError
from connectors.redact import Redactor
from pipelines.outcome import ErrorText
from warehouse.home import Home, private_folder

LOG_BYTES = 5_000_000


def explain(error: BaseException, home: Home, secrets: Iterable[str] = ()) -> ErrorText:
    """Return `error` for the person on call; the trace of what nobody foresaw goes to a file.

    The text says what to do; a trace on the screen would hide it.
    """
    redactor = Redactor(secrets)
    found = _text_of(error)
    if found is None:
        file = _write_trace(home, redactor.mask("".join(traceback.format_exception(error))))
        first = next(iter(str(error).strip().splitlines()), "")
        found = ErrorText(
            kind=type(error).__name__,
            what=f"stopped by {type(error).__name__}: {first[:300]}",
            do=f"run it again; if it stops again, report it with the last lines of {file}.",
        )
    return ErrorText(
        kind=found.kind,
        what=redactor.text(found.what),
        do=redactor.text(found.do),
        place=redactor.text(found.place),
        retriable=found.retriable,
        request_id=found.request_id,
    )


def _write_trace(home: Home, text: str) -> Path:
    """Append a trace to `logs/run.log` of the home, readable by its owner alone."""
    file = home.root / "logs" / "run.log"
    private_folder(file.parent)
    if file.exists() and file.stat().st_size > LOG_BYTES:
        file.replace(file.with_suffix(".log.1"))
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a") as out:
        out.write(text)
    return file


def _text_of(error: BaseException) -> ErrorText | None:
    kind = type(error).__name__
    if isinstance(error, ConnectorError):
        return ErrorText(kind, error.what, error.do, error.place, error.retriable, error.request_id)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        return ErrorText("ConfigError", f"{field}: {first['msg']}.",
                         "run `isthmus check`: it names the line.")  # fmt: skip
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ErrorText(
            "DiskFull", "the disk is full.", "free space; nothing that was there is lost, and the "
            "next run goes on.", str(error.filename or ""), retriable=True,
        )  # fmt: skip
    what, do = getattr(error, "what", None), getattr(error, "do", None)
    if not isinstance(what, str) or not isinstance(do, str):
        return None
    # The errors of mappings and warehouse have the same two texts and, some, a file and a line.
    file, line = getattr(error, "file", ""), getattr(error, "line", "")
    place = f"{file}:{line}" if file else str(getattr(error, "place", ""))
    return ErrorText(kind, what, do, place, bool(getattr(error, "retriable", False)))
