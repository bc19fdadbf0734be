-- grain: one row a day on which opportunities were decided
-- key: period
-- en: Win rate, counted: opportunities won ÷ opportunities won or lost. Open ones are in neither. An
--   opportunity counts for the day on which it was closed; where its system does not say, for the day of
--   its last change there, which is the decision or later. Needs opportunities.
-- zh: 商机赢单率（按数量）：赢单 ÷（赢单 + 输单），进行中的不计。按结束日期计，未提供时按该商机在源系统的最后变更日计。需要商机数据。
-- column: period | Day | 日期 | On which they were decided, in the company's time zone
-- column: numerator | Won | 赢单数 | Opportunities decided that day that were won
-- column: denominator | Decided | 已决商机数 | Opportunities decided that day: won or lost
-- column: value | Win rate | 赢单率 | Numerator by denominator, 1 is all
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

decided as (
    select
        coalesce(o.closed_date, (o.source_updated_at at time zone z.name)::date) as period,
        o.status
    from main.opportunities as o
    cross join zone as z
    where o.status in ('won', 'lost')
)

select
    period,
    count(*) filter (where status = 'won') as numerator,
    count(*) as denominator,
    (count(*) filter (where status = 'won') / nullif(count(*), 0))::double as value
from decided
where period is not null
group by period
