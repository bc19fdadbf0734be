"""While syncs run and publish, other processes read the published file: none refused, none torn."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import small_shop
from small_shop import START, order

from connectors.rest.serve import serve
from pipelines.sync import sync_stream, unify_publish
from pipelines.workspace import PROJECT
from warehouse.reader import run_query

ROUNDS = 3
"""The last of them reads all, so that what was deleted is seen."""
SEED = 7


def test_readers_see_whole_states_only(tmp_path: Path):
    chance = random.Random(SEED)
    server = small_shop.shop(orders=300)
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url, limit=100)
        assert sync_stream(space, "shop", "orders").error is None
        assert unify_publish(space).published
        readers = [
            subprocess.Popen(
                [sys.executable, PROJECT / "tests" / "support" / "reader_loop.py",
                 space.home.published / "isthmus.duckdb"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        try:
            for turn in range(1, ROUNDS + 1):
                later = START + timedelta(hours=10 + turn)
                for number in chance.sample(range(1, 301), 60):
                    server.put("orders", order(number, at=later, seed=turn))
                server.delete("orders", str(turn))
                server.put("orders", order(300 + turn, at=later))
                done = sync_stream(space, "shop", "orders", full=turn % 3 == 0)
                assert done.error is None
                assert unify_publish(space).published
        finally:
            told = [json.loads(reader.communicate("stop", timeout=60)[0]) for reader in readers]
    for one in told:
        assert (one["refused"], one["torn"], one["said"]) == (0, 0, [])
        assert one["reads"] > ROUNDS
        assert 1 < one["states"] <= ROUNDS + 1
    rows = run_query(
        space.home.current, "select source_key, total from unified.orders order by source_key"
    ).rows
    truth = small_shop.at_the_source(server)
    assert list(rows) == sorted((key, total) for key, (total, _, _) in truth.items())
