"""What is printed: one JSON line a data set for programs, tables and examples for people."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.eval.ceiling import Ceiling
from tests.eval.dataset import DataSet
from tests.eval.measure import Score
from tests.eval.store import Outcome

_LARGE = 1_000
"""Groups of more rows are counted, but their pairs are not listed one by one."""
Pair = tuple[int, int]


def line(data: DataSet, score: Score, seconds: float, bound: Ceiling | None) -> str:
    """Return the JSON line of a data set."""
    told: dict[str, Any] = {
        "dataset": data.name,
        "precision": round(score.precision, 6),
        "recall": round(score.recall, 6),
        "f1": round(score.f1, 6),
        "seconds": round(seconds, 3),
        "rows": len(data.rows),
        "true_pairs": score.true,
        "found_pairs": score.found,
        "false_pairs": score.found - score.right,
        "suggestions": score.suggestions,
        "recall_with_suggestions": round(score.recall_with_suggestions, 6),
        "recall_if_accepted": round(score.recall_if_accepted, 6),
        "unjudged_rows": sum(not row.party for row in data.rows),
    }
    if bound is not None:
        told |= {"ceiling": round(bound.ceiling, 6), "ceiling_direct": round(bound.direct, 6),
                 "ceiling_plain": round(bound.plain, 6)}  # fmt: skip
    return json.dumps(told, ensure_ascii=False)


class Findings:
    """All true pairs and all false ones of an outcome, by place of row."""

    def __init__(self, data: DataSet, outcome: Outcome) -> None:
        self.data, self.outcome = data, outcome
        rows, groups = data.rows, outcome.groups
        self.true = list(_inside([row.party for row in rows]))
        judged = [str(one) if row.party else "" for one, row in zip(groups, rows, strict=True)]
        self.false = [(a, b) for a, b in _inside(judged) if rows[a].party != rows[b].party]
        self.suggested = {(min(pair), max(pair)) for pair in outcome.suggestions}
        self.kinds = self._kinds()

    def _kinds(self) -> dict[str, str]:
        """Return what most rows of a party say it is; `unsaid` where none says."""
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for row in self.data.rows:
            kind = row.values.get("kind", "")
            votes[row.party][kind if kind in ("organization", "person") else ""] += 1
        found = {}
        for party, said in votes.items():
            said[""] = 0
            kind, count = said.most_common(1)[0]
            found[party] = kind if count else "unsaid"
        return found

    def found(self, pair: Pair) -> bool:
        """Say whether the pair stands in one group."""
        return self.outcome.groups[pair[0]] == self.outcome.groups[pair[1]]

    def kind(self, pair: Pair) -> list[str]:
        rows = self.data.rows
        return sorted({self.kinds[rows[pair[0]].party], self.kinds[rows[pair[1]].party]})

    def systems(self, pair: Pair) -> list[str]:
        return [" + ".join(sorted(self.data.rows[one].values["connection"] for one in pair))]

    def tags(self, pair: Pair) -> list[str]:
        rows = self.data.rows
        return sorted(rows[pair[0]].tags | rows[pair[1]].tags) or ["(clean)"]

    def rules(self, pair: Pair) -> list[str]:
        """Return method and rule of both rows' links: the way by which they came together."""
        return sorted({" ".join(self.outcome.why[one]).strip() for one in pair})


def _inside(labels: list[str]) -> Iterator[Pair]:
    members: dict[str, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        if label:
            members[label].append(place)
    for places in members.values():
        if len(places) <= _LARGE:
            yield from combinations(places, 2)


def explain(out: Console, findings: Findings, bound: Ceiling | None) -> None:
    """Print recall and precision by kind, pair of systems, corruption and rule."""
    beyond = set(bound.open_pairs) if bound else set()
    for title, of in (("kind", findings.kind), ("pair of systems", findings.systems),
                      ("corruption on one row or both", findings.tags),
                      ("way of the link", findings.rules)):  # fmt: skip
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for pair in findings.true:
            for name in of(pair):
                found = findings.found(pair)
                counts[name]["true"] += 1
                counts[name]["found"] += found
                counts[name]["held"] += found or pair in findings.suggested
                counts[name]["beyond"] += pair in beyond
        for pair in findings.false:
            for name in of(pair):
                counts[name]["false"] += 1
        _table(out, f"{findings.data.name}: by {title}", counts)


def _table(out: Console, title: str, counts: dict[str, Counter[str]]) -> None:
    table = Table("", "true pairs", "recall", "with suggestions", "ceiling", "false pairs",
                  "precision", title=title, title_justify="left")  # fmt: skip
    for name, told in sorted(counts.items(), key=lambda item: -item[1]["true"]):
        true, found, false = told["true"], told["found"], told["false"]
        shares = [f"{x / true:.4f}" if true else "" for x in
                  (found, told["held"], true - told["beyond"])]  # fmt: skip
        precision = f"{found / (found + false):.4f}" if found + false else ""
        table.add_row(name, str(true), *shares, str(false), precision)
    out.print(table)


def examples(out: Console, findings: Findings, bound: Ceiling | None, count: int) -> None:
    """Print false merges and misses, spread over the set; misses that a rule could decide."""
    beyond = set(bound.open_pairs) if bound else set()
    known = beyond | findings.suggested
    missed = [one for one in findings.true if not findings.found(one) and one not in known]
    for title, pairs in (("false merge", findings.false), ("miss", missed)):
        step = max(1, len(pairs) // max(count, 1))
        for number, pair in enumerate(pairs[::step][:count], 1):
            out.print(f"\n{title} {number} of {len(pairs)}", style="bold")
            for place in pair:
                row, why = findings.data.rows[place], findings.outcome.why[place]
                said = " | ".join(f"{name}={value}" for name, value in row.values.items() if value)
                out.print(f"  {row.party} {said}", markup=False, highlight=False, soft_wrap=True)
                out.print(f"     tags: {' '.join(sorted(row.tags))}; link: {' '.join(why)}",
                          markup=False, highlight=False, soft_wrap=True)  # fmt: skip
