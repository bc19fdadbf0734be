"""The sidecar of a landed batch (FORMS.md section 4): the batch is complete once it is there."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Content = Literal["records", "deletions", "keys"]
Mode = Literal["changed", "full", "sweep", "feed", "push", "compacted"]


class Sidecar(BaseModel):
    """One landed batch. Unknown members are ignored; an unknown `version` is refused.

    `sequence` counts from 1 inside (connection, stream). `rows` are those in the data file,
    `unchanged` those left out because they equal the last landed ones. `window` is [from, to] in
    UTC, either may be null. `held` marks deletions that the breaker stopped: they wait for a
    decision. `trust` says that the read was made after a restore at the source, so that the loader
    takes older versions too. `erased` gives, by position, the entities of which a record makes no
    row any more since a person was erased, `*` for all. Times are ISO-8601 in UTC.
    """

    model_config = ConfigDict(extra="ignore")

    version: Literal[1] = 1
    connection: str
    stream: str
    sequence: int
    content: Content = "records"
    encoding: Literal["ndjson.zst", "parquet"] = "ndjson.zst"
    rows: int
    unchanged: int = 0
    bytes: int
    sha256: str
    read: str
    mode: Mode
    window: tuple[str | None, str | None] = (None, None)
    bookmark: dict[str, Any] | None = None
    complete: bool = False
    total: int | None = None
    part: str | None = None
    held: bool = False
    trust: bool = False
    erased: dict[int, list[str]] = {}
    started_at: str
    ended_at: str
    connector: str
