-- grain: one row an order for which a gateway has money
-- kept: order order_id
select
    p.order_id,
    arg_min(p.connection, {'at': coalesce(p.paid_at, TIMESTAMPTZ '1970-01-01'), 'id': p.payment_id}) as connection,
    arg_min(p.payment_id, {'at': coalesce(p.paid_at, TIMESTAMPTZ '1970-01-01'), 'id': p.payment_id}) as payment_id,
    arg_min(p.number, {'at': coalesce(p.paid_at, TIMESTAMPTZ '1970-01-01'), 'id': p.payment_id}) as number,
    count(distinct p.currency) as currencies,
    bool_or(p.currency is distinct from o.currency) as is_foreign,
    sum(p.amount) filter (where p.kind = 'payment') as paid,
    min(p.paid_at) filter (where p.kind = 'payment') as first_paid_at,
    max(p.paid_at) filter (where p.kind = 'payment') as last_paid_at
from mart.order_payments as p
inner join main.orders as o on p.order_id = o.order_id
where p.is_gateway and p.kind in ('payment', 'refund')
group by p.order_id
