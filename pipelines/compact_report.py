"""What a compaction has to tell: its parts before and after, what failed, what was left alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pipelines.outcome import ErrorText, PublishOutcome


@dataclass(slots=True)
class Part:
    """What a connection's landing, the store or its projection took before, and takes now.

    `bytes` are those of the blocks on the disk: a small file takes a whole one. `after_bytes` is
    None where a dry run cannot know. `busy` are streams that a read had, `unfinished` those with
    more to merge than one night does; `is_left` says that the night leaves the file to a person.
    """

    name: str
    files: int = 0
    bytes: int = 0
    after_files: int = 0
    after_bytes: int | None = None
    batches: int = 0
    packs: int = 0
    busy: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    is_left: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """A stream's landing, the store or the projection that could not be made smaller."""

    name: str
    error: ErrorText


@dataclass(slots=True)
class Report:
    """What was done; `publish` is None where the projection stayed as it was."""

    dry_run: bool
    parts: list[Part] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    publish: PublishOutcome | None = None

    @property
    def error(self) -> ErrorText | None:
        """The error of the whole, which names every part that failed; None where all is well."""
        failed = list(self.failed)
        if self.publish is not None and self.publish.error is not None:
            failed.append(Failed("publishing", self.publish.error))
        if not failed:
            return None
        first = failed[0].error
        said = "; ".join(f"{one.name} ({one.error.what.rstrip('. ')})" for one in failed)
        return ErrorText(
            first.kind,
            f"{len(failed)} of the parts could not be made smaller, all others were done: {said}.",
            " ".join(dict.fromkeys(one.error.do for one in failed)),
            ", ".join(filter(None, (one.error.place for one in failed))),
            all(one.error.retriable for one in failed),
        )

    def part(self, name: str) -> Part:
        """Return the part of that name, an empty one where there was none."""
        for one in self.parts:
            if one.name == name:
                return one
        self.parts.append(Part(name, after_bytes=0))
        return self.parts[-1]

    def figures(self) -> dict[str, int]:
        """Return the sums."""
        known = [p for p in self.parts if p.after_bytes is not None]
        return {
            "batches": sum(p.batches for p in self.parts),
            "packs": sum(p.packs for p in self.parts),
            "files gone": sum(p.files - p.after_files for p in self.parts),
            "bytes gone": sum(p.bytes - (p.after_bytes or 0) for p in known),
        }

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON members."""
        return {
            "dry_run": self.dry_run,
            "parts": [asdict(p) for p in self.parts],
            "failed": [asdict(f) for f in self.failed],
            "publish": None if self.publish is None else self.publish.as_json(),
        }
