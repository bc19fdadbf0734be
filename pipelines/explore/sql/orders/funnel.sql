-- grain: one row a step from order to cash, in the order of the steps
-- takes: since date, until date
with orders as (
    select
        *,
        -- What the shop calls paid is believed where no gateway is read.
        coalesce(paid_amount >= total and total > 0, false)
            or payment_status in ('paid', 'partially_refunded', 'refunded') as is_paid
    from mart.order_to_cash
    where placed_at >= $since::date::timestamp at time zone $zone
        and placed_at < ($until::date + 1)::timestamp at time zone $zone
        and status is distinct from 'cancelled' and coalesce(status, '') <> 'draft'
),

followed as (
    select distinct s.order_id
    from mart.order_shipments as s
    inner join (select distinct connection from recon.roles where role = 'carrier') as r
        on s.connection = r.connection
),

-- Whose orders are taken over or invoiced at all; whose parcels a carrier tells of.
judged as (
    select
        o.*, f.order_id is not null or o.delivered_count > 0 as is_followed,
        bool_or(o.invoice_count > 0) over (partition by o.connection, o.channel) as is_billed,
        bool_or(o.is_of_erp or o.erp_documents > 0) over (partition by o.connection, o.channel) as is_taken
    from orders as o
    left join followed as f on o.order_id = f.order_id
),

steps as (
    select 1 as place, 'placed' as step, count(*) as orders, count(*) as expected, null::double as hours
    from judged
    union all
    select 2, 'paid', count(*) filter (where is_paid), count(*),
        median(epoch(first_paid_at - placed_at) / 3600) filter (where is_paid and first_paid_at >= placed_at)
    from judged
    union all
    select 3, 'in_erp', count(*) filter (where is_of_erp or erp_documents > 0), count(*) filter (where is_taken), null
    from judged
    union all
    select 4, 'shipped', count(*) filter (where parcel_count > 0), count(*), median(hours_to_ship)
    from judged
    union all
    select 5, 'delivered', count(*) filter (where delivered_count > 0), count(*) filter (where is_followed),
        median(hours_to_deliver)
    from judged
    union all
    select 6, 'invoiced', count(*) filter (where invoice_count > 0), count(*) filter (where is_billed), null
    from judged
)

select step, orders, expected, orders / nullif(expected, 0) as share, hours
from steps
where expected > 0
order by place
