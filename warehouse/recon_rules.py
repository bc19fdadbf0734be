"""The rules of reconciliation: one SQL file a rule, what it is about in its first lines.

Rules and the marts that they read are written for the published file, where golden tables stand in
`main`; in the store the same text runs after `private` has put its names right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from warehouse import headers, marts
from warehouse.errors import StoreError

FOLDER = Path(__file__).parent / "sql" / "recon"
Severity: TypeAlias = Literal["error", "warning", "info"]
Kind: TypeAlias = Literal[
    "missing_left", "missing_right", "amount", "status", "quantity", "date", "duplicate", "orphan"
]
_MUST = ("grain", "kind", "severity", "needs", "en", "zh", "do-en", "do-zh")
_DAYS = re.compile(r"(\d+)d")
_NAME = re.compile(r"\b(main|mart|step)\.(\w+)")


@dataclass(frozen=True, slots=True)
class Need:
    """One side without which a rule does not apply: records of an entity in a role.

    `roles` is empty where any stream will do.
    """

    roles: tuple[str, ...]
    entity: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `transit` is its own window, None where the company's holds.

    `among` says of which things its rows are, as `entity column`, where it says of each only what
    hangs together with it; `whole` are tables that it reads whole all the same (`recon_part.py`).
    """

    name: str
    grain: str
    kind: str
    severity: str
    needs: tuple[Need, ...]
    needs_said: str
    en: str
    zh: str
    do_en: str
    do_zh: str
    transit: timedelta | None
    sql: str
    among: str = ""
    whole: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Setting:
    """What the company's file says of a rule; None is the rule's or the company's own."""

    severity: Severity | None = None
    tolerance: Decimal | None = None
    transit: timedelta | None = None
    since: date | None = None
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """How the company reconciles: tolerance of money, transit window, and what rules have own.

    `zone` is the time zone in which a day begins that a record or setting names without a moment.
    """

    tolerance: Decimal = Decimal("0.01")
    transit: timedelta = timedelta(days=3)
    rules: tuple[tuple[str, Setting], ...] = ()
    zone: str = "UTC"

    def of(self, rule: Rule) -> Setting:
        """Return the settings of a rule with every default filled in but `since`."""
        own = dict(self.rules).get(rule.name, Setting())
        money = self.tolerance if rule.kind == "amount" else Decimal(0)
        transit = rule.transit if rule.transit is not None else self.transit
        return Setting(
            own.severity or rule.severity,  # type: ignore[arg-type]
            money if own.tolerance is None else own.tolerance,
            transit if own.transit is None else own.transit,
            own.since,
            own.is_off,
        )


@cache
def rules(folder: Path = FOLDER) -> tuple[Rule, ...]:
    """Return the rules of `folder` by name; raises StoreError for one that lacks a line."""
    return tuple(_rule(path) for path in sorted(folder.glob("*.sql")))


def names(folder: Path = FOLDER) -> list[str]:
    """Return the names of the rules without reading them."""
    return sorted(path.stem for path in folder.glob("*.sql"))


def private(sql: str) -> str:
    """Return `sql` as it runs in the store: `main.x` is `unified.x`, marts and steps temp tables.

    Mechanical, on our own files only: they name no column or literal in such a form.
    """

    def put(found: re.Match[str]) -> str:
        schema, name = found.groups()
        return f"unified.{name}" if schema == "main" else temp_name(schema, name)

    return _NAME.sub(put, sql)


def temp_name(schema: str, name: str) -> str:
    """Return the temp table that stands for a mart or a step in the store."""
    return f"recon_{schema}_{name}"


@cache
def steps(folder: Path = FOLDER) -> dict[tuple[str, str], str]:
    """Return what rules share, by (schema, name), each behind what it reads: marts, then steps."""
    found = {("mart", mart.name): mart.sql for mart in marts.in_order()}
    own = {path.stem: path.read_text("utf-8") for path in (folder / "steps").glob("*.sql")}
    needs = {name: {n for kind, n in reads(sql) if kind == "step"} for name, sql in own.items()}
    found |= {("step", name): own[name] for name in marts.ordered(needs, "steps")}
    return found


@cache
def part_of(schema: str, name: str, folder: Path = FOLDER) -> tuple[str, str]:
    """Return whether a mart or step is `kept`, made `among` things, or neither, and what it says.

    See `recon_part.py`.
    """
    path = marts.FOLDER if schema == "mart" else folder / "steps"
    said = headers.read((path / f"{name}.sql").read_text("utf-8"), name).said
    kind = next((word for word in ("kept", "among") if word in said), "")
    return kind, said.get(kind, "")


@cache
def told_for(name: str, folder: Path = FOLDER) -> str:
    """Return the rule whose tolerance a step counts with, "" where it does with none."""
    path = folder / "steps" / f"{name}.sql"
    return headers.read(path.read_text("utf-8"), name).said.get("of", "") if path.exists() else ""


def reads(sql: str) -> set[tuple[str, str]]:
    """Return the marts and steps that `sql` names."""
    return {(k, n) for k, n in _NAME.findall(sql) if k != "main"}


def wanted(sqls: list[str], folder: Path = FOLDER) -> list[tuple[str, str]]:
    """Return the marts and steps that `sqls` stand on, in the order in which they are made."""
    shared = steps(folder)
    need: set[tuple[str, str]] = set()
    look = set().union(*(reads(sql) for sql in sqls)) if sqls else set()
    while look:
        need |= look
        look = set().union(*(reads(shared[one]) for one in look)) - need
    return [one for one in shared if one in need]


def _rule(path: Path) -> Rule:
    header = headers.read(path.read_text("utf-8"), path.name)
    said = header.said
    lacks = [name for name in _MUST if not said.get(name)]
    if lacks or said["kind"] not in get_args(Kind) or said["severity"] not in get_args(Severity):
        raise StoreError(
            f"The rule does not say {', '.join(lacks) or 'a kind and severity that there is'}.",
            "begin the file with `-- grain: …` and the other lines as its neighbours do.",
            place=path.name,
        )
    days = _DAYS.fullmatch(said.get("transit", ""))
    return Rule(
        path.stem, said["grain"], said["kind"], said["severity"],
        tuple(_need(part) for part in said["needs"].split(",")), said["needs"], said["en"],
        said["zh"], said["do-en"], said["do-zh"],
        timedelta(days=int(days[1])) if days else None, header.sql, said.get("among", ""),
        frozenset(part.strip() for part in said.get("whole", "").split(",") if part),
    )  # fmt: skip


def _need(text: str) -> Need:
    *roles, entity = text.split()
    return Need(tuple(roles[0].split("|")) if roles else (), entity)
