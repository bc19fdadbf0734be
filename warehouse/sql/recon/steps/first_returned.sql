-- grain: one row: when the first return that is known began
select min(coalesce(requested_at, approved_at, received_at, source_created_at)) as since
from main.returns
