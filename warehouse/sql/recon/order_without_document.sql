-- grain: one row an order of a shop that the ERP should have and has not
-- kind: missing_right
-- severity: error
-- among: order order_id
-- needs: shop order, erp order
-- en: A paid order of the shop for which the ERP has no document.
-- zh: 网店已付款的订单在 ERP 中没有对应单据。
-- do-en: Hand the order over to the ERP, or find out why the interface left it out.
-- do-zh: 将订单传入 ERP，或查明接口漏单的原因。
-- Only shops and channels whose orders the ERP takes over at all, from the first order on that it took.
with erp as (
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
from step.expected_in_erp as s
inner join step.erp_channels as t
    on s.connection = t.connection and s.channel is not distinct from t.channel
    and s.shop_name is not distinct from t.shop_name
inner join mart.order_to_cash as e on s.order_id = e.order_id
cross join erp
where s.erp_documents = 0 and s.placed_at >= t.since
