"""Makes the store anew from landing and decisions alone, and puts it in the old one's place.

The same batches in the same order under the same decisions make the same rows, with the same golden
ids; a mapping that changed since applies to all of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import duckdb

from warehouse import crashpoints, keyprint, lock, others, settle, store
from warehouse.batch import sync_folder
from warehouse.ddl import columns_of, source_table
from warehouse.erase.marker import expect_none
from warehouse.errors import LandingDamaged, StoreDamaged
from warehouse.home import Home
from warehouse.landing import Landing
from warehouse.load import load_pending
from warehouse.model import HEADERS
from warehouse.model.plan import StreamPlan
from warehouse.ops_tables import COMPLETENESS
from warehouse.recon_tables import BREAKS
from warehouse.session import Now, moment
from warehouse.store import Store

OBSERVED = (BREAKS, COMPLETENESS)
"""Tables of what was seen at a moment: a rebuild cannot make them."""


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild made: rows by table, and the streams that no mapping maps any more.

    `void` are decisions that were not applied, by stream (see `LoadReport`).
    """

    streams: int = 0
    batches: int = 0
    quarantined: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    void: dict[str, dict[str, int]] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """Return the members as plain data."""
        return asdict(self)

    def __str__(self) -> str:
        tables = ", ".join(f"{name} {count}" for name, count in self.rows.items())
        left = f"; left out: {', '.join(self.left_out)}" if self.left_out else ""
        return f"{self.streams} streams, {self.batches} batches: {tables or 'no rows'}{left}"


def rebuild(
    home: Home,
    landing: Landing,
    plan_for: Callable[[str, str], StreamPlan | None],
    now: Now,
    *,
    wait: float = 600.0,
    on_wait: lock.OnWait | None = None,
    accept_loss: bool = False,
    connection: str | None = None,
) -> Rebuilt:
    """Build a new store beside the old one and swap it in; the old one stays until then.

    With a `connection` its rows alone are made anew, in a copy of the old store: those of the
    others are as they were, and the landing is read for this one only.

    `plan_for` gives the plan of a (connection, stream), None where it has none: then its rows are
    left out and named. Raises what `load_pending` raises, and LandingDamaged where the old store
    (or what was published from it, if it cannot be read) holds what the landing has lost, unless
    `accept_loss`; the old store is then as it was.
    """
    new = home.store.with_name("rebuilt.duckdb")
    expect_none(home.landing)
    with lock.hold(home.lock, wait=wait, now=lambda: moment(now), on_wait=on_wait):
        expect_none(home.landing)
        kept = _kept(home.store, wait, (keyprint.NAME, *(() if accept_loss else (settle.LAST,))))
        if accept_loss:
            kept.setdefault(settle.LAST, "0")
        for path in (new, _log(new)):
            path.unlink(missing_ok=True)
        if connection is None:
            store.create(new)
            made = Store(new, store.connect(new))
        else:
            made = others.begin(home, new, connection, wait, kept)
        try:
            if connection is None:
                _keep_observed(made.con, home.store)
                for name, value in kept.items():
                    made.set_meta(name, value)
            report = _fill(made, landing, plan_for, now, connection)
            made.checkpoint()
            if not accept_loss:
                _expect_all(made.con, home, wait, report.left_out)
        finally:
            made.con.close()
        crashpoints.reach("rebuild.filled")
        _swap(new, home.store)
    return report


def _fill(
    made: Store,
    landing: Landing,
    plan_for: Callable[[str, str], StreamPlan | None],
    now: Now,
    only: str | None,
) -> Rebuilt:
    report = Rebuilt()
    for connection, stream in landing.streams():
        if only not in (None, connection):
            continue
        plan = plan_for(connection, stream)
        if plan is None:
            report.left_out.append(f"{connection}/{stream}")
            continue
        done = load_pending(made, landing, plan, now=now)
        report.streams += 1
        report.batches += done.batches
        report.quarantined += done.quarantined
        if done.void:
            report.void[f"{connection}/{stream}"] = done.void
    for entity in HEADERS:
        table = source_table(entity)
        (count,) = made.con.execute(
            f"select count(*) from {table.full} where coalesce(connection = $1, true)", [only]
        ).fetchone() or (0,)
        if count:
            report.rows[table.name] = int(count)
    return report


MASKED = "masked:"
_KNOWN = {
    "batches": "select connection || '/' || stream, batch, sha256 from ops.batches",
    "discarded records": "select connection || '/' || stream, id, '' from ops.quarantine"
    " where status = 'discarded'",
}


def _expect_all(
    new: duckdb.DuckDBPyConnection, home: Home, wait: float, left_out: Sequence[str]
) -> None:
    """Raise LandingDamaged where it is known of before what the new store does not hold."""
    witness, known = _known(home, wait)
    for what, rows in known.items():
        there = set(new.execute(_KNOWN[what]).fetchall())
        # What was published before version 3 of the masks took a sum's digits for a phone number.
        numbers = {(name, number, MASKED) for name, number, _ in there}
        rows = {(n, i, MASKED if s.startswith(MASKED) else s) for n, i, s in rows}
        lost = sorted({r[0] for r in rows - there - numbers})
        lost = [name for name in lost if name not in left_out]
        if lost:
            raise LandingDamaged(
                f"the {witness} holds {what} of {', '.join(lost)} that the landing does not have"
                " (any more): a store made of it would be short.",
                "restore the newest backup of the landing and run `isthmus rebuild`; where there"
                " is none, `isthmus rebuild --accept-loss`, then `isthmus sync --all --full`.",
                place=home.landing.name,
            )


def _known(home: Home, wait: float) -> tuple[str, dict[str, set[tuple[str, object, str]]]]:
    """Return the batches and decisions of before, and who tells of them.

    The old store does; where it is gone or cannot be read, its projection or the published file,
    which may know less. Where there is none of them, nothing is known.
    """
    for path, name in (
        (home.store, "store"),
        (home.public, "projection of the store"),
        (home.current, "published file"),
    ):
        if not path.exists():
            continue
        with suppress(StoreDamaged, duckdb.Error):
            con = (
                store.connect(path, wait=wait)
                if path == home.store
                else duckdb.connect(path, read_only=True)
            )
            try:
                return name, {
                    what: set(con.execute(sql).fetchall()) for what, sql in _KNOWN.items()
                }
            finally:
                con.close()
    return "", {}


def _keep_observed(new: duckdb.DuckDBPyConnection, old: Path) -> None:
    """Take over what was seen of breaks and counted at sources: no record tells it.

    Where the old store can be read, and each table as this release has it.
    """
    if not old.exists():
        return
    with suppress(duckdb.Error):
        store.attach(new, old, "before", read_only=True)
        try:
            for table in OBSERVED:
                names = columns_of(table.names)
                with suppress(duckdb.Error):  # of an older release
                    new.execute(
                        f"insert into {table.full} ({names}) select {names} from "
                        f"before.{table.full}"
                    )
        finally:
            new.execute("detach before")


def _kept(path: Path, wait: float, names: Sequence[str]) -> dict[str, str]:
    """Return the facts that the new store takes over from the old one, where that can be read.

    Its last load, for numbers go on growing, and the facts of `names`.
    """
    kept = {"load_floor": "0"}
    if not path.exists():
        return kept
    with suppress(StoreDamaged, duckdb.Error):
        con = store.connect(path, wait=wait)
        try:
            (last,) = con.execute(
                "select greatest(coalesce((select max(load_id) from ops.batches), 0),"
                " coalesce((select max(load_id) from ops.quarantine), 0))"
            ).fetchone() or (0,)
            kept["load_floor"] = str(last)
            kept |= con.execute(
                "select name, value from ops.meta where list_contains(?, name)", [list(names)]
            ).fetchall()
        finally:
            con.close()
    return kept


def _swap(new: Path, old: Path) -> None:
    """Put `new` in the place of `old`; a log of the old one must not be played into it."""
    with new.open("rb") as file:
        os.fsync(file.fileno())
    _log(old).unlink(missing_ok=True)
    crashpoints.reach("rebuild.swapping")
    os.replace(new, old)
    sync_folder(old.parent)


def _log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
