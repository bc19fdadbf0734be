-- grain: one row a line of an open, paid order whose SKU is short over all places of a system
-- en: What was paid and cannot be sent: of several systems that count the goods the one with least.
-- zh: 已付款但库存不足的订单行；多个系统计数时取最少者。
-- of order: number as order_number
-- column: order_source | Order of | 订单来源 | Connection whose order it is
-- column: payment_source | Paid by | 收款来源 | Connections that tell of the money
-- of order: placed_at
-- of party: name as party_name
-- of order: currency, total
-- column: paid_amount | Paid | 已收金额 | Payments of the order that succeeded
-- of order_line: sku, name as product_name
-- column: open_quantity | To be sent | 待发数量 | Of the line, without what was sent or given back
-- column: available | Available | 可用量 | Over all places of the system that counts least
-- column: wanted_over_all_orders | Wanted | 总待发数量 | Of the SKU over all such orders
-- column: stock_source | Counted by | 库存来源 | Connections that count that little
-- column: stock_as_of | As of | 库存截止时间 | When that was true
-- of order: order_id
-- of order_line: order_line_id
with orders as (
    select * from mart.orders
    where
        (is_paid or payment_status in ('paid', 'partially_refunded'))
        -- What was paid back in full is not waited for.
        and not (refunded_amount > 0 and refunded_amount >= paid_amount)
        and coalesce(status, 'unknown') not in ('cancelled', 'closed', 'completed', 'draft')
        and coalesce(fulfillment_status, 'unfulfilled') not in ('shipped', 'delivered', 'returned', 'cancelled')
),

lines as (
    select
        order_id,
        order_line_id,
        sku,
        name,
        -- The current quantity is without what was refunded; of that, what had left is not sent again.
        greatest(
            coalesce(current_quantity, quantity) - greatest(
                coalesce(fulfilled_quantity, 0)
                - if(current_quantity is null, 0, coalesce(refunded_quantity, 0)), 0
            ), 0
        )::decimal(18, 6) as open_quantity
    from main.order_lines
    where
        sku is not null
        and coalesce(kind, 'product') = 'product'
        and coalesce(status, 'open') not in ('shipped', 'completed', 'cancelled', 'refunded')
),

counted as (
    select sku, connection, sum(available) as available, max(as_of) as as_of
    from mart.stock_position
    group by sku, connection
),

-- Several systems may count the same goods: the one that has least of them is believed.
least as (
    select sku, min(available) as available
    from counted
    group by sku
),

stock as (
    select
        c.sku,
        c.available,
        string_agg(c.connection, ', ' order by c.connection) as stock_source,
        max(c.as_of) as stock_as_of
    from counted as c
    inner join least as l on c.sku = l.sku and c.available = l.available
    group by c.sku, c.available
),

wanted as (
    select l.sku, sum(l.open_quantity) as wanted
    from lines as l
    inner join orders as o on l.order_id = o.order_id
    group by l.sku
)

select
    o.number as order_number,
    o.connection as order_source,
    o.payment_sources as payment_source,
    o.placed_at,
    o.party_name,
    o.currency,
    o.total,
    o.paid_amount,
    l.sku,
    l.name as product_name,
    l.open_quantity,
    coalesce(s.available, 0) as available,
    w.wanted as wanted_over_all_orders,
    s.stock_source,
    s.stock_as_of,
    o.order_id,
    l.order_line_id
from lines as l
inner join orders as o on l.order_id = o.order_id
inner join wanted as w on l.sku = w.sku
-- A SKU that no system counts is unknown, not short.
inner join stock as s on l.sku = s.sku
where l.open_quantity > coalesce(s.available, 0)
