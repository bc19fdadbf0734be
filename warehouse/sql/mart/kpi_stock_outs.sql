-- grain: one row a day since stock is counted
-- en: Stock-out rate: SKUs of which nothing was available at the end of the day ÷ SKUs that a system counts.
--   Of several systems the one that counts least is believed, over all its places
--   (`mart.sku_stock_days`); what only a shop offers is no count. Over a span: numerators ÷ denominators,
--   the share of SKU-days. Needs stock counts.
-- zh: 缺货率：日末可用量为零或负的 SKU ÷ 有系统计数的 SKU。多个系统计数时取汇总全部仓库后最少者（见 `mart.sku_stock_days`），仅店铺在售的不算计数。跨日时分别汇总后相除，即 SKU·日占比。需要库存数据。
-- column: period | Day | 日期 | At its end, in the company's time zone
-- column: numerator | Out of stock | 缺货 SKU 数 | SKUs of which nothing is available
-- column: denominator | Counted | 有库存计数的 SKU 数 | SKUs that a system counts
-- column: value | Stock-out rate | 缺货率 | Numerator by denominator, 1 is all
with spans as (
    select from_on, until_on, is_out as is_hit
    from mart.sku_stock_days
    where is_out is not null
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
