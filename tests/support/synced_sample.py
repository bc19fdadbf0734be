"""The sample company of a seed, synced and published in this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
from sample_world import Direct

from pipelines.sample import servers
from pipelines.sample.demo import AFTER, FIRST
from pipelines.sample.files import write_office
from pipelines.sample.place import OWN, sample_workspace
from pipelines.sample.story import Story, tell
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.store import open_store


@dataclass
class Sample:
    """What was told, the systems that tell it, and what was published of it."""

    story: Story
    apps: dict[str, Any]
    space: Workspace
    published: duckdb.DuckDBPyConnection

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return self.published.execute(sql).fetchall()

    def rows(self, sql: str) -> list[dict[str, Any]]:
        answer = self.published.execute(sql)
        names = [d[0] for d in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def parties(self) -> dict[tuple[str, str], str]:
        """Return which customer a record is, as the store believes: by (connection, clear key)."""
        with open_store(self.space.home) as store:
            rows = store.con.execute(
                "SELECT connection, source_key, golden_id FROM unified.xref WHERE entity = 'party'"
            ).fetchall()
        return {(connection, key): str(party) for connection, key, party in rows}

    def close(self) -> None:
        self.published.close()
        self.space.control.close()


def synced_sample(home: Path, seed: int, orders: int) -> Sample:
    """Tell the story of a seed, sync all of it and open what was published."""
    env = dict(os.environ, ISTHMUS_DEFS=str(OWN), ISTHMUS_HOME=str(home))
    story = tell(seed, orders)
    apps = servers.build(story)
    space, folder = sample_workspace(Workspace.discover(env), env)
    write_office(folder, story)
    transport = Direct(apps)
    for names in (FIRST, AFTER):
        for connection in names:
            for stream in space.connection(connection).streams:
                done = sync_stream(space, connection, stream.name, transport=transport)
                assert done.error is None, (connection, stream.name, done.error)
        assert unify_publish(space).error is None
    published = duckdb.connect(str(space.home.current), read_only=True)
    return Sample(story, apps, space, published)
