-- grain: one row a run of a stream, the newest first
select started_at, connection, stream, status, read, landed, unchanged, inserted, updated, quarantined, deleted,
    epoch(ended_at - started_at) as seconds, message
from ops.runs
order by started_at desc, connection, stream
limit $most
