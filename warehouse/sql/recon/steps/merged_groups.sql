-- grain: one row an order and a connection in which one document stands for it and others
-- among: order
-- `group_id` is one order of all that hang together through such documents.
with recursive links as (
    select distinct a.connection, a.order_id as one, b.order_id as other
    from mart.merged_orders as a
    inner join mart.merged_orders as b
        on a.connection = b.connection and a.stream = b.stream and a.source_key = b.source_key
),

reach as (
    select connection, one, other from links
    union
    select r.connection, r.one, l.other
    from reach as r
    inner join links as l on r.connection = l.connection and r.other = l.one
)

select connection, one as order_id, min(other) as group_id
from reach
group by connection, one
