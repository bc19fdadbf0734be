"""The kill table notices what is left behind, and a short one leaves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
import small_shop

from connectors.rest.serve import serve
from pipelines.sync import sync_stream, unify_publish
from tests.faults.kill_table import KINDS, Row, compare, play, rest


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral(str(tmp_path)) as made:
        yield made


def test_a_lost_a_doubled_and_an_old_row_are_counted(tmp_path: Path):
    server = small_shop.shop(orders=20)
    with serve(server) as url:
        space = small_shop.workspace(tmp_path, url)
        assert sync_stream(space, "shop", "orders").error is None
        assert unify_publish(space).error is None
    row, shops = Row("worker"), {"shop": server}
    compare(space, shops, row)
    assert row.left == 0
    server.put("orders", small_shop.order(21))
    server.put("orders", small_shop.order(3, seed=9))
    compare(space, shops, row)
    assert (row.lost, row.doubled, row.other) == (2, 0, 1)  # of the store, and of what is published
    row = Row("worker")
    server.delete("orders", "21")
    server.delete("orders", "3")
    compare(space, shops, row)
    assert (row.lost, row.doubled, row.other) == (0, 1, 1)
    space.control.close()


def test_a_run_that_never_ends_is_counted(instance: dg.DagsterInstance):
    @dg.job
    def nothing() -> None: ...

    run = instance.create_run_for_job(nothing, status=dg.DagsterRunStatus.STARTED)
    row = Row("daemon")
    rest(instance, row, seconds=0)
    assert (row.runs, row.stuck, row.left) == (1, 1, 1)
    instance.report_run_failed(run)
    rest(instance, row, seconds=0)
    assert row.left == 0


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_two_kills_of_each_leave_nothing_behind(tmp_path: Path):
    rows = play(tmp_path, moments=2)
    assert [(row.kind, row.kills) for row in rows] == [(kind, 2) for kind in KINDS]
    assert [row for row in rows if row.left] == []
