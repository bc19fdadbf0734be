"""A simulated system, a connection that reads one of its streams, their store, and its story."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import duckdb
import httpx

from pipelines.outcome import StreamOutcome
from pipelines.sync import sync_stream, unify_publish
from tests.faults import sql
from tests.faults.case import Result
from tests.support.system_world import workspace
from warehouse import writer

SUMS = (
    "select {key}, coalesce(sum(l.gross), 0)::varchar, o.number from source.orders o"
    " left join source.order_lines l on l.parent_key = o.source_key and l.stream = o.stream"
    " where not o.is_deleted group by o.source_key, o.number"
)
"""Key, sum of the lines and number of the orders in the store."""
PUBLISHED_SUMS = (
    "select {key}, sum(l.gross) from orders o join order_lines l using (order_id) group by 1"
)


class ErpWorld:
    """What `tests.faults.sql.Story` asks of a world, over HTTP without a network.

    `attributes` are those of the connection's file, with the one stream; `secrets` are by their
    reference; `STORED` selects key, amount and name of the records in the store.
    """

    STORED: ClassVar[str]
    database = None

    def __init__(
        self, root: Path, attributes: Mapping[str, Any], secrets: Mapping[str, str], now: datetime
    ) -> None:
        self.now = now
        (self.stream,) = attributes["streams"]
        _, self.space = workspace(root, {"erp": attributes}, secrets)

    def transport(self) -> httpx.BaseTransport:
        """Return the way to the ERP as it is now."""
        raise NotImplementedError

    def pause(self, seconds: float) -> None:
        """Let the time pass for which a run waits."""
        self.now += timedelta(seconds=seconds)

    def sync(self, **how: Any) -> StreamOutcome:
        self.now += timedelta(minutes=1)
        return sync_stream(
            self.space, "erp", self.stream, now=lambda: self.now, transport=self.transport(),
            pause=self.pause, **how,
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


class DocumentStory(sql.Story):
    """The story with documents in the place of rows, of which each has so many `LINES` or more.

    A subclass says how one is `put` and deleted, and what `source` the judge goes by.
    """

    LINES = 1

    def __init__(self, world: ErpWorld, seed: int) -> None:
        super().__init__(world, random.Random(seed), Result())

    def play(self, *, records: int, rounds: int) -> Result:
        """Tell it in so many rounds, so many records a batch; it judges itself after each run."""
        try:
            with patch.object(writer, "MAX_RECORDS", records), patch.object(sql, "ROUNDS", rounds):
                self.tell()
        finally:
            self.world.space.control.close()
        return self.result

    def insert(self, count: int, at: datetime) -> None:
        count = (count + self.LINES - 1) // self.LINES
        keys = range(self.next, self.next + count)
        self.next += count
        self.stamps |= dict.fromkeys(keys, at)
        for key in keys:
            self.put(key, at)

    def edit(self, keys: Sequence[int], at: datetime) -> None:
        for key in keys:
            if self.stamps[key] <= at:
                self.stamps[key] = at
                self.alter(key, at)

    def put(self, key: int, at: datetime) -> None:
        """Write a document anew, with other lines."""
        raise NotImplementedError

    def alter(self, key: int, at: datetime) -> None:
        """Change a document that is there."""
        self.put(key, at)
