-- grain: one row a record that names another which is not there, or a missing product
-- kind: orphan
-- severity: warning
-- needs: order
-- en: A record names a customer, order or product that its own system did not send.
-- zh: 记录引用了本系统中不存在的客户、订单或商品。
-- do-en: Sync the stream that it belongs to in full; look in the quarantine for the missing record.
-- do-zh: 全量同步所属数据流，并在隔离区中查找缺失的记录。
-- Only where the connection sends such records at all, from the first of them on. What is deleted there
-- or there twice is not missing; 0 is no key. Lines are told once for each missing product.
with fed as (
    select 'party' as target, connection, min(first_seen_at) as since from source.parties group by connection
    union all
    select 'order', connection, min(first_seen_at) from source.orders group by connection
    union all
    select 'product', connection, min(first_seen_at) from source.products group by connection
),

records as (
    select
        'order' as entity, 'customer_key' as field, 'party' as target, s.connection, s.stream, s.source_key,
        s.number, s.customer_key as missing, g.order_id as order_id, coalesce(s.placed_at, timezone(getvariable('recon_zone'), s.order_date::timestamp)) as at, s.synced_at as seen_at
    from main.orders as g
    inner join source.orders as s
        on g.connection = s.connection and g.stream = s.stream and g.source_key = s.source_key
    where g.customer_key is not null and g.party_id is null and s.customer_key is not null
        and s.connection in (select connection from fed where target = 'party')
    union all
    select
        'payment', 'order_key', 'order', s.connection, s.stream, s.source_key,
        s.number, s.order_key, null, coalesce(s.paid_at, s.source_created_at), s.synced_at
    from main.payments as g
    inner join main.xref as x on x.entity = 'payment' and g.payment_id = x.golden_id
    inner join source.payments as s
        on x.connection = s.connection and x.stream = s.stream and x.source_key = s.source_key
    where g.order_key is not null and g.order_id is null and s.order_key is not null and s.is_deleted is not true
    union all
    select
        'shipment', 'order_key', 'order', s.connection, s.stream, s.source_key,
        s.number, s.order_key, null, coalesce(s.shipped_at, s.source_created_at), s.synced_at
    from main.shipments as g
    inner join main.xref as x on x.entity = 'shipment' and g.shipment_id = x.golden_id
    inner join source.shipments as s
        on x.connection = s.connection and x.stream = s.stream and x.source_key = s.source_key
    where g.order_key is not null and g.order_id is null and s.order_key is not null and s.is_deleted is not true
    union all
    select
        'return' as entity, 'order_key' as field, 'order' as target, s.connection, s.stream, s.source_key,
        s.number, s.order_key as missing, null as order_id, coalesce(s.requested_at, s.source_created_at) as at, s.synced_at as seen_at
    from main.returns as g
    inner join source.returns as s
        on g.connection = s.connection and g.stream = s.stream and g.source_key = s.source_key
    where g.order_key is not null and g.order_id is null and s.order_key is not null
    union all
    select
        'refund' as entity, 'order_key' as field, 'order' as target, s.connection, s.stream, s.source_key,
        s.number, s.order_key as missing, null as order_id, coalesce(s.requested_at, s.source_created_at) as at, s.synced_at as seen_at
    from main.refunds as g
    inner join source.refunds as s
        on g.connection = s.connection and g.stream = s.stream and g.source_key = s.source_key
    where g.order_key is not null and g.order_id is null and s.order_key is not null
    union all
    select
        'invoice' as entity, 'order_key' as field, 'order' as target, s.connection, s.stream, s.source_key,
        s.number, s.order_key as missing, null as order_id, timezone(getvariable('recon_zone'), s.issue_date::timestamp) as at, s.synced_at as seen_at
    from main.invoices as g
    inner join source.invoices as s
        on g.connection = s.connection and g.stream = s.stream and g.source_key = s.source_key
    where g.order_key is not null and g.order_id is null and s.order_key is not null
    union all
    select
        'order_line', 'product_key', 'product', l.connection, l.stream, min(l.parent_key),
        min(o.number), l.product_key, null, min(coalesce(o.placed_at, timezone(getvariable('recon_zone'), o.order_date::timestamp))),
        min(o.synced_at)
    from main.order_lines as l
    inner join main.orders as o on l.order_id = o.order_id
    where l.product_key is not null and l.product_id is null
        and l.connection in (select connection from fed where target = 'product')
    group by l.connection, l.stream, l.product_key
),

begun as (
    select connection, min(coalesce(placed_at, timezone(getvariable('recon_zone'), order_date::timestamp))) as since
    from source.orders
    where connection in (select connection from records)
    group by connection
),

lost as (
    select r.*
    from records as r
    inner join fed as f on r.target = f.target and r.connection = f.connection
    left join begun as b on r.connection = b.connection
    where trim(r.missing) not in ('', '0')
        and (r.target <> 'order' or r.at is null or b.since is null or r.at >= b.since)
),

known as (
    select 'party' as target, connection, unnest([source_key, code]) as said
    from source.parties
    where source_key in (select missing from lost) or code in (select missing from lost)
    union all
    select 'order', connection, unnest([source_key, number])
    from source.orders
    where source_key in (select missing from lost) or number in (select missing from lost)
    union all
    select 'product', connection, unnest([source_key, sku, code, barcode])
    from source.products
    where source_key in (select missing from lost) or sku in (select missing from lost)
        or code in (select missing from lost) or barcode in (select missing from lost)
)

select
    l.connection || '/' || l.stream || '/' || l.entity || '/' || l.field || '/'
    || if(l.target = 'product', l.missing, l.source_key) as subject,
    l.order_id,
    l.connection as left_connection,
    -- The key of a person may be a phone number: it stands in the record that names it.
    if(l.target = 'party', null, l.missing) as left_key,
    l.connection as right_connection,
    l.source_key as right_key,
    l.number as right_number,
    l.target as expected_said,
    l.entity || '.' || l.field as actual_said,
    l.seen_at as happened_at
from lost as l
where (l.target, l.connection, l.missing) not in (
    select (target, connection, said) from known where said is not null
)
