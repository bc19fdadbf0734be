-- grain: one row an order of which a carrier has a parcel and the shop says that nothing left
-- kind: status
-- severity: warning
-- among: order order_id
-- needs: carrier shipment, shop order
-- en: The carrier has or has delivered a parcel of an order that is open in the shop.
-- zh: 承运商已揽收或签收包裹，而网店订单仍为未发货。
-- do-en: Tell the shop the tracking number, so that the customer hears of it and nobody sends twice.
-- do-zh: 将运单号回传网店，以便通知客户并避免重复发货。
-- Of an order in several parcels the shop may wait for more: only orders that are wholly open there.
with told as (
    select s.*
    from mart.order_shipments as s
    inner join (select distinct connection from recon.roles where role = 'carrier') as r
        on s.connection = r.connection
    where s.status in ('shipped', 'in_transit', 'out_for_delivery', 'delivered')
),

parcels as (
    select
        order_id,
        arg_min(shipment_id, {'at': coalesce(shipped_at, delivered_at, TIMESTAMPTZ '1970-01-01'), 'id': shipment_id}) as shipment_id,
        arg_max(status, {'at': coalesce(delivered_at, shipped_at, TIMESTAMPTZ '1970-01-01'), 'id': shipment_id}) as status,
        min(coalesce(shipped_at, delivered_at)) as sent_at
    from told
    group by order_id
)

select
    o.connection || '/' || o.stream || '/' || o.source_key as subject,
    o.order_id,
    o.party_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.number as left_number,
    s.connection as right_connection,
    s.source_key as right_key,
    s.tracking_number as right_number,
    p.status as expected_said,
    o.fulfillment_status as actual_said,
    p.sent_at as happened_at
from parcels as p
inner join mart.order_to_cash as o on p.order_id = o.order_id
inner join main.shipments as s on p.shipment_id = s.shipment_id
where o.is_of_shop and o.fulfillment_status = 'unfulfilled'
    and o.status is distinct from 'cancelled'
