-- grain: one row an order of which money was given back for no reason that a system knows
-- kind: missing_right
-- severity: error
-- among: order order_id
-- needs: gateway payment, return
-- en: Money was given back at the gateway, and no goods came back.
-- zh: 支付网关已退款，但没有对应的退货。
-- do-en: Ask who gave it back and why; enter the return or the refund where it was sold.
-- do-zh: 查明退款人与原因，并在销售系统中补录退货或退款。
-- Without a return of any kind (仅退款 too), either the system that sold knows of no refund, or all of
-- it was refunded although goods had left and nothing says that none are expected back. Refunds since
-- the first return that is known; chargebacks are the bank's.
with given as (
    select
        order_id, arg_min(connection, payment_id) as connection, arg_min(number, payment_id) as number,
        min(payment_id) as payment_id, sum(amount) as amount, any_value(currency) as currency,
        max(paid_at) as paid_at
    from mart.order_payments
    where is_gateway and kind = 'refund'
    group by order_id
),

-- Where the system that sold says something of refunds itself.
told as (
    select order_id from step.own_payments where kind = 'refund'
    union
    select r.order_id
    from main.refunds as r
    inner join main.orders as o on r.order_id = o.order_id and r.connection = o.connection
    where r.status in ('approved', 'pending', 'succeeded')
),

settled as (
    select order_id from main.refunds
    where kind in ('refund_only', 'compensation', 'exchange')
        and coalesce(status, 'succeeded') not in ('rejected', 'failed', 'cancelled')
    union
    select r.order_id
    from main.refund_lines as l
    inner join main.refunds as r on l.refund_id = r.refund_id
    where l.restock is not null
)

select
    o.connection || '/' || o.stream || '/' || o.source_key as subject,
    o.order_id,
    o.party_id,
    g.connection as left_connection,
    p.source_key as left_key,
    coalesce(p.provider_transaction_id, g.number) as left_number,
    o.connection as right_connection,
    o.source_key as right_key,
    o.number as right_number,
    g.currency,
    0::decimal(18, 4) as expected,
    g.amount as actual,
    g.paid_at as happened_at
from given as g
inner join mart.order_to_cash as o on g.order_id = o.order_id
inner join main.payments as p on g.payment_id = p.payment_id
cross join step.first_returned as b
where o.return_count = 0 and g.paid_at >= b.since
    and coalesce(o.return_status, 'none') in ('none', 'unknown')
    and o.order_id not in (select order_id from settled where order_id is not null)
    and (
        (
            o.order_id not in (select order_id from told where order_id is not null)
            and coalesce(o.payment_status, 'paid') not in ('refunded', 'partially_refunded', 'voided')
            and o.status is distinct from 'cancelled'
        )
        or (
            o.parcel_count > 0 and g.amount >= o.gateway_paid_amount
            and o.gateway_paid_amount > 0 and o.status is distinct from 'cancelled'
        )
    )
