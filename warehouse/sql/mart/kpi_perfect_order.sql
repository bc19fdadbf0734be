-- grain: one row a day on which sales arrived
-- key: period
-- en: Perfect-order rate: sales that were perfect ÷ sales that arrived. Perfect is: the right goods,
--   on time, undamaged, rightly documented (`is_right`, `is_on_time`, `is_undamaged`, `is_documented` of
--   `mart.order_service`); what nobody can tell of a sale (no promise, no return system, no further
--   document) does not count against it, but the goods must be known. A sale counts for the day on
--   which its last parcel arrived. Needs orders, shipments with lines, and a carrier that tells of arrival.
-- zh: 完美订单率：完美订单 ÷ 已签收订单。完美指货品无误、准时、无破损、单据一致（见 `mart.order_service` 的四个字段）；
--   无法判断的项目（无承诺交期、无退货系统、无其他单据）不计为差错，但货品须可判断。按末包裹签收日计。
--   需要订单、带明细的发货单与承运商签收时间。
-- column: period | Day | 日期 | On which the last parcel arrived, in the company's time zone
-- column: numerator | Perfect | 完美订单数 | Sales that arrived and were perfect
-- column: denominator | Arrived | 已签收订单数 | Sales that arrived and whose goods are known
-- column: value | Perfect-order rate | 完美订单率 | Numerator by denominator, 1 is all
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

sales as (
    select
        (s.delivered_at at time zone z.name)::date as period,
        s.is_right
        and coalesce(s.is_on_time, true)
        and coalesce(s.is_undamaged, true)
        and coalesce(s.is_documented, true) as is_perfect
    from mart.order_service as s
    cross join zone as z
    where s.delivered_at is not null and s.is_right is not null
)

select
    period,
    count(*) filter (where is_perfect) as numerator,
    count(*) as denominator,
    count(*) filter (where is_perfect) / count(*) as value
from sales
group by period
