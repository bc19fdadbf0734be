-- grain: one row: an order as its golden row has it
-- takes: id id
select o.number, o.total, o.currency, o.status, o.shop_name, o.party_id, y.name as party_name
from unified.orders as o
left join unified.parties as y on o.party_id = y.party_id
where o.order_id = $id::uuid
