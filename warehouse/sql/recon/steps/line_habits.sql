-- grain: one row a stream of which hardly any order adds up: it counts in a way of its own
-- of: lines_against_total
select connection, stream
from step.line_sums
group by connection, stream
having count(*) >= 20
    and count(*) filter (where off <= getvariable('recon_tolerance') * many) * 2 < count(*)
