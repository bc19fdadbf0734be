-- grain: one row a KPI, month, part and currency
select kpi, period, part, value, numerator, denominator, unit, currency
from mart.kpis
order by kpi, part, currency, period
limit $most * 20
