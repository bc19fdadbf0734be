"""Which records the landing says are there: the last of each key, without what was deleted since.

Works on a connection of its own in memory; neither the store nor its lock is touched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import duckdb

from warehouse import intake, temptables
from warehouse.batch import Batch
from warehouse.landing import Landing
from warehouse.model.plan import StreamPlan

MAX_RECORDS = 100_000
SLACK = timedelta(days=1)
"""How far the source's clock may be ahead: what was landed longer before is older for sure."""


def fill(
    con: duckdb.DuckDBPyConnection,
    landing: Landing,
    plan: StreamPlan,
    *,
    rows: bool = False,
    since: datetime | None = None,
) -> None:
    """Make the temp tables `landed` (all records), `gone` (deletions) and `living`.

    `plan` is one of `mappings.counting`. `living` has key (null where the record has none), batch,
    position and stamped_at, one row a key, or with `rows` all rows that carry it. `since` leaves
    out batches that cannot hold a stamp from then on. Raises LandingDamaged.
    """
    con.execute(
        "create or replace temp table landed"
        " (key varchar, batch bigint, position bigint, stamped_at timestamptz,"
        " landed_at timestamptz)"
    )
    gone: list[tuple[str, float]] = []
    batches: list[Batch] = []
    accepted = landing.accepted(plan.connection, plan.stream)
    for batch in landing.batches(plan.connection, plan.stream):
        side = batch.sidecar
        if side.content == "deletions":
            about = accepted.get(batch.sequence)
            if not side.held:
                gone += [(key, batch.sequence) for key, _ in batch.deletions()]
            elif about is not None:
                after = max(batch.sequence, int(about["after"])) + 0.5
                gone += [(k, after) for k, _ in batch.deletions() if k not in about["except"]]
        elif side.content == "records" and side.rows and not _is_before(batch, since):
            batches.append(batch)
    temptables.fill(con, "gone", {"key": "varchar", "after": "double"}, gone)
    for some in groups(batches):
        intake.read(con, plan, some)
        con.execute(
            f"insert into landed select r.record_key, f.batch, p.position, r.stamped_at, f.ended_at"
            f" from ({plan.records}) as r join record_paths as p on p.n = r.n"
            " join landed_files as f on f.file_no = p.file_no"
        )
    con.execute("drop table if exists record_paths")
    one = "" if rows else " and place = 1"
    con.execute(
        f"""
        create or replace temp table living as
        select key, batch, position, stamped_at from (
            select l.*, max(batch) over (partition by key) as newest,
                row_number() over (partition by key order by batch desc, position desc) as place
            from landed as l
            left join (select key, max(after) as after from gone group by key) as g using (key)
            where key is not null and (g.after is null or l.batch > g.after))
        where batch = newest{one}
        union all
        select key, batch, position, stamped_at from landed where key is null
        """
    )


def groups(batches: Sequence[Batch]) -> Iterator[list[Batch]]:
    """Yield runs of batches that are read at once: of one encoding."""
    some: list[Batch] = []
    records = 0
    for batch in batches:
        side = batch.sidecar
        if some and (
            side.encoding != some[0].sidecar.encoding or records + side.rows > MAX_RECORDS
        ):
            yield some
            some, records = [], 0
        some.append(batch)
        records += side.rows
    if some:
        yield some


def _is_before(batch: Batch, since: datetime | None) -> bool:
    return since is not None and datetime.fromisoformat(batch.sidecar.ended_at) < since - SLACK
