-- grain: one row an order that was sent and for which no invoice was made
-- kind: missing_right
-- severity: warning
-- needs: shipment, invoice
-- transit: 7d
-- en: Goods were sent, and nobody made an invoice of the order.
-- zh: 已发货但未开票的订单。
-- do-en: Make the invoice, or note that the customer wants none.
-- do-zh: 开具发票，或注明客户不需要发票。
-- Only where invoices are the rule: of a channel of which at least half of the orders sent since its
-- first invoice have one. Retail customers who ask for none are no break.
with sent as (
    select *
    from mart.order_to_cash
    where parcel_count > 0 and first_shipped_at is not null and total > 0
        and coalesce(status, 'confirmed') <> 'cancelled'
        and coalesce(kind, 'sale') not in ('return', 'exchange', 'sample')
        and payment_status is distinct from 'refunded'
),

begun as (
    select connection, channel, shop_name, min(first_invoiced_on) as since
    from mart.order_to_cash
    where invoice_count > 0
    group by connection, channel, shop_name
),

billed as (
    select s.connection, s.channel, s.shop_name, any_value(b.since) as since
    from sent as s
    inner join begun as b
        on s.connection = b.connection and s.channel is not distinct from b.channel
        and s.shop_name is not distinct from b.shop_name
    where s.first_shipped_at::date >= b.since
    group by s.connection, s.channel, s.shop_name
    having count(*) filter (where s.invoice_count > 0) * 2 >= count(*)
)

select
    s.connection || '/' || s.stream || '/' || s.source_key as subject,
    s.order_id,
    s.party_id,
    s.connection as left_connection,
    s.source_key as left_key,
    s.number as left_number,
    s.tracking_numbers as right_number,
    s.currency,
    s.total as expected,
    s.last_shipped_at as happened_at
from sent as s
inner join billed as b
    on s.connection = b.connection and s.channel is not distinct from b.channel
    and s.shop_name is not distinct from b.shop_name
where s.invoice_count = 0 and s.first_shipped_at::date >= b.since
