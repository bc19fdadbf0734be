-- grain: one row a day since shops' stock can be compared
-- en: Oversell rate: SKUs of which a shop offered more than was sellable at the end of the day ÷ SKUs
--   that a shop offers and a system counts. Sellable is that of the system that has least to sell
--   (`mart.sku_stock_days`). Over a span: numerators ÷ denominators. Needs stock counts, and a shop's own.
-- zh: 超卖率：日末店铺在售量超过可售量的 SKU ÷ 店铺在售且有系统计数的 SKU。可售量取最少的系统（见 `mart.sku_stock_days`）。跨日时分别汇总后相除。需要库存与店铺在售数据。
-- column: period | Day | 日期 | At its end, in the company's time zone
-- column: numerator | Oversold | 超卖 SKU 数 | SKUs of which a shop offers more than is sellable
-- column: denominator | Offered | 在售 SKU 数 | SKUs that a shop offers and a system counts
-- column: value | Oversell rate | 超卖率 | Numerator by denominator, 1 is all
with spans as (
    select from_on, until_on, is_oversold as is_hit
    from mart.sku_stock_days
    where is_oversold is not null
),

moves as (
    select from_on as day, is_hit::int as hit, 1 as asked from spans
    union all
    select until_on, -is_hit::int, -1 from spans where until_on is not null
),

days as (
    select day, sum(hit) as hit, sum(asked) as asked
    from moves
    group by day
),

-- The newest day on which anything was counted or left: later ones are not known yet.
last_day as (
    select greatest((select max(from_on) from mart.sku_stock_days), (select max(day) from mart.sku_shipped)) as day
),

calendar as (
    select unnest(
        generate_series((select min(day) from days)::timestamp, (select day from last_day)::timestamp, interval 1 day)
    )::date as day
),

sums as (
    select
        c.day,
        sum(coalesce(d.hit, 0)) over (order by c.day) as numerator,
        sum(coalesce(d.asked, 0)) over (order by c.day) as denominator
    from calendar as c
    left join days as d on c.day = d.day
)

select
    day as period,
    numerator::bigint as numerator,
    denominator::bigint as denominator,
    numerator / denominator as value
from sums
where denominator > 0
