-- grain: one row an order that was sent and for which no invoice was made
-- kind: missing_right
-- severity: warning
-- among: order order_id
-- needs: shipment, invoice
-- transit: 7d
-- en: Goods were sent, and nobody made an invoice of the order.
-- zh: 已发货但未开票的订单。
-- do-en: Make the invoice, or note that the customer wants none.
-- do-zh: 开具发票，或注明客户不需要发票。
-- Only where invoices are the rule: of a channel of which at least half of the orders sent since its
-- first invoice have one. Retail customers who ask for none are no break.
select
    o.connection || '/' || o.stream || '/' || o.source_key as subject,
    o.order_id,
    o.party_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.number as left_number,
    o.tracking_numbers as right_number,
    o.currency,
    o.total as expected,
    o.last_shipped_at as happened_at
from step.sent_orders as s
inner join step.billed_channels as b
    on s.connection = b.connection and s.channel is not distinct from b.channel
    and s.shop_name is not distinct from b.shop_name
inner join mart.order_to_cash as o on s.order_id = o.order_id
where s.invoice_count = 0 and s.first_shipped_at >= b.since
