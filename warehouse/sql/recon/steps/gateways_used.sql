-- grain: one row a gateway whose numbers are mostly those of orders
select connection
from step.gateway_numbers
group by connection
having count(*) filter (where is_bound) * 2 >= count(*)
