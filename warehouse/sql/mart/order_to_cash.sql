-- grain: one row an order as the customer placed it
-- key: order_id
-- among: order
-- en: What each side says of an order: where it was placed, OMS, ERP, carrier, gateway, bank, invoice.
-- zh: 各系统对同一订单的说法：下单方、OMS、ERP、承运商、支付网关、银行、发票。
-- of order: order_id, connection, stream, source_key, number, channel, shop_name, kind
-- column: is_of_shop | Of a shop | 店铺订单 | It was placed in a system that is a shop
-- column: is_of_oms | Of the OMS | OMS 订单 | It was placed in an OMS
-- column: is_of_erp | Of the ERP | ERP 订单 | It was typed into an ERP
-- of order: party_id
-- of party: name as party_name
-- column: placed_at | Placed at | 下单时间 | When the customer ordered; where no moment is told, when the order date began in the company's time zone
-- column: changed_at | Changed at | 变更时间 | When the system in which it was placed changed it last
-- of order: currency, total, current_total
-- column: status | Status | 订单状态 | As the system says in which it was placed
-- column: payment_status | Payment status | 付款状态 | As that system says
-- column: fulfillment_status | Fulfilment status | 发货状态 | As that system says
-- column: return_status | Return status | 退货状态 | As that system says
-- of order: payment_method, paid_total as said_paid_amount
-- column: oms_documents | OMS documents | OMS 单据数 | That carry it out
-- column: oms_numbers | OMS numbers | OMS 单号
-- column: oms_total | OMS total | OMS 金额 | Of these documents; of one for several orders its share
-- column: erp_documents | ERP documents | ERP 单据数 | That carry it out
-- column: erp_numbers | ERP numbers | ERP 单号
-- column: erp_total | ERP total | ERP 金额 | Of these documents; of one for several orders its share
-- column: parcel_count | Parcels | 已发包裹数 | That left
-- column: delivered_count | Delivered | 已签收包裹数 | That arrived
-- column: first_shipped_at | First shipped | 首次发货时间
-- column: last_shipped_at | Last shipped | 末次发货时间
-- column: last_delivered_at | Last delivered | 末次签收时间
-- column: tracking_numbers | Tracking numbers | 运单号
-- column: paid_amount | Paid | 已收金额 | Payments that succeeded, whoever tells of them
-- column: gateway_paid_amount | Paid at gateways | 网关收款 | Of these, what a gateway tells of
-- column: bank_paid_amount | Paid at banks | 银行收款 | Of these, what a bank tells of
-- column: refunded_amount | Given back | 已退金额 | Refunds and chargebacks that succeeded
-- column: gateway_refunded_amount | Given back at gateways | 网关退款 | Of these, what a gateway tells of
-- column: payment_count | Payments | 收款笔数
-- column: first_paid_at | First paid | 首次收款时间
-- column: last_paid_at | Last paid | 末次收款时间
-- column: first_refunded_at | First given back | 首次退款时间
-- column: last_refunded_at | Last given back | 末次退款时间
-- column: return_count | Returns | 退货数 | That are not rejected or cancelled
-- column: last_returned_at | Last returned | 末次退货时间 | As far as the newest return has come
-- column: invoice_count | Invoices | 发票数 | Given, and standing
-- column: invoice_numbers | Invoice numbers | 发票号码
-- column: first_invoiced_on | First invoiced | 首次开票日期
-- column: last_due_on | Last due | 最后到期日
-- column: last_settled_on | Last settled | 最后付清日期
-- column: hours_to_ship | Hours to ship | 发货耗时（小时） | From placed to the first parcel
-- column: hours_to_deliver | Hours to deliver | 签收耗时（小时） | From placed to the last parcel that arrived
-- Money is counted in the order's currency alone. What a merged document is about is shared among
-- its orders by their totals.
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

roles as (
    select connection, stream, list(role order by role) as roles
    from recon.roles
    group by connection, stream
),

orders as (
    select * from main.orders
    -- Nobody pays for an order that tried the shop.
    where is_test is not true
),

-- What the system says in which it was placed; golden rows may tell what another knows better.
placed as (
    select
        o.order_id, s.status, s.payment_status, s.fulfillment_status, s.return_status,
        coalesce(s.source_updated_at, s.source_created_at) as changed_at
    from orders as o
    inner join source.orders as s
        on o.connection = s.connection and o.stream = s.stream and o.source_key = s.source_key
),

served as (
    select m.connection, m.stream, m.source_key, sum(o.total) as served
    from mart.merged_orders as m
    inner join orders as o on m.order_id = o.order_id
    group by m.connection, m.stream, m.source_key
),

documents as (
    select
        d.order_id, list_contains(r.roles, 'oms') as is_oms, list_contains(r.roles, 'erp') as is_erp,
        s.number, s.currency, s.status, s.total, o.total as placed_total, o.currency as placed_currency,
        v.connection is not null as is_merged, v.served
    from main.order_documents as d
    inner join orders as o on d.order_id = o.order_id
    inner join source.orders as s
        on d.connection = s.connection and d.stream = s.stream and d.source_key = s.source_key
    left join roles as r on d.connection = r.connection and d.stream = r.stream
    left join served as v
        on d.connection = v.connection and d.stream = v.stream and d.source_key = v.source_key
    where d.role <> 'placed' and s.is_deleted is not true
        and s.status is distinct from 'cancelled'
        and coalesce(s.kind, 'sale') not in ('return', 'exchange')
),

carried as (
    select
        order_id,
        count(*) filter (where is_oms) as oms_documents,
        string_agg(number, ', ' order by number) filter (where is_oms) as oms_numbers,
        sum(part) filter (where is_oms) as oms_total,
        count(*) filter (where is_erp) as erp_documents,
        string_agg(number, ', ' order by number) filter (where is_erp) as erp_numbers,
        sum(part) filter (where is_erp) as erp_total
    from (
        select
            *,
            case
                when currency is distinct from placed_currency then null
                when not is_merged then total
                when served > 0 then (total * (placed_total / served))::decimal(18, 4)
            end as part
        from documents
    )
    group by order_id
),

money as (
    select
        order_id,
        currency,
        sum(amount) filter (where kind = 'payment') as paid_amount,
        sum(amount) filter (where kind = 'payment' and is_gateway) as gateway_paid_amount,
        sum(amount) filter (where kind = 'payment' and is_bank) as bank_paid_amount,
        sum(amount) filter (where kind in ('refund', 'chargeback')) as refunded_amount,
        sum(amount) filter (where kind in ('refund', 'chargeback') and is_gateway)
            as gateway_refunded_amount,
        min(paid_at) filter (where kind = 'payment') as first_paid_at,
        max(paid_at) filter (where kind = 'payment') as last_paid_at,
        min(paid_at) filter (where kind in ('refund', 'chargeback')) as first_refunded_at,
        max(paid_at) filter (where kind in ('refund', 'chargeback')) as last_refunded_at,
        count(*) filter (where kind = 'payment') as payment_count
    from mart.order_payments
    group by order_id, currency
),

parcels as (
    select
        order_id,
        count(*) filter (where is_shipped) as parcel_count,
        count(*) filter (where is_delivered) as delivered_count,
        min(shipped_at) filter (where is_shipped) as first_shipped_at,
        max(shipped_at) filter (where is_shipped) as last_shipped_at,
        max(delivered_at) filter (where is_delivered) as last_delivered_at,
        string_agg(tracking_number, ', ' order by tracking_number) as tracking_numbers
    from mart.order_shipments
    group by order_id
),

billed as (
    select coalesce(i.order_id, r.order_id) as order_id, i.invoice_id
    from main.invoices as i
    left join mart.order_references as r on case when i.order_id is null then lower(trim(i.order_number)) end = r.number
    union
    select order_id, invoice_id from main.invoice_lines where order_id is not null
),

invoices as (
    select
        b.order_id,
        count(*) as invoice_count,
        string_agg(i.number, ', ' order by i.number) as invoice_numbers,
        min(i.issue_date) as first_invoiced_on,
        max(i.due_date) as last_due_on,
        max(i.paid_date) as last_settled_on
    from billed as b
    inner join main.invoices as i on b.invoice_id = i.invoice_id
    where b.order_id is not null and i.direction is distinct from 'payable'
        and coalesce(i.status, 'issued') not in ('void', 'red_offset')
        and coalesce(i.kind, 'standard') not in ('credit', 'proforma')
    group by b.order_id
),

came_back as (
    select
        coalesce(t.order_id, r.order_id) as order_id,
        count(*) as return_count,
        max(coalesce(t.received_at, t.closed_at, t.approved_at, t.requested_at)) as last_returned_at
    from main.returns as t
    left join mart.order_references as r on case when t.order_id is null then lower(trim(t.order_number)) end = r.number
    where coalesce(t.status, 'requested') not in ('cancelled', 'rejected')
    group by 1
),

parties as (
    select party_id, name, kind from main.parties
)

select
    o.order_id,
    o.connection,
    o.stream,
    o.source_key,
    o.number,
    o.channel,
    o.shop_name,
    o.kind,
    coalesce(list_contains(r.roles, 'shop'), false) as is_of_shop,
    coalesce(list_contains(r.roles, 'oms'), false) as is_of_oms,
    coalesce(list_contains(r.roles, 'erp'), false) as is_of_erp,
    o.party_id,
    y.name as party_name,
    coalesce(o.placed_at, timezone(z.name, o.order_date::timestamp)) as placed_at,
    p.changed_at,
    o.currency,
    o.total,
    o.current_total,
    p.status,
    p.payment_status,
    p.fulfillment_status,
    p.return_status,
    o.payment_method,
    o.paid_total as said_paid_amount,
    coalesce(c.oms_documents, 0) as oms_documents,
    c.oms_numbers,
    c.oms_total,
    coalesce(c.erp_documents, 0) as erp_documents,
    c.erp_numbers,
    c.erp_total,
    coalesce(s.parcel_count, 0) as parcel_count,
    coalesce(s.delivered_count, 0) as delivered_count,
    s.first_shipped_at,
    s.last_shipped_at,
    s.last_delivered_at,
    s.tracking_numbers,
    coalesce(m.paid_amount, 0) as paid_amount,
    coalesce(m.gateway_paid_amount, 0) as gateway_paid_amount,
    coalesce(m.bank_paid_amount, 0) as bank_paid_amount,
    coalesce(m.refunded_amount, 0) as refunded_amount,
    coalesce(m.gateway_refunded_amount, 0) as gateway_refunded_amount,
    coalesce(m.payment_count, 0) as payment_count,
    m.first_paid_at,
    m.last_paid_at,
    m.first_refunded_at,
    m.last_refunded_at,
    coalesce(b.return_count, 0) as return_count,
    b.last_returned_at,
    coalesce(i.invoice_count, 0) as invoice_count,
    i.invoice_numbers,
    i.first_invoiced_on,
    i.last_due_on,
    i.last_settled_on,
    epoch(s.first_shipped_at - coalesce(o.placed_at, timezone(z.name, o.order_date::timestamp))) / 3600 as hours_to_ship,
    epoch(s.last_delivered_at - coalesce(o.placed_at, timezone(z.name, o.order_date::timestamp))) / 3600
        as hours_to_deliver
from orders as o
cross join zone as z
inner join placed as p on o.order_id = p.order_id
left join roles as r on o.connection = r.connection and o.stream = r.stream
left join carried as c on o.order_id = c.order_id
left join money as m on o.order_id = m.order_id and o.currency is not distinct from m.currency
left join parcels as s on o.order_id = s.order_id
left join invoices as i on o.order_id = i.order_id
left join came_back as b on o.order_id = b.order_id
left join parties as y on o.party_id = y.party_id
