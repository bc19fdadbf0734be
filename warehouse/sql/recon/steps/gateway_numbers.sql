-- grain: one row a payment at a gateway that says a number
-- kept: payment payment_id
select
    p.payment_id, p.connection, lower(trim(p.merchant_order_no)) as said,
    coalesce(p.paid_at, timezone(getvariable('recon_zone'), p.value_date::timestamp)) as paid_at, b.payment_id is not null as is_bound
from main.payments as p
inner join (
    select distinct connection, stream from recon.roles where role = 'gateway'
) as g on p.connection = g.connection and p.stream = g.stream
left join (select distinct payment_id from mart.order_payments) as b on p.payment_id = b.payment_id
where p.status = 'succeeded' and coalesce(p.kind, 'payment') = 'payment'
    and p.merchant_order_no is not null and trim(p.merchant_order_no) <> ''
