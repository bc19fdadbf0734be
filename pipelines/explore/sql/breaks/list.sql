-- grain: one row a break, errors before warnings, the dearest first
-- takes: status text, rule text
select
    b.break_id, b.rule, b.severity,
    concat_ws(' ', b.left_connection, coalesce(b.left_number, b.left_key)) as left_side,
    concat_ws(' ', b.right_connection, coalesce(b.right_number, b.right_key)) as right_side,
    b.expected, b.actual, b.difference, b.currency, b.expected_said, b.actual_said, b.happened_at,
    date_diff('day', coalesce(b.happened_at, b.first_seen), $now::timestamptz) as age_days,
    b.first_seen, b.explanation, r.english, r.chinese
from recon.breaks as b
left join recon.rules as r on b.rule = r.rule
where b.status = $status and ($rule = '' or b.rule = $rule)
order by b.severity, abs(coalesce(nullif(b.difference, 0), b.expected, b.actual)) desc nulls last, b.happened_at, b.subject
limit $most
