"""The `files` connector: each run reads the files that changed, each file is a part of its own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, ClassVar

from connectors.base import (
    Connector,
    Context,
    Countable,
    Counted,
    Feed,
    Finding,
    Page,
    ReadRequest,
    Span,
    Stream,
)
from connectors.changes import unreadable_bookmark
from connectors.errors import ConfigError, ConnectorError
from connectors.files import folder
from connectors.files.errors import BadFiles
from connectors.files.folder import Found, Moved
from connectors.files.settings import FilesSettings, StreamSettings

READER = 1  # raised when the same bytes are read into other rows: all files are read again


class FilesConnector(Connector):
    """Reads a folder of CSV and Excel files.

    A stream is a pattern of names. The bookmark is `{"files": {name: {"size", "sha256", "as"}}}`:
    a file whose bytes are known is not read again, a changed one is read whole, and rows that are
    gone from it are deletions of its part. One broken file does not stop the others.
    """

    name: ClassVar[str] = "files"
    title: ClassVar[str] = "Folder of CSV and Excel files"
    Settings = FilesSettings
    settings: FilesSettings

    def __init__(self, settings: FilesSettings, context: Context) -> None:
        super().__init__(settings, context)

    def streams(self) -> Mapping[str, Stream]:
        """Return one stream a pattern."""
        return {
            name: Stream(
                name=name,
                key=("_key",) if each.by_position else each.key,
                changes=Feed("files whose bytes are not known"),
                title=each.title,
                deletes=("changed", "full"),
            )
            for name, each in self.settings.streams.items()
        }

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield the rows of new and changed files, then raise BadFiles if some were broken.

        A file's last page says `complete` for the part named like the file; its bookmark is the
        first that knows the file. Mode `full` reads known files again. A `sweep` yields nothing:
        what is gone from a file is found when the file is read, and only then is the file known.
        """
        if request.mode == "sweep":
            return
        from connectors.files import reading  # Arrow comes with it: importing this room is cheap

        settings = self._stream(request.stream)
        root = self._root()
        files, bad, held = folder.find(root, settings.pattern)
        known = _known(request)
        marks = dict(known)
        shape = _shape(settings)
        pause = self.context.pause or time.sleep
        growing = folder.unsettled(
            files, settle=self.settings.settle, now=self.context.now(), pause=pause
        )
        warnings = [f"{name}: still being written, left for the next run" for name in growing]
        waiting = set(growing)
        for name in held if settings.locked == "wait" else ():
            waiting.add(name)
            warnings.append(f"{name}: open in Excel, left for the next run")
        if not files and not bad:
            warnings.append(f"no file in the folder matches {settings.pattern}")
        left = request.limit
        for file in files:
            if file.name in waiting:
                continue
            try:
                sha256 = folder.digest(file)
                mark = {"size": file.size, "sha256": sha256, "as": shape}
                is_known = known.get(file.name) == mark and file.name not in request.again
                if request.mode == "changed" and is_known:
                    continue
                for page in reading.pages(file, settings, marks, mark, request):
                    self.context.stats.requests += 1
                    if left is not None:
                        page = reading.cut(page, left)
                        left -= len(page.keys)
                    yield page
                    if left is not None and left <= 0:
                        return
                self.context.stats.bytes += file.size
            except Moved:
                warnings.append(f"{file.name}: changed while it was read, left for the next run")
            except ConnectorError as error:
                bad.append(error)
        if request.limit is None and settings.vanished == "delete":
            yield from self._vanished(files, bad, marks, request.again, warnings)
        if warnings:
            yield Page([], [], {"files": dict(marks)}, warnings=tuple(warnings))
        if bad:
            raise BadFiles(bad)

    def countable(self, stream: str) -> Countable:
        """Say that the rows of each file are counted, by reading it."""
        return Countable("parts", "the rows of each file, read again")

    def measure(
        self, stream: str, spans: Sequence[Span], member: str | None = None
    ) -> Iterator[Counted]:
        """Yield the number of keys in each file, those without one included."""
        from connectors.parts import counted

        yield from counted(self.read(ReadRequest(stream, "full")))

    def check(self) -> Iterator[Finding]:
        """Read every file of every stream and say what was understood of it."""
        from connectors.files import reading

        for name, settings in self.settings.streams.items():
            try:
                root = self._root()
                files, bad, _ = folder.find(root, settings.pattern)
            except ConnectorError as error:
                yield Finding(name, False, error.what, error.do)
                continue
            if not files and not bad:
                yield Finding(
                    name, False, f"no file matches {settings.pattern}", "correct `pattern:`"
                )
            for cause in bad:
                yield Finding(f"{name}: {cause.place}", False, cause.what, cause.do)
            for file in files:
                yield from reading.check(name, file, settings)

    def _root(self) -> Path:
        """Return the real folder; `env:NAME` lets one definition serve machines that differ."""
        said = self.settings.folder
        named = self.context.secret(said) if said.startswith("env:") else said
        return folder.open_folder(self.context.base, named)

    def _vanished(
        self,
        files: list[Found],
        bad: list[ConnectorError],
        marks: dict[str, Any],
        again: Set[str],
        warnings: list[str],
    ) -> Iterator[Page]:
        """Yield an empty complete part for each file that is gone, not for a folder's last.

        Of a file in `again` that is gone, the run that found this was killed before its deletions.
        """
        there = {file.name for file in files} | {error.place for error in bad}
        unread = tuple(place for place in there if place.endswith("/"))
        known = dict.fromkeys([*marks, *sorted(again)])
        gone = [name for name in known if name not in there and not name.startswith(unread)]
        if gone and not there:
            # An unmounted drive looks like an empty folder.
            warnings.append("all files are gone: nothing is deleted, check the drive's mount")
            return
        filled = {outer for name in there for outer in _folders(name)}
        doubted: dict[str, int] = {}
        for name in gone:
            # Nor can a share mounted below, or one that was renamed, be told from an empty one.
            if lost := next((outer for outer in _folders(name) if outer not in filled), ""):
                doubted[lost] = doubted.get(lost, 0) + 1
                continue
            marks.pop(name, None)
            yield Page([], [], {"files": dict(marks)}, part=name, complete=True, total=0)
        warnings.extend(
            f"{outer}: all {count} files of the folder are gone: nothing is deleted,"
            " check its mount"
            for outer, count in doubted.items()
        )

    def _stream(self, name: str) -> StreamSettings:
        found = self.settings.streams.get(name)
        if found is None:
            raise ConfigError(
                f"There is no stream {name!r}.",
                f"use one of: {', '.join(self.settings.streams)}.",
            )
        return found


def _folders(name: str) -> list[str]:
    """Return the sub-folders that a file stands in, the outermost first, each with its '/'."""
    return [name[: n + 1] for n, sign in enumerate(name) if sign == "/"]


def _known(request: ReadRequest) -> dict[str, Any]:
    """Return the files of the bookmark; raises ContractBroken for one that is not ours."""
    known = (request.bookmark or {}).get("files", {})
    if isinstance(known, dict):
        return known
    if request.mode == "full":
        return {}
    raise unreadable_bookmark()


def _shape(settings: StreamSettings) -> str:
    """Return a short hash of how files are read: other settings make known files unknown."""
    said = settings.model_dump_json(exclude={"title", "vanished", "locked", "pattern"})
    return hashlib.sha256(f"{READER} {said}".encode()).hexdigest()[:12]
