-- grain: one row a set of systems that know a customer
select array_to_string(systems, ' + ') as systems, count(*) as customers
from mart.customer_360
group by 1
order by customers desc, 1
limit 12
