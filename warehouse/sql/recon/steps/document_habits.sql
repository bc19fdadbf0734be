-- grain: one row a system and another whose documents hardly ever agree with its orders
-- of: document_amount
-- Where of twenty orders and more not even half agree, the system counts otherwise (without freight,
-- without tax).
select left_connection, right_connection
from step.document_sums
group by left_connection, right_connection
having count(*) >= 20 and count(*) filter (where off <= getvariable('recon_tolerance') * many) * 2 < count(*)
