-- grain: one row: orders of the last 90 days that are paid and of which nothing left
-- takes: day date
select count(*) as paid_not_sent
from mart.order_to_cash
where placed_at >= ($day::date - 90)::timestamp at time zone $zone
    and placed_at < ($day::date + 1)::timestamp at time zone $zone
    and payment_status = 'paid' and parcel_count = 0
    and coalesce(status, '') not in ('cancelled', 'draft')
