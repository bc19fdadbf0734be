-- grain: one row a rule of reconciliation: whether it runs and what it found
select
    rule, severity, is_on, applies, needs, open_count, timing_count, explained_count, ran_at, failed, english, chinese
from recon.rules
order by failed is null, not applies, rule
limit $most
