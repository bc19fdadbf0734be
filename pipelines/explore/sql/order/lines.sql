-- grain: one row a line of the order as it was placed
-- takes: id id
select l.line, l.sku, l.name, l.quantity, l.unit, l.unit_price, coalesce(l.gross, l.net) as total, l.currency
from unified.order_lines as l
inner join unified.orders as o
    on l.order_id = o.order_id and l.connection = o.connection and l.stream = o.stream
        and l.parent_key = o.source_key
where l.order_id = $id::uuid
order by l.line
limit $most
