-- grain: one row an order that was sent and for which an invoice may be due
-- kept: order order_id
select order_id, connection, channel, shop_name, first_shipped_at, invoice_count
from mart.order_to_cash
where parcel_count > 0 and first_shipped_at is not null and total > 0
    and coalesce(status, 'confirmed') <> 'cancelled'
    and coalesce(kind, 'sale') not in ('return', 'exchange', 'sample')
    and payment_status is distinct from 'refunded'
