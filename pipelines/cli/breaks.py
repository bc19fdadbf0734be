"""`breaks`: what does not fit between systems, and what a person says of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from pipelines.cli.codes import CliError
from pipelines.cli.options import AsJson
from pipelines.cli.parties import rows
from pipelines.cli.query import current, now, tell_age
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, cell, minute, remark, say, table
from pipelines.texts import language, t
from pipelines.waiting import waiting

app = typer.Typer(no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help=t("opt.break"))]
Why = Annotated[str, typer.Option("--why", help=t("opt.why"))]
STATUSES = ("open", "timing", "explained", "resolved")
SHOWN = 5
"""How much of what is left out the line beneath a list names."""
LEAST = 4
"""Signs of an id by which a break may be named, where only one begins so."""


@app.command("list", help=t("help.breaks_list"))
def list_(
    rule: Annotated[str, typer.Option("--rule", help=t("opt.break_rule"))] = "",
    status: Annotated[str, typer.Option("--status", help=t("opt.break_status"))] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help=t("opt.limit"))] = 50,
    json: AsJson = False,
) -> None:
    """List breaks as published, the worst first; open ones unless another status is named."""
    from warehouse.ddl import literal

    published = current(workspace().home)
    _expect(rule, status)
    _expect_some()
    chosen = [f"status = {literal(status or 'open')}"]
    chosen += [f"rule = {literal(rule)}"] if rule else []
    found = rows(
        f"select * from recon.breaks where {' and '.join(chosen)} order by case severity when "
        f"'error' then 0 when 'warning' then 1 else 2 end, rule, happened_at desc, subject "
        f"limit {limit + 1}"
    )
    if json:
        as_json(found[:limit])
    elif found:
        table(
            [t("col.id"), t("col.rule"), t("col.left"), t("col.right"), t("col.expected"),
             t("col.actual"), t("col.since")],
            [(str(b["break_id"])[:8], b["rule"], _side(b, "left"), _side(b, "right"),
              _value(b, "expected"), _value(b, "actual"), minute(b["first_seen"]))
             for b in found[:limit]],
            right=[4, 5],
        )  # fmt: skip
        if len(found) > limit:
            remark(t("query.more", rows=limit))
        remark(t("breaks.next"))
    else:
        say(t("breaks.none"))
    failed = [r["rule"] for r in rows("select * from recon.rules order by rule") if r.get("failed")]
    if failed:
        remark(t("breaks.failed", rules=", ".join(failed)))
    _tell_left_out()
    tell_age(published)


@app.command("show", help=t("help.breaks_show"))
def show(break_id: Id, json: AsJson = False) -> None:
    """Show all that is known of one break, and what to do about it."""
    from warehouse.ddl import literal

    published = current(workspace().home)
    found = _one(break_id)
    told = rows(f"select * from recon.rules where rule = {literal(str(found['rule']))}")[0]
    if json:
        as_json({"break": found, "rule": told})
    else:
        tongue = "chinese" if language() == "zh" else "english"
        say(str(told[tongue]))
        say(t("breaks.do", do=told[f"do_{tongue}"]))
        table([t("col.field"), t("col.value")],
              [(n, cell(v)) for n, v in found.items() if v is not None])  # fmt: skip
    tell_age(published)


@app.command("explain", help=t("help.breaks_explain"))
def explain(break_id: Id, why: Why, json: AsJson = False) -> None:
    """Say why a break is right as it is; it holds while its figures stay, and publish."""
    from warehouse.explained import EXPLAIN

    _decide(EXPLAIN, break_id, why, json=json)


@app.command("reopen", help=t("help.breaks_reopen"))
def reopen(break_id: Id, why: Why, json: AsJson = False) -> None:
    """Take an explanation back, and publish."""
    from warehouse.explained import REOPEN

    _decide(REOPEN, break_id, why, json=json)


def _decide(kind: str, break_id: str, why: str, *, json: bool) -> None:
    from pipelines.sync import unify_publish
    from warehouse import explained
    from warehouse.decisions import Decisions
    from warehouse.store import open_store

    space = workspace()
    if not why.strip():
        raise CliError(t("party.no_why"), t("party.no_why_do"))
    current(space.home)
    shown = _one(break_id)
    whole = str(shown["break_id"])
    with open_store(space.home, clock=now, on_wait=waiting) as store:
        made = explained.decide(
            store, Decisions(space.home.landing), kind, whole, why=why.strip(), at=now(),
            shown=shown,
        )  # fmt: skip
    if not json:
        say(t("party.decided", sequence=made.sequence))  # the decision stands whatever comes now
    outcome = unify_publish(space, now=now)
    if outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
    became = _one(whole)["status"]
    if json:
        as_json({"decision": made.sequence, "break_id": whole, "status": became,
                 "publish": asdict(outcome)})  # fmt: skip
    else:
        say(t("breaks.became", id=whole[:8], status=became))


def _expect(rule: str, status: str) -> None:
    """End the command at a rule or status that there is not."""
    from pipelines.check.words import meant
    from warehouse.recon_rules import names

    if rule and rule not in names():
        raise CliError(t("breaks.no_rule", rule=rule), meant(rule, names(), most=30))
    if status and status not in STATUSES:
        raise CliError(t("breaks.no_status", status=status), meant(status, STATUSES))


def _tell_left_out() -> None:
    """Say beneath a list what the rules do not compare: of it no break means nothing."""
    if not _has("left_out"):
        return
    found = rows(
        "select concat_ws(' ', connection, what, case when looked_at is not null then "
        "'(' || found || '/' || looked_at || ')' end) as said from recon.left_out "
        "group by all order by bool_or(reason = 'gateway_lacks_way') desc, "
        "min(connection) nulls last, said"
    )
    if found:
        said = ", ".join(str(one["said"]) for one in found[:SHOWN])
        more = ", …" if len(found) > SHOWN else ""
        remark(t("breaks.left_out", many=len(found), said=said + more))


def _has(table: str) -> bool:
    """Whether what is published has a table of `recon`: an older release may lack it."""
    return bool(rows("select 1 from duckdb_tables() where (schema_name, table_name) = "
                     f"('recon', '{table}')"))  # fmt: skip


def _expect_some() -> None:
    """End the command at a file that a release published which had no breaks."""
    if not _has("breaks"):
        raise CliError(t("breaks.not_yet"), t("breaks.not_yet_do"))


def _one(break_id: str) -> dict[str, Any]:
    """Return the break of an id, or of the beginning of one; ends the command otherwise."""
    _expect_some()
    start = break_id.strip().lower()
    if len(start) < LEAST or set(start) - set("0123456789abcdef-"):
        raise CliError(t("breaks.unknown", id=break_id[:60]), t("breaks.unknown_do"))
    found = rows(
        f"select * from recon.breaks where starts_with(break_id::varchar, '{start}') limit 2"
    )
    if len(found) > 1:
        raise CliError(t("breaks.several", id=start), t("breaks.unknown_do"))
    if not found:
        raise CliError(t("breaks.unknown", id=start), t("breaks.unknown_do"))
    return found[0]


def _side(found: dict[str, Any], side: str) -> str:
    said = found[f"{side}_number"] or found[f"{side}_key"]
    connection = found[f"{side}_connection"]
    return " ".join(str(part) for part in (connection, said) if part)


def _value(found: dict[str, Any], name: str) -> str:
    value, said = found[name], found[f"{name}_said"]
    if value is None:
        return said or ""
    text = f"{value.normalize():f}"
    return f"{text} {found['currency']}" if found["currency"] else text
