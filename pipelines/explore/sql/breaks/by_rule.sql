-- grain: one row a rule and currency: its open breaks by age
-- takes: status text
select
    b.rule, any_value(b.severity) as severity, b.currency, count(*) as breaks,
    count(*) filter (where date_diff('day', coalesce(b.happened_at, b.first_seen), $now::timestamptz) <= 7) as week,
    count(*) filter (where date_diff('day', coalesce(b.happened_at, b.first_seen), $now::timestamptz) between 8 and 30) as month,
    count(*) filter (where date_diff('day', coalesce(b.happened_at, b.first_seen), $now::timestamptz) > 30) as older,
    min(coalesce(b.happened_at, b.first_seen)) as oldest,
    sum(abs(coalesce(nullif(b.difference, 0), b.expected, b.actual))) filter (where b.currency is not null) as amount,
    any_value(r.english) as english, any_value(r.chinese) as chinese, any_value(r.kind) as kind
from recon.breaks as b
left join recon.rules as r on b.rule = r.rule
where b.status = $status
group by b.rule, b.currency
order by severity, breaks desc, b.rule, b.currency
