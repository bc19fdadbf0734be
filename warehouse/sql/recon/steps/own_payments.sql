-- grain: one row a payment or refund as the system tells it in which its order was placed
-- among: order
select
    b.order_id,
    s.connection,
    lower(trim(coalesce(s.provider, s.method, ''))) as way,
    lower(coalesce(s.method, '')) as method,
    coalesce(s.kind, 'payment') as kind,
    b.is_gateway as is_at_gateway,
    s.amount,
    s.currency,
    coalesce(s.paid_at, timezone(getvariable('recon_zone'), s.value_date::timestamp), s.source_created_at) as paid_at
from source.payments as s
inner join main.payment_evidence as e
    on s.connection = e.connection and s.stream = e.stream and s.source_key = e.source_key
inner join mart.order_payments as b on e.payment_id = b.payment_id
inner join main.orders as o on b.order_id = o.order_id and s.connection = o.connection
where s.status = 'succeeded' and s.is_deleted is not true
