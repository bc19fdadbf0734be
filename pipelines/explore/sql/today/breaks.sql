-- grain: one row a rule with open breaks, and currency
select
    b.rule, any_value(b.severity) as severity, b.currency, count(*) as breaks,
    sum(abs(b.difference)) filter (where b.currency is not null) as difference,
    any_value(r.english) as english, any_value(r.chinese) as chinese
from recon.breaks as b
left join recon.rules as r on b.rule = r.rule
where b.status = 'open'
group by b.rule, b.currency
order by severity, breaks desc, b.rule
