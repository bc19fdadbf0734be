-- grain: one row: the last day, up to the day of publication, on which an order was placed
select max((placed_at at time zone $zone)::date) as day
from mart.orders
where placed_at <= $now
