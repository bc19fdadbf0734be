-- grain: one row an entity of one stream of a connection
with things as (
    select 'organization' as entity, connection, stream from main.organizations
    union all
    select 'party' as entity, connection, stream from main.parties
    union all
    select 'product' as entity, connection, stream from main.products
    union all
    select 'price' as entity, connection, stream from main.prices
    union all
    select 'location' as entity, connection, stream from main.locations
    union all
    select 'stock_level' as entity, connection, stream from main.stock_levels
    union all
    select 'stock_movement' as entity, connection, stream from main.stock_movements
    union all
    select 'order' as entity, connection, stream from main.orders
    union all
    select 'order_line' as entity, connection, stream from main.order_lines
    union all
    select 'shipment' as entity, connection, stream from main.shipments
    union all
    select 'shipment_line' as entity, connection, stream from main.shipment_lines
    union all
    select 'shipment_event' as entity, connection, stream from main.shipment_events
    union all
    select 'payment' as entity, connection, stream from main.payments
    union all
    select 'payment_allocation' as entity, connection, stream from main.payment_allocations
    union all
    select 'payout' as entity, connection, stream from main.payouts
    union all
    select 'payout_line' as entity, connection, stream from main.payout_lines
    union all
    select 'refund' as entity, connection, stream from main.refunds
    union all
    select 'refund_line' as entity, connection, stream from main.refund_lines
    union all
    select 'return' as entity, connection, stream from main.returns
    union all
    select 'return_line' as entity, connection, stream from main.return_lines
    union all
    select 'invoice' as entity, connection, stream from main.invoices
    union all
    select 'invoice_line' as entity, connection, stream from main.invoice_lines
    union all
    select 'purchase_order' as entity, connection, stream from main.purchase_orders
    union all
    select 'purchase_order_line' as entity, connection, stream from main.purchase_order_lines
    union all
    select 'opportunity' as entity, connection, stream from main.opportunities
    union all
    select 'lead' as entity, connection, stream from main.leads
    union all
    select 'activity' as entity, connection, stream from main.activities
    union all
    select 'ticket' as entity, connection, stream from main.tickets
    union all
    select 'exchange_rate' as entity, connection, stream from main.exchange_rates
)

select entity, connection, stream, count(*) as row_count
from things
group by all
order by all
