-- grain: one row a payment at a gateway whose number no order has
-- kind: missing_left
-- severity: error
-- among: payment of_payment
-- whole: source.orders
-- needs: gateway payment, shop|oms|erp order
-- en: Money at the gateway for an order number that no system knows.
-- zh: 支付网关有收款，但其商户订单号在任何系统中都不存在（长款）。
-- do-en: Find out what was paid for; enter the order or give the money back.
-- do-zh: 查明款项用途，补录订单或退款。
-- Only gateways whose numbers are mostly those of orders, numbers that look like one, and payments since
-- the first order. A number that two orders have, or one that was deleted, is known.
with strays as (
    select m.*
    from step.gateway_numbers as m
    inner join step.gateways_used as u on m.connection = u.connection
    cross join step.first_sold as b
    where not m.is_bound and (m.paid_at is null or m.paid_at >= b.since)
),

asked as (
    select distinct said from strays
),

known as (
    select a.said from source.orders as o inner join asked as a on lower(trim(o.number)) = a.said
    union
    select a.said from source.orders as o inner join asked as a on lower(trim(o.merchant_order_no)) = a.said
    union
    select a.said from source.orders as o inner join asked as a on lower(trim(o.platform_order_no)) = a.said
    union
    select a.said from source.orders as o inner join asked as a on lower(o.source_key) = a.said
)

select
    p.connection || '/' || p.stream || '/' || p.source_key as subject,
    p.party_id,
    p.merchant_order_no as left_number,
    p.connection as right_connection,
    p.source_key as right_key,
    coalesce(p.provider_transaction_id, p.number) as right_number,
    p.currency,
    p.amount as actual,
    s.paid_at as happened_at,
    p.payment_id as of_payment
from strays as s
inner join main.payments as p on s.payment_id = p.payment_id
where s.said not in (select said from known)
    and exists (
        select 1 from step.number_shapes as n
        where n.bare = translate(s.said, '0123456789', '')
            and abs(n.long - length(s.said)) <= 1
    )
