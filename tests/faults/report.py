"""Turns tallies into a table on the terminal and into docs/reliability.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rich.table import Table

from tests.faults.case import Tally
from tests.faults.code import ROOMS, UNKNOWN
from tests.faults.oracle import DEFECTS

TITLES = {
    "F1": "connection refused, name not resolved",
    "F2": "reset inside an answer",
    "F3": "body cut: with length, chunked, without length",
    "F4": "answer hangs or drips",
    "F5": "500–504, in bursts and endless",
    "F6": "429 and throttle codes in every form",
    "F7": "token expires in mid-read",
    "F8": "HTTP 200 with an error inside",
    "F9": "HTTP 200 with a web page",
    "F10": "page or cursor comes back",
    "F11": "page size clamped",
    "F12": "rows come and go while paging",
    "F13": "no order, equal stamps over page edges",
    "F14": "rows of another tenant or entity",
    "F15": "duplicates inside and across pages",
    "F16": "certificates nobody should trust",
    "F17": "encodings and compression that lie",
    "K1": "SIGKILL at every named point",
    "K2": "SIGKILL at random moments, schema changes in flight",
    "K3": "SIGTERM and SIGINT",
    "K4": "SIGKILL during recovery",
    "K5": "two runs at once",
    "K6": "power cut: what was not synced is gone",
    "S1": "disk full",
    "S2": "store locked by somebody",
    "S3": "store, log, projection or landing damaged",
    "S4": "read-only folders, odd paths",
    "S5": "store of an older or a newer release",
    "S6": "little memory, a large batch",
    "D1": "late commits",
    "D2": "clocks, zones and impossible dates",
    "D3": "deletions of every kind",
    "D4": "fields come, go and change type",
    "D5": "stamps of the future",
    "D6": "ids of every type",
    "D7": "child before parent",
    "D8": "merged and re-numbered records",
    "D9": "nothing, one, one page, one more",
    "D10": "source restored from a backup",
    "Q": "seeded stories of a database's table, reads cut off",
    "P": "seeded stories of a payment account, reads cut off",
    "E": "seeded stories of an ERP's records, reads cut off",
    "G": "seeded stories of an ERP's documents with lines, sessions lost, reads cut off",
    "W": "seeded stories of parcels asked for one by one, quotas, reads cut off",
    "X": "seeded stories of a CRM's orders, lines changed alone, tokens lost, reads cut off",
    "J": "seeded stories of an OMS: row numbers, windows, limits, tokens lost, reads cut off",
    "H": "seeded stories of a shop's orders, in pages and in bulk, points gone, reads cut off",
    "Y": "seeded stories of a payment account's days, bills late and corrected, reads cut off",
    "R": "seeded random runs",
    "T": "runs and kills through Dagster and the command line",
}
_SHOWN = ("cases", "planned", "fired", "survived", "rows", *DEFECTS, "seconds")


@dataclass(frozen=True)
class Run:
    """A run whose figures stand on the page: of which code, and which rows it played.

    `commit` and `product` are those of tests/faults/code.py; `left` says what of it was not played.
    """

    command: str
    seconds: float
    commit: str = UNKNOWN
    product: str = ""
    left: str = ""
    rows: Sequence[str] = ()


@dataclass
class Report:
    """Everything a run of the judges found; `command` is what made it, of the code at `commit`.

    `earlier` are the runs whose rows stand where this one played none. `left` says what this one
    has not played yet.
    """

    command: str
    seconds: float
    tallies: Mapping[str, Tally]
    commit: str = UNKNOWN
    product: str = ""
    left: str = ""
    earlier: list[Run] = field(default_factory=list)
    models: str = ""
    attacks: str = ""
    attacks_succeeded: int = 0
    comparison: str = ""
    machine: str = ""
    notes: list[str] = field(default_factory=list)
    unplayed: list[str] = field(default_factory=list)
    """Parts that did not come to their end, and why."""

    @property
    def line(self) -> str:
        """The whole in one plain line."""
        sums = total(self.tallies.values())
        survived, cases, fired = (int(sums[n]) for n in ("survived", "cases", "fired"))
        return f"{survived:,} of {cases:,} cases survived, {fired:,} faults fired"

    @property
    def is_clean(self) -> bool:
        """Whether every case of every row survived and no attack succeeded."""
        survived = all(t.survived == t.cases for t in self.tallies.values())
        return survived and not self.attacks_succeeded and not self.unplayed


def take_earlier(report: Report, said: Mapping[str, Any]) -> None:
    """Take the rows of an earlier run's `as_json` that this run did not play.

    A row that the earlier run had taken itself stays that of the run which played it.
    """
    kept = {i: Tally.from_json(i, row) for i, row in said["rows"].items()}
    kept = {i: row for i, row in kept.items() if i not in report.tallies}
    runs = [Run(**each) for each in said.get("earlier", ())]
    taken = {row for run in runs for row in run.rows}
    own = {n: said[n] for n in ("command", "seconds", "commit", "product", "left") if n in said}
    runs.insert(0, Run(**own, rows=[row for row in kept if row not in taken]))
    runs = [replace(run, rows=[row for row in run.rows if row in kept]) for run in runs]
    report.earlier = [run for run in runs if run.rows]
    order = list(TITLES)
    report.tallies = dict(
        sorted({**report.tallies, **kept}.items(), key=lambda item: order.index(item[0]))
    )


def total(tallies: Iterable[Tally]) -> dict[str, float]:
    """Return the sums of all rows."""
    found = dict.fromkeys(_SHOWN, 0.0)
    for tally in tallies:
        for name, value in tally.figures().items():
            found[name] += value
    return found


def table(tallies: Mapping[str, Tally]) -> Table:
    """Return the table for the terminal."""
    shown = Table(title="faults")
    shown.add_column("id")
    for name in _SHOWN:
        shown.add_column(name, justify="right")
    for tally in tallies.values():
        shown.add_row(tally.id, *_cells(tally.figures()))
    shown.add_row("all", *_cells(total(tallies.values())), style="bold")
    return shown


def as_json(report: Report) -> dict[str, Any]:
    """Return the figures for a file."""
    return {
        "command": report.command,
        "seconds": round(report.seconds),
        "commit": report.commit,
        "product": report.product,
        "left": report.left,
        "earlier": [asdict(run) for run in report.earlier],
        "rows": {t.id: t.as_json() for t in report.tallies.values()},
        "all": total(report.tallies.values()),
    }


def markdown(report: Report) -> str:
    """Return the page docs/reliability.md."""
    sums = total(report.tallies.values())
    head = ("row", "fault", *_SHOWN)
    lines = [
        "# Reliability: what was tried, and what came of it",
        "",
        f"This page is written by a program; every figure on it was counted by {_runs(report)}",
        "",
        f"    {report.command}",
        "",
        f"{_of(report)}{report.machine}.{_earlier(report)} An oracle of its own"
        " (`tests/faults/oracle.py`, which imports nothing of the product) compares what the"
        " simulated source committed, answered and deleted with what is published, and what each"
        " run reported with what really happened.",
        "",
        *([f"**Not finished: {report.left}.**", ""] if report.left else []),
        f"**{sums['fired']:,.0f} faults fired in {sums['cases']:,.0f} cases,"
        f" {sums['survived']:,.0f} cases survived, {sums['rows']:,.0f} records compared:"
        + ", ".join(f" {name} {sums[name]:.0f}" for name in DEFECTS)
        + ".**",
        "",
        "A case survives when all of these are 0, the faults that it planned really fired, the"
        " status of every run was right, and the row's own conditions held (bounded time, a text"
        " that says what to do, the bookmark not moved, the other stream synced).",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * 2 + "---:|" * len(_SHOWN),
    ]
    for tally in report.tallies.values():
        more = "".join(f"; {count:,} {word}" for word, count in tally.more.items())
        cells = [tally.id, TITLES.get(tally.id, "") + more, *_cells(tally.figures())]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("| all | | " + " | ".join(_cells(sums)) + " |")
    failures = [f"- {t.id} {text}" for t in report.tallies.values() for text in t.failures]
    failures += [f"- {text}" for text in report.unplayed]
    if failures:
        lines += ["", "## Not survived", "", *failures]
    lines += [
        "",
        "lost: a record's last version is not in the store, or a broken one not in quarantine;"
        " duplicated: a key or line stands twice; stale: an older version stands there; ghost: a"
        " row that the source never had or has deleted; torn: header and lines of different"
        " versions, in any published file; wrong: values that no version had; leaked: a secret in"
        " any file, or a phone in a published one (bytes, unpacked landing files, values of every"
        " table); dishonest: a run that reported something else"
        " than what happened.",
    ]
    for title, text in (
        ("Models", report.models),
        ("Attacks", report.attacks),
        ("Beside dlt", report.comparison),
        ("Notes", "\n".join(f"- {note}" for note in report.notes)),
    ):
        if text:
            lines += ["", f"## {title}", "", text.rstrip()]
    return "\n".join(lines) + "\n"


def _runs(report: Report) -> str:
    if not report.earlier:
        return "one run of"
    old = {row for run in report.earlier for row in run.rows}
    own = [row for row in report.tallies if row not in old]
    rows = f"the rows {', '.join(own)} and the parts" if own else "the parts"
    return f"one of {1 + len(report.earlier)} runs (sums are over all of them): {rows} below by"


def _of(run: Run | Report) -> str:
    known = f"at commit {run.commit}" if run.commit != UNKNOWN else "of an unknown commit"
    return f"on the code {known}, in {run.seconds / 60:.0f} minutes"


def _earlier(report: Report) -> str:
    """Say which rows are of which earlier run, and whether the product was the same then."""
    said = ""
    for run in report.earlier:
        said += f" The rows {', '.join(run.rows)} are those of an earlier run, `{run.command}`,"
        said += f" {_of(run)}"
        said += f", which was not finished: {run.left}" if run.left else ""
        if not (run.product and report.product):
            said += "; whether the product's code was the same was not written down."
        elif run.product == report.product:
            said += "; the product's code is the same in both."
        else:
            said += f"; **the product's code ({', '.join(ROOMS)}) was another one then**."
    return said


def _cells(figures: Mapping[str, float]) -> list[str]:
    return [f"{figures[name]:,.0f}" for name in _SHOWN]
