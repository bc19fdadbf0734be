-- grain: one row a SKU and day on which pieces of it left
-- key: sku, day
-- en: How many pieces of a SKU left, by day: lines of shipments that are not cancelled.
-- zh: 各 SKU 每日发货数量（不含已取消的发货单）。
-- of stock_level: sku
-- column: day | Day | 日期 | On which the shipment left, in the company's time zone
-- column: quantity | Pieces | 发货数量 | In the unit of the shipment's line
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

shipments as (
    select s.shipment_id, (s.shipped_at at time zone z.name)::date as day
    from main.shipments as s
    cross join zone as z
    where coalesce(s.status, 'unknown') <> 'cancelled' and s.shipped_at is not null
)

select l.sku, s.day, sum(l.quantity) as quantity
from main.shipment_lines as l
inner join shipments as s on l.shipment_id = s.shipment_id
where l.sku is not null and l.quantity is not null
group by l.sku, s.day
