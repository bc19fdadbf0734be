"""The nightly handout: marts as Excel and Parquet in a shared folder (`export:` of the company)."""

from __future__ import annotations

import json
import zoneinfo
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from connectors.errors import ConfigError
from warehouse import lock
from warehouse.errors import StoreError, WarehouseError
from warehouse.handout import FORMATS, Format, Handed, Handout, names, readme, sweep

if TYPE_CHECKING:
    from pipelines.workspace import Workspace

README = "README.txt"
STATE = "export.json"
WAIT = 600.0


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written, and of which moment; `failed` where a file could not be."""

    folder: Path
    published: str
    marts: tuple[Handed, ...]

    @property
    def failed(self) -> list[str]:
        """Name every file that could not be written, and why."""
        return [f"{m.mart}.{kind}: {why}" for m in self.marts for kind, why in m.failed.items()]

    @property
    def left_out(self) -> list[str]:
        """Name every file that was not written on purpose, and why."""
        return [f"{m.mart}.{kind}: {why}" for m in self.marts for kind, why in m.left_out.items()]

    @property
    def files(self) -> int:
        """How many files were written."""
        return sum(len(m.files) for m in self.marts)


def export_marts(
    space: Workspace,
    now: Callable[[], datetime],
    *,
    folder: Path | None = None,
    marts: Sequence[str] = (),
    formats: Sequence[Format] = (),
    told: Callable[[Handed], None] = lambda one: None,
) -> Exported:
    """Write the marts of the published file; what is not given is the company file's.

    `told` hears of each mart when it is written. The published file alone is read, so nothing is
    clear here that is masked there. Raises ConfigError for a folder or mart that cannot be,
    StoreError where nothing is published.
    """
    is_whole = folder is None and not marts and not formats  # as in the night
    try:
        done = _export(space, now, folder, marts, formats, told)
    except (ConfigError, WarehouseError) as error:
        if is_whole:
            _remember(space, now, str(error))
        raise
    if is_whole:
        _remember(space, now, "; ".join(done.failed))
    return done


def _remember(space: Workspace, now: Callable[[], datetime], failed: str) -> None:
    """Keep how the export of the company's file ended, for those who are told of failures."""
    home = space.home.make()
    new = home.root / f".{STATE}"
    before = last_export(space)
    good = before.get("good") if failed else now().isoformat()
    new.write_text(json.dumps({"at": now().isoformat(), "good": good, "failed": failed}), "utf-8")
    new.replace(home.root / STATE)


def last_export(space: Workspace) -> dict[str, str | None]:
    """Return how the last export to the company's folder ended: `at`, `good`, `failed`.

    `failed` is empty where it went well, `good` the last time that it did; empty without any.
    """
    try:
        said = json.loads((space.home.root / STATE).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _export(
    space: Workspace,
    now: Callable[[], datetime],
    folder: Path | None,
    marts: Sequence[str],
    formats: Sequence[Format],
    told: Callable[[Handed], None],
) -> Exported:
    company = space.company()
    given = company.export
    wanted = list(marts) or (given.marts if given else []) or names()
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        raise ConfigError(
            f"there is no mart {', '.join(unknown)}.", f"use some of: {', '.join(names())}."
        )
    kinds = list(formats) or (given.formats if given else list(FORMATS))
    into = _folder(space, folder or (Path(given.folder) if given else None))
    with lock.hold(space.home.root / "export.lock", wait=WAIT, now=now):
        sweep(into)
        with Handout(space.home.current, timezone=company.timezone) as handout:
            published = handout.meta("projected_at")
            done = []
            for mart in dict.fromkeys(wanted):
                done.append(handout.write(mart, into, kinds))
                told(done[-1])
        zone = zoneinfo.ZoneInfo(company.timezone)
        text = readme(
            done, made_at=now().astimezone(zone), timezone=company.timezone,
            published=datetime.fromisoformat(published).astimezone(zone) if published else None,
            privacy=company.privacy,
        )  # fmt: skip
        new = into / f".{README}"
        new.write_text(text, "utf-8-sig")
        new.chmod(0o644)
        new.replace(into / README)
    return Exported(into, published, tuple(done))


def _folder(space: Workspace, given: Path | None) -> Path:
    if given is None:
        raise ConfigError(
            "the company's file names no folder to export to.",
            "write export: {folder: /srv/isthmus/share} into it, or name a folder: "
            "isthmus export FOLDER.",
            place=str(space.company_path),
        )
    path = (space.defs.parent / given.expanduser()).resolve()
    if path.is_relative_to(space.home.root.resolve()):
        raise ConfigError(
            "the folder of exports lies inside the home, which is this service's own.",
            "name one that people may open.", place=str(path),
        )  # fmt: skip
    if not space.home.current.exists():
        raise StoreError("Nothing is published yet.", "run `isthmus sync` first.")
    try:
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(0o755)  # a service's umask would keep it to itself
        probe = path / ".isthmus"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigError(
            f"the folder of exports cannot be written ({error.strerror}).",
            "mount it, or let this user write there.", place=str(path),
        ) from None  # fmt: skip
    return path
