-- grain: one row: a customer and what all systems know of it
-- takes: id id
select *
from mart.customer_360
where party_id = $id::uuid
