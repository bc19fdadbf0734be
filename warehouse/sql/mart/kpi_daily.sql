-- grain: one row a KPI, day, part and currency
-- key: kpi, period, part, currency
-- en: The KPIs that are ratios of sums over days, one below the other. Over any span of days: add
--   numerators, add denominators, divide. What each is stands at its own view, `mart.kpi_<kpi>`.
-- zh: 可按日累加的各项指标。任意区间：分子之和 ÷ 分母之和；各指标定义见 `mart.kpi_<kpi>`。
-- column: kpi | KPI | 指标 | Name of its view without `kpi_`
-- column: period | Day | 日期 | In the company's time zone
-- column: part | Part | 细分 | As the class of the reason; null where there are no parts
-- column: numerator | Numerator | 分子
-- column: denominator | Denominator | 分母
-- column: unit | Unit | 单位 | share (1 is all), days or times a year
-- column: currency | Currency | 币种 | Of the amounts; null where it is no money
with parts as (
    select
        'order_accuracy' as kpi,
        period,
        null::varchar as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null::varchar as currency
    from mart.kpi_order_accuracy
    union all
    select
        'perfect_order' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null as currency
    from mart.kpi_perfect_order
    union all
    select
        'return_rate' as kpi,
        period,
        part as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null as currency
    from mart.kpi_return_rate
    union all
    select
        'stock_outs' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null as currency
    from mart.kpi_stock_outs
    union all
    select
        'oversells' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null as currency
    from mart.kpi_oversells
    union all
    select
        'inventory_turnover' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'times a year' as unit,
        currency as currency
    from mart.kpi_inventory_turnover
    union all
    select
        'days_on_hand' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'days' as unit,
        currency as currency
    from mart.kpi_days_on_hand
    union all
    select
        'dso' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'days' as unit,
        currency as currency
    from mart.kpi_dso
    union all
    select
        'lead_conversion' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null as currency
    from mart.kpi_lead_conversion
    union all
    select
        'win_rate' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        null as currency
    from mart.kpi_win_rate
    union all
    select
        'win_rate_amount' as kpi,
        period,
        null as part,
        numerator::decimal(38, 4) as numerator,
        denominator::decimal(38, 4) as denominator,
        'share' as unit,
        currency as currency
    from mart.kpi_win_rate_amount
)

select * from parts
