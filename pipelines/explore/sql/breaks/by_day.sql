-- grain: one row a week in which something happened that does not fit
-- takes: status text, rule text
select
    date_trunc('week', (coalesce(happened_at, first_seen) at time zone $zone)::date)::date as week,
    count(*) filter (where severity = 'error') as errors,
    count(*) filter (where severity <> 'error') as warnings
from recon.breaks
where status = $status and ($rule = '' or rule = $rule)
group by week
order by week
