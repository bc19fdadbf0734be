"""What the store holds of one stream, against what its landing says; counted by stretches of time.

`Stock` works in memory: the landing is read without any lock, of the store only keys, one column to
sum and the quarantine are taken, and its lock is held for that copy alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType

import duckdb

from warehouse import ddl, intake, landed, temptables
from warehouse.clock import Clock
from warehouse.ddl import literal, quote
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import stage_records
from warehouse.lock import OnWait
from warehouse.model.plan import StreamPlan
from warehouse.seen import WITHOUT_KEY, SeenIndex
from warehouse.store import open_store

COPIES = "verify-"
"""How folders of copied keys begin; one that is left is removed by the next check."""


@dataclass(frozen=True, slots=True)
class Held:
    """What we hold of a stretch: `count` = in the store + `aside` + `left_out`.

    `aside` are in quarantine or discarded, `left_out` are records that the mapping makes no row of;
    `lost` are those that the store should hold and does not. `total` is the sum of the column asked
    for over the rows in the store.
    """

    count: int = 0
    aside: int = 0
    left_out: int = 0
    lost: int = 0
    total: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands in the landing, with its key; `first_at` is when the key first came."""

    key: str
    batch: int
    position: int
    first_at: datetime


class Stock:
    """One stream, taken stock of at one moment; a context manager."""

    def __init__(
        self,
        home: Home,
        landing: Landing,
        plan: StreamPlan,
        counting: StreamPlan,
        *,
        column: str | None = None,
        rows: bool = False,
        since: datetime | None = None,
        clock: Clock,
        on_wait: OnWait | None = None,
    ) -> None:
        self.landing, self.plan = landing, plan
        self.column = column
        self.con = duckdb.connect()
        try:
            for name, value in (
                ("TimeZone", counting.zone),
                ("disabled_optimizers", "common_subexpressions"),
            ):
                self.con.execute(f"set {name} = {literal(value)}")
            landed.fill(self.con, landing, counting, rows=rows and plan.grouped, since=since)
            self._take(home, clock, on_wait)
            self._suspect()
        except BaseException:
            self.con.close()
            raise

    def __enter__(self) -> Stock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the memory back."""
        self.con.close()

    # --- what is there -----------------------------------------------------------------------

    def _take(self, home: Home, clock: Clock, on_wait: OnWait | None) -> None:
        """Copy what the store holds of the stream: keys, the column to sum, quarantine, links."""
        place = (
            f"connection = {literal(self.plan.connection)} and stream = {literal(self.plan.stream)}"
        )
        main = self.plan.targets[0].entity
        parts = []
        for entity in dict.fromkeys(t.entity for t in self.plan.targets):
            summed = "null"
            if self.column is not None and entity == main:
                summed = quote(self.column)
            parts.append(
                f"select {literal(entity)} as entity, source_key, record_key,"
                f" {summed}::decimal(38, 4) as summed, row_hash, is_deleted from"
                f" {ddl.source_table(entity).full} where {place}"
            )
        children = dict.fromkeys(c.entity for t in self.plan.targets for c in t.children)
        owned = [
            f"select {literal(entity)} as entity, parent_key, count(*) as many"
            f" from {ddl.source_table(entity).full} where {place} group by parent_key"
            for entity in children
        ] or ["select '' as entity, '' as parent_key, 0 as many where false"]
        wanted = {
            "owned": " union all ".join(owned),
            "held": " union all ".join(parts),
            "aside": f"select distinct batch, position from ops.quarantine where {place}"
            " and status <> 'replayed'",
            "made": f"select record_key, entity, source_key from ops.made where {place}",
        }
        root = home.make().root
        with open_store(home, clock=clock, on_wait=on_wait) as store:
            for left in root.glob(f"{COPIES}*"):  # of a process that was killed; we hold the lock
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=COPIES, dir=root) as folder:
                for name, select in wanted.items():
                    path = literal(str(Path(folder) / f"{name}.parquet"))
                    store.con.execute(f"copy ({select}) to {path} (format parquet)")
                    self.con.execute(
                        f"create or replace temp table {name} as select * from read_parquet({path})"
                    )

    def _suspect(self) -> None:
        """Find the living records that the store is short of, and ask the mapping about them.

        Where a record owns rows (an order its lines), the mapping is asked about all: a row of an
        order does not say how many lines it should have.
        """
        self.con.execute(
            """
            create or replace temp table put_aside as
            select distinct l.batch, l.position, l.key from living as l
            join aside as a on a.batch = l.batch and a.position = l.position
            """
        )
        main = literal(self.plan.targets[0].entity)
        owns = "true" if any(t.children for t in self.plan.targets) else "false"
        self.con.execute(
            f"""
            create or replace temp table suspects as
            select key, batch, min(position) as position from living
            where key is not null
                and key not in (select key from put_aside where key is not null)
                and ({owns} or key not in (
                        select record_key from held where entity = {main}
                            and record_key is not null)
                    or key in (
                        select m.record_key from made as m
                        left join held as h on h.entity = m.entity and h.source_key = m.source_key
                        where h.source_key is null and m.record_key is not null))
            group by key, batch
            """
        )
        self.con.execute("create or replace temp table lost (key varchar, batch bigint)")
        self.con.execute("create or replace temp table mapped (key varchar)")
        numbers = [
            n for (n,) in self.con.execute(
                "select distinct batch from suspects order by batch").fetchall()
        ]  # fmt: skip
        batches = [self.landing.batch(self.plan.connection, self.plan.stream, n) for n in numbers]
        for some in landed.groups(batches):
            taken = intake.read(self.con, self.plan, some)
            keep(self.con, "suspects")
            taken.bad = []
            for staged in stage_records(self.con, self.plan, taken).targets:
                self.con.execute(
                    f"insert into lost select record_key, of_batch from {staged.table} as s"
                    " where record_key is not null and not exists (select 1 from held as h where"
                    f" h.entity = {literal(staged.target.entity)} and h.source_key = s.source_key)"
                )
                self.con.execute(f"insert into mapped select record_key from {staged.table}")
                for table, (entity, _) in staged.children.items():
                    self.con.execute(
                        f"insert into lost select s.record_key, s.of_batch from {staged.table} as s"
                        f" join held as h on h.entity = {literal(staged.target.entity)}"
                        " and h.source_key = s.source_key and h.row_hash = s.row_hash"
                        f" left join (select n, count(*) as many from {table} group by n) as c"
                        " on c.n = s.n"
                        f" left join owned as o on o.entity = {literal(entity)}"
                        " and o.parent_key = s.source_key"
                        " where not s.deleted and coalesce(c.many, 0) <> coalesce(o.many, 0)"
                    )
        self.con.execute(
            """
            create or replace temp table left_out as
            select key, batch from suspects
            where key not in (select key from mapped where key is not null)
            """
        )

    # --- answers -----------------------------------------------------------------------------

    def earliest(self) -> datetime | None:
        """Return the earliest stamp of a living record."""
        row = self.con.execute("select min(stamped_at) from living").fetchone()
        return row[0] if row else None

    def count(self, edges: Sequence[tuple[datetime | None, datetime | None]]) -> list[Held]:
        """Return what we hold of each stretch [since, until); None is an open end.

        Records without a readable stamp stand in a stretch that is open below.
        """
        rows = [
            (n, since.isoformat() if since else "-infinity", until.isoformat() if until
             else "infinity")
            for n, (since, until) in enumerate(edges)
        ]  # fmt: skip
        columns = {"number": "bigint", "since": "timestamptz", "until": "timestamptz"}
        temptables.fill(self.con, "stretches", columns, rows)
        found = [Held() for _ in edges]
        for number, count, aside, left_out, lost, total in self.con.execute(
            """
            with placed as (
                select w.number, l.*
                from (
                    select *, coalesce(stamped_at, '-infinity'::timestamptz) as moment from living
                ) as l
                asof join stretches as w on l.moment >= w.since
                where l.moment < w.until
            ),
            sums as (
                select record_key, sum(summed) as summed from held group by record_key
            )
            select number, count(*),
                count(*) filter (where (p.batch, p.position) in
                    (select (batch, position) from put_aside)),
                count(*) filter (where p.key in (select key from left_out)),
                count(*) filter (where p.key in (select key from lost)),
                sum(s.summed)
            from placed as p left join sums as s on s.record_key = p.key
            group by number
            """
        ).fetchall():
            found[number] = Held(count - lost, aside, left_out, lost, total)
        return found

    def count_parts(self, parts: Sequence[str]) -> list[Held]:
        """Return what we hold of each part, by the index of what each held when it was read."""
        index, lock = self.landing.index(self.plan.connection, self.plan.stream)
        try:
            rows = _held_by_parts(index, parts)
        finally:
            index.close()
            lock.close()
        columns = {"part": "varchar", "key": "varchar"}
        temptables.fill(self.con, "parted", columns, rows)
        found = {part: Held() for part in parts}
        for part, count, aside, left_out, lost in self.con.execute(
            """
            select part, count(*), count(*) filter (where key is null or key in
                    (select key from put_aside)),
                count(*) filter (where key in (select key from left_out)),
                count(*) filter (where key in (select key from lost))
            from parted group by part
            """
        ).fetchall():
            found[part] = Held(count - lost, aside, left_out, lost)
        return [found[part] for part in parts]

    def lost_elsewhere(self) -> int:
        """Return how many lost records are in none of the parts that were counted last."""
        row = self.con.execute(
            "select count(distinct key) from lost where key not in"
            " (select key from parted where key is not null)"
        ).fetchone()
        return int(row[0]) if row else 0

    def want_again(self, parts: Sequence[str]) -> None:
        """Have parts read again by the next run, whatever its bookmark knows."""
        index, lock = self.landing.index(self.plan.connection, self.plan.stream)
        try:
            for part in parts:
                index.ending(part)
            index.commit()
        finally:
            index.close()
            lock.close()

    def lost_keys(self) -> list[str]:
        """Return the keys of records that the store should hold and does not."""
        return [k for (k,) in self.con.execute("select distinct key from lost order by 1")
                .fetchall()]  # fmt: skip

    def places(self) -> list[Place]:
        """Return all landed records of the keys that the store is short of; of a whole stock."""
        return [
            Place(*row)
            for row in self.con.execute(
                """
                with firsts as (select key, min(landed_at) as first_at from landed group by key),
                ends as (select key, max(after) as after from gone group by key)
                select distinct l.key, l.batch, l.position, f.first_at
                from landed as l join firsts as f on f.key = l.key
                left join ends as e on e.key = l.key
                where l.key in (select key from lost) and (e.after is null or l.batch > e.after)
                """
            ).fetchall()
        ]

    def strangers(self) -> list[str]:
        """Return keys of rows in the store that no landed record made; of a whole stock only."""
        return [
            k for (k,) in self.con.execute(
                "select distinct record_key from held where not is_deleted and record_key is not"
                " null and record_key not in (select key from landed where key is not null)"
                " order by 1"
            ).fetchall()
        ]  # fmt: skip

    def against(self, keys: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the keys of the source that we lack, and the living ones that it does not name."""
        temptables.fill(self.con, "listed", {"key": "varchar"}, ((k,) for k in keys))
        missing = self.con.execute(
            "select distinct key from listed where key not in (select key from living where key is"
            " not null) or key in (select key from lost) order by 1"
        ).fetchall()
        surplus = self.con.execute(
            "select distinct key from living where key is not null and key not in (select key from"
            " listed) and key not in (select key from lost) order by 1"
        ).fetchall()
        return [k for (k,) in missing], [k for (k,) in surplus]


def _held_by_parts(index: SeenIndex, parts: Sequence[str]) -> list[tuple[str, str | None]]:
    """Return (part, key) of what the parts hold; records without key as null."""
    found: list[tuple[str, str | None]] = []
    for part in parts:
        found += index.db.execute("select part, key from seen where part = ?", (part,))
        own = f"{part}\n"
        found += index.db.execute(
            "select ?, null from seen where part = ? and substr(key, 1, ?) = ?",
            (part, WITHOUT_KEY, len(own), own),
        )
    return found


def keep(con: duckdb.DuckDBPyConnection, places: str) -> None:
    """Keep of `record_paths` the records whose (batch, position) stand in the table `places`."""
    con.execute(
        f"""
        delete from record_paths where n not in (
            select p.n from record_paths as p join landed_files as f using (file_no)
            join {places} as c on c.batch = f.batch and c.position = p.position)
        """
    )
