"""Prints the table of rules in docs/reconciliation.md: `python -m tests.support.recon_page`."""

from __future__ import annotations

from warehouse.recon_rules import rules


def table() -> str:
    """Return the rows of the table, a line a rule."""
    return "\n".join(
        f"| `{r.name}` | {r.kind} | {r.severity} | {r.en}<br>{r.zh} | {r.do_en}<br>{r.do_zh} |"
        for r in rules()
    )


if __name__ == "__main__":
    print(table())
