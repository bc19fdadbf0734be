"""What a run has to tell: one outcome a stream, one for unify and publish. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

OK, FAILED, LATER = 0, 1, 3
"""Exit codes of the command line (FORMS.md section 6)."""


STRETCH = "stretch"
"""The mode of runs that read a stretch behind the bookmark again: they make nothing fresh."""
INTERRUPTED = "Interrupted"
"""The `kind` of an error that was a person's wish."""
RESUMABLE = frozenset({INTERRUPTED, "Throttled", "QuotaUsed"})
"""Kinds that ended a run early and need nobody: the next run goes on."""


@dataclass(frozen=True, slots=True)
class ErrorText:
    """An error for the person on call: what happened, what to do, where.

    `kind` is the cause's name (AuthError, MappingError); `retriable` says that the next run may
    succeed without a person; `request_id` is the system's own, for its support.
    """

    kind: str
    what: str
    do: str
    place: str = ""
    retriable: bool = False
    request_id: str = ""

    def __str__(self) -> str:
        place = f"{self.place}: " if self.place else ""
        return f"{place}{self.what} Do: {self.do}"


def quarantine_share(counts: Mapping[str, Any]) -> float:
    """Return the share of what a run read or loaded that went to quarantine, by its counts."""
    quarantined = int(counts.get("quarantined") or 0)
    loaded = ("inserted", "updated", "unchanged_rows", "refused")
    rows = sum(int(counts.get(name) or 0) for name in loaded) + quarantined
    return quarantined / max(rows, int(counts.get("read") or 0)) if rows else 0.0


@dataclass(slots=True)
class StreamOutcome:
    """What one run of one stream did.

    `partial` ended early and goes on at the next run. Counts are records, but for `requests` and
    the counts of the load (`inserted` … `refused`: rows, of other entities made from the same
    record too). `unchanged` are records equal to what was landed before. `lag_seconds` is the age
    of the newest change known, None where the stream has no stamp. `quota` says which quota ended
    the run early, `quota_until` (ISO, UTC) when it is there again, where that is known. `tally` is
    what the connector counted besides, by its own words; `drift` are the fields that were not like
    those of the runs before (see `shape.Change`).
    """

    connection: str
    stream: str
    status: Literal["ok", "partial", "failed"] = "ok"
    read: int = 0
    landed: int = 0
    unchanged: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged_rows: int = 0
    quarantined: int = 0
    deleted: int = 0
    held: int = 0
    refused: int = 0
    bookmark_before: dict[str, Any] | None = None
    bookmark_after: dict[str, Any] | None = None
    requests: int = 0
    retries: int = 0
    throttled_seconds: float = 0.0
    lag_seconds: float | None = None
    seconds: float = 0.0
    warnings: dict[str, int] = field(default_factory=dict)
    tally: dict[str, int] = field(default_factory=dict)
    drift: list[dict[str, Any]] = field(default_factory=list)
    quarantine_limit: float = 0.05
    quota: str | None = None
    quota_until: str | None = None
    error: ErrorText | None = None
    run_id: str = ""

    @property
    def quarantine_share(self) -> float:
        """Share of what this run read or loaded that went to quarantine, 0 to 1."""
        return quarantine_share(self.counts())

    @property
    def is_over_limit(self) -> bool:
        """Whether so much of what this run loaded went to quarantine that a person must look."""
        return self.quarantine_share > self.quarantine_limit

    @property
    def exit_code(self) -> int:
        """The command line's exit code for this stream alone."""
        if self.error is not None and self.error.kind in RESUMABLE:
            return LATER
        if self.status == "failed" or self.is_over_limit:
            return FAILED
        return LATER if self.status == "partial" else OK

    def counts(self) -> dict[str, Any]:
        """Return the figures, without error and bookmarks."""
        values = asdict(self)
        for name in ("error", "bookmark_before", "bookmark_after", "connection", "stream",
                     "status", "run_id"):  # fmt: skip
            del values[name]
        return values

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON members."""
        return asdict(self) | {"quarantine_share": round(self.quarantine_share, 6)}


@dataclass(slots=True)
class PublishOutcome:
    """What one unify and publish did. `version` is the published one, empty where none is."""

    status: Literal["ok", "failed"] = "ok"
    changed: int = 0
    published: bool = False
    version: str = ""
    path: str = ""
    seconds: float = 0.0
    figures: dict[str, Any] = field(default_factory=dict)
    error: ErrorText | None = None

    @property
    def exit_code(self) -> int:
        """The command line's exit code for this step alone."""
        return FAILED if self.status == "failed" else OK

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON members."""
        return asdict(self)


def exit_code(streams: list[StreamOutcome], publish: PublishOutcome | None = None) -> int:
    """Return the exit code of a whole run: a failure before an early end before all well."""
    codes = {o.exit_code for o in streams} | ({publish.exit_code} if publish else set())
    return FAILED if FAILED in codes else LATER if LATER in codes else OK
