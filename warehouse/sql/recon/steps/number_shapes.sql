-- grain: one row a shape of the numbers that orders have: their signs without digits, and a length
select bare, long, bool_or(is_of_shop) as is_of_shop
from step.order_shapes
group by bare, long
