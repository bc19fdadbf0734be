"""What Tryton's own errors mean: lists in a body of HTTP 200, and pages in place of an answer."""

from __future__ import annotations

from typing import Any

from connectors.errors import AuthError, ConfigError, ConnectorError, ContractBroken, Unavailable
from connectors.outcome import Rule

RULES: tuple[Rule, ...] = (Rule("empty", (404,)), Rule("skip", (403,)))
"""Statuses whose meaning depends on what was asked: `refused` says it."""

_LONGEST = 300


def explained(error: Any, place: str) -> ConnectorError:
    """Return the error for what stands under `error` in a body: [name, details]."""
    name, details = _parts(error)
    said = f" ({details})" if details else ""
    if name == "LoginException":
        return AuthError(
            f"The server asks for more than a password{said}.",
            "give the technical user password authentication alone, or use auth: {bearer: …}.",
            place=place,
        )
    if name in ("UserError", "UserWarning"):
        return AuthError(
            f"The server refuses{said}.",
            "give the user's group read access to this model and the ones it names; "
            "or leave the stream out with skip:.", place=place,
        )  # fmt: skip
    if name in ("ConcurrencyException", "TimeOutException", "RateLimitException"):
        return Unavailable(
            f"The server could not answer now ({name}).", "the next run tries again.", place=place
        )
    if name.startswith("'") and name.endswith("'"):  # Python's KeyError
        return ConfigError(
            f"The server knows no field or model {name}.",
            "is the module that brings it installed? `isthmus check` says which streams can be "
            "read; leave the others out with skip:.", place=place,
        )  # fmt: skip
    return ContractBroken(
        f"The server failed while it answered ({name}).",
        "look into the server's log; then run again.", place=place,
    )  # fmt: skip


def _parts(error: Any) -> tuple[str, str]:
    """Return name and message; a traceback is left out, which may quote records."""
    if not isinstance(error, list) or not error:
        return str(error)[:_LONGEST] or "no name", ""
    name = str(error[0])[:_LONGEST]
    details = error[1] if len(error) > 1 else None
    if isinstance(details, list) and name != "LoginException":
        return name, str(details[0])[:_LONGEST].rstrip(".") if details else ""
    if isinstance(details, list):
        return name, ", ".join(str(one) for one in details[:1])[:_LONGEST]
    return name, ""


def refused(status: int, what: str, database: str, place: str) -> ConnectorError:
    """Return the error for a status that was not answered with JSON."""
    if status == 404:
        return ConfigError(
            f"There is nothing at that address: no database {database!r}, or no {what}.",
            "check base_url and database; names of databases are compared with their case. The "
            "REST calls (auth: bearer) need a server that has them: else use auth: basic.",
            place=place,
        )
    return AuthError(
        f"The server does not let {what} be called.",
        "give the user's group read access to this model and the ones it names; "
        "or leave the stream out with skip:.", place=place,
    )  # fmt: skip


def wrong_login(error: AuthError) -> AuthError:
    """Return what a refused log-in means, in place of the client's general words."""
    return AuthError(
        "The server refused the user or the password.",
        "check auth: in the connection and the secret it names. After some failed log-ins the "
        "server lets nobody in for a while.", place=error.place, request_id=error.request_id,
    )  # fmt: skip


def wrong_key(error: AuthError) -> AuthError:
    """Return what a refused key means."""
    return AuthError(
        "The server refused the key.",
        "open the user's applications in Tryton: the key must be of the kind REST and validated.",
        place=error.place, request_id=error.request_id,
    )  # fmt: skip
