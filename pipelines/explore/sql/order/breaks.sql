-- grain: one row a break that is about the order
-- takes: id id
select
    b.rule, b.severity, b.status, b.left_connection, b.right_connection, b.expected, b.actual, b.currency,
    b.happened_at, b.break_id, r.english, r.chinese
from recon.breaks as b
left join recon.rules as r on b.rule = r.rule
where b.order_id = $id::uuid
order by b.status = 'resolved', b.severity, b.rule
limit $most
