"""`check`: every mistake in the files, then what the systems say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipelines.cli.codes import FAILED, OK, USAGE
from pipelines.cli.options import AsJson
from pipelines.cli.show import as_json, say
from pipelines.texts import t

if TYPE_CHECKING:
    from connectors.base import Finding
    from pipelines.workspace import Workspace


def check(
    connection: Annotated[
        list[str] | None, typer.Argument(metavar="CONNECTION", help=t("opt.check_connection"))
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help=t("opt.offline"))] = False,
    json: AsJson = False,
) -> None:
    """Check every YAML file, then reach the systems."""
    from pipelines.cli.session import workspace

    raise typer.Exit(run_check(connection or [], space=workspace(), reach=not offline, json=json))


def run_check(
    names: Sequence[str],
    *,
    space: Workspace,
    reach: bool,
    json: bool = False,
    new: bool = False,
) -> int:
    """Check the connections named (all, where none is) and print; return the exit code.

    Of a `new` connection a missing mapping is the next step, not a mistake.
    """
    from pipelines.check.project import check_project
    from pipelines.check.reach import reach_connection
    from pipelines.cli.session import unknown

    for name in names:
        if name not in space.connections():
            raise unknown(space, name)
    report = check_project(space, names)
    problems = [*report.problems, *([] if new else report.unmapped)]
    found: dict[str, list[Finding]] = {}
    if reach:
        for name in report.sound:
            found[name] = list(reach_connection(space, name))
    if json:
        as_json(
            {
                "files": report.files,
                "problems": [p.as_json() for p in problems],
                "warnings": [p.as_json() for p in report.warnings],
                "systems": {n: [_finding(f) for f in fs] for n, fs in found.items()},
            }
        )
    else:
        for problem in problems:
            say(str(problem))
        for warning in report.warnings:
            say(str(warning))
        say(t("check.files", files=report.files, problems=len(problems)))
        for name, findings in found.items():
            say()
            say(t("check.system", name=name))
            for finding in grouped(findings):
                _say(finding)
    failed = sum(f.ok is False for findings in found.values() for f in findings)
    if failed and not json:
        say()
        say(t("check.failed", count=failed, systems=len(found)))
    return USAGE if problems else FAILED if failed else OK


def grouped(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Yield the findings, those that say the same of several subjects as one, where it came first.

    What failed comes as it is: each is a thing to mend.
    """
    alike: dict[tuple[Any, ...], list[Finding]] = {}
    for number, one in enumerate(findings):
        key = (one.ok, one.what, one.do, number if one.ok is False else None)
        alike.setdefault(key, []).append(one)
    for same in alike.values():
        yield replace(same[0], subject=", ".join(dict.fromkeys(one.subject for one in same)))


def _say(finding: Finding) -> None:
    mark = {True: "✓", False: "✗", None: "•"}[finding.ok]
    say(
        f"  {mark} {finding.subject}: {finding.what}"
        + (" " + t("do", do=finding.do) if finding.do else "")
    )


def _finding(finding: Finding) -> dict[str, Any]:
    return {"subject": finding.subject, "ok": finding.ok, "what": finding.what, "do": finding.do}
