-- grain: one row a stream: its last good end against what was promised
with newest as (
    select connection, stream, status, read, quarantined, message
    from ops.runs
    qualify row_number() over (partition by connection, stream order by started_at desc) = 1
)

select
    f.connection, f.stream, f.last_success_at, f.fresh_as_of, f.lag_seconds, f.promise_seconds, f.is_kept,
    n.status, n.read, n.message
from ops.freshness as f
left join newest as n on f.connection = n.connection and f.stream = n.stream
order by f.is_kept, f.lag_seconds / nullif(f.promise_seconds, 0) desc nulls last, f.connection, f.stream
limit $most
