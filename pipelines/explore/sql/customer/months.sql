-- grain: one row a month and currency in which the customer bought
-- takes: id id
select
    date_trunc('month', (placed_at at time zone $zone)::date)::date as month, currency, count(*) as orders,
    sum(total) as revenue
from mart.order_to_cash
where party_id = $id::uuid and status is distinct from 'cancelled' and placed_at is not null
group by all
order by currency, month
