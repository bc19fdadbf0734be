-- grain: one row an order of a shop that the ERP should have and has not
-- kind: missing_right
-- severity: error
-- needs: shop order, erp order
-- en: A paid order of the shop for which the ERP has no document.
-- zh: 网店已付款的订单在 ERP 中没有对应单据。
-- do-en: Hand the order over to the ERP, or find out why the interface left it out.
-- do-zh: 将订单传入 ERP，或查明接口漏单的原因。
-- Only shops and channels whose orders the ERP takes over at all (a tenth of them), from the first
-- order on that it took. Unpaid ones are not expected there unless nobody tells of payment or the
-- customer pays on delivery; cancelled ones, and those refunded before anything left, neither.
with expected as (
    select *
    from mart.order_to_cash
    where is_of_shop and not is_of_erp
        and coalesce(kind, 'sale') not in ('return', 'exchange')
        and coalesce(status, 'confirmed') not in ('cancelled', 'draft', 'pending_approval', 'on_hold')
        and (
            payment_status in ('paid', 'partially_refunded')
            or (payment_status = 'refunded' and parcel_count > 0)
            or (payment_status is null and status in ('confirmed', 'processing', 'completed'))
            or (payment_method = 'cod' and status in ('confirmed', 'processing', 'completed'))
        )
),

taken as (
    select connection, channel, shop_name
    from expected
    group by connection, channel, shop_name
    having count(*) filter (where erp_documents > 0) * 10 >= count(*)
),

begun as (
    select connection, channel, shop_name, min(placed_at) as since
    from expected
    where erp_documents > 0
    group by connection, channel, shop_name
),

erp as (
    select string_agg(distinct connection, ', ' order by connection) as connections
    from recon.roles where role = 'erp'
)

select
    e.connection || '/' || e.stream || '/' || e.source_key as subject,
    e.order_id,
    e.party_id,
    e.connection as left_connection,
    e.source_key as left_key,
    e.number as left_number,
    erp.connections as right_connection,
    e.currency,
    e.total as expected,
    e.placed_at as happened_at
from expected as e
inner join taken as t
    on e.connection = t.connection and e.channel is not distinct from t.channel
    and e.shop_name is not distinct from t.shop_name
inner join begun as b
    on e.connection = b.connection and e.channel is not distinct from b.channel
    and e.shop_name is not distinct from b.shop_name
cross join erp
where e.erp_documents = 0 and e.placed_at >= b.since
