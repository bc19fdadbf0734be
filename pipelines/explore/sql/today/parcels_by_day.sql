-- grain: one row a day of the window
-- takes: day date, days number
with window_days as (
    select unnest(generate_series(
        ($day::date - ($days::bigint - 1)::integer)::timestamp, $day::date::timestamp, interval 1 day
    ))::date as day
),

parcels as (
    select
        shipment_id, any_value((shipped_at at time zone $zone)::date) as shipped_on,
        any_value((delivered_at at time zone $zone)::date) as delivered_on
    from mart.order_shipments
    where is_shipped
    group by shipment_id
),

shipped as (
    select shipped_on as day, count(*) as parcels from parcels group by shipped_on
),

delivered as (
    select delivered_on as day, count(*) as parcels from parcels group by delivered_on
)

select
    w.day, coalesce(s.parcels, 0) as shipped, coalesce(d.parcels, 0) as delivered,
    (select count(*) from delivered where day is not null) > 0 as is_delivery_told
from window_days as w
left join shipped as s on w.day = s.day
left join delivered as d on w.day = d.day
order by w.day
