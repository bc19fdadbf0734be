-- grain: one row an order that its system calls paid and a way in which it says it was
-- kept: order order_id
-- Without records of payments of its own the order's way is what it names, the amount its total.
with own as (
    select
        order_id, way, any_value(method) as method, sum(amount) as amount, min(paid_at) as paid_at,
        bool_or(is_at_gateway) as is_at_gateway,
        count(*) over (partition by order_id) as ways
    from step.own_payments
    where kind = 'payment'
    group by order_id, way
)

select
    o.order_id,
    o.connection,
    coalesce(w.way, lower(trim(o.payment_method)), '') as way,
    coalesce(w.method, lower(trim(o.payment_method)), '') as method,
    w.order_id is not null as is_recorded,
    coalesce(w.amount, o.total) as amount,
    coalesce(w.paid_at, g.paid_at, o.placed_at) as paid_at,
    o.bank_paid_amount > 0 as is_at_bank,
    m.order_id is not null as has_money,
    m.connection as gateway,
    -- Of an order paid in several ways each record speaks for itself.
    case when w.ways > 1 then w.is_at_gateway else m.order_id is not null end as is_at_gateway
from mart.order_to_cash as o
inner join main.orders as g on o.order_id = g.order_id
left join own as w on o.order_id = w.order_id
left join step.gateway_orders as m on o.order_id = m.order_id
where o.payment_status in ('paid', 'partially_refunded', 'refunded')
