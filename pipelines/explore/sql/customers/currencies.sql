-- grain: one row a currency that customers bought in
select m.currency, count(*) as customers, sum(m.revenue) as revenue
from (select unnest(by_currency, recursive := true) from mart.customer_360) as m
where m.currency is not null and m.order_count > 0
group by m.currency
order by customers desc, m.currency
