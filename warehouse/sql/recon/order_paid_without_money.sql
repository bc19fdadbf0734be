-- grain: one row an order that its system calls paid and no gateway has money of
-- kind: missing_right
-- severity: error
-- among: order order_id
-- needs: gateway payment, shop|oms order
-- en: The order is paid where it was placed, and the gateway has no money of it.
-- zh: 下单系统中订单已付款，而支付网关没有对应收款（短款）。
-- do-en: Look the transaction up at the gateway; send nothing before the money is there.
-- do-zh: 到支付网关核实该笔交易；确认到账前不要发货。
-- Only ways of paying that go through a gateway which is read, and only what was paid since its data
-- begins. Cash, bank transfers, gift cards and accounts that are not connected are nobody's miss.
with asked as (
    select
        p.order_id, sum(p.amount) as amount, min(p.paid_at) as paid_at, bool_or(p.is_recorded) as is_recorded
    from step.paid_orders as p
    inner join step.gateway_ways as w on p.connection = w.connection and p.way = w.way
    where not p.has_money and p.paid_at >= w.since
        -- Where nobody says in which way, money at the bank is an answer.
        and not (p.is_at_bank and not p.is_recorded)
    group by p.order_id
)

select
    o.connection || '/' || o.stream || '/' || o.source_key as subject,
    o.order_id,
    o.party_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.number as left_number,
    r.connections as right_connection,
    o.currency,
    a.amount as expected,
    0::decimal(18, 4) as actual,
    o.payment_status as expected_said,
    a.paid_at as happened_at
from asked as a
inner join mart.order_to_cash as o on a.order_id = o.order_id
cross join (
    select string_agg(distinct connection, ', ' order by connection) as connections
    from recon.roles where role = 'gateway'
) as r
where a.amount > getvariable('recon_tolerance')
