-- grain: one row an order that counts as a sale
-- key: order_id
-- en: How each sale was served: when it was placed, left and arrived, and whether it was right.
--   Sales are orders that are no test, not cancelled, no draft, and of kind sale, presale,
--   subscription or unknown; days are those of the company's time zone.
-- zh: 每张销售订单的履约情况：下单、发货、签收时间及是否无差错。
--   销售订单不含测试单、已取消、草稿，类型为销售、预售、订阅或未知；日期按公司时区。
-- of order: order_id, connection, number, party_id, currency, total
-- column: placed_on | Placed on | 下单日期 | Day of placed_at, or the order date where no moment is told
-- of order: placed_at
-- column: shipped_at | Shipped at | 首次发货时间 | When the first parcel left; what the order says where no shipment is known
-- column: delivered_at | Delivered at | 签收时间 | When the last parcel arrived; null until all have
-- column: promised_at | Promised at | 承诺交期 | Of the order, else the last of its shipments
-- column: shipment_count | Shipments | 发货单数 | That are not cancelled
-- column: is_right | Right goods | 货品无误 | Of each SKU what was ordered left, nothing else, and nothing came back as wrong or missing; null where it has not left whole or the goods are not told
-- column: is_on_time | On time | 准时 | Arrived by the promise; null without one
-- column: is_undamaged | Undamaged | 无破损 | Nothing came back as damaged or of bad quality; null where no system tells of returns of the order
-- column: return_reasons | Return reasons | 退货原因 | Classes of the reasons for which something came back, not rejected or cancelled; unknown where none is told, null where nothing did
-- column: is_documented | Documented | 单据一致 | The documents of other systems that carry it out alone have its total, within 0.01; null where there is none
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

orders as (
    select
        o.*,
        coalesce((o.placed_at at time zone z.name)::date, o.order_date) as placed_on
    from main.orders as o
    cross join zone as z
    where
        o.is_test is not true
        and coalesce(o.status, 'unknown') not in ('cancelled', 'draft')
        and coalesce(o.kind, 'unknown') in ('sale', 'presale', 'subscription', 'unknown')
),

shipments as (
    select * from main.shipments where coalesce(status, 'unknown') <> 'cancelled'
),

-- A shipment may serve several orders by its lines, and name its order by a number alone.
parcels as (
    select shipment_id, order_id from mart.order_shipments
),

ways as (
    select
        p.order_id,
        count(*) as shipment_count,
        min(s.shipped_at) as shipped_at,
        case when count(*) = count(s.delivered_at) then max(s.delivered_at) end as delivered_at,
        max(s.promised_at) as promised_at
    from parcels as p
    inner join shipments as s on p.shipment_id = s.shipment_id
    group by p.order_id
),

wanted as (
    select
        order_id,
        sku,
        sum(quantity) as most,
        sum(least(quantity, coalesce(current_quantity, quantity))) as least
    from main.order_lines
    where coalesce(kind, 'product') = 'product'
    group by order_id, sku
),

sent as (
    select
        coalesce(l.order_id, s.order_id, r.order_id) as order_id, l.sku, sum(l.quantity) as quantity
    from main.shipment_lines as l
    inner join shipments as s on l.shipment_id = s.shipment_id
    left join mart.order_references as r
        on case when s.order_id is null then lower(trim(s.order_number)) end = r.number
    where coalesce(l.order_id, s.order_id, r.order_id) is not null
    group by all
),

told as (
    select order_id, bool_and(sku is not null and quantity is not null) as is_known
    from sent
    group by order_id
),

goods as (
    select
        coalesce(w.order_id, s.order_id) as order_id,
        bool_and(
            coalesce(s.quantity, 0) >= coalesce(w.least, 0)
            and coalesce(s.quantity, 0) <= coalesce(w.most, 0)
        ) as is_right,
        bool_and(w.order_id is null or (w.sku is not null and w.most is not null)) as is_known
    from wanted as w
    full join sent as s on w.order_id = s.order_id and w.sku = s.sku
    group by all
),

returns as (
    select
        coalesce(t.order_id, r.order_id) as order_id,
        bool_or(t.reason_code in ('wrong_item', 'missing')) as is_wrong,
        bool_or(t.reason_code in ('damaged', 'quality')) as is_damaged,
        string_agg(
            distinct coalesce(t.reason_code, 'unknown'), ', '
            order by coalesce(t.reason_code, 'unknown')
        ) as return_reasons
    from main.returns as t
    left join mart.order_references as r
        on case when t.order_id is null then lower(trim(t.order_number)) end = r.number
    where coalesce(t.status, 'unknown') not in ('rejected', 'cancelled')
    group by 1
),

documents as (
    select distinct order_id, connection from main.order_documents
),

tellers as (
    select distinct connection from source.returns where is_deleted is not true
),

asked as (
    select distinct d.order_id
    from documents as d
    inner join tellers as t on d.connection = t.connection
),

-- Of documents that carry out one order each, and no other document of their connection does.
alone as (
    select d.order_id, d.connection, any_value(d.stream) as stream, any_value(d.source_key) as source_key
    from main.order_documents as d
    where d.role <> 'placed' and d.share = 1
    group by d.order_id, d.connection
    having count(*) = 1
),

agreeing as (
    select
        a.order_id,
        bool_and(abs(s.total - o.total) <= 0.01) as is_documented
    from alone as a
    inner join source.orders as s
        on a.connection = s.connection and a.stream = s.stream and a.source_key = s.source_key
    inner join orders as o
        on a.order_id = o.order_id and s.currency is not distinct from o.currency
    where s.total is not null
    group by a.order_id
)

select
    o.order_id,
    o.connection,
    o.number,
    o.party_id,
    o.currency,
    o.total,
    o.placed_on,
    o.placed_at,
    case when w.order_id is null then o.shipped_at else w.shipped_at end as shipped_at,
    w.delivered_at,
    coalesce(o.promised_at, w.promised_at) as promised_at,
    coalesce(w.shipment_count, 0) as shipment_count,
    case
        when
            t.is_known and g.is_known
            and coalesce(o.fulfillment_status, 'unknown') <> 'partial'
            then g.is_right and coalesce(not r.is_wrong, true)
    end as is_right,
    w.delivered_at <= coalesce(o.promised_at, w.promised_at) as is_on_time,
    case
        when k.order_id is not null or r.order_id is not null then coalesce(not r.is_damaged, true)
    end as is_undamaged,
    r.return_reasons,
    d.is_documented
from orders as o
left join ways as w on o.order_id = w.order_id
left join told as t on o.order_id = t.order_id
left join goods as g on o.order_id = g.order_id
left join returns as r on o.order_id = r.order_id
left join asked as k on o.order_id = k.order_id
left join agreeing as d on o.order_id = d.order_id
