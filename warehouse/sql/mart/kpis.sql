-- grain: one row a KPI, month, part and currency
-- key: kpi, period, part, currency
-- en: All KPIs by month, one below the other. What each is, which records count for it and on which day,
--   stands at its own view, `mart.kpi_<kpi>`. A KPI has rows only where the streams that feed it are there.
-- zh: 按月汇总的全部指标；定义、计入范围与归属日期见各自的视图 `mart.kpi_<kpi>`。缺少所需数据流的指标没有行。
-- column: kpi | KPI | 指标 | Name of its view without `kpi_`; of cycle_time the median and the 90th percentile
-- column: period | Month | 月份 | First day, in the company's time zone; of retention the month of the first purchase
-- column: part | Part | 细分 | Step of delivery, class of the reason, or months after the first purchase; null where there are no parts
-- column: value | Value | 指标值 | In the unit; null where the denominator is zero
-- column: numerator | Numerator | 分子 | Null for a median or percentile
-- column: denominator | Denominator | 分母 | For a median or percentile how many it is of
-- column: unit | Unit | 单位 | share (1 is all), hours, days or times a year
-- column: currency | Currency | 币种 | Of the amounts; null where it is no money
with sums as (
    select
        kpi,
        date_trunc('month', period)::date as period,
        part,
        unit,
        currency,
        sum(numerator) as numerator,
        sum(denominator) as denominator
    from mart.kpi_daily
    group by all
),

cycle as (
    select * from mart.kpi_cycle_time
),

parts as (
    select
        kpi, period, part, numerator::double / nullif(denominator, 0)::double as value,
        numerator, denominator, unit, currency
    from sums
    union all by name
    select
        'cycle_time_median' as kpi, period, step as part, median_hours as value,
        order_count::decimal(38, 4) as denominator, 'hours' as unit
    from cycle
    union all by name
    select
        'cycle_time_p90' as kpi, period, step as part, p90_hours as value,
        order_count::decimal(38, 4) as denominator, 'hours' as unit
    from cycle
    union all by name
    select
        'repeat_purchase' as kpi, period, value, numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator, 'share' as unit
    from mart.kpi_repeat_purchase
    union all by name
    select
        'retention' as kpi, period, months_after::varchar as part, value,
        numerator::decimal(38, 4) as numerator, denominator::decimal(38, 4) as denominator,
        'share' as unit
    from mart.kpi_retention
)

select kpi, period, part, value, numerator, denominator, unit, currency from parts
