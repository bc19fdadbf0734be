"""The comparison as a section of docs/reliability.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.peers.cases import KILLS, MONEY

COUNTS = {
    "lost": "lost",
    "duplicated": "duplicated",
    "ghost": "ghost",
    "wrong": "wrong",
    "leaked": "token leaked",
    "held": "held back and said",
}
NOTES = """\
How it was set. All tools read the same simulator over loopback, records as bare JSON numbers, pages
of 10, merge by key `id`. Isthmus: `changes: {{since: updated_at, lookback: {lookback}s}}`. dlt \
{dlt}: its documented `rest_api` source, `write_disposition: merge`, `primary_key: id`,
`incremental` by `updated_at` with `start_param`, everything else its default; *with lag* adds
`lag: {lookback}` (seconds), the same window as ours. A record counts as wrong when its name, total
or lines are not the source's last ones, digit for digit; the store's own sum is judged in the two
cases about money. Amounts are bare JSON numbers here; in the benchmark they are text, and there the
sums of all tools are exact. In the case of the foreign link a second run finds the links right
again. Late commits beyond the window are lost by whoever reads by stamp alone, ours included, until
a full read. "Held back and said" are records that the tool itself keeps in
quarantine with field and reason."""


def markdown(said: Mapping[str, Any]) -> str:
    """Return table and notes; a cell counts only what is not zero."""
    tools = list(said["tools"])
    found = {(each["case"], each["tool"]): each for each in said["results"]}
    cases = list(dict.fromkeys(each["case"] for each in said["results"]))
    lines = ["| case | " + " | ".join(tools) + " |", "|---" * (len(tools) + 1) + "|"]
    for case in cases:
        cells = [_cell(found[case, tool]) for tool in tools]
        lines.append(f"| {case} | " + " | ".join(cells) + " |")
    parts = ["\n".join(lines)]
    if said["skipped"]:
        parts.append(said["skipped"] + ".")
    killed = [found[KILLS, tool] for tool in tools if (KILLS, tool) in found]
    if killed:
        fired = ", ".join(
            f"{each['fired']} of {said['kills']} ({each['tool']})" for each in killed
        )  # fmt: skip
        parts.append(f"Kills that fell between a run's first request and its end: {fired}.")
    parts.append(NOTES.format(lookback=said["lookback_seconds"], dlt=said["dlt"] or "(left out)"))
    errors = [
        f"- {each['tool']}, {each['case']}: {text}"
        for each in said["results"]
        for text in dict.fromkeys(each["said"])
    ]
    if errors:
        parts.append("Runs that ended with an error said:\n\n" + "\n".join(errors))
    parts.append(f"Made by `python -m tests.peers.reliability` in {said['seconds']} s.")
    return "\n\n".join(parts)


def _cell(each: Mapping[str, Any]) -> str:
    bad = _counted(each)
    text = ", ".join(bad) or "nothing"
    after = each.get("after_second")
    if after is not None and bad:
        text += f" (after a second clean run: {', '.join(_counted(after)) or 'nothing'})"
    return f"{text}; {each['rows']} records"


def _counted(each: Mapping[str, Any]) -> list[str]:
    found = [f"{each[n]} {word}" for n, word in COUNTS.items() if each.get(n)]
    return found + ["sum of totals wrong"] * bool(each["sum"] and each.get("case") in MONEY)
