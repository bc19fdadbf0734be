-- grain: one row: the last day, up to the day of publication, on which an order was placed
select max((coalesce(placed_at, order_date::timestamptz) at time zone $zone)::date) as day
from unified.orders
where is_test is not true and coalesce(placed_at, order_date::timestamptz) <= $now
