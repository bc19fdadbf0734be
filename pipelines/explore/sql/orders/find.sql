-- grain: one row an order and the number by which it is found, whole numbers before beginnings
-- takes: q text
-- Every branch looks at one table's own numbers first: only what is found is joined.
with hits as (
    select
        o.order_id as order_id, 'order' as what, o.connection,
        unnest([o.number, o.platform_order_no, o.merchant_order_no, o.po_number]) as said
    from unified.orders as o
    where starts_with(lower(o.number), lower(trim($q)))
        or starts_with(lower(o.platform_order_no), lower(trim($q)))
        or starts_with(lower(o.merchant_order_no), lower(trim($q)))
        or starts_with(lower(o.po_number), lower(trim($q)))
    union all
    select
        d.order_id as order_id, 'document' as what, o.connection,
        unnest([o.number, o.source_key, o.platform_order_no]) as said
    from source.orders as o
    inner join unified.order_documents as d
        on o.connection = d.connection and o.stream = d.stream and o.source_key = d.source_key
    where o.is_deleted is not true and (starts_with(lower(o.number), lower(trim($q)))
        or starts_with(lower(o.source_key), lower(trim($q)))
        or starts_with(lower(o.platform_order_no), lower(trim($q))))
    union all
    select
        coalesce(p.order_id, l.order_id, o.order_id) as order_id, 'parcel' as what, p.connection,
        unnest([p.tracking_number, p.number]) as said
    from unified.shipments as p
    left join unified.shipment_lines as l on p.shipment_id = l.shipment_id and l.order_id is not null
    left join unified.orders as o on p.order_id is null and lower(p.order_number) = lower(o.number)
    where starts_with(lower(p.tracking_number), lower(trim($q)))
        or starts_with(lower(p.number), lower(trim($q)))
    union all
    select
        coalesce(p.order_id, a.order_id, o.order_id) as order_id, 'payment' as what, p.connection,
        unnest([p.number, p.provider_transaction_id, p.merchant_order_no, p.source_key]) as said
    from unified.payments as p
    left join unified.payment_allocations as a on p.payment_id = a.payment_id and a.order_id is not null
    left join unified.orders as o on p.order_id is null and lower(p.merchant_order_no) = lower(o.number)
    where starts_with(lower(p.number), lower(trim($q)))
        or starts_with(lower(p.provider_transaction_id), lower(trim($q)))
        or starts_with(lower(p.merchant_order_no), lower(trim($q)))
        or starts_with(lower(p.source_key), lower(trim($q)))
    union all
    select
        coalesce(i.order_id, l.order_id, o.order_id) as order_id, 'invoice' as what, i.connection,
        unnest([i.number, i.e_invoice_no]) as said
    from unified.invoices as i
    left join unified.invoice_lines as l on i.invoice_id = l.invoice_id and l.order_id is not null
    left join unified.orders as o on i.order_id is null and lower(i.order_number) = lower(o.number)
    where starts_with(lower(i.number), lower(trim($q)))
        or starts_with(lower(i.e_invoice_no), lower(trim($q)))
    union all
    select
        r.order_id as order_id, 'return' as what, r.connection,
        unnest([r.number, r.source_key]) as said
    from unified.returns as r
    where starts_with(lower(r.number), lower(trim($q)))
        or starts_with(lower(r.source_key), lower(trim($q)))
    union all
    select
        r.order_id as order_id, 'refund' as what, r.connection,
        unnest([r.number, r.provider_refund_id, r.merchant_refund_no]) as said
    from unified.refunds as r
    where starts_with(lower(r.number), lower(trim($q)))
        or starts_with(lower(r.provider_refund_id), lower(trim($q)))
        or starts_with(lower(r.merchant_refund_no), lower(trim($q)))
),

found as (
    select *, lower(trim(said)) = lower(trim($q)) as is_whole
    from hits
    where order_id is not null and starts_with(lower(said), lower(trim($q)))
),

best as (
    select
        order_id, bool_or(is_whole) as is_whole,
        min_by({'what': what, 'connection': connection, 'said': said}, [length(said), if(what = 'order', 0, 1)]) as hit
    from found
    where is_whole or (length(trim($q)) >= 3 and not exists (select 1 from found where is_whole))
    group by order_id
    order by order_id
    limit $most
)

select
    o.number, b.hit.what as found_as, b.hit.said as found_number, b.hit.connection as connection,
    coalesce(o.placed_at, o.order_date::timestamptz) as placed_at, y.name as party_name, o.total,
    o.currency, o.status, o.order_id
from best as b
inner join unified.orders as o on b.order_id = o.order_id
left join unified.parties as y on o.party_id = y.party_id
order by b.is_whole desc, placed_at desc, o.number
limit $most
