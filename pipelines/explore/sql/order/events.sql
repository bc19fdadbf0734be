-- grain: one row something that a system tells of an order, the first first
-- takes: id id
with documents as (
    select
        d.role, s.connection, s.stream, s.number, s.source_key, s.total, s.currency, s.status,
        s.placed_at, s.order_date, s.confirmed_at, s.paid_at, s.cancelled_at, s.closed_at, s.source_created_at
    from unified.order_documents as d
    inner join source.orders as s
        on d.connection = s.connection and d.stream = s.stream and d.source_key = s.source_key
    where d.order_id = $id::uuid and s.is_deleted is not true
),

told as (
    select coalesce(placed_at, order_date::timestamptz) as told_at, 'placed' as step, connection, number, total as amount,
        currency, status as said
    from documents where role = 'placed'
    union all
    select
        coalesce(source_created_at, placed_at, order_date::timestamptz), 'document', connection, number, total,
        currency, status
    from documents where role <> 'placed'
    union all
    select cancelled_at, 'cancelled', connection, number, null, null, null from documents where cancelled_at is not null
    union all
    select
        paid_at,
        case when kind = 'payment' then 'paid' when kind in ('refund', 'chargeback') then 'refunded' else 'fee' end,
        connection, number, amount, currency, coalesce(provider, method)
    from mart.order_payments where order_id = $id::uuid
    union all
    select shipped_at, 'shipped', connection, tracking_number, null, null, carrier_name
    from mart.order_shipments where order_id = $id::uuid and is_shipped
    union all
    select delivered_at, 'delivered', connection, tracking_number, null, null, carrier_name
    from mart.order_shipments where order_id = $id::uuid and is_delivered
    union all
    select e.occurred_at, 'carried', e.connection, e.tracking_number, null, null,
        concat_ws(' · ', e.status, coalesce(e.place, e.description))
    from unified.shipment_events as e
    where e.shipment_id in (select shipment_id from mart.order_shipments where order_id = $id::uuid)
        and e.status is distinct from 'delivered'
    union all
    select coalesce(received_at, approved_at, requested_at), 'returned', connection, number, refund_amount,
        currency, coalesce(reason_code, status)
    from unified.returns where order_id = $id::uuid
    union all
    select coalesce(opened_at, source_created_at), 'ticket', connection, number, null, null, status
    from unified.tickets where order_id = $id::uuid
),

billed as (
    select i.issue_date::timestamptz as told_at, 'invoiced' as step, i.connection, i.number, i.gross as amount, i.currency,
        i.status as said
    from unified.invoices as i
    where i.direction is distinct from 'payable'
        and (i.order_id = $id::uuid
            or i.invoice_id in (select invoice_id from unified.invoice_lines where order_id = $id::uuid)
            or (i.order_id is null and lower(trim(i.order_number)) in (
                select number from mart.order_references where order_id = $id::uuid
            )))
)

select told_at, step, connection, number, amount, currency, said
from (select * from told union all select * from billed)
order by
    told_at nulls last,
    list_position(['placed', 'document', 'paid', 'fee', 'shipped', 'carried', 'delivered'], step) nulls last,
    connection, number
limit $most
