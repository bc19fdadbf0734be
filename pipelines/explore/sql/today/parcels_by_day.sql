-- grain: one row a day of the window
-- takes: day date, days number
with window_days as (
    select unnest(generate_series(
        ($day::date - ($days::bigint - 1)::integer)::timestamp, $day::date::timestamp, interval 1 day
    ))::date as day
),

parcels as (
    select
        (shipped_at at time zone $zone)::date as shipped_on,
        (delivered_at at time zone $zone)::date as delivered_on
    from unified.shipments
    where status is distinct from 'cancelled'
),

shipped as (
    select shipped_on as day, count(*) as parcels from parcels where shipped_on is not null group by all
),

delivered as (
    select delivered_on as day, count(*) as parcels from parcels where delivered_on is not null group by all
)

select
    w.day, coalesce(s.parcels, 0) as shipped, coalesce(d.parcels, 0) as delivered
from window_days as w
left join shipped as s on w.day = s.day
left join delivered as d on w.day = d.day
order by w.day
