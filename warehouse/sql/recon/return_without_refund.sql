-- grain: one row a return whose goods are back and whose money is not
-- kind: missing_left
-- severity: warning
-- among: order order_id
-- needs: gateway|bank payment, return
-- en: Goods came back, and no money was given back for them.
-- zh: 退货已收到，但没有对应退款。
-- do-en: Give the money back, or note on the return why none is due.
-- do-zh: 办理退款，或在退货单上注明无需退款的原因。
-- Returns that were received of orders whose payment a gateway or bank tells of, so that it would tell
-- of the refund too. Exchanges and repairs, and returns that say 0, expect none.
with given as (
    select order_id from mart.order_payments where kind in ('refund', 'chargeback')
    union
    select order_id from main.refunds where status = 'succeeded'
),

came_back as (
    select
        t.*, coalesce(t.order_id, r.order_id) as of_order,
        coalesce(t.received_at, t.closed_at, t.approved_at, t.requested_at, t.source_created_at) as at
    from main.returns as t
    left join mart.order_references as r on case when t.order_id is null then lower(trim(t.order_number)) end = r.number
    where t.status in ('received', 'closed')
        and coalesce(t.kind, 'return_refund') in ('return_refund', 'refund_only')
        and coalesce(t.refund_amount, 1) > 0
)

select
    t.connection || '/' || t.stream || '/' || t.source_key as subject,
    o.order_id,
    o.party_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.number as left_number,
    t.connection as right_connection,
    t.source_key as right_key,
    t.number as right_number,
    coalesce(t.currency, o.currency) as currency,
    t.refund_amount as expected,
    0::decimal(18, 4) as actual,
    t.at as happened_at
from came_back as t
inner join mart.order_to_cash as o on t.of_order = o.order_id
where o.gateway_paid_amount + o.bank_paid_amount > 0
    and coalesce(o.payment_status, 'paid') not in ('refunded', 'partially_refunded')
    and o.order_id not in (select order_id from given where order_id is not null)
