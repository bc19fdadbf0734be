-- grain: one row a payment at a gateway whose number no order has
-- kind: missing_left
-- severity: error
-- needs: gateway payment, shop|oms|erp order
-- en: Money at the gateway for an order number that no system knows.
-- zh: 支付网关有收款，但其商户订单号在任何系统中都不存在（长款）。
-- do-en: Find out what was paid for; enter the order or give the money back.
-- do-zh: 查明款项用途，补录订单或退款。
-- Only gateways whose numbers are mostly those of orders, numbers that look like one, and payments since
-- the first order. A number that two orders have, or one that was deleted, is known.
with gateways as (
    select distinct connection, stream from recon.roles where role = 'gateway'
),

moved as (
    select
        p.payment_id, p.connection, p.stream, p.source_key, p.number, p.provider_transaction_id,
        p.merchant_order_no, p.party_id, p.amount, p.currency,
        coalesce(p.paid_at, p.value_date::timestamptz) as paid_at,
        b.payment_id is not null as is_bound
    from main.payments as p
    inner join gateways as g on p.connection = g.connection and p.stream = g.stream
    left join (select distinct payment_id from mart.order_payments) as b on p.payment_id = b.payment_id
    where p.status = 'succeeded' and coalesce(p.kind, 'payment') = 'payment'
        and p.merchant_order_no is not null and trim(p.merchant_order_no) <> ''
),

used as (
    select connection
    from moved
    group by connection
    having count(*) filter (where is_bound) * 2 >= count(*)
),

begun as (
    select min(coalesce(placed_at, order_date::timestamptz)) as since from main.orders
),

strays as (
    select m.*, lower(trim(m.merchant_order_no)) as said
    from moved as m
    inner join used as u on m.connection = u.connection
    cross join begun as b
    where not m.is_bound and (m.paid_at is null or m.paid_at >= b.since)
),

known as (
    select said from strays
    where said in (select lower(trim(number)) from source.orders where number is not null)
        or said in (select lower(trim(merchant_order_no)) from source.orders where merchant_order_no is not null)
        or said in (select lower(trim(platform_order_no)) from source.orders where platform_order_no is not null)
        or said in (select lower(source_key) from source.orders)
)

select
    connection || '/' || stream || '/' || source_key as subject,
    party_id,
    merchant_order_no as left_number,
    connection as right_connection,
    source_key as right_key,
    coalesce(provider_transaction_id, number) as right_number,
    currency,
    amount as actual,
    paid_at as happened_at
from strays
where said not in (select said from known)
    and exists (
        select 1 from step.number_shapes as s
        where s.bare = translate(strays.said, '0123456789', '')
            and abs(s.long - length(strays.said)) <= 1
    )
