-- grain: one row an entity of one stream of a connection
-- key: entity, connection, stream
-- en: How many records each stream brought, by what they are.
-- zh: 各数据流带来的记录数，按实体统计。
-- column: entity | Entity | 实体 | Name of the entity in the model, as order or stock_level
-- of order: connection, stream
-- column: row_count | Rows | 行数 | Records that are not deleted
-- Source records: of several that are one thing each counts for the stream that brought it.
with things as (
    select 'organization' as entity, connection, stream from source.organizations where is_deleted is not true
    union all
    select 'party' as entity, connection, stream from source.parties where is_deleted is not true
    union all
    select 'product' as entity, connection, stream from source.products where is_deleted is not true
    union all
    select 'price' as entity, connection, stream from source.prices where is_deleted is not true
    union all
    select 'location' as entity, connection, stream from source.locations where is_deleted is not true
    union all
    select 'stock_level' as entity, connection, stream from source.stock_levels where is_deleted is not true
    union all
    select 'stock_movement' as entity, connection, stream from source.stock_movements where is_deleted is not true
    union all
    select 'order' as entity, connection, stream from source.orders where is_deleted is not true
    union all
    select 'order_line' as entity, connection, stream from source.order_lines
    union all
    select 'shipment' as entity, connection, stream from source.shipments where is_deleted is not true
    union all
    select 'shipment_line' as entity, connection, stream from source.shipment_lines
    union all
    select 'shipment_event' as entity, connection, stream from source.shipment_events
    union all
    select 'payment' as entity, connection, stream from source.payments where is_deleted is not true
    union all
    select 'payment_allocation' as entity, connection, stream from source.payment_allocations
    union all
    select 'payout' as entity, connection, stream from source.payouts where is_deleted is not true
    union all
    select 'payout_line' as entity, connection, stream from source.payout_lines
    union all
    select 'refund' as entity, connection, stream from source.refunds where is_deleted is not true
    union all
    select 'refund_line' as entity, connection, stream from source.refund_lines
    union all
    select 'return' as entity, connection, stream from source.returns where is_deleted is not true
    union all
    select 'return_line' as entity, connection, stream from source.return_lines
    union all
    select 'invoice' as entity, connection, stream from source.invoices where is_deleted is not true
    union all
    select 'invoice_line' as entity, connection, stream from source.invoice_lines
    union all
    select 'purchase_order' as entity, connection, stream from source.purchase_orders where is_deleted is not true
    union all
    select 'purchase_order_line' as entity, connection, stream from source.purchase_order_lines
    union all
    select 'opportunity' as entity, connection, stream from source.opportunities where is_deleted is not true
    union all
    select 'lead' as entity, connection, stream from source.leads where is_deleted is not true
    union all
    select 'activity' as entity, connection, stream from source.activities where is_deleted is not true
    union all
    select 'ticket' as entity, connection, stream from source.tickets where is_deleted is not true
    union all
    select 'exchange_rate' as entity, connection, stream from source.exchange_rates where is_deleted is not true
)

select entity, connection, stream, count(*) as row_count
from things
group by all
order by all
