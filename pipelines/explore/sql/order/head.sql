-- grain: one row: an order and what each side says of it
-- takes: id id
select *
from mart.order_to_cash
where order_id = $id::uuid
