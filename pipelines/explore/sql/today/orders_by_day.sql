-- grain: one row a day of the window and currency
-- takes: day date, days number
with window_days as (
    select unnest(generate_series(
        ($day::date - ($days::bigint - 1)::integer)::timestamp, $day::date::timestamp, interval 1 day
    ))::date as day
),

placed as (
    select (placed_at at time zone $zone)::date as day, coalesce(currency, '') as currency, total, status
    from unified.orders
    where is_test is not true
        and placed_at >= ($day::date - ($days::bigint - 1)::integer)::timestamp at time zone $zone
        and placed_at < ($day::date + 1)::timestamp at time zone $zone
),

-- Cancelled orders were placed too, and sell nothing.
counted as (
    select
        day, currency, count(*) as orders, count(*) filter (where status = 'cancelled') as cancelled,
        coalesce(sum(total) filter (where status is distinct from 'cancelled'), 0) as sales
    from placed
    group by day, currency
),

currencies as (
    select distinct currency from counted
)

select
    w.day, c.currency, coalesce(n.orders, 0) as orders, coalesce(n.cancelled, 0) as cancelled,
    coalesce(n.sales, 0) as sales
from window_days as w
cross join currencies as c
left join counted as n on w.day = n.day and c.currency = n.currency
order by w.day, c.currency
