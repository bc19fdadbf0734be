-- grain: one row an order of a shop that an ERP which takes its channel over should have
-- kept: order order_id
-- Unpaid ones are not expected there unless nobody tells of payment or the customer pays on delivery;
-- cancelled ones, and those refunded before anything left, neither.
select
    order_id, connection, stream, channel, shop_name, placed_at, erp_documents
from mart.order_to_cash
where is_of_shop and not is_of_erp
    and coalesce(kind, 'sale') not in ('return', 'exchange')
    and coalesce(status, 'confirmed') not in ('cancelled', 'draft', 'pending_approval', 'on_hold')
    and (
        payment_status in ('paid', 'partially_refunded')
        or (payment_status = 'refunded' and parcel_count > 0)
        or (payment_status is null and status in ('confirmed', 'processing', 'completed'))
        or (payment_method = 'cod' and status in ('confirmed', 'processing', 'completed'))
    )
