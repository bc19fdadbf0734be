-- grain: one row: when the first order was placed, of all; since which day shops' are, in the company's zone
select
    min(coalesce(o.placed_at, timezone(getvariable('recon_zone'), o.order_date::timestamp))) as since,
    timezone(getvariable('recon_zone'), date_trunc('day', timezone(
        getvariable('recon_zone'), min(o.placed_at) filter (where r.connection is not null)
    ))) as of_shops
from main.orders as o
left join (select distinct connection, stream from recon.roles where role = 'shop') as r
    on o.connection = r.connection and o.stream = r.stream
