-- grain: one row an order as the customer placed it
-- key: order_id
-- en: What customers ordered and what was paid for it; test orders are left out.
-- zh: 客户的订单及其收款情况，不含测试单。
-- of order: order_id, connection, number, channel, kind, status, payment_status, fulfillment_status
-- of order: placed_at, party_id
-- of party: name as party_name, kind as party_kind
-- of order: currency, total
-- column: line_count | Lines | 行数 | Lines of the order
-- column: quantity | Quantity | 数量 | Sum over the lines, as ordered
-- column: paid_amount | Paid | 已收金额 | Payments of the order that succeeded, in its currency
-- column: refunded_amount | Refunded | 已退金额 | Refunds and chargebacks that succeeded
-- column: open_amount | Open | 未收金额 | Total less what was paid; negative where too much was
-- column: is_paid | Is paid | 已付清 | Paid in full and not given back in full
-- column: last_paid_at | Last paid at | 最近收款时间 | When the last payment of it moved
-- column: payment_count | Payments | 收退款笔数 | Movements of money, refunds among them
-- column: payment_sources | Told by | 收款来源 | Connections that tell of the money
with lines as (
    select order_id, count(*) as line_count, sum(quantity) as quantity
    from main.order_lines
    group by order_id
),

-- A gateway keeps our order number, not our key: its payments are bound by it. What was placed has
-- the first word; the number of a document that carries it out counts where no order has it.
documents as (
    select d.number, d.merchant_order_no, x.golden_id as order_id
    from source.orders as d
    inner join main.xref as x
        on x.entity = 'order' and d.connection = x.connection and d.stream = x.stream
        and d.source_key = x.source_key
    where d.is_deleted is not true and x.rule is distinct from 'merged document'
),

named as (
    select number, order_id, true as is_placed from main.orders
    union all
    select merchant_order_no, order_id, true from main.orders
    union all
    select number, order_id, false from documents
    union all
    select merchant_order_no, order_id, false from documents
),

numbers as (
    select
        number,
        coalesce(
            any_value(order_id) filter (where is_placed), any_value(order_id)
        ) as order_id
    from named
    where number is not null
    group by number
    having
        count(distinct order_id) filter (where is_placed) = 1
        or (count(*) filter (where is_placed) = 0 and count(distinct order_id) = 1)
),

bound as (
    select
        p.payment_id,
        coalesce(p.order_id, n.order_id) as order_id,
        p.currency,
        coalesce(p.kind, 'payment') as kind,
        p.amount,
        p.paid_at
    from main.payments as p
    left join numbers as n on p.merchant_order_no = n.number
    where p.status = 'succeeded' and coalesce(p.order_id, n.order_id) is not null
),

-- Which systems tell of the money: a movement has one row, whoever knows of it.
evidence as (
    select payment_id, connection from main.payment_evidence
),

sources as (
    select
        b.order_id,
        b.currency,
        string_agg(distinct e.connection, ', ' order by e.connection) as payment_sources
    from bound as b
    inner join evidence as e on b.payment_id = e.payment_id
    group by b.order_id, b.currency
),

money as (
    select
        order_id,
        currency,
        sum(amount) filter (where kind = 'payment') as paid_amount,
        sum(amount) filter (where kind in ('refund', 'chargeback')) as refunded_amount,
        max(paid_at) filter (where kind = 'payment') as last_paid_at,
        count(*) as payment_count
    from bound
    group by order_id, currency
),

parties as (
    select party_id, name, kind from main.parties
)

select
    o.order_id,
    o.connection,
    o.number,
    o.channel,
    o.kind,
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
    s.payment_sources
from main.orders as o
left join lines as l on o.order_id = l.order_id
left join money as m on o.order_id = m.order_id and o.currency is not distinct from m.currency
left join sources as s on o.order_id = s.order_id and o.currency is not distinct from s.currency
left join parties as p on o.party_id = p.party_id
-- Nobody pays for an order that tried the shop: it would count as sold and as owed.
where o.is_test is not true
