"""Stages the rows of one target: typed rows, children, errors and a row hash in temp tables.

Nothing of the store is read or written here, and no transaction is open: a statement that fails
would end it. Temp tables of target i: `staged_<i>` (one row a record: n, of_batch, of_position,
source_key, record_key, version, deleted, the columns, ext, warnings, errors, row_hash, layer),
`staged_<i>_<k>` for child k, `staged_<i>_made` (n, of_batch, of_position, record_key, source_key,
version, bad) of a further target: a row for each record, also where records share a key, and
`staged_0_older` (n): the versions of records that a newer one of the same batch replaces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import duckdb

from warehouse import ddl, lazy, versions
from warehouse.ddl import literal, quote
from warehouse.errors import LoadError
from warehouse.model.plan import ChildPlan, StreamPlan, TargetPlan

Places: TypeAlias = Iterable[tuple[int, int]]
FAILED = (duckdb.DataError, duckdb.InvalidInputException)
MAX_FAILED = 1_000
_FRAME = {
    "n", "line", "source_key", "parent_key", "record_key", "version", "deleted", "ext", "errors",
    "warnings",
}  # fmt: skip


@dataclass(slots=True)
class Staged:
    """What was staged of a target. Records named in `failed` make its SQL raise."""

    table: str
    target: TargetPlan
    columns: tuple[str, ...]
    children: dict[str, tuple[str, tuple[str, ...]]]  # temp table -> (entity, columns)
    layers: int = 1
    failed: list[int] = field(default_factory=list)
    reason: str = ""
    older: Counter[int] = field(default_factory=Counter)  # batch -> older versions left out
    same: Counter[int] = field(default_factory=Counter)  # batch -> repetitions left out
    is_further: bool = False  # one under `also:`
    outside: int = 0  # records that fail the main `where`, in the temp table `outside`


def stage(
    con: duckdb.DuckDBPyConnection,
    target: TargetPlan,
    table: str,
    *,
    main: Staged | None = None,
    further: bool = False,
    records: str = "",
    step: int = 0,
) -> Staged:
    """Stage a target of `record_paths`; records that make its SQL raise are found by halving.

    `further` says that it is one under `also:`; its rows follow the versions of `main`.
    `records` is `StreamPlan.records`, given with the main target; `step` is `StreamPlan.step`
    where the records stand where their numbers say.
    """
    try:
        found = _stage(con, target, table, step)
    except FAILED as error:
        failed = _failing(con, target, table, step)
        if not failed:
            raise LoadError(
                f"the rows of {target.entity} cannot be staged ({type(error).__name__}).",
                "this is a defect of the mapping's SQL: report it with the mapping file.",
            ) from error
        con.execute("create or replace temp table all_paths as select * from record_paths")
        _keep(con, f"n not in ({', '.join(map(str, failed))})")
        found = _stage(con, target, table, step)
        found.failed, found.reason = failed, type(error).__name__
        _keep(con, "true")
        con.execute("drop table all_paths")
    found.is_further = further
    if main is not None:
        _leave_outdated_out(con, found, main)
    if further:
        con.execute(
            f"create or replace temp table {table}_made as select n, of_batch, of_position,"
            f" record_key, source_key, version, len(errors) > 0 as bad from {table}"
        )
    else:
        con.execute(f"create or replace temp table {table}_older (n bigint)")
    _leave_older_out(con, found)
    if records:
        found.outside = _stage_outside(con, found, records)
    return found


def make_room(con: duckdb.DuckDBPyConnection, plan: StreamPlan) -> None:
    """Make the columns of `source` that the plan fills real; inside a transaction of its own."""
    filled: dict[str, set[str]] = {}
    for target in plan.targets:
        filled.setdefault(target.entity, set()).update(_columns(target.entity, target.columns))
        for child in target.children:
            filled.setdefault(child.entity, set()).update(_columns(child.entity, child.columns))
    for entity, columns in filled.items():
        lazy.make_room(con, ddl.source_table(entity), columns)


def _keep(con: duckdb.DuckDBPyConnection, condition: str) -> None:
    con.execute(
        f"create or replace temp table record_paths as select * from all_paths where {condition}"
    )


def _failing(
    con: duckdb.DuckDBPyConnection, target: TargetPlan, table: str, step: int
) -> list[int]:
    """Return the records whose own evaluation raises."""
    con.execute("create or replace temp table all_paths as select * from record_paths")
    numbers = [n for (n,) in con.execute("select n from all_paths order by n").fetchall()]
    failed: list[int] = []
    todo = [numbers]
    while todo:
        some = todo.pop()
        _keep(con, f"n between {some[0]} and {some[-1]}")
        try:
            _stage(con, target, table, step)
        except FAILED as error:
            if len(some) == 1:
                failed += some
                if len(failed) > MAX_FAILED:
                    raise LoadError(
                        f"the mapping's SQL for {target.entity} raises on more than"
                        f" {MAX_FAILED} records ({type(error).__name__}).",
                        "mend the mapping; `isthmus preview` shows what it does.",
                    ) from error
            else:
                todo += [some[: len(some) // 2], some[len(some) // 2 :]]
    _keep(con, "true")
    con.execute("drop table all_paths")
    return failed


def _stage(con: duckdb.DuckDBPyConnection, target: TargetPlan, table: str, step: int) -> Staged:
    children: dict[str, tuple[str, tuple[str, ...]]] = {}
    for k, child in enumerate(target.children):
        name = f"{table}_{k}"
        children[name] = (child.entity, _stage_child(con, child, name))
    columns = _columns(target.entity, target.columns)
    hashed = ", ".join(
        [
            literal("\x1f".join((*columns, *(c.name for c in target.children)))),
            *(quote(c) for c in columns),
            "t.ext::varchar", "t.record_key", "coalesce(t.deleted, false)",
            *(f"case when not coalesce(t.deleted, false) then {c}.hashed end" for c in children),
        ]
    )  # fmt: skip
    wrong = ["coalesce(t.errors, [])", *(f"coalesce({c}.wrong, [])" for c in children)]
    joins = " ".join(
        f"left join (select n, bit_xor(hashed) as hashed, {_wrong(child, name)} as wrong"
        f" from {name} group by n) as {name} on {name}.n = t.n"
        for name, child in zip(children, target.children, strict=True)
    )
    # A join with the records costs as much as a third of their columns.
    placed = "join record_paths as p on p.n = t.n join landed_files as f on f.file_no = p.file_no"
    position = "p.position"
    if step:
        placed = f"join landed_files as f on f.file_no = t.n // {step}"
        position = f"t.n % {step}"
    con.execute(
        f"""
        create or replace temp table {table} as
        select t.n, f.batch as of_batch, {position} as of_position, t.source_key,
            coalesce(t.record_key, t.source_key) as record_key, t.version,
            coalesce(t.deleted, false) as deleted, {"".join(f"t.{quote(c)}, " for c in columns)}
            t.ext, t.warnings,
            case
                when t.source_key is null and len({wrong[0]}) = 0 then ['key: is missing']
                when t.source_key is null then {wrong[0]}
                -- A record that says it is gone is gone, whatever else is wrong in it.
                when coalesce(t.deleted, false) then []
                else {" || ".join(wrong)}
            end as errors,
            hash({hashed}) as row_hash, 1 as layer
        from ({target.select}) as t
        {placed}
        {joins}
        """
    )
    return Staged(table, target, columns, children)


def _stage_child(con: duckdb.DuckDBPyConnection, child: ChildPlan, name: str) -> tuple[str, ...]:
    columns = _columns(child.entity, child.columns)
    hashed = ", ".join(["c.line", "c.source_key", *(f"c.{quote(x)}" for x in columns), "c.ext"])
    con.execute(
        f"create or replace temp table {name} as select c.*, hash({hashed}) as hashed,"
        f" false as repeated from ({child.select}) as c"
    )
    con.execute(
        f"update {name} set repeated = true where (n, source_key) in"
        f" (select n, source_key from {name} group by all having count(*) > 1)"
    )
    return columns


def _wrong(child: ChildPlan, name: str) -> str:
    """Return the aggregate of a record's broken children, the first ones."""
    place = f"{literal(child.name)} || '[' || ({name}.line - 1) || '].'"
    text = (
        f"case when len({name}.errors) > 0 then {place} || {name}.errors[1]"
        f" when {name}.source_key is null then {place} || 'key: is missing'"
        f" else {place} || 'key: stands twice in the record' end"
    )
    bad = f"len({name}.errors) > 0 or {name}.repeated or {name}.source_key is null"
    return f"list({text} order by {name}.line) filter (where {bad})[:5]"


def _columns(entity: str, named: Iterable[str]) -> tuple[str, ...]:
    """Return the model's columns that a SELECT of these `named` gives, in the table's order.

    Word fields come with the word that the source wrote.
    """
    given = {name for column in named for name in (column, f"{column}_raw")} - _FRAME
    return tuple(n for n, _ in ddl.source_columns(entity) if n in given)


def _leave_older_out(con: duckdb.DuckDBPyConnection, staged: Staged) -> None:
    """Keep the newest version of a key in each batch, before any check; number the batches.

    A broken newer version wins too: the older good one is a state that the source has left. Keys
    in several batches get a layer each, applied in order, so that history does not depend on how
    many batches one transaction took.
    """
    twice = con.execute(
        f"select count(source_key) - count(distinct source_key) from {staged.table}"
    ).fetchone()
    if not twice or not twice[0]:
        return
    newest = "of_position desc"
    if staged.target.has_version:
        newest = f"{versions.newest_first('version', staged.target.version_as)}, {newest}"
    con.execute(
        f"""
        create or replace temp table ranked as
        select n, of_batch, row_hash,
            row_number() over one as place, first_value(row_hash) over one as winner,
            dense_rank() over (partition by source_key order by of_batch) as layer
        from {staged.table}
        where source_key in
            (select source_key from {staged.table} group by source_key having count(*) > 1)
        window one as (partition by source_key, of_batch order by {newest})
        """
    )
    for batch, same, count in con.execute(
        "select of_batch, row_hash = winner, count(*) from ranked where place > 1 group by all"
    ).fetchall():
        (staged.same if same else staged.older)[batch] += count
    con.execute(f"delete from {staged.table} where n in (select n from ranked where place > 1)")
    if not staged.is_further:
        con.execute(f"insert into {staged.table}_older select n from ranked where place > 1")
    con.execute(
        f"update {staged.table} as s set layer = r.layer from ranked as r"
        " where r.n = s.n and r.layer > 1"
    )
    (staged.layers,) = con.execute("select max(layer) from ranked").fetchone() or (1,)
    con.execute("drop table ranked")


def _stage_outside(con: duckdb.DuckDBPyConnection, main: Staged, records: str) -> int:
    """Stage the records that fail `where`, if no newer version in their batch passes."""
    failed = ", ".join(map(str, main.failed)) or "-1"
    newest = "of_position desc"
    if main.target.has_version:
        newest = f"{versions.newest_first('version', main.target.version_as)}, {newest}"
    con.execute(
        f"""
        create or replace temp table outside as
        with every as (
            select t.n, t.record_key, t.version, f.batch as of_batch, p.position as of_position,
                f.ended_at,
                t.n in (select n from {main.table} union all select n from {main.table}_older
                    union all select unnest([{failed}])) as passes
            from ({records}) as t
            join record_paths as p on p.n = t.n
            join landed_files as f on f.file_no = p.file_no
            where t.record_key is not null
        )
        select * exclude (passes) from (
            select * from every
            qualify row_number() over (partition by record_key, of_batch order by {newest}) = 1)
        where not passes
        """
    )
    (count,) = con.execute("select count(*) from outside").fetchone() or (0,)
    return int(count)


def _leave_outdated_out(con: duckdb.DuckDBPyConnection, staged: Staged, main: Staged) -> None:
    """Drop rows of versions that a newer one of the same record replaces in its batch.

    Their keys may differ, so the comparison by key does not see that they are one record.
    """
    for batch, same, count in con.execute(
        f"""
        select s.of_batch, (s.of_batch, s.source_key, s.row_hash) in (
                select (of_batch, source_key, row_hash) from {staged.table}
                where n not in (select n from {main.table}_older)) as same, count(*)
        from {staged.table} as s where s.n in (select n from {main.table}_older) group by all
        """
    ).fetchall():
        (staged.same if same else staged.older)[batch] += count
    con.execute(f"delete from {staged.table} where n in (select n from {main.table}_older)")


def leave_out(con: duckdb.DuckDBPyConnection, staged: Staged, places: Places) -> Counter[int]:
    """Drop the staged records at the given (batch, position); returns how many by batch."""
    left: Counter[int] = Counter()
    for batch, position in places:
        (count,) = con.execute(
            f"delete from {staged.table} where of_batch = ? and of_position = ?",
            [batch, position],
        ).fetchone() or (0,)
        left[batch] += count
        if staged.is_further:
            # What a person discarded, or a replay does not choose, says nothing of older rows.
            con.execute(
                f"update {staged.table}_made set bad = true where of_batch = ? and of_position = ?",
                [batch, position],
            )
    return left


def count_warnings(con: duckdb.DuckDBPyConnection, staged: Staged) -> Counter[str]:
    """Count the warnings of the staged rows, the hundred most frequent texts."""
    found: Counter[str] = Counter()
    for table in (staged.table, *staged.children):
        found.update(
            dict(
                con.execute(
                    f"select w, count(*) from (select unnest(warnings) as w from {table}"
                    " where len(warnings) > 0) group by w order by 2 desc, 1 limit 100"
                ).fetchall()
            )
        )
    return found
