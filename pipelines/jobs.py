"""The assets behind the streams, and the one job that makes them: `unify_publish`.

Golden rows, marts and the published file are made by one step: it holds the store's lock all the
time, and what is published must be of one moment. The streams are its lineage, not its trigger:
inside a run a failed stream would stop it, and a good stream is not stopped by a bad one.

No postponed annotations here: Dagster reads the step's `context` parameter by its class.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import dagster as dg

from pipelines.listen import current
from pipelines.outcome import PublishOutcome
from pipelines.streams import failure
from pipelines.sync import unify_publish
from pipelines.workspace import Workspace
from warehouse.marts import Mart, in_order
from warehouse.model import ENTITIES

JOB = "unify_publish"
STEP = "unify_and_publish"  # a step and a job of one name exclude each other
POOL = "unify"
PUBLISHED = dg.AssetKey(["published"])
CHECKS = {"error": "recon_breaks_error", "warning": "recon_breaks_warning"}
"""Severity of a break -> the check on what is published that tells of it."""
ORPHANS = "orphans"
"""The check on what is published that tells of records which name one that is not there."""
MADE = "marts"
"""The check on what is published that tells of marts that could not be made."""


def unify_defs(feeds: Mapping[str, Iterable[dg.AssetKey]]) -> dg.Definitions:
    """Return the assets and the job; `feeds` are the streams that feed each entity."""
    specs = _specs(feeds)

    @dg.multi_asset(
        name=STEP,
        specs=specs,
        check_specs=[
            dg.AssetCheckSpec(name, asset=PUBLISHED, description=said)
            for name, said in (
                (MADE, "Every mart could be made."),
                (ORPHANS, "No record names another that its own system did not send."),
                *((name, f"No break of severity {word}.") for word, name in CHECKS.items()),
            )
        ],
        pool=POOL,
        can_subset=False,
        description="Golden rows, marts and the published file, from what changed.",
    )
    def step(
        context: dg.AssetExecutionContext,
    ) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[Any]]:
        listener = current()
        try:
            outcome = unify_publish(Workspace.discover(), run_id=context.run.run_id)
        except BaseException as error:
            if listener:
                listener.stopped = not isinstance(error, Exception)  # a signal
            raise
        if listener:
            listener.published = outcome
        if outcome.error is not None:
            raise failure(outcome.error) from None
        yield _made(outcome)
        yield _orphans(outcome)
        yield from _checks(outcome)
        for spec in specs:
            shown = _figures(outcome) if spec.key == PUBLISHED else {}
            yield dg.MaterializeResult(asset_key=spec.key, metadata=shown)

    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.assets(*(spec.key for spec in specs)),
        description="Safe to run at any time; under a second when nothing is new.",
        executor_def=dg.in_process_executor,
    )
    return dg.Definitions(assets=[step], jobs=[job], executor=dg.in_process_executor)


def _specs(feeds: Mapping[str, Iterable[dg.AssetKey]]) -> list[dg.AssetSpec]:
    unified: dict[str, dg.AssetSpec] = {}
    for name, entity in ENTITIES.items():
        if entity.parent is not None:
            continue  # an owned set is part of its owner
        unified[entity.table] = dg.AssetSpec(
            dg.AssetKey(["unified", entity.table]),
            deps=sorted(feeds.get(name, ())),
            group_name="unified",
            description=f"{entity.en} / {entity.zh}. {entity.about}".strip(),
            kinds={"duckdb"},
        )
    # In the order in which a step must tell of its assets: each behind those that it reads.
    marts = [_mart(mart, unified) for mart in in_order()]
    # What another one is made of leads there by that: 60 lines to one place show nothing.
    made_of = {dep.asset_key for spec in marts for dep in spec.deps}
    last = [spec.key for spec in (*unified.values(), *marts) if spec.key not in made_of]
    published = dg.AssetSpec(
        PUBLISHED,
        deps=last,
        group_name="published",
        description="What analysts open: the newest published version, at a stable name.",
        kinds={"duckdb"},
    )
    return [*unified.values(), *marts, published]


def _mart(mart: Mart, unified: Mapping[str, dg.AssetSpec]) -> dg.AssetSpec:
    """Return the asset of a mart, described by its grain."""
    read = (table.partition(".") for table in mart.reads)
    golden = [name for schema, _, name in read if schema in ("main", "unified")]
    return dg.AssetSpec(
        dg.AssetKey(["mart", mart.name]),
        deps=[
            *(unified[name].key for name in golden if name in unified),
            *(dg.AssetKey(["mart", name]) for name in mart.needs),
        ],
        group_name="mart",
        description=mart.grain,
        kinds={"duckdb", "sql"},
    )


def _made(outcome: PublishOutcome) -> dg.AssetCheckResult:
    """Return whether every mart could be made; one that raised stands as a view, and stops none."""
    from warehouse.unmade import standing_on

    failed: dict[str, str] = outcome.figures.get("unmade", {})
    on = sorted({other for name in failed for other in standing_on(name)})
    names = ", ".join(f"mart.{name}" for name in failed)
    others = f" So do those that read it: {', '.join(on)}." if on else ""
    return dg.AssetCheckResult(
        asset_key=PUBLISHED,
        check_name=MADE,
        passed=not failed,
        description=f"{names} raises on a value of the data when it is asked.{others} All else is "
        "published." if failed else "All could be made.",
        metadata={f"failed: {name}": why for name, why in failed.items()},
    )  # fmt: skip


def _orphans(outcome: PublishOutcome) -> dg.AssetCheckResult:
    """Return whether records name others that are not there; they count by severity as well."""
    from warehouse.recon_rules import rules

    names = {rule.name for rule in rules() if rule.kind == "orphan"}
    breaks = outcome.figures.get("breaks", {})
    found, failed = (
        {rule: said for by in breaks.get(part, {}).values() for rule, said in by.items()
         if rule in names}
        for part in ("open", "failed")
    )  # fmt: skip
    many = sum(found.values())
    listed = ", ".join(f"`isthmus breaks list --rule {rule}`" for rule in found)
    text = (
        f"{many} records name a customer, order or product that their own system did not send:"
        f" {listed}. Read the stream that should have it in full, look in the quarantine."
        if many
        else "Every reference leads to a record."
    )
    return dg.AssetCheckResult(
        asset_key=PUBLISHED,
        check_name=ORPHANS,
        passed=not many and not failed,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"Could not be looked at: {', '.join(failed)}." if failed else text,
        metadata={
            "orphans": many,
            **{f"open: {rule}": count for rule, count in found.items()},
            **{f"failed: {rule}": why for rule, why in failed.items()},
        },
    )


def _checks(outcome: PublishOutcome) -> Iterator[dg.AssetCheckResult]:
    """Yield for each severity whether breaks are open; those under way or explained are none.

    A rule that could not run is told of, too: nobody knows what it would have found.
    """
    breaks = outcome.figures.get("breaks", {})
    for word, name in CHECKS.items():
        rules = breaks.get("open", {}).get(word, {})
        many = sum(rules.values())
        failed = breaks.get("failed", {}).get(word, {})
        left = breaks.get("left_out", {}).get(word, {})
        said = f"{many} open: `isthmus breaks list`, recon.breaks in the published file. "
        lost = f"Rules that could not run, their breaks are as they were: {', '.join(failed)}."
        yield dg.AssetCheckResult(
            asset_key=PUBLISHED,
            check_name=name,
            passed=not many and not failed,
            severity=dg.AssetCheckSeverity.ERROR if word == "error" else dg.AssetCheckSeverity.WARN,
            description=(said if many else "None is open. ") + (lost if failed else ""),
            metadata={
                "open": many,
                **{f"open: {rule}": count for rule, count in rules.items()},
                **{f"failed: {rule}": why for rule, why in failed.items()},
                **{f"left out: {rule}": "; ".join(what) for rule, what in left.items()},
            },
        )


def _figures(outcome: PublishOutcome) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "rows changed": outcome.changed,
        "a new version": outcome.published,
        "seconds": outcome.seconds,
    }
    if outcome.version:
        shown["version"] = outcome.version
    if outcome.path:
        shown["path"] = dg.MetadataValue.path(outcome.path)
    breaks = outcome.figures.get("breaks", {})
    if breaks.get("counts"):
        shown["breaks"] = dg.MetadataValue.json(breaks["counts"])
    if outcome.figures:
        shown["figures"] = dg.MetadataValue.json(outcome.figures)
    return shown
