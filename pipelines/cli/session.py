"""The workspace that a command works in, and its connections by the names that people type."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.check.words import closest, meant
from pipelines.cli.boundary import plain
from pipelines.cli.codes import CliError
from pipelines.texts import t
from pipelines.waiting import tell_with

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.connection import Connection
    from pipelines.workspace import Workspace
    from warehouse.lock import Holder


def workspace() -> Workspace:
    """Return the workspace of the current folder or of `ISTHMUS_DEFS`.

    Elsewhere the sample company is not taken for one's own: a job without `cd` would sync it.
    """
    from pipelines.workspace import PROJECT, Workspace

    tell_with(say_waiting)
    space = Workspace.discover()
    here = Path.cwd()
    if space.is_sample and not os.environ.get("ISTHMUS_DEFS") and PROJECT not in (
        here, *here.parents
    ):  # fmt: skip
        raise CliError(t("folder.none", folder=here), t("folder.none_do"))
    return space


def say_waiting(holder: Holder | None) -> None:
    """Say on stderr who holds the store: a wait of minutes must not look like a hang."""
    who = str(holder) if holder else t("wait.unknown")
    print(plain(t("wait.store", who=who)), file=sys.stderr, flush=True)


def connection(space: Workspace, name: str) -> Connection:
    """Return the connection called `name`; a broken or unknown one ends the command with why."""
    from pipelines.connection import Connection

    found = space.connections().get(name)
    if isinstance(found, Connection):
        return found
    if found is None:
        raise unknown(space, name)
    problems = "\n".join(f"  {plain(str(p))}" for p in found.problems)
    raise CliError(
        t("connection.broken", name=name) + "\n" + problems, t("connection.broken_do", name=name)
    )


def unknown(space: Workspace, name: str) -> CliError:
    """Return the error of a connection that is not there."""
    names = sorted(space.connections())
    if not names:
        return CliError(t("connection.none", folder=space.defs), t("connection.none_do"))
    return CliError(t("connection.unknown", name=name), meant(name, names))


def only_connection(space: Workspace) -> str:
    """Return the name of the one connection there is, for commands that may leave it out."""
    names = sorted(space.connections())
    if len(names) == 1:
        return names[0]
    if not names:
        raise unknown(space, "")
    raise CliError(t("connection.which"), meant("", names))


def stream_names(found: Connection) -> list[str]:
    """Return the names of a connection's streams, in their order."""
    return [s.name for s in found.streams]


def known_stream(found: Connection, stream: str | None) -> str:
    """Return `stream` if the connection has it (or its only one); else end with did-you-mean."""
    names = stream_names(found)
    if stream is None:
        if len(names) == 1:
            return names[0]
        raise CliError(t("stream.which", name=found.name), meant("", names))
    if stream not in names:
        raise CliError(t("stream.unknown", name=found.name, stream=stream), meant(stream, names))
    return stream


def split(space: Workspace, words: Sequence[str]) -> dict[str, list[str]]:
    """Return the streams by connection that `sync shop orders erp crm/parties` asks for.

    A word is a stream of the connection before it, else a connection; no streams means all.
    """
    wanted: dict[str, list[str]] = {}
    names = space.connections()
    last: str | None = None
    for word in words:
        name, slash, stream = word.partition("/")
        if slash:
            wanted.setdefault(name, []).append(known_stream(connection(space, name), stream))
            last = name
            continue
        streams = stream_names(connection(space, last)) if last else []
        if last and word in streams:
            wanted[last].append(word)
        elif word in names:
            wanted.setdefault(word, [])
            last = word
        elif last and closest(word, names) is None:
            known_stream(connection(space, last), word)
        else:
            raise unknown(space, word)
    return {name: list(dict.fromkeys(streams)) for name, streams in wanted.items()}
