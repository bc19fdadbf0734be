-- grain: one row a day on which sales left
-- key: period
-- en: Order accuracy: sales that left right ÷ sales that left. Right as `mart.order_service` says: of
--   each SKU what was ordered left, nothing else did, and nothing came back as wrong or missing. A
--   sale counts for the day on which its first parcel left; sales that left in part so far, and such
--   whose parcels' goods are not told, are in neither. Needs orders and shipments with lines. Add
--   numerators and denominators over days, then divide.
-- zh: 订单准确率：发货无误的销售订单 ÷ 已发货的销售订单。无误指每个 SKU 按订单数量发出、无多发、且无错发漏发退货。
--   按首包裹发货日计；部分发货及无发货明细的不计入分子与分母。需要订单与带明细的发货单。跨日时分别汇总分子、分母后相除。
-- column: period | Day | 日期 | On which the first parcel left, in the company's time zone
-- column: numerator | Right | 发货无误订单数 | Sales that left right
-- column: denominator | Left | 已发货订单数 | Sales that left and can be judged
-- column: value | Order accuracy | 订单准确率 | Numerator by denominator, 1 is all
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

sales as (
    select (s.shipped_at at time zone z.name)::date as period, s.is_right
    from mart.order_service as s
    cross join zone as z
    where s.shipped_at is not null and s.is_right is not null
)

select
    period,
    count(*) filter (where is_right) as numerator,
    count(*) as denominator,
    count(*) filter (where is_right) / count(*) as value
from sales
group by period
