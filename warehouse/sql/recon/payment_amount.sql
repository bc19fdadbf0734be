-- grain: one row an order of which the gateway has more or less than is due
-- kind: amount
-- severity: error
-- among: order order_id
-- needs: gateway payment, shop|oms order
-- en: The gateway has more or less money of an order than its system says was paid.
-- zh: 支付网关的收款金额与订单应付金额不一致（长款或短款）。
-- do-en: Give back what is too much, or ask for what is missing, and correct the record.
-- do-zh: 多收退款，少收补款，并更正记录。
-- Due is what the order's system recorded as paid through gateways, else its total. Money in another
-- currency is not compared, nor orders paid in part of which nobody says how much.
with own as (
    select p.order_id, sum(p.amount) as amount, bool_and(p.currency is not distinct from o.currency)
        as is_one_currency
    from step.own_payments as p
    inner join main.orders as o on p.order_id = o.order_id
    inner join step.gateway_ways as w on p.connection = w.connection and p.way = w.way
    where p.kind = 'payment'
    group by p.order_id
),

due as (
    select
        o.*, g.connection as gateway, g.payment_id, g.number as gateway_number, g.last_paid_at as moved_at,
        coalesce(w.amount, case when o.payment_status = 'partially_paid' then o.said_paid_amount
            else o.total end) as due,
        w.order_id is not null as is_recorded
    from mart.order_to_cash as o
    inner join step.gateway_orders as g on o.order_id = g.order_id
    left join own as w on o.order_id = w.order_id
    where not g.is_foreign and coalesce(w.is_one_currency, true)
        and o.payment_status in ('paid', 'partially_refunded', 'refunded', 'partially_paid')
        and o.gateway_paid_amount > 0
        and not (o.payment_status = 'partially_paid' and o.gateway_paid_amount >= o.total)
        -- The rest came through the bank.
        and not (w.order_id is null and o.bank_paid_amount > 0)
)

select
    d.connection || '/' || d.stream || '/' || d.source_key as subject,
    d.order_id,
    d.party_id,
    d.connection as left_connection,
    d.source_key as left_key,
    d.number as left_number,
    d.gateway as right_connection,
    p.source_key as right_key,
    coalesce(p.provider_transaction_id, d.gateway_number) as right_number,
    d.currency,
    d.due as expected,
    d.gateway_paid_amount as actual,
    d.moved_at as happened_at
from due as d
inner join main.payments as p on d.payment_id = p.payment_id
where least(
    abs(d.gateway_paid_amount - d.due),
    -- What the system recorded is due, not the whole: the rest may be a gift card's.
    case when not d.is_recorded then abs(d.gateway_paid_amount - d.total) end,
    -- What was too much was given back.
    abs(d.gateway_paid_amount - d.gateway_refunded_amount - d.due),
    abs(d.gateway_paid_amount - coalesce(d.said_paid_amount, d.due))
) > getvariable('recon_tolerance')
