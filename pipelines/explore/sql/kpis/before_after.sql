-- grain: one row a KPI, part and currency: the days before a day against those from it on
-- takes: day date, days number
select kpi, part, unit, currency, before, after, change, change_share, before_count, after_count
from mart.kpi_before_after($day::date, days := $days::bigint)
order by kpi, part is distinct from 'all', part, currency
limit $most
