"""What the demo prints: answers of real SQL on the published store."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table
from rich.text import Text

from pipelines.cli.show import cell
from pipelines.texts import t

if TYPE_CHECKING:
    from rich.console import Console

COUNTS = """
select entity, connection || '/' || stream as source, row_count
from mart.entity_counts order by all"""

QUARANTINE = r"""
select
    connection || '/' || stream as source,
    regexp_replace(field, '\[[0-9]+\]', '') as field,
    split_part(reason, ';', 1) as reason,
    count(*) as records
from ops.quarantine where status = 'open' group by all order by all"""

SHORT = """
select
    order_number, order_source, payment_source, stock_source,
    sku || ' ' || product_name as product, open_quantity::bigint, available::bigint,
    total::decimal(18, 2) as total
from mart.paid_not_in_stock order by placed_at desc, sku limit 3"""

SHORT_COUNT = "select count(distinct order_id) from mart.paid_not_in_stock"

NEXT = (
    'isthmus query "select * from mart.paid_not_in_stock"',
    'isthmus query "select number, party_name, total, paid_amount from mart.orders limit 20"',
)


def print_report(console: Console, published: Path) -> None:
    """Print counts, quarantine and the orders that are paid and not in stock."""
    print_table(
        console,
        t("sample.counts"),
        [t("sample.col.entity"), t("sample.col.source"), t("sample.col.count")],
        ask(published, COUNTS),
        right=(2,),
    )
    print_table(
        console,
        t("sample.quarantine"),
        [
            t("sample.col.source"),
            t("sample.col.field"),
            t("sample.col.reason"),
            t("sample.col.count"),
        ],
        ask(published, QUARANTINE),
        right=(3,),
    )
    ((count,),) = ask(published, SHORT_COUNT)
    print_table(
        console,
        t("sample.short", count=count),
        [
            t("sample.col.order"),
            t("sample.col.order_source"),
            t("sample.col.payment_source"),
            t("sample.col.stock_source"),
            t("sample.col.product"),
            t("sample.col.quantity"),
            t("sample.col.available"),
            t("sample.col.amount"),
        ],
        ask(published, SHORT),
        right=(5, 6, 7),
    )
    console.print(Text(SHORT.strip(), style="dim"))


def ask(published: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows that the locked reader answers."""
    from warehouse.reader import run_query

    return [tuple(row) for row in run_query(published, sql).rows]


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
