-- grain: one row a day on which opportunities were decided, and currency
-- key: period, currency
-- en: Win rate, weighed by amount: opportunities won ÷ opportunities won or lost. Open ones are in neither. An
--   opportunity counts for the day on which it was closed; where its system does not say, for the day of
--   its last change there, which is the decision or later. Those without an amount are left out; each currency by itself. Needs opportunities.
-- zh: 商机赢单率（按金额）：赢单 ÷（赢单 + 输单），进行中的不计。按结束日期计，未提供时按该商机在源系统的最后变更日计。无金额者不计，币种分列。需要商机数据。
-- column: period | Day | 日期 | On which they were decided, in the company's time zone
-- column: currency | Currency | 币种 | ISO 4217 code of the amounts
-- column: numerator | Won | 赢单金额 | Amounts of opportunities decided that day that were won
-- column: denominator | Decided | 已决商机金额 | Amounts of opportunities decided that day: won or lost
-- column: value | Win rate | 赢单率 | Numerator by denominator, 1 is all
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

decided as (
    select
        coalesce(o.closed_date, (o.source_updated_at at time zone z.name)::date) as period,
        o.currency,
        o.amount,
        o.status
    from main.opportunities as o
    cross join zone as z
    where o.status in ('won', 'lost') and o.amount is not null
)

select
    period,
    currency,
    coalesce(sum(amount) filter (where status = 'won'), 0) as numerator,
    sum(amount) as denominator,
    (coalesce(sum(amount) filter (where status = 'won'), 0) / nullif(sum(amount), 0))::double as value
from decided
where period is not null
group by period, currency
