-- grain: one row an order of the customer, the newest first
-- takes: id id
select number, connection, placed_at, status, payment_status, total, paid_amount, currency, parcel_count,
    delivered_count, return_count, order_id
from mart.order_to_cash
where party_id = $id::uuid
order by placed_at desc, number
limit $most
