"""A stream that must be told what to ask for is told by the suite, what its bench gives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from connectors.base import Connector, Finding, Page, ReadRequest, Snapshot, Stream
from connectors.testing import Bench
from connectors.testing.case import Failed
from connectors.testing.suite import play_case


class Settings(BaseModel):
    """No settings."""


class Tracker(Connector):
    """Makes a record of each row that it is told."""

    name: ClassVar[str] = "tracker"
    Settings: ClassVar[type[BaseModel]] = Settings

    def streams(self) -> Mapping[str, Stream]:
        return {"tracks": Stream("tracks", ("id",), Snapshot(), wants=("id", "state"))}

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for row in request.wanted:
            record = f'{{"id": "{row["id"]}", "state": "{row["state"]}"}}'
            yield Page([record.encode()], [row["id"]], {})

    def check(self) -> Iterator[Finding]:
        return iter(())


class TracksBench(Bench):
    connector = Tracker
    stream = "tracks"
    page_size = 1

    def boot(self) -> None:
        self.table: dict[str, str] = {}

    def settings(self) -> dict[str, Any]:
        return {}

    def put(self, number: int, version: int, at: datetime) -> str:
        self.table[str(number)] = f"v{version}"
        return str(number)

    def living(self) -> Mapping[str, str]:
        return self.table

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["state"])

    def wanted(self, stream: str) -> Iterable[Mapping[str, str | None]]:
        return iter([{"id": key, "state": state} for key, state in self.table.items()])


@pytest.mark.parametrize("case", ["every_stream_reads", "first_read_is_whole", "repeatable"])
def test_the_rows_of_the_bench_are_handed_over(case: str, tmp_path: Path):
    play_case(TracksBench, case, tmp_path)


def test_without_them_nothing_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TracksBench, "wanted", Bench.wanted)
    with pytest.raises(Failed, match="nothing came of"):
        play_case(TracksBench, "every_stream_reads", tmp_path)
