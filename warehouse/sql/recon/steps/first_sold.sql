-- grain: one row: when the first order was placed, of all and of shops
select
    min(coalesce(o.placed_at, o.order_date::timestamptz)) as since,
    min(o.placed_at) filter (where r.connection is not null) as of_shops
from main.orders as o
left join (select distinct connection, stream from recon.roles where role = 'shop') as r
    on o.connection = r.connection and o.stream = r.stream
