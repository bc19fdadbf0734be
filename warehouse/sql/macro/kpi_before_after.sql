-- grain: one row a KPI, part and currency
-- takes: since, days := 30
-- en: Every KPI over the `days` days before the day `since` and over as many from it on, side by side:
--   `select * from mart.kpi_before_after(date '2026-07-01', days := 60)`. Ratios are sums by sums over the
--   days; medians and percentiles are taken anew over all sales of the days; repeat purchase is counted
--   over the days in place of a month; retention is the share of those who bought in the days before
--   these that bought again in these. Which day a thing counts for stands at `mart.kpi_<kpi>`. What counts for
--   a day and may still change (returns, conversions) is younger in the days after: compare when it has settled.
-- zh: 各指标在 `since` 日之前 `days` 天与自该日起 `days` 天的对比。比率为区间内分子之和除以分母之和；中位数与分位数按区间内全部订单重新计算；
--   复购按区间计；留存为上一区间下单客户在本区间再次下单的比例。归属日期见 `mart.kpi_<kpi>`。退货、转化等滞后指标在之后区间尚未成熟，宜待稳定后比较。
-- column: kpi | KPI | 指标 | As in `mart.kpis`; retention is that from span to span
-- column: part | Part | 细分 | Step of delivery or class of the reason; null where there are no parts
-- column: unit | Unit | 单位 | share (1 is all), hours, days or times a year
-- column: currency | Currency | 币种 | Of the amounts; null where it is no money
-- column: before | Before | 之前 | Null where nothing counts for these days
-- column: after | After | 之后 | Null where nothing counts for these days
-- column: change | Change | 变化 | After less before
-- column: change_share | Change by share | 变化率 | Change by before, 0.1 is a tenth more
-- column: before_count | Before, of | 之前分母 | Denominator before; of a median or percentile how many it is of
-- column: after_count | After, of | 之后分母 | Denominator after
with asked as (
    select since::date as middle, days::integer as span
),

spans as (
    select 'before' as side, middle - span as first_day, middle as end_day, middle - 2 * span as earlier_day
    from asked
    union all
    select 'after', middle, middle + span, middle - span from asked
),

sums as (
    select
        s.side, k.kpi, k.part, k.unit, k.currency,
        sum(k.numerator)::double / nullif(sum(k.denominator), 0)::double as value,
        sum(k.denominator)::double as of_count
    from mart.kpi_daily as k
    inner join spans as s on k.period >= s.first_day and k.period < s.end_day
    group by all
),

steps as (
    select
        s.side, t.step as part,
        quantile_cont(t.hours, 0.5) as median_hours,
        quantile_cont(t.hours, 0.9) as p90_hours,
        count(*)::double as of_count
    from mart.order_steps as t
    inner join spans as s on t.ended_on >= s.first_day and t.ended_on < s.end_day
    group by all
),

sales as (
    select
        party_id, placed_on,
        row_number() over (partition by party_id order by placed_on, placed_at, order_id) as number
    from mart.order_service
    where party_id is not null and placed_on is not null
),

buyers as (
    select
        s.side,
        b.party_id,
        max(b.number) filter (where b.placed_on >= s.first_day) as newest,
        bool_or(b.placed_on < s.first_day) as was_there
    from sales as b
    inner join spans as s on b.placed_on >= s.earlier_day and b.placed_on < s.end_day
    group by s.side, b.party_id
),

customers as (
    select
        side,
        count(newest) as bought,
        count(*) filter (where newest > 1) as again,
        count(*) filter (where was_there) as earlier,
        count(newest) filter (where was_there) as kept
    from buyers
    group by side
),

parts as (
    select * from sums
    union all by name
    select side, 'cycle_time_median' as kpi, part, 'hours' as unit, median_hours as value, of_count from steps
    union all by name
    select side, 'cycle_time_p90' as kpi, part, 'hours' as unit, p90_hours as value, of_count from steps
    union all by name
    select
        side, 'repeat_purchase' as kpi, 'share' as unit, again / nullif(bought, 0) as value,
        bought::double as of_count
    from customers
    where bought > 0
    union all by name
    select
        side, 'retention' as kpi, 'share' as unit, kept / nullif(earlier, 0) as value,
        earlier::double as of_count
    from customers
    where earlier > 0
),

beside as (
    select
        kpi, part, unit, currency,
        max(value) filter (where side = 'before') as before,
        max(value) filter (where side = 'after') as after,
        max(of_count) filter (where side = 'before') as before_count,
        max(of_count) filter (where side = 'after') as after_count
    from parts
    group by kpi, part, unit, currency
)

select
    kpi,
    part,
    unit,
    currency,
    before,
    after,
    after - before as change,
    (after - before) / nullif(before, 0) as change_share,
    before_count,
    after_count
from beside
