-- grain: one row a parcel and an order of which it holds goods
-- key: order_id, shipment_id
-- among: order
-- en: What was sent for an order, as the carrier tells it, else as the sender does.
-- zh: 订单的包裹：以承运商所述为准，否则以发货方为准。
-- of shipment: order_id, shipment_id, connection, status, carrier_name, tracking_number, shipped_at
-- of shipment: delivered_at
-- column: is_shipped | Shipped | 已发货 | It left, by its status, else by its time
-- column: is_delivered | Delivered | 已签收 | It arrived, by its status, else by its time
with sent as (
    select
        shipment_id, order_id, connection, status, carrier_name, tracking_number,
        shipped_at, delivered_at, lower(trim(order_number)) as said
    from main.shipments
    where status is distinct from 'cancelled'
),

-- Of a document that carries out several orders the parcel is everybody's.
merged as (
    select x.golden_id as shipment_id, m.order_id
    from mart.merged_orders as m
    inner join source.shipments as s
        on m.connection = s.connection and m.source_key = s.order_key
    inner join main.xref as x
        on x.entity = 'shipment' and s.connection = x.connection and s.stream = x.stream
        and s.source_key = x.source_key
    where s.is_deleted is not true
),

bound as (
    select s.shipment_id, coalesce(s.order_id, r.order_id) as order_id
    from sent as s
    left join mart.order_references as r on case when s.order_id is null then s.said end = r.number
    where s.shipment_id not in (select shipment_id from merged)
    union
    select shipment_id, order_id from main.shipment_lines where order_id is not null
    union
    select shipment_id, order_id from merged
)

select
    b.order_id,
    s.shipment_id,
    s.connection,
    s.status,
    s.carrier_name,
    s.tracking_number,
    s.shipped_at,
    s.delivered_at,
    coalesce(
        s.status in ('shipped', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned'),
        s.shipped_at is not null
    ) as is_shipped,
    coalesce(s.status = 'delivered', s.delivered_at is not null) as is_delivered
from bound as b
inner join sent as s on b.shipment_id = s.shipment_id
where b.order_id is not null
