"""While a run goes on, Dagster's log on SQLite has one connection a file and keeps what is told."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import text

from pipelines.event_log import held_open

RUN = "5a0a2a52-7f2f-4d4e-9d51-0f8a5b3a2b11"


def behind(log: Any, shard: str) -> Any:
    with log._connect(shard) as one:
        return one.connection.dbapi_connection


def test_a_file_has_one_connection_until_the_end_and_others_see_what_is_written(
    tmp_path: Path,
) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        log: Any = instance.event_log_storage
        with held_open(instance):
            for shard in ("index", RUN):
                assert behind(log, shard) is behind(log, shard)
            run = instance.create_run_for_job(a_job, run_id=RUN)
            instance.report_engine_event("told", run)
            with dg.DagsterInstance.local_temp(str(tmp_path)) as other:
                assert "told" in [e.message for e in other.all_logs(RUN)]
        assert "_connect" not in vars(log)
        assert behind(log, RUN) is not behind(log, RUN)
        assert "told" in [e.message for e in instance.all_logs(RUN)]


def test_what_fails_is_undone_and_the_connection_goes_on(tmp_path: Path) -> None:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance, held_open(instance):
        log: Any = instance.event_log_storage
        insert = text("insert into secondary_indexes (name) values (:name)")
        with suppress(KeyboardInterrupt), log.index_connection() as one:
            one.execute(insert, {"name": "lost"})
            raise KeyboardInterrupt
        with log.index_connection() as one:
            one.execute(insert, {"name": "kept"})
        with log.index_connection() as one:
            found = one.execute(text("select name from secondary_indexes")).scalars().all()
    assert "kept" in found
    assert "lost" not in found


def test_a_log_that_is_not_on_sqlite_is_let_be() -> None:
    with dg.DagsterInstance.ephemeral() as instance, held_open(instance):
        assert "_connect" not in vars(instance.event_log_storage)


@dg.job
def a_job() -> None:
    pass
