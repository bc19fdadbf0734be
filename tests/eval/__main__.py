"""Judge the matching of parties; one JSON line a data set on stdout, tables for people on stderr.

`python -m tests.eval` judges febrl4 and the two generated sets; `python -m tests.eval --data
FOLDER` a folder `<connection>.csv` … with `truth.csv`. See docs in chinese.py, ceiling.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.eval import febrl
from tests.eval.ceiling import ceiling
from tests.eval.chinese import ROWS, generate
from tests.eval.cost import explain_cost
from tests.eval.dataset import DataSet
from tests.eval.folder import BadData, read_folder
from tests.eval.measure import score
from tests.eval.profile import PROFILES
from tests.eval.report import Findings, examples, explain, line
from tests.eval.store import Matcher, ours, run

SETS = ("febrl4", *PROFILES)


def main(given: list[str] | None = None, matcher: Matcher | None = None) -> int:
    """Judge the chosen sets and return the exit code; `matcher` None is the project's own."""
    chosen = _arguments(given)
    said = Console(stderr=True, width=140)
    if chosen.write:
        return _write(chosen, said)
    matcher = matcher or ours
    try:
        loaders = _loaders(chosen)
        for load in loaders:
            data = load()
            for warning in data.warnings:
                said.print(warning, style="yellow", markup=False)
            _judge(data, matcher, chosen, said)
    except BadData as error:
        said.print(str(error), style="bold red", markup=False, highlight=False, soft_wrap=True)
        return 2
    return 0


def _loaders(chosen: argparse.Namespace) -> list[Callable[[], DataSet]]:
    if chosen.data:
        return [lambda: read_folder(Path(chosen.data))]
    loaders: list[Callable[[], DataSet]] = []
    for name in chosen.sets.split(","):
        if name == "febrl4":
            loaders.append(febrl.load)
        elif name in PROFILES:
            loaders.append(partial(generate, chosen.seed, chosen.rows, PROFILES[name]))
        else:
            raise BadData(f"no such set: {name}; there are {', '.join(SETS)}")
    return loaders


def _judge(data: DataSet, matcher: Matcher, chosen: argparse.Namespace, said: Console) -> None:
    outcome = run(data, matcher)
    found = score([row.party for row in data.rows], outcome.groups, outcome.suggestions)
    bound = None if chosen.no_ceiling else ceiling(data.rows)
    print(line(data, found, outcome.seconds, bound), flush=True)
    if chosen.explain or chosen.errors:
        findings = Findings(data, outcome)
        if chosen.explain:
            explain(said, findings, bound)
            explain_cost(said, data, matcher)
        if chosen.errors and not chosen.data:
            examples(said, findings, bound, chosen.errors)


def _write(chosen: argparse.Namespace, said: Console) -> int:
    for name in chosen.sets.split(","):
        if name in PROFILES:
            folder = Path(chosen.write) / name
            generate(chosen.seed, chosen.rows, PROFILES[name]).write(folder)
            said.print(f"written: {folder}", markup=False)
    return 0


def _arguments(given: list[str] | None) -> argparse.Namespace:
    told = argparse.ArgumentParser(prog="python -m tests.eval", description=__doc__)
    told.add_argument("--data", help="judge this folder instead of the sets of the project")
    told.add_argument("--sets", default=",".join(SETS), help=",".join(SETS))
    told.add_argument("--seed", type=int, default=1, help="of the generated sets")
    told.add_argument("--rows", type=int, default=ROWS, help="of each generated set, at least")
    told.add_argument("--write", metavar="FOLDER", help="write the generated sets, judge nothing")
    told.add_argument("--explain", action="store_true", help="tables by kind, corruption, cost")
    told.add_argument("--errors", type=int, default=0, metavar="N",
                      help="N false merges and N misses, row by row (not of a folder)")  # fmt: skip
    told.add_argument("--no-ceiling", action="store_true", help="do not work out the set's ceiling")
    return told.parse_args(given)


if __name__ == "__main__":
    sys.exit(main())
