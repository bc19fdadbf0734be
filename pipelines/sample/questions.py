"""What the demo asks the published store: what is wrong between the systems today.

An order, a payment and a parcel have one row each, whatever systems tell of it; which they are,
`order_documents` and `xref` say.
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
select o.number as order_number, o.placed_at::date as day, o.total::decimal(18, 2) as total
from unified.orders as o
where o.connection = 'shop'
    and o.payment_status in ('paid', 'partially_refunded', 'refunded')
    and not exists (
        from unified.order_documents as d where d.order_id = o.order_id and d.connection = 'erp'
    )
order by o.placed_at desc""",
)

STRAY = Question(
    "stray",
    """
select
    e.number as document, e.platform_order_no as claims, e.order_date as day,
    e.total::decimal(18, 2) as total
from unified.orders as e
-- It claims a number and stands as an order of its own all the same: no order has the number.
where e.connection = 'erp' and e.platform_order_no is not null
order by e.number desc""",
)

PAYMENTS = Question(
    "payments",
    """
with gateway as (
    select
        merchant_order_no as number, sum(amount) as paid, any_value(connection) as way,
        any_value(coalesce(provider_transaction_id, number)) as transaction
    from unified.payments
    where connection in ('alipay', 'stripe') and kind = 'payment' and status = 'succeeded'
        and merchant_order_no is not null
    group by 1
),

bank as (
    select distinct merchant_order_no as number from unified.payments where connection = 'office'
),

shop as (
    select
        number, placed_at, total,
        payment_status in ('paid', 'partially_refunded', 'refunded') as is_paid
    from unified.orders where connection = 'shop'
),

-- The gateway's bills are read from a day on; what was paid before is not compared.
since as (
    select min(paid_at) as moment from unified.payments where connection = 'alipay'
)

select
    case
        when s.number is null then 'unknown'
        when g.number is null then 'missing'
        when not s.is_paid then 'unpaid'
        when g.paid < s.total then 'short'
        else 'long'
    end as kind,
    coalesce(s.number, g.number) as order_number, g.way, g.transaction,
    s.total::decimal(18, 2) as expected,
    coalesce(g.paid, 0)::decimal(18, 2) as found
from shop as s
full join gateway as g on s.number = g.number
where case
    when g.number is null
        then s.is_paid and s.placed_at >= (select moment from since)
        and s.number not in (select number from bank where number is not null)
    else s.number is null or not s.is_paid or g.paid <> s.total
end
union all
select 'kept', p.merchant_order_no, p.connection, p.provider_transaction_id, 0,
    p.amount::decimal(18, 2)
from unified.payments as p
where p.connection in ('alipay', 'stripe') and p.kind = 'refund' and p.status = 'succeeded'
    and not exists (
        from unified.returns as r
        where r.connection = 'oms' and r.order_number = p.merchant_order_no
    )
order by kind, order_number""",
)

OVERSOLD = Question(
    "oversold",
    """
with stock as (
    select
        sku, any_value(product_name) as name,
        sum(available) filter (where connection = 'shop') as offered,
        sum(available) filter (where connection = 'oms') as there,
        sum(available) filter (where connection = 'erp') as booked
    from mart.stock_position group by sku
)

select
    sku, name as product, offered::bigint as offered, there::bigint as there,
    booked::bigint as booked
from stock where offered > there
order by offered - there desc, sku""",
)

DELIVERED = Question(
    "delivered",
    """
select
    o.number as order_number, t.carrier_name as carrier, t.tracking_number as tracking,
    t.delivered_at::date as day
from unified.shipments as t
inner join unified.xref as x
    on x.entity = 'shipment' and x.golden_id = t.shipment_id and x.connection = 'oms'
inner join source.shipments as s
    on s.connection = x.connection and s.stream = x.stream and s.source_key = x.source_key
inner join unified.orders as o on o.connection = 'shop' and o.number = s.order_number
where t.connection = 'logistics' and t.status = 'delivered'
    and o.fulfillment_status = 'unfulfilled'
order by t.delivered_at desc, o.number""",
)

QUESTIONS = (SHORT, LACKING, STRAY, PAYMENTS, OVERSOLD, DELIVERED)
