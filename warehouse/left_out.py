"""Tells what reconciliation leaves out and why, in `recon.left_out`: silence is not agreement.

A rule says nothing of a side that is not there, of a connection without its records, and of what
its own SQL takes for not comparable; the files of `sql/recon/left_out/` tell the last, a reason
each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from warehouse import headers
from warehouse.ddl import columns_of, literal, quote
from warehouse.errors import StoreError
from warehouse.model import ENTITIES
from warehouse.recon_rules import Need, Rule, private
from warehouse.recon_tables import LEFT_OUT, ROLES
from warehouse.temptables import fill

FOLDER = Path(__file__).parent / "sql" / "recon" / "left_out"
FOUND = "recon_left"
_NO_SIDE = (
    "no_side",
    "No system has such records, so the rule does not apply.",
    "没有任何系统提供这类记录，规则不适用。",
)
_NO_RECORDS = (
    "no_records",
    "A system in this role of which no such record came: nothing of it is compared.",
    "该角色的系统没有传来这类记录：其数据未参与对账。",
)
_MUST = ("grain", "rules", "en", "zh")


@dataclass(frozen=True, slots=True)
class Reason:
    """One file: why `rules` leave out what its SQL finds."""

    name: str
    rules: tuple[str, ...]
    en: str
    zh: str
    sql: str


@cache
def reasons(folder: Path = FOLDER) -> tuple[Reason, ...]:
    """Return the reasons of `folder` by name; raises StoreError for one that lacks a line."""
    found = []
    for path in sorted(folder.glob("*.sql")):
        header = headers.read(path.read_text("utf-8"), path.name)
        if lacks := [word for word in _MUST if not header.said.get(word)]:
            raise StoreError(
                f"The reason does not say {', '.join(lacks)}.",
                "begin the file as its neighbours do.",
                place=path.name,
            )
        rules = tuple(name.strip() for name in header.said["rules"].split(","))
        found.append(Reason(path.stem, rules, header.said["en"], header.said["zh"], header.sql))
    return tuple(found)


def of(rules: Collection[str]) -> list[Reason]:
    """Return the reasons for which one of `rules` leaves something out."""
    return [reason for reason in reasons() if not set(rules).isdisjoint(reason.rules)]


def find(
    con: duckdb.DuckDBPyConnection,
    rules: Sequence[Rule],
    there: Mapping[Need, bool],
    ran: Collection[str],
    tried: Callable[[str], str],
) -> None:
    """Make the temp table `recon_left`: what `rules` leave out, of which those of `ran` ran.

    `there` says which sides have records at all. `tried` runs a statement and answers whether it
    failed: what cannot be told stops nothing.
    """
    kinds = {field.name: field.sql_type for field in LEFT_OUT.fields}
    lacking = {need: _without_records(con, need) for need in there if need.roles and there[need]}
    fill(con, FOUND, kinds, [
        (rule.name, *why, connection, said(need), None, None)
        for rule in rules for need in rule.needs
        for why, connections in ((_NO_RECORDS, lacking.get(need, [])),
                                 (_NO_SIDE, [] if there[need] else [None]))
        for connection in connections
    ])  # fmt: skip
    for reason in of(ran):
        for name in sorted(set(reason.rules) & set(ran)):
            tried(
                f"INSERT INTO {FOUND} BY NAME SELECT *, {literal(name)} AS rule, "
                f"{literal(reason.name)} AS reason, {literal(reason.en)} AS english, "
                f"{literal(reason.zh)} AS chinese FROM ({private(reason.sql)})"
            )


def write(con: duckdb.DuckDBPyConnection) -> None:
    """Make what was found the content of `recon.left_out`."""
    con.execute(f"DELETE FROM {LEFT_OUT.full}")
    con.execute(
        f"INSERT INTO {LEFT_OUT.full} SELECT {columns_of(LEFT_OUT.names)} FROM {FOUND} "
        "ORDER BY rule, reason, connection, what"
    )


def by_rule(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, list[str]]]:
    """Return by severity and rule what each leaves out, in a few words each."""
    found: dict[str, dict[str, list[str]]] = {}
    for severity, rule, connection, what, many, money in con.execute(
        "SELECT r.severity, l.rule, l.connection, l.what, l.looked_at, l.found "
        f"FROM {LEFT_OUT.full} l JOIN recon.rules r ON r.rule = l.rule ORDER BY ALL"
    ).fetchall():
        words = " ".join(word for word in (connection, what) if word) or "?"
        counted = f": {money} of {many}" if many is not None else ""
        found.setdefault(severity, {}).setdefault(rule, []).append(words + counted)
    return found


def said(need: Need) -> str:
    """Return a side as the rule's file says it."""
    return " ".join(part for part in ("|".join(need.roles), need.entity) if part)


def _without_records(con: duckdb.DuckDBPyConnection, need: Need) -> list[str]:
    """Return the connections in the roles of `need` that have no record of its entity."""
    roles = ", ".join(literal(role) for role in need.roles)
    rows = con.execute(
        f"SELECT DISTINCT connection FROM {ROLES.full} WHERE role IN ({roles}) EXCEPT "
        f"SELECT DISTINCT connection FROM source.{quote(ENTITIES[need.entity].table)} ORDER BY ALL"
    ).fetchall()
    return [str(row[0]) for row in rows]
