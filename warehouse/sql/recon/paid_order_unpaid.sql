-- grain: one row an order that a gateway has the money of and its system calls unpaid
-- kind: status
-- severity: error
-- among: order order_id
-- needs: gateway payment, shop|oms order
-- en: Paid at the gateway, while the order is unpaid where it was placed.
-- zh: 支付网关已收款，而下单系统中订单仍为未付款。
-- do-en: Mark the order as paid, or give the money back.
-- do-zh: 将订单标记为已付款，或退回款项。
-- What was given back counts off. An order that is paid in parts is judged once all of it is there.
select
    o.connection || '/' || o.stream || '/' || o.source_key as subject,
    o.order_id,
    o.party_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.number as left_number,
    g.connection as right_connection,
    p.source_key as right_key,
    coalesce(p.provider_transaction_id, g.number) as right_number,
    o.currency,
    o.total as expected,
    o.gateway_paid_amount as actual,
    'paid' as expected_said,
    o.payment_status as actual_said,
    g.last_paid_at as happened_at
from mart.order_to_cash as o
inner join step.gateway_orders as g on o.order_id = g.order_id
inner join main.payments as p on g.payment_id = p.payment_id
where o.gateway_paid_amount - o.gateway_refunded_amount > getvariable('recon_tolerance')
    and (
        o.payment_status in ('pending', 'authorized', 'voided')
        or (o.payment_status = 'partially_paid' and o.gateway_paid_amount >= o.total)
    )
