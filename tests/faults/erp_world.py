"""A scripted ERP, a connection that reads one of its streams, and their store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import httpx

from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace


class ErpWorld:
    """What `tests.faults.sql.Story` asks of a world, over HTTP without a network.

    `attributes` are those of the connection's file, with the one stream; `environment` has its
    secrets; `STORED` selects key, amount and name of the records in the store.
    """

    STORED: ClassVar[str]

    def __init__(
        self, root: Path, attributes: Mapping[str, Any], environment: Mapping[str, str],
        now: datetime,
    ) -> None:  # fmt: skip
        self.now = now
        (self.stream,) = attributes["streams"]
        defs = {"type": "pipelines.Connection", "attributes": attributes}
        (root / "defs" / "erp").mkdir(parents=True)
        (root / "defs" / "erp" / "defs.yaml").write_text(json.dumps(defs), encoding="utf-8")
        folders = {"ISTHMUS_HOME": str(root / "home"), "ISTHMUS_DEFS": str(root / "defs")}
        self.space = Workspace.discover({**folders, **environment})

    def transport(self) -> httpx.BaseTransport:
        """Return the way to the ERP as it is now."""
        raise NotImplementedError

    def sync(self, **how: Any) -> StreamOutcome:
        self.now += timedelta(minutes=1)
        return sync_stream(
            self.space, "erp", self.stream, now=lambda: self.now, transport=self.transport(),
            pause=lambda _seconds: None, **how,
        )  # fmt: skip

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        done = unify_publish(self.space, now=lambda: self.now)
        assert done.error is None, done.error
        return self._ask(self.space.home.current, sql)

    def stored(self) -> list[tuple[Any, ...]]:
        return self._ask(self.space.home.store, self.STORED)

    @staticmethod
    def _ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(path), read_only=True) as con:
            return con.execute(sql).fetchall()
