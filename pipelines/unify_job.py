"""Unify what was loaded, project it, publish it: the one step after all streams of all systems."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from connectors.base import utc_now
from connectors.errors import ConfigError
from pipelines.explain import explain
from pipelines.freshness import freshness_rows, run_rows
from pipelines.outcome import INTERRUPTED, ErrorText, PublishOutcome
from pipelines.space import need_space
from pipelines.stops import stops_pass
from pipelines.waiting import waiting
from warehouse.decisions import Decisions
from warehouse.home import Home

if TYPE_CHECKING:
    from pipelines.company import CompanyFile
    from pipelines.workspace import Workspace
    from warehouse.recon_rules import Settings


def unify_publish(
    workspace: Workspace,
    *,
    now: Callable[[], datetime] = utc_now,
    run_id: str | None = None,
    new_key: bool = False,
) -> PublishOutcome:
    """Bring golden rows and marts up to date and publish them; safe to run at any time.

    Does next to nothing when nothing is new. Whatever goes wrong is in the outcome's `error`; what
    is published stays as it was. `new_key` takes another key of masked values than before.
    """
    begun = now()
    outcome = PublishOutcome()
    mark = ""
    try:
        with stops_pass():
            mark = _unify_publish(workspace, outcome, now, new_key)
    except Exception as error:  # the boundary of a step: its failure is data
        outcome.status = "failed"
        outcome.error = explain(error, workspace.home, workspace.secrets.given)
    except BaseException:
        outcome.status = "failed"
        outcome.error = ErrorText(
            INTERRUPTED, "was stopped from outside.", "run it again.", retriable=True
        )
        raise
    finally:
        ended = now()
        outcome.seconds = round((ended - begun).total_seconds(), 3)
        workspace.control.record_publish(
            {
                "run_id": run_id or str(uuid.uuid4()),
                "status": outcome.status,
                "started_at": begun,
                "ended_at": ended,
                "changed": outcome.changed,
                "mark": mark,
                "version": outcome.version,
                "error": asdict(outcome.error) if outcome.error else None,
            }
        )
    return outcome


def store_mark(home: Home, decided: int | None = None) -> str:
    """Return the state of the store's file without opening it; empty where there is none.

    Opening a DuckDB file and writing nothing does not touch it, so the mark moves with what was
    loaded or replayed. A log left by a killed process counts: it holds commits. `decided` is the
    last decision that counts, by default the last there is: one that was written and not acted on,
    by a command that was killed, is news too.
    """
    try:
        store = home.store.stat()
    except FileNotFoundError:
        return ""
    try:
        log = home.store.with_name(home.store.name + ".wal").stat().st_size
    except FileNotFoundError:
        log = 0
    if decided is None:
        decided = Decisions(home.landing).newest()
    return f"{store.st_mtime_ns}-{store.st_size}-{log}-{decided}"


def mark_until(mark: str, moment: str | None) -> str:
    """Return the mark of what is published, and until when it is right if nothing is loaded."""
    return f"{mark}@{moment}" if moment else mark


def is_over(published: str, mark: str, now: datetime) -> bool:
    """Whether `published` is of the store's state `mark` and was right until a moment before now.

    Then a break has left its transit window: it is open by time alone.
    """
    was, _, moment = published.partition("@")
    return was == mark and bool(moment) and datetime.fromisoformat(moment) <= now


def role_rows(workspace: Workspace) -> dict[str, Any]:
    """Return what each stream is to the company, and the connections that cannot say it now."""
    from pipelines.connection import Connection

    rows: list[tuple[str, str, str]] = []
    broken: list[str] = []
    for name, connection in workspace.connections().items():
        try:
            rows += connection.roles() if isinstance(connection, Connection) else ()
        except ConfigError:
            broken.append(name)
        if not isinstance(connection, Connection):
            broken.append(name)
    return {"rows": rows, "keep": broken}


def recon_settings(company: CompanyFile) -> Settings:
    """Return how the company reconciles, as its file says."""
    from warehouse.recon_rules import Setting, Settings

    own = tuple(
        (
            name,
            Setting(
                said.severity,
                None if said.tolerance is None else Decimal(said.tolerance),
                said.transit,
                said.since,
                said.off,
            ),
        )
        for name, said in sorted(company.reconcile.items())
    )
    money, transit = Decimal(company.tolerance.amount), company.tolerance.transit
    return Settings(money, transit, own, company.timezone)


def _unify_publish(
    workspace: Workspace, outcome: PublishOutcome, now: Callable[[], datetime], new_key: bool
) -> str:
    """Do the work; the figures go into `outcome`. Returns the mark of what is published now."""
    from warehouse import explained, roles, ruled
    from warehouse.landing import Landing
    from warehouse.project import project
    from warehouse.publish import publish
    from warehouse.reconcile import reconcile
    from warehouse.settle import expect_decisions
    from warehouse.store import open_store
    from warehouse.unify import unify

    home, company = workspace.home.make(), workspace.company()
    need_space(home, company.min_free)
    key, landing = workspace.key, Landing(home.landing)
    with open_store(home, clock=now, on_wait=waiting) as store:
        # Read under the lock: of two that unify, the later one knows the newer decisions.
        expect_decisions(store, landing)
        log = landing.decisions.all()
        decided, rulings = (log[-1].sequence if log else 0), ruled.rulings(log)
        unified = unify(
            store,
            now=now(),
            priority=company.priority,
            rulings=rulings,
            sku_aliases=company.sku_aliases,
        )
        roles.write(store, **role_rows(workspace))
        breaks = reconcile(
            store, now=now(), settings=recon_settings(company), said=explained.said(log)
        )
        projected = project(
            store,
            home,
            privacy=company.privacy,
            key=key,
            priority=company.priority,
            runs=run_rows(workspace.control, privacy=company.privacy),
            freshness=freshness_rows(workspace, now()),
            new_key=new_key,
            timezone=company.timezone,
            now=now(),
        )
        store.checkpoint()
        # Taken under the lock: what another run loads from here on is news again.
        mark = mark_until(store_mark(home, decided), breaks.opens_at)
    published = publish(home, keep=company.keep.published, min_free=company.min_free, now=now())
    outcome.changed = sum(unified.rewritten.values()) + sum(unified.removed.values())
    outcome.published = published.changed
    outcome.path, outcome.version = str(home.readable), published.version
    outcome.figures = {
        "rewritten": unified.rewritten,
        "removed": unified.removed,
        "rebound": unified.rebound,
        "breaks": asdict(breaks),
        "projected": projected.rows,
        "unmade": projected.failed,
        "bytes": published.bytes,
    }
    workspace.control.forget_runs(now() - company.keep.runs)
    return mark
