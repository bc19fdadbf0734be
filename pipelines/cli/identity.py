"""What changes identity: finds the records that are meant, decides, publishes, tells what came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.cli.codes import FAILED, CliError
from pipelines.cli.parties import ids_sql, name_of, records, rows
from pipelines.cli.query import current, now
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say
from pipelines.texts import t
from pipelines.waiting import waiting

if TYPE_CHECKING:
    import duckdb

    from pipelines.workspace import Workspace
    from warehouse.meant import Meant

Kind = Literal["merge", "unmerge"]


@dataclass(frozen=True, slots=True)
class Plan:
    """The records of a decision, the first of which an unmerge takes out, and what will happen."""

    meant: list[Meant]
    told: str


def decide(kind: Kind, words: Sequence[str], why: str, *, json: bool) -> None:
    """Decide about the records that `words` name, unify, publish, and tell what came of it."""
    from warehouse import ruled
    from warehouse.decisions import Decisions
    from warehouse.store import open_store

    space = workspace()
    if not why.strip():
        raise CliError(t("party.no_why"), t("party.no_why_do"))
    current(space.home)
    with open_store(space.home, clock=now, on_wait=waiting) as store:
        plan = _merge(store.con, words) if kind == "merge" else _unmerge(store.con, words)
    decisions, keys = Decisions(space.home.landing), [m.record for m in plan.meant]
    against = ruled.opposed(decisions, "party", kind, keys)
    if not json:
        say(plan.told)
        for old in against:
            remark(t("party.against", sequence=old.sequence, at=old.at[:10], who=old.who))
    made = ruled.decide(decisions, kind, keys, why=why.strip(), at=now())
    figures = {"decision": made.sequence, "kind": kind, "against": [d.sequence for d in against]}
    publish(space, figures, t("party.decided", sequence=made.sequence), json=json, plan=plan)


def publish(
    space: Workspace, figures: dict[str, Any], text: str, *, json: bool, plan: Plan | None = None
) -> None:
    """Say what is decided, unify, publish, print the figures and what became of the records."""
    from pipelines.sync import unify_publish

    if not json:
        say(text)  # what comes now may fail or be killed, and the decision stands
    outcome = unify_publish(space, now=now)
    good = outcome.error is None
    came = _became(plan) if plan and good else {}
    if json:
        as_json(figures | came | {"publish": asdict(outcome)})
    else:
        for party in came.get("parties", []):
            say(t("party.became", id=party["party_id"], records=party["records"],
                  orders=party["orders"]))  # fmt: skip
        for old in came.get("forwardings", []):
            say(t("party.leads", old=old["old_id"], id=old["party_id"]))
    if outcome.error is not None:
        raise CliError(outcome.error.what, outcome.error.do, outcome.exit_code)
    if plan and _failed(figures["kind"], came["records"]):
        raise CliError(t("party.no_effect"), t("party.no_effect_do"), FAILED)


def _merge(con: duckdb.DuckDBPyConnection, words: Sequence[str]) -> Plan:
    from warehouse import meant

    found = [_one(con, word, whole=True) for word in words]
    things = sorted({m.golden_id for m in found})
    first = meant.founder(con, "party", things)
    sizes = {thing: meant.size(con, thing) for thing in things}
    if len({m.own_id for m in found}) < 2:
        raise CliError(t("party.same_record"), t("party.one_do"))
    moved = sum(sizes[thing].orders for thing in things if thing != first)
    count = sum(s.records for s in sizes.values())
    if len(things) == 1:
        return Plan(found, t("party.one_already", id=first))
    return Plan(found, t("party.will_merge", records=count, id=first, orders=moved))


def _unmerge(con: duckdb.DuckDBPyConnection, words: Sequence[str]) -> Plan:
    from warehouse import meant

    record = _one(con, words[0], whole=len(words) > 1)
    mates = meant.members(con, "party", record.golden_id)
    if len(words) > 1:
        others = [_one(con, words[1], whole=True)]
        if others[0].own_id == record.own_id:
            raise CliError(t("party.same_record"), t("party.one_do"))
    else:
        others = [m for m in mates if m.own_id != record.own_id]
        if not others:
            raise CliError(t("party.alone", id=record.golden_id), t("party.alone_do"))
        if words[0].strip().lower() == str(record.golden_id) and len(others) > 1:
            raise _several(words[0], mates)
    had = meant.size(con, record.golden_id)
    name = name_of(records([record.own_id]).get(str(record.own_id)), record.own_id)
    said = t("party.will_unmerge", record=name, others=len(others), id=record.golden_id,
             records=had.records, orders=had.orders)  # fmt: skip
    return Plan([record, *others], said)


def _one(con: duckdb.DuckDBPyConnection, word: str, *, whole: bool) -> Meant:
    """Return the one record that `word` means; `whole`: of one thing's records its founder will do.

    Ends the command where there is none or several are meant.
    """
    from warehouse import meant

    found = meant.find(con, "party", unmasked(word))
    if not found:
        raise CliError(t("party.unknown", word=_shown(word)), t("party.unknown_do"))
    if len(found) == 1:
        return found[0]
    things = {m.golden_id for m in found}
    if whole and len(things) == 1:
        return meant.members(con, "party", things.pop())[0]
    raise _several(word, found)


def _several(word: str, found: Sequence[Meant]) -> CliError:
    """Return the error that lists the records a word may mean; none is chosen."""
    known = records(m.own_id for m in found[:20])
    lines = []
    for one in found[:20]:
        record = known.get(str(one.own_id))
        name = (record or {}).get("name") or ""
        lines.append(f"  {one.own_id}  {name_of(record, t('party.unpublished'))}  {name}".rstrip())
    if len(found) > len(lines):
        lines.append("  …")
    what = t("party.several", word=_shown(word), count=len(found))
    return CliError("\n".join([what, *lines]), t("party.several_do"))


def _shown(word: str) -> str:
    """Return a word as it may be printed: a key, phone or e-mail may be a person's."""
    from warehouse.meant import as_id

    return word if as_id(word) else t("party.identifier")


def unmasked(word: str) -> str:
    """Return the id of a record whose key is published under a pseudonym, else `word`."""
    from warehouse.ddl import literal

    connection, _, rest = word.partition("/")
    stream, _, key = rest.partition("/")
    if not key.startswith("masked:") or "\0" in word:
        return word
    said = " and ".join(
        f"{name} = {literal(value)}"
        for name, value in (("connection", connection), ("stream", stream), ("source_key", key))
    )
    found = rows(f"select own_id from unified.xref where entity = 'party' and {said}")
    return str(found[0]["own_id"]) if found else word


def _became(plan: Plan) -> dict[str, Any]:
    """Return what is published of the plan's records: their parties, and the ids that lead on."""
    ids = [str(m.own_id) for m in plan.meant]
    was = {str(m.golden_id) for m in plan.meant}
    leads = {
        str(r["old_id"]): str(r["golden_id"])
        for r in rows(
            "select old_id, golden_id from unified.forwardings where entity = 'party' "
            f"and old_id in {ids_sql({*ids, *was})}"
        )
    }
    known = records(ids)
    told = [
        {"own_id": i, "record": name_of(known.get(i), ""), "party_id": leads.get(i, i)} for i in ids
    ]
    parties = {leads.get(i, i) for i in ids}
    sizes = rows(
        "select golden_id::varchar as party_id, count(*) as records, (select count(*) "
        "from unified.orders o where o.party_id = x.golden_id) as orders from unified.xref x "
        f"where entity = 'party' and golden_id in {ids_sql(parties)} group by golden_id order by 1"
    )
    forwardings = [{"old_id": o, "party_id": leads[o]} for o in sorted(was & leads.keys())]
    return {"records": told, "parties": sizes, "forwardings": forwardings}


def _failed(kind: Kind, told: Sequence[dict[str, Any]]) -> bool:
    """Whether what is published is not as decided."""
    first, *others = (one["party_id"] for one in told)
    if kind == "merge":
        return any(other != first for other in others)
    return first in others
