-- grain: one row a stream that was held against its source
select
    connection, stream, count(*) as windows, sum(source_count) as source_count, sum(store_count) as store_count,
    sum(set_aside)::bigint as set_aside, sum(left_out)::bigint as left_out,
    count(*) filter (where status in ('missing', 'surplus', 'differs')) as differing,
    max(checked_at) as checked_at, string_agg(distinct status, ', ' order by status) as result
from ops.completeness
group by connection, stream
order by differing desc, connection, stream
limit $most
