"""Turns whatever was raised into an `ErrorText` that holds no secret."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from pydantic import ValidationError

from connectors.errors import ConnectorError
from connectors.redact import Redactor
from pipelines.outcome import ErrorText
from pipelines.trace import write_trace
from warehouse.home import Home


def explain(error: BaseException, home: Home, secrets: Iterable[str] = ()) -> ErrorText:
    """Return `error` for the person on call; the trace of what nobody foresaw goes to a file.

    The text says what to do; a trace on the screen would hide it.
    """
    secrets = frozenset(secrets)
    redactor = Redactor(secrets)
    found = _text_of(error)
    if found is None:
        file = write_trace(home.root / "logs" / "run.log", error, secrets)
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


def _is_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    # SQLite's words: the index of seen keys, or (in SQLAlchemy's error) the control database.
    return type(error).__name__ == "OperationalError" and "database or disk is full" in str(error)


def _text_of(error: BaseException) -> ErrorText | None:
    kind = type(error).__name__
    if isinstance(error, ConnectorError):
        return ErrorText(kind, error.what, error.do, error.place, error.retriable, error.request_id)
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        return ErrorText("ConfigError", f"{field}: {first['msg']}.",
                         "run `isthmus check`: it names the line.")  # fmt: skip
    if _is_full(error):
        return ErrorText(
            "DiskFull", "the disk is full.", "free space; nothing that was there is lost, and the "
            "next run goes on.", str(getattr(error, "filename", None) or ""), retriable=True,
        )  # fmt: skip
    what, do = getattr(error, "what", None), getattr(error, "do", None)
    if not isinstance(what, str) or not isinstance(do, str):
        return None
    # The errors of mappings and warehouse have the same two texts and, some, a file and a line.
    file, line = getattr(error, "file", ""), getattr(error, "line", "")
    place = f"{file}:{line}" if file else str(getattr(error, "place", ""))
    return ErrorText(kind, what, do, place, bool(getattr(error, "retriable", False)))
