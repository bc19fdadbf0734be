-- grain: one row an order and a number by which it is found, whole numbers before beginnings
-- takes: q text
with said as (
    select lower(trim($q)) as q
),

numbers as (
    select order_id, 'order' as what, connection, number as said from unified.orders
    union all
    select order_id, 'order', connection, platform_order_no from unified.orders
    union all
    select order_id, 'order', connection, merchant_order_no from unified.orders
    union all
    select d.order_id, 'document', s.connection, unnest([s.number, s.source_key, s.platform_order_no, s.po_number])
    from unified.order_documents as d
    inner join source.orders as s
        on d.connection = s.connection and d.stream = s.stream and d.source_key = s.source_key
    union all
    select order_id, 'parcel', connection, tracking_number from mart.order_shipments
    union all
    select o.order_id, 'payment', o.connection, unnest([o.number, p.provider_transaction_id, p.merchant_order_no])
    from mart.order_payments as o
    inner join unified.payments as p on o.payment_id = p.payment_id
    union all
    select order_id, 'invoice', connection, unnest([number, e_invoice_no]) from unified.invoices
    where order_id is not null
    union all
    select order_id, 'return', connection, unnest([number, source_key]) from unified.returns
    where order_id is not null
    union all
    select order_id, 'refund', connection, unnest([number, provider_refund_id, merchant_refund_no])
    from unified.refunds
    where order_id is not null
),

found as (
    select n.order_id, n.what, n.connection, n.said, lower(trim(n.said)) = s.q as is_whole
    from numbers as n
    cross join said as s
    where starts_with(lower(trim(n.said)), s.q) and length(s.q) >= 3 or lower(trim(n.said)) = s.q
),

best as (
    select
        order_id, bool_or(is_whole) as is_whole,
        min_by({'what': what, 'connection': connection, 'said': said}, [length(said), if(what = 'order', 0, 1)]) as hit
    from found
    where is_whole or not exists (select 1 from found where is_whole)
    group by order_id
)

select
    o.number, b.hit.what as found_as, b.hit.said as found_number, b.hit.connection as connection, o.placed_at, o.party_name, o.total,
    o.currency, o.status, o.order_id
from best as b
inner join mart.orders as o on b.order_id = o.order_id
order by b.is_whole desc, o.placed_at desc, o.number
limit $most
