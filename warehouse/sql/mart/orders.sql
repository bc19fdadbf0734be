-- grain: one row an order as the customer placed it
with lines as (
    select order_id, count(*) as line_count, sum(quantity) as quantity
    from main.order_lines
    group by order_id
),

-- A gateway keeps our order number, not our key: its payments are bound by it.
numbers as (
    select merchant_order_no as number, any_value(order_id) as order_id
    from (
        select number as merchant_order_no, order_id from main.orders where number is not null
        union
        select merchant_order_no, order_id from main.orders where merchant_order_no is not null
    )
    group by merchant_order_no
    having count(distinct order_id) = 1
),

systems as (
    select
        coalesce(p.order_id, n.order_id) as order_id,
        p.connection,
        p.currency,
        sum(p.amount) filter (where coalesce(p.kind, 'payment') = 'payment') as paid_amount,
        sum(p.amount) filter (where p.kind in ('refund', 'chargeback')) as refunded_amount,
        max(p.paid_at) filter (where coalesce(p.kind, 'payment') = 'payment') as last_paid_at,
        count(*) as payment_count
    from main.payments as p
    left join numbers as n on p.merchant_order_no = n.number
    where p.status = 'succeeded'
    group by all
),

-- Shop, gateway and bank may each record the same money: the system that knows most of it counts.
money as (
    select
        order_id,
        currency,
        max(paid_amount) as paid_amount,
        max(refunded_amount) as refunded_amount,
        max(last_paid_at) as last_paid_at,
        max(payment_count) as payment_count,
        string_agg(distinct connection, ', ' order by connection) as payment_sources
    from systems
    where order_id is not null
    group by order_id, currency
),

parties as (
    select party_id, name, kind from main.parties
),

-- A document that names another system's order, and is of the same sum, is that order on its way.
-- Where two name each other, one of them stays.
platform as (
    select distinct number, connection, currency, total, platform_order_no
    from main.orders
    where number is not null
)

select
    o.order_id,
    o.connection,
    o.number,
    o.channel,
    o.status,
    o.payment_status,
    o.fulfillment_status,
    o.placed_at,
    o.party_id,
    p.name as party_name,
    p.kind as party_kind,
    o.currency,
    o.total,
    coalesce(l.line_count, 0) as line_count,
    coalesce(l.quantity, 0) as quantity,
    coalesce(m.paid_amount, 0) as paid_amount,
    coalesce(m.refunded_amount, 0) as refunded_amount,
    o.total - coalesce(m.paid_amount, 0) as open_amount,
    coalesce(m.paid_amount, 0) >= o.total and o.total > 0
    and coalesce(m.refunded_amount, 0) < coalesce(m.paid_amount, 0) as is_paid,
    m.last_paid_at,
    coalesce(m.payment_count, 0) as payment_count,
    m.payment_sources
from main.orders as o
left join lines as l on o.order_id = l.order_id
left join money as m on o.order_id = m.order_id and o.currency is not distinct from m.currency
left join parties as p on o.party_id = p.party_id
-- Nobody pays for an order that tried the shop: it would count as sold and as owed.
where o.is_test is not true and not exists (
    select 1 from platform as f
    where o.platform_order_no = f.number and o.connection <> f.connection
        and o.currency = f.currency and o.total = f.total
        and (f.platform_order_no is distinct from o.number or f.connection < o.connection)
)
