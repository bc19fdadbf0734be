"""The tables of docs/connectors.md: what connectors declare of themselves, and what they passed.

Nothing here is prose about a connector: rows come from `Connector.streams()` and from the suites.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from connectors.base import (
    ChangedSince,
    Changes,
    Countable,
    EachWanted,
    Feed,
    Growing,
    KeySweep,
    OpenDocuments,
    Snapshot,
    Stream,
)
from connectors.testing import AREAS, CASES
from connectors.testing.bench import Unsupported
from connectors.testing.play import Play
from connectors.testing.suite import ConformanceSuite, play_case

Suites: TypeAlias = Sequence[type[ConformanceSuite]]
Results: TypeAlias = Mapping[str, Mapping[str, str]]
"""By suite and case: "passed", "-" where it does not apply, else what failed."""

PASSED, NOT = "passed", "-"
_AREAS = (
    "settings",
    "reading",
    "changes",
    "wire",
    "story",
)
_DELETES = {
    "changed": "every read",
    "full": "a full read that is proved complete",
    "sweep": "a sweep of the keys",
}


def label(suite: type[ConformanceSuite]) -> str:
    """Return how the table calls a suite."""
    name = suite.bench.connector.name
    return f"{name}: {suite.title}" if suite.title else name


def capabilities(suites: Suites, entity: Callable[[str, str], str]) -> str:
    """Return the table of streams; `entity(connector, stream)` is what its records become."""
    rows: dict[tuple[str, ...], None] = {}
    for suite in suites:
        for stream, counted in _streams(suite):
            name = suite.bench.connector.name
            rows[
                (
                    f"`{name}`",
                    f"`{stream.name}`",
                    entity(name, stream.name),
                    how(stream.changes),
                    "; ".join(_DELETES[mode] for mode in stream.deletes)
                    or "none are deleted there",
                    "one scan with the rest" if stream.stable_order else "no proof of deletions",
                    _counts(counted),
                )
            ] = None
    head = ("connector", "stream", "entity", "changes are found by", "deletions are found by",
            "an interrupted read that went on is", "it is counted by")  # fmt: skip
    return _table(head, rows)


def how(changes: Changes) -> str:
    """Return in words how changes are found."""
    match changes:
        case KeySweep():
            return how(changes.main)
        case OpenDocuments():
            return f"{how(changes.main)}; open ones again every {_span(changes.every)}"
        case ChangedSince():
            return f"the stamp `{changes.field}`, {_span(changes.lookback)} read again"
        case Growing():
            return f"the number `{changes.field}`, the last {changes.behind} read again"
        case Feed():
            again = f", {_span(changes.lookback)} looked at again" if changes.lookback else ""
            return f"{changes.by}{again}"
        case Snapshot():
            return "reading all and comparing"
        case EachWanted():
            return f"asking for each row wanted, again after {_span(changes.every)}"


def play(suites: Suites, names: Iterable[str] = CASES) -> dict[str, dict[str, str]]:
    """Play the cases, by default all, of the suites and return what came of each."""
    found: dict[str, dict[str, str]] = {}
    for suite in suites:
        mine = found[label(suite)] = {}
        for name in names:
            with tempfile.TemporaryDirectory() as folder:
                mine[name] = _played(suite, name, Path(folder))
    return found


def declared(suites: Suites) -> dict[str, dict[str, str]]:
    """Return what must come of each case, by what the suites declare: the tests hold it."""
    return {
        label(suite): {name: NOT if name in suite.not_applicable else PASSED for name in CASES}
        for suite in suites
    }


def summary(results: Results) -> str:
    """Return a table of counts, a suite a row."""
    rows = []
    for name, cases in results.items():
        passed, not_applied = (list(cases.values()).count(each) for each in (PASSED, NOT))
        failed = len(cases) - passed - not_applied
        rows.append((name, str(passed), str(not_applied), str(failed)))
    return _table(("connector", "passed", "not applicable", "failed"), rows)


def matrix(results: Results) -> str:
    """Return the table of cases by connectors; a fraction where it does not apply to all suites."""
    connectors: dict[str, list[Mapping[str, str]]] = {}
    for suite, cases in results.items():
        connectors.setdefault(suite.partition(":")[0], []).append(cases)
    rows = [
        (f"`{name}`", area, *(_mark([one[name] for one in mine]) for mine in connectors.values()))
        for area, name in _cases()
    ]
    return _table(("case", "area", *connectors), rows)


def _mark(said: list[str]) -> str:
    if {*said} - {PASSED, NOT}:
        return "**failed**"
    passed = said.count(PASSED)
    return "✓" if passed == len(said) else f"{passed}/{len(said)}" if passed else "–"


def reasons(suites: Suites) -> str:
    """Return the table of what does not apply, and why."""
    rows: dict[tuple[str, str], list[str]] = {}
    for suite in suites:
        by_reason: dict[str, list[str]] = {}
        for name in CASES:
            if name in suite.not_applicable:
                by_reason.setdefault(suite.not_applicable[name], []).append(f"`{name}`")
        for reason, names in by_reason.items():
            rows.setdefault((", ".join(names), reason), []).append(label(suite))
    return _table(
        ("connector", "cases", "why they do not apply"),
        [(", ".join(labels), names, reason) for (names, reason), labels in rows.items()],
    )


def asked() -> str:
    """Return the table of what each case asks for."""
    return _table(
        ("case", "area", "asks"),
        [(f"`{name}`", area, CASES[name].asks) for area, name in _cases()],
    )


def _played(suite: type[ConformanceSuite], name: str, folder: Path) -> str:
    reason = suite.not_applicable.get(name)
    try:
        play_case(suite.bench, name, folder)
    except Unsupported as lack:
        return NOT if reason else f"not played: {lack}"
    except Exception as error:
        return NOT if reason else f"{type(error).__name__}: {error}"
    return "passes, though declared not applicable" if reason else PASSED


def _counts(counted: Countable) -> str:
    if counted.kind == "none":
        return f"nothing: {counted.how}"
    return f"{counted.how}, with sums" if counted.sums else counted.how


def _streams(suite: type[ConformanceSuite]) -> Iterator[tuple[Stream, Countable]]:
    with tempfile.TemporaryDirectory() as folder:
        bench = suite.bench(Path(folder))
        Play(bench).fill()  # some ask the system how it counts: it needs something to count
        connector = bench.make()
        for name, stream in connector.streams().items():
            yield stream, connector.countable(name)
        connector.close()
        bench.close()


def _cases() -> Iterator[tuple[str, str]]:
    for module, area in zip(AREAS, _AREAS, strict=True):
        for name, one in CASES.items():
            if one.run.__module__ == module.__name__:
                yield area, name


def _span(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]] | Mapping[tuple[str, ...], None]
) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
