"""The sample company of a story, synced and published in this process."""

from __future__ import annotations

import copy
import fcntl
import os
import pickle
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from sample_world import Direct

from pipelines.outcome import StreamOutcome
from pipelines.sample import servers
from pipelines.sample.demo import AFTER, FIRST
from pipelines.sample.files import write_office
from pipelines.sample.place import OWN, sample_workspace
from pipelines.sample.report import ask
from pipelines.sample.story import Story
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import Workspace
from warehouse.store import open_store

Name = tuple[str, str]


@dataclass
class Synced:
    """What was told, the systems that tell it, and what one sync of everything left behind."""

    space: Workspace
    story: Story
    apps: dict[str, Any]
    transport: Direct
    first: dict[Name, StreamOutcome] = field(default_factory=dict)

    def sync(self, names: Sequence[str], most: int = 99) -> dict[Name, StreamOutcome]:
        """Sync connections, of each so many streams, and publish."""
        done: dict[Name, StreamOutcome] = {}
        for connection in names:
            for stream in self.space.connection(connection).streams[:most]:
                done[connection, stream.name] = sync_stream(
                    self.space, connection, stream.name, transport=self.transport
                )
        assert unify_publish(self.space).error is None
        return done

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        return ask(self.space.home.current, sql)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.space.home.current), read_only=True) as published:
            answer = published.execute(sql)
            names = [d[0] for d in answer.description]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def parties(self) -> dict[Name, str]:
        """Return which customer a record is, as the store believes: by (connection, clear key)."""
        with open_store(self.space.home) as store:
            rows = store.con.execute(
                "SELECT connection, source_key, golden_id FROM unified.xref WHERE entity = 'party'"
            ).fetchall()
        return {(connection, key): str(party) for connection, key, party in rows}

    def close(self) -> None:
        self.space.control.close()


def synced_sample(home: Path, story: Story) -> Synced:
    """Return the company of a story with all its systems synced into `home`, a folder of pytest's.

    A story is synced once a session, whatever process asks: what each caller gets is a copy of that
    home, and systems of its own that stand where the first ones stood.
    """
    kept = _session(home) / f"sample-{story.seed}-{len(story.orders)}"
    outcomes = kept.with_suffix(".outcomes")
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not outcomes.exists():
            with closing(_made(kept, copy.deepcopy(story))) as made:  # building adds to it
                made.first = made.sync(FIRST[::-1])  # payments before the orders that they pay
                made.first |= made.sync(AFTER)
                assert {name: str(o.error) for name, o in made.first.items() if o.error} == {}
            outcomes.write_bytes(pickle.dumps(made.first))
    shutil.copytree(kept, home, symlinks=True, dirs_exist_ok=True)
    made = _made(home, story)
    made.first = pickle.loads(outcomes.read_bytes())
    return made


def _session(folder: Path) -> Path:
    """Return the folder that all processes of this session share."""
    return next(above for above in folder.parents if above.name.startswith("pytest-"))


def _made(home: Path, story: Story) -> Synced:
    env = dict(os.environ, ISTHMUS_DEFS=str(OWN), ISTHMUS_HOME=str(home))
    apps = servers.build(story)
    space, folder = sample_workspace(Workspace.discover(env), env)
    write_office(folder, story)
    return Synced(space, story, apps, Direct(apps))
