-- grain: one row a stream, field and reason: records that are missing because they are broken
select
    connection, stream, entity, field, reason, count(*) as records, min(first_at) as first_at, max(last_at) as last_at
from ops.quarantine
where status = 'open'
group by connection, stream, entity, field, reason
order by records desc, connection, stream, field
limit $most
