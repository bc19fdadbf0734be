"""What the demo asks the published store: what is wrong between the systems today.

What systems tell differently, `recon.breaks` has; what is still in its transit window counts here,
for the story has one day only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its SELECT; the columns are headed by `sample.col.*` of their names."""

    name: str
    sql: str


SHORT = Question(
    "short",
    """
select
    order_number, order_source, payment_source, stock_source,
    sku || ' ' || product_name as product, open_quantity::bigint as quantity,
    available::bigint as available, total::decimal(18, 2) as total
from mart.paid_not_in_stock order by placed_at desc, sku""",
)

LACKING = Question(
    "lacking",
    """
select left_number as order_number, happened_at::date as day, expected::decimal(18, 2) as total
from recon.breaks
where rule = 'order_without_document' and status in ('open', 'timing')
order by happened_at desc""",
)

STRAY = Question(
    "stray",
    """
select
    right_number as document, left_number as claims, happened_at::date as day,
    actual::decimal(18, 2) as total
from recon.breaks
where rule = 'document_without_order' and status in ('open', 'timing')
order by right_number desc""",
)

PAYMENTS = Question(
    "payments",
    """
with breaks as (
    select
        case rule
            when 'order_paid_without_money' then 'missing'
            when 'paid_order_unpaid' then 'unpaid'
            when 'payment_without_order' then 'unknown'
            when 'refund_without_return' then 'kept'
            when 'payment_amount' then if(actual < expected, 'short', 'long')
        end as kind,
        *
    from recon.breaks where status in ('open', 'timing')
)

select
    kind,
    if(kind = 'kept', right_number, left_number) as order_number,
    if(kind = 'kept', left_connection, right_connection) as way,
    if(kind = 'kept', left_number, right_number) as transaction,
    expected::decimal(18, 2) as expected, actual::decimal(18, 2) as found
from breaks where kind is not null
order by kind, order_number""",
)

OVERSOLD = Question(
    "oversold",
    """
with names as (
    select
        sku, any_value(product_name) as name,
        sum(available) filter (where connection = 'erp') as booked
    from mart.stock_position group by sku
)

select
    b.sku, n.name as product, b.actual::bigint as offered, b.expected::bigint as there,
    n.booked::bigint as booked
from recon.breaks as b
inner join names as n on b.sku = n.sku
where b.rule = 'oversell' and b.status in ('open', 'timing')
order by b.difference desc, b.sku""",
)

DELIVERED = Question(
    "delivered",
    """
select
    b.left_number as order_number, s.carrier_name as carrier, b.right_number as tracking,
    s.delivered_at::date as day
from recon.breaks as b
inner join unified.shipments as s
    on b.right_connection = s.connection and b.right_key = s.source_key
where b.rule = 'sent_but_open_in_shop' and b.status in ('open', 'timing')
order by s.delivered_at desc, b.left_number""",
)

QUESTIONS = (SHORT, LACKING, STRAY, PAYMENTS, OVERSOLD, DELIVERED)
