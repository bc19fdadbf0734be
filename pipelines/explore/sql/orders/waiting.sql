-- grain: one row: how many orders of these days wait for what; the conditions are those of the list
-- takes: since date, until date
with open_breaks as (
    select distinct order_id from recon.breaks where status = 'open' and order_id is not null
),

orders as (
    select
        o.*, b.order_id is not null as has_break,
        coalesce(o.status, '') not in ('cancelled', 'draft') as is_alive
    from mart.order_to_cash as o
    left join open_breaks as b on o.order_id = b.order_id
    where o.placed_at >= $since::date::timestamp at time zone $zone
        and o.placed_at < ($until::date + 1)::timestamp at time zone $zone
)

select
    count(*) filter (where is_alive and paid_amount < total and payment_status is distinct from 'paid') as unpaid,
    count(*) filter (where is_alive and parcel_count = 0 and payment_status = 'paid') as not_sent,
    count(*) filter (
        where is_alive and not is_of_erp and erp_documents = 0 and payment_status = 'paid'
    ) as not_in_erp,
    count(*) filter (where return_count > 0) as returned,
    count(*) filter (where has_break) as breaks
from orders
