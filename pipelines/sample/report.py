"""What the demo prints: answers of real SQL on the published store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from pipelines.cli.show import cell
from pipelines.sample.questions import QUESTIONS, SHORT, Question
from pipelines.texts import t

if TYPE_CHECKING:
    from rich.console import Console

COUNTS = """
select
    entity, sum(row_count)::bigint as count,
    string_agg(distinct connection, ', ' order by connection) as source
from mart.entity_counts group by entity order by entity"""

QUARANTINE = r"""
select
    connection || '/' || stream as source,
    regexp_replace(field, '\[[0-9]+\]', '') as field,
    split_part(reason, ';', 1) as reason,
    count(*) as count
from ops.quarantine where status = 'open' group by all order by all"""

NEXT = (
    'isthmus query "select * from mart.paid_not_in_stock"',
    'isthmus query "select number, party_name, total, paid_amount from mart.orders limit 20"',
)
_SHOWN = 3
_RIGHT = {
    "count", "quantity", "available", "total", "expected", "found", "offered", "there", "booked",
}  # fmt: skip


def print_report(console: Console, published: Path) -> None:
    """Print what is in the store, what went to quarantine, and the answer to each question."""
    print_answer(console, t("sample.counts"), published, COUNTS)
    print_answer(console, t("sample.quarantine"), published, QUARANTINE)
    for question in QUESTIONS:
        _answer(console, published, question)
    console.print(Text(SHORT.sql.strip(), style="dim"))


def _answer(console: Console, published: Path, question: Question) -> None:
    """Print how many there are and the first ones, of each kind one where there are kinds."""
    columns, rows = asked(published, question.sql)
    shown = rows[:_SHOWN]
    if columns[0] == "kind":
        firsts: dict[Any, tuple[Any, ...]] = {}
        for row in rows:
            firsts.setdefault(row[0], row)
        shown = [(t(f"sample.kind.{row[0]}"), *row[1:]) for row in firsts.values()]
    title = t(f"sample.q.{question.name}", count=len({row[columns[0] == "kind"] for row in rows}))
    _table(console, title, columns, shown)


def print_answer(console: Console, title: str, published: Path, sql: str) -> None:
    """Print all that a query answers."""
    columns, rows = asked(published, sql)
    _table(console, title, columns, rows)


def ask(published: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows that the locked reader answers."""
    return asked(published, sql)[1]


def asked(published: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows that the locked reader answers."""
    from warehouse.reader import run_query

    result = run_query(published, sql)
    return list(result.columns), [tuple(row) for row in result.rows]


def _table(
    console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    heads = [t(f"sample.col.{name}") for name in columns]
    right = [place for place, name in enumerate(columns) if name in _RIGHT]
    print_table(console, title, heads, rows, right=right)


def print_table(
    console: Console,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    *,
    right: Sequence[int],
) -> None:
    """Print a titled table; columns numbered in `right` are set to the right."""
    console.print()
    console.print(Text(title, style="bold"))
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, name in enumerate(columns):
        shown.add_column(Text(name), justify="right" if place in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell(value)) for value in row))
    console.print(shown)
