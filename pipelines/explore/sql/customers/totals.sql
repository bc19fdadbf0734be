-- grain: one row: how many customers there are and who knows them
select
    count(*) as customers, count(*) filter (where len(systems) > 1) as shared,
    count(*) filter (where order_count > 0) as buyers, count(*) filter (where order_count > 1) as returning,
    (select count(*) from ops.suggestions where entity = 'party') as doubtful
from mart.customer_360
