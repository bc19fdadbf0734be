"""The suite on `files`: a folder of CSV files, five rows a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.files import FilesConnector
from connectors.testing import HTTP_CASES, Bench, ConformanceSuite

ROWS = 5


class FilesBench(Bench):
    """A file is what changes: its rows come and go together."""

    connector = FilesConnector
    stream = "stock"
    page_size = ROWS

    def boot(self) -> None:
        self.inbox = self.folder / "inbox"
        self.inbox.mkdir()
        self.files: dict[int, dict[int, str]] = {}

    def settings(self) -> dict[str, Any]:
        streams = {"stock": {"pattern": "*.csv", "key": "id", "vanished": "delete"}}
        return {"folder": str(self.inbox), "streams": streams}

    def bad_settings(self) -> Iterable[dict[str, Any]]:
        good = self.settings()
        for stream in (
            {"pattern": "../*.csv", "key": "id"},
            {"pattern": "*.csv"},
            {"pattern": "*.csv", "key": "id", "encoding": "rot13"},
        ):
            yield good | {"streams": {"stock": stream}}

    def put(self, number: int, version: int, at: datetime) -> str:
        self.files.setdefault((number - 1) // ROWS, {})[number] = f"v{version}"
        self._write((number - 1) // ROWS)
        return str(number)

    def delete(self, number: int) -> None:
        del self.files[(number - 1) // ROWS][number]
        self._write((number - 1) // ROWS)

    def _write(self, file: int) -> None:
        path = self.inbox / f"{file:04d}.csv"
        rows = self.files[file]
        if not rows:
            path.unlink()
            return
        text = "id,note\n" + "".join(f"{number},{note}\n" for number, note in rows.items())
        path.write_text(text, encoding="utf-8")

    def living(self) -> Mapping[str, str]:
        return {str(n): note for rows in self.files.values() for n, note in rows.items()}

    def version(self, record: Mapping[str, Any]) -> str:
        return str(record["note"])

    def companions(self, number: int) -> Iterable[int]:
        return self.files[(number - 1) // ROWS]


NO_SECRETS = "a folder has no credentials; its rights are the account's that runs this"
WIRE = "a folder is not reached over HTTP"


class TestFiles(ConformanceSuite):
    bench = FilesBench
    not_applicable: ClassVar = {
        "credentials_refused": NO_SECRETS,
        "clock_skew_told": "a folder has no clock of its own",
        "secrets_hidden": NO_SECRETS,
        "page_size_clamped": "a file is read to its end",
        "late_commit": "a file is known by its bytes, not by a stamp",
        "sweep_lists_keys": "rows that are gone are found when their file is read",
        **dict.fromkeys(HTTP_CASES, WIRE),
    }
