-- grain: one row an order in a state, the newest first
-- takes: state text, since date, until date
with open_breaks as (
    select order_id, count(*) as breaks
    from recon.breaks
    where status = 'open' and order_id is not null
    group by order_id
)

select
    o.number, o.placed_at, o.connection, o.party_name, o.total, o.currency, o.status, o.payment_status,
    o.paid_amount, o.erp_numbers, o.parcel_count, o.delivered_count, o.invoice_count,
    coalesce(b.breaks, 0) as breaks, o.order_id
from mart.order_to_cash as o
left join open_breaks as b on o.order_id = b.order_id
where o.placed_at >= $since::date::timestamp at time zone $zone
    and o.placed_at < ($until::date + 1)::timestamp at time zone $zone
    and case $state
        when 'breaks' then b.breaks > 0
        when 'unpaid' then
            o.paid_amount < o.total and o.payment_status is distinct from 'paid'
            and coalesce(o.status, '') not in ('cancelled', 'draft')
        when 'not_sent' then
            o.parcel_count = 0 and o.payment_status = 'paid'
            and coalesce(o.status, '') not in ('cancelled', 'draft')
        when 'not_in_erp' then
            not o.is_of_erp and o.erp_documents = 0 and o.payment_status = 'paid'
            and coalesce(o.status, '') not in ('cancelled', 'draft')
        when 'returned' then o.return_count > 0
        else true end
order by o.placed_at desc, o.number
limit $most
