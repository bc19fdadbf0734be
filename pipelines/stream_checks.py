"""Checks of a stream against its own past: how many records came, and what they looked like."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import dagster as dg
from sqlalchemy.engine import RowMapping

from pipelines.outcome import StreamOutcome

LAST_RUNS = 30
ENOUGH_RUNS, ENOUGH_RECORDS = 5, 20
FACTOR = 4
"""How many times more or less than usual is unusual."""


def row_count(
    key: dg.AssetKey, outcome: StreamOutcome, runs: Sequence[RowMapping]
) -> dg.AssetCheckResult:
    """Hold what was read against the good runs before it of the same mode, newest first.

    The newest of `runs` is this one. Reads of changes differ by nature: of them only too many are
    told, which is how a source that stamps everything anew shows itself.
    """
    mode = runs[0]["mode"] if runs else "changed"
    before = [
        int(run["counts"].get("read") or 0)
        for run in runs[1:]
        if run["status"] == "ok" and run["mode"] == mode
    ]
    usual = median(before) if before else 0.0
    text, odd = f"{outcome.read} read", False
    if len(before) >= ENOUGH_RUNS and usual >= ENOUGH_RECORDS:
        is_scan = mode == "full" or min(before) * FACTOR >= max(before)
        odd = outcome.read > usual * FACTOR or (is_scan and outcome.read * FACTOR < usual)
        text += f"; usual are {usual:.0f} (median of {len(before)} runs)"
    else:
        text += "; too few runs or records to know what is usual"
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="row_count",
        passed=not odd,
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
        metadata={"read": outcome.read, "usual": float(usual), "runs": len(before)},
    )


def finished(key: dg.AssetKey, outcome: StreamOutcome) -> dg.AssetCheckResult:
    """Warn of a read that ended early: its run is no failure, but not all is here yet."""
    text = "everything that the system has was read"
    if outcome.quota is not None:
        after = outcome.quota_until or "the next run tries"
        text = f"Ended early: {outcome.quota}. Goes on after: {after}."
    elif outcome.status == "partial":
        text = "Ended early, after its slice or because the system asked; the next run goes on."
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="finished",
        passed=outcome.status != "partial",
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
        metadata={"read": outcome.read},
    )


def schema(key: dg.AssetKey, outcome: StreamOutcome) -> dg.AssetCheckResult:
    """Tell of fields that are new, gone or of another type; one that the mapping reads fails."""
    read = [c for c in outcome.drift if c["is_read"] and c["kind"] != "new"]
    columns = [dg.TableColumn(name, "string") for name in ("field", "kind", "was", "now")]
    columns.append(dg.TableColumn("is_read", "bool"))
    return dg.AssetCheckResult(
        asset_key=key,
        check_name="schema",
        passed=not read,
        severity=dg.AssetCheckSeverity.WARN,
        description=(
            "; ".join(f"{c['field']}: {_said(c)}" for c in read)
            + ". Look at isthmus preview and mend the mapping."
            if read
            else f"{len(outcome.drift)} fields that no mapping reads are otherwise."
            if outcome.drift
            else "as before"
        ),
        metadata={
            "fields": dg.TableMetadataValue(
                [dg.TableRecord(dict(c)) for c in outcome.drift], dg.TableSchema(columns)
            )
        }
        if outcome.drift
        else {},
    )


def _said(change: dict[str, str]) -> str:
    if change["kind"] == "gone":
        return f"gone (was {change['was']} characters)"
    return f"{change['now']} characters (was {change['was']})"
