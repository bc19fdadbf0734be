-- grain: one row: how many streams keep their promise
select
    count(*) as streams, count(*) filter (where is_kept is false) as late,
    count(*) filter (where last_success_at is null) as never, max(last_success_at) as newest
from ops.freshness
