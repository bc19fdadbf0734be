-- grain: one row an order whose lines do not add up to its total
-- kind: amount
-- severity: warning
-- among: order order_id
-- needs: shop|oms|erp order, shop|oms|erp order_line
-- transit: 0d
-- en: The lines of an order do not add up to its own total.
-- zh: 订单明细合计与订单总额不一致。
-- do-en: Look at the order in its own system: a line is missing, or its mapping reads the wrong field.
-- do-zh: 在源系统中核对订单：可能缺少明细行，或字段映射取错。
-- Where hardly any order of a stream adds up nothing is said.
select
    o.connection || '/' || o.stream || '/' || o.source_key as subject,
    o.order_id,
    o.party_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.number as left_number,
    o.connection as right_connection,
    o.source_key as right_key,
    o.currency,
    o.total as expected,
    l.sum as actual,
    coalesce(o.source_updated_at, o.placed_at) as happened_at
from step.line_sums as l
inner join main.orders as o on l.order_id = o.order_id
where (l.connection, l.stream) not in (select (connection, stream) from step.line_habits)
    and l.off > getvariable('recon_tolerance') * greatest(l.many, 1)
