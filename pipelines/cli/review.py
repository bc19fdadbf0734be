"""`party review`: pairs that may be one party, side by side, and a person's answer to each."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipelines.cli.parties import TOLD, name_of, records, rows
from pipelines.cli.query import current, now, tell_age
from pipelines.cli.session import workspace
from pipelines.cli.show import as_json, remark, say, table
from pipelines.texts import t

if TYPE_CHECKING:
    from uuid import UUID

    from warehouse.home import Home
    from warehouse.ruled import Record

YES, NO, QUIT = ("y", "是"), ("n", "否"), ("q", "退")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records as published that may be one party, and what speaks for it."""

    score: float
    rule: str | None
    evidence: str | None
    a: dict[str, Any]
    b: dict[str, Any]

    @property
    def ids(self) -> tuple[str, str]:
        """The ids that the two records found."""
        return self.a["own_id"], self.b["own_id"]


def waiting_pairs(limit: int) -> tuple[list[Pair], int]:
    """Return the likeliest pairs that nobody has decided about, and how many there are."""
    decided = _decided_since(workspace().home)
    suggested = "from ops.suggestions where entity = 'party'"
    found = rows(
        f"select score, rule, evidence, a_id::varchar as a, b_id::varchar as b {suggested} "
        f"order by score desc, a_id, b_id limit {limit + len(decided)}"
    )
    found = [f for f in found if (f["a"], f["b"]) not in decided]
    count = rows(f"select count(*)::int as n {suggested}")[0]["n"] - len(decided)
    known = records({f[side] for f in found[:limit] for side in "ab"})
    return [
        Pair(f["score"], f["rule"], f["evidence"], known[f["a"]], known[f["b"]])
        for f in found[:limit]
        if f["a"] in known and f["b"] in known
    ], max(len(found), count)


def _decided_since(home: Home) -> set[tuple[str, str]]:
    """Return the pairs decided about after the last publish, which leaves out all before it."""
    from warehouse.decisions import Decisions

    decisions, then = Decisions(home.landing), current(home).stat().st_mtime
    if not any(f.stat().st_mtime > then for f in decisions.folder.glob("*.json")):
        return set()
    from warehouse.matching.rulings import Rulings
    from warehouse.ruled import read

    found = read(decisions)[1].get("party", Rulings())
    return {(str(a), str(b)) for a, b in (*found.same, *found.apart)}


def show(pairs: list[Pair], count: int, *, json: bool) -> None:
    """Print the pairs, and the commands that decide."""
    published = current(workspace().home)
    if json:
        as_json([asdict(pair) for pair in pairs])
    elif pairs:
        for number, pair in enumerate(pairs, 1):
            _print(pair, number, count)
        a, b = pairs[0].ids
        say(t("party.next", a=a, b=b))
    else:
        say(t("party.none"))
    tell_age(published)


def at_terminal() -> bool:
    """Whether a person is there who can answer."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask(pairs: list[Pair], count: int, why: str) -> None:
    """Ask about one pair after the other; each answer is kept at once, all are published."""
    from pipelines.cli.identity import publish

    tell_age(current(workspace().home))
    clear: dict[UUID, Record] = {}
    decided = 0
    for number, pair in enumerate(pairs, 1):
        _print(pair, number, count)
        answer = _answer(t("party.ask"))
        if answer in QUIT:
            break
        kind: Literal["merge", "unmerge"]
        if answer in YES:
            kind = "merge"
        elif answer in NO:
            kind = "unmerge"
        else:
            continue
        why = why or _answer(t("party.why")) or t("party.compared")
        clear = clear or _clear_keys(pairs)
        decided += _decide(kind, pair, clear, why)
    if decided:
        publish(workspace(), {"decided": decided}, t("party.reviewed", count=decided), json=False)


def _decide(
    kind: Literal["merge", "unmerge"], pair: Pair, clear: dict[UUID, Record], why: str
) -> int:
    from uuid import UUID

    from warehouse import ruled
    from warehouse.decisions import Decisions

    both = [clear[UUID(i)] for i in pair.ids if UUID(i) in clear]
    if len(both) < 2:
        remark(t("party.gone"))
        return 0
    decisions = Decisions(workspace().home.landing)
    for old in ruled.opposed(decisions, "party", kind, both):
        remark(t("party.against", sequence=old.sequence, at=old.at[:10], who=old.who))
    ruled.decide(decisions, kind, both, why=why, at=now())
    return 1


def _clear_keys(pairs: list[Pair]) -> dict[UUID, Record]:
    """Return the keys of the pairs' records as the store has them; holds its lock for a moment."""
    from uuid import UUID

    from pipelines.waiting import waiting
    from warehouse import meant
    from warehouse.store import open_store

    ids = {UUID(i) for pair in pairs for i in pair.ids}
    with open_store(workspace().home, clock=now, on_wait=waiting) as store:
        return {m.own_id: m.record for m in meant.of_ids(store.con, "party", ids)}


def _answer(question: str) -> str:
    """Return what the person types; the end of the input is a wish to end."""
    try:
        return input(question + " ").strip().lower()
    except EOFError:
        return QUIT[0]


def _print(pair: Pair, number: int, count: int) -> None:
    said = t("party.pair", number=number, count=count, score=f"{pair.score:.2f}",
             evidence=pair.evidence or "", rule=pair.rule or "")  # fmt: skip
    say(said)
    lines = [(t("col.id"), *pair.ids)]
    lines += [
        (t(f"party.col.{name}"), pair.a[name], pair.b[name])
        for name in TOLD
        if pair.a[name] or pair.b[name]
    ]
    table(["", name_of(pair.a, ""), name_of(pair.b, "")], lines)
    say()
