-- grain: one row a day on which leads came in
-- key: period
-- en: Lead conversion: leads that became a customer ÷ leads that came in. A lead counts for the day on
--   which it was made at its source, whenever it was converted, so the newest days still rise. Converted
--   is status `converted`, or a moment of conversion. Needs leads.
-- zh: 线索转化率：已转化线索 ÷ 新增线索。按线索创建日计（与转化时间无关，故最近日期仍会上升）；状态为 converted 或有转化时间即为已转化。需要线索数据。
-- column: period | Day | 日期 | On which the leads were made, in the company's time zone
-- column: numerator | Converted | 已转化线索数 | Leads of the day that became a customer since
-- column: denominator | Came in | 新增线索数 | Leads of the day
-- column: value | Conversion | 转化率 | Numerator by denominator, 1 is all
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

leads as (
    select
        (coalesce(l.source_created_at, l.assigned_at) at time zone z.name)::date as period,
        coalesce(l.status = 'converted', false) or l.converted_at is not null as is_converted
    from main.leads as l
    cross join zone as z
)

select
    period,
    count(*) filter (where is_converted) as numerator,
    count(*) as denominator,
    count(*) filter (where is_converted) / count(*) as value
from leads
where period is not null
group by period
