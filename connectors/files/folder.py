"""Which files of a folder belong to a stream, and whether they may be read now."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from connectors.errors import ConnectorError, ContractBroken, Refused, Unavailable

MAX_ENTRIES = 200_000
TEMPORARY = ("~$*", ".*", "*.tmp", "*.part", "*.partial", "*.crdownload", "~*.tmp", "*.lock")


class Moved(Exception):
    """The file changed while it was read."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file of a stream: `name` is its path inside the folder with '/', `path` the real one."""

    name: str
    path: Path
    size: int
    modified_ns: int


def open_folder(base: str, folder: str) -> Path:
    """Return the real path of the folder; raises Unavailable if it cannot be listed."""
    root = Path(base, folder)
    try:
        real = root.resolve(strict=True)
        with os.scandir(real):
            return real
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "a loop of links"
        raise Unavailable(
            f"The folder cannot be read ({why}).",
            "check `folder:`, the drive's mount and the rights of the account that runs this.",
            place=folder,
        ) from None


def find(root: Path, pattern: str) -> tuple[list[Found], list[ConnectorError], list[str]]:
    """Return the files that match, errors of those that are refused, and names open in Excel.

    Case and Unicode form of names do not matter. Links that lead outside `root`, devices and pipes
    are refused; lock and temporary names are not data. A sub-folder that cannot be listed is among
    the errors, its place ends with '/'. Raises Unavailable if `root` itself cannot be.
    """
    files: list[Found] = []
    bad: list[ConnectorError] = []
    held: list[str] = []
    wanted = [_plain(part) for part in pattern.split("/")]
    for name in sorted(set(_walk(root, "", wanted, bad))):
        last = name.rpartition("/")[2]
        if any(fnmatchcase(last.lower(), form) for form in TEMPORARY):
            continue
        try:
            file = _look(root, name)
        except ConnectorError as error:
            bad.append(error)
            continue
        if file is None:
            continue
        files.append(file)
        beside = (root / name).parent
        if (beside / f"~${last}").exists() or (beside / f".~lock.{last}#").exists():
            held.append(name)
    return files, bad, held


def unsettled(
    files: list[Found], *, settle: float, now: datetime, pause: Callable[[float], None]
) -> set[str]:
    """Return the names of files that changed between two looks `settle` seconds apart.

    Only a file that was changed within the last few seconds is looked at twice, and all of them
    share one pause.
    """
    edge_ns = int((now.timestamp() - max(settle * 4, 2.0)) * 1e9)
    young = [file for file in files if file.modified_ns >= edge_ns]
    if not young or settle <= 0:
        return set()
    pause(settle)
    return {file.name for file in young if changed(file)}


def changed(file: Found) -> bool:
    """Return whether the file is not any more what it was when it was found."""
    try:
        seen = file.path.lstat()  # a link in its place leads elsewhere
    except OSError:
        return True
    return not stat.S_ISREG(seen.st_mode) or (seen.st_size, seen.st_mtime_ns) != (
        file.size,
        file.modified_ns,
    )


def digest(file: Found) -> str:
    """Return the SHA-256 of the file's bytes; raises ContractBroken if it cannot be read."""
    try:
        with file.path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as error:
        raise ContractBroken(
            f"The file cannot be opened ({error.strerror}).",
            "check its rights, and that no program holds it.",
            place=file.name,
        ) from None


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _walk(root: Path, inside: str, wanted: list[str], bad: list[ConnectorError]) -> Iterator[str]:
    """Yield the names below `inside` that match; folders that are links are not entered."""
    part, rest = wanted[0], wanted[1:]
    deep = part == "**"
    try:
        entries = sorted(os.scandir(root / inside), key=lambda entry: entry.name)
    except OSError as error:
        unreadable = Unavailable(
            f"The folder cannot be read ({error.strerror}).",
            "check the drive's mount and the rights of the account that runs this.",
            place=f"{inside}/" if inside else root.name,
        )
        if not inside:
            raise unreadable from None
        if all(known.place != unreadable.place for known in bad):  # `**` comes by twice
            bad.append(unreadable)
        return
    if len(entries) > MAX_ENTRIES:
        raise ContractBroken(
            f"The folder holds more than {MAX_ENTRIES} entries.",
            "move old files away, or name a smaller folder.",
            place=inside or root.name,
        )
    for entry in entries:
        name = f"{inside}/{entry.name}" if inside else entry.name
        said = _plain(entry.name)
        if entry.is_dir(follow_symlinks=False):
            if deep:
                yield from _walk(root, name, wanted, bad)
                if len(rest) > 1 and fnmatchcase(said, rest[0]):
                    yield from _walk(root, name, rest[1:], bad)
            elif rest and fnmatchcase(said, part):
                yield from _walk(root, name, rest, bad)
        elif len(rest) == deep and fnmatchcase(said, wanted[-1]):
            yield name


def _look(root: Path, name: str) -> Found | None:
    """Return the file, or None if it is gone or a folder; raises Refused or ContractBroken."""
    path = root / name
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(root):
            raise Refused(
                "The name is a link that leads outside the folder.",
                "copy the file into the folder instead of linking it.",
                place=name,
            )
        seen = real.stat()
    except FileNotFoundError:
        return None
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "a loop of links"
        raise ContractBroken(f"The file cannot be read ({why}).", "check it.", place=name) from None
    if stat.S_ISDIR(seen.st_mode):
        return None
    if not stat.S_ISREG(seen.st_mode):
        raise Refused("This is no plain file.", "remove it from the folder.", place=name)
    return Found(name, real, seen.st_size, seen.st_mtime_ns)
