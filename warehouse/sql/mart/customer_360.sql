-- grain: one row a party
-- key: party_id
-- en: All that is known of a customer: which systems know it, what it ordered, paid, gave back,
--   complained of, and what the sales team works on. Amounts are of one currency each, tax included.
-- zh: 客户全景：哪些系统认识该客户，其订单、付款、退货、工单与商机。金额各按币种列示，含税。
-- of party: party_id, name, kind, status, level, country, region, city
-- column: systems | Known to | 所在系统 | Connections that have a record of it
-- column: record_count | Records | 源记录数 | Source records that are this party
-- column: order_count | Orders | 订单数 | Sales, as `mart.order_service` counts them
-- column: cancelled_order_count | Cancelled | 已取消订单数 | Orders that were cancelled
-- column: first_order_at | First order | 首次下单 | When it placed the first sale
-- column: last_order_at | Last order | 最近下单 | When it placed the last sale
-- column: currency | Currency | 主要币种 | Of the next five columns: that of most of its sales, then the first by name
-- column: revenue | Revenue | 销售额 | Sum of the totals of its sales
-- column: refunded_amount | Given back | 已退金额 | Refunds and chargebacks of its sales that succeeded
-- column: lifetime_value | Lifetime value | 客户终身价值 | Revenue less what was given back, up to now
-- column: open_amount | Open | 未收金额 | Of its sales what is not paid, each sale by itself: what one paid too much does not pay for another
-- column: average_order | Average order | 客单价 | Revenue by sale
-- column: by_currency | By currency | 分币种金额 | The same figures for every currency that it bought in
-- column: return_count | Returns | 退货数 | Returns of its orders, rejected and cancelled left out
-- column: ticket_count | Tickets | 工单数
-- column: open_ticket_count | Open tickets | 未关闭工单数 | Not closed
-- column: lead_count | Leads | 线索数 | That became this customer
-- column: open_opportunity_count | Open opportunities | 进行中商机数
-- column: won_opportunity_count | Won opportunities | 赢单数
-- column: lost_opportunity_count | Lost opportunities | 输单数
-- column: last_contact_at | Last contact | 最近联系时间 | Newest activity that is not planned or cancelled, or ticket
with parties as (
    select party_id, name, kind, status, level, country, region, city from main.parties
),

known as (
    select
        golden_id as party_id,
        list_sort(list(distinct connection)) as systems,
        count(*) as record_count
    from main.xref
    where entity = 'party'
    group by golden_id
),

orders as (
    select *, coalesce(status, 'unknown') = 'cancelled' as is_cancelled
    from mart.orders
    where
        party_id is not null
        and coalesce(status, 'unknown') <> 'draft'
        and coalesce(kind, 'unknown') in ('sale', 'presale', 'subscription', 'unknown')
),

sums as (
    select
        party_id,
        currency,
        count(*) filter (where not is_cancelled) as order_count,
        count(*) filter (where is_cancelled) as cancelled_order_count,
        min(placed_at) filter (where not is_cancelled) as first_order_at,
        max(placed_at) filter (where not is_cancelled) as last_order_at,
        count(total) filter (where not is_cancelled) as paid_for_count,
        sum(total) filter (where not is_cancelled) as revenue,
        sum(refunded_amount) filter (where not is_cancelled) as refunded_amount,
        sum(greatest(open_amount, 0)) filter (where not is_cancelled) as open_amount
    from orders
    group by party_id, currency
),

placed as (
    select
        party_id,
        sum(order_count)::bigint as order_count,
        sum(cancelled_order_count)::bigint as cancelled_order_count,
        min(first_order_at) as first_order_at,
        max(last_order_at) as last_order_at,
        list(
            struct_pack(
                currency := currency,
                order_count := paid_for_count,
                revenue := revenue,
                refunded_amount := refunded_amount,
                lifetime_value := revenue - refunded_amount,
                open_amount := open_amount
            )
            order by paid_for_count desc, currency
        ) filter (where paid_for_count > 0) as by_currency
    from sums
    group by party_id
),

returned as (
    select o.party_id, count(*) as return_count
    from main.returns as r
    inner join main.orders as o on r.order_id = o.order_id
    where coalesce(r.status, 'unknown') not in ('rejected', 'cancelled')
    group by o.party_id
),

asked as (
    select
        party_id,
        count(*) as ticket_count,
        count(*) filter (where coalesce(status, 'unknown') <> 'closed') as open_ticket_count,
        max(opened_at) as last_at
    from main.tickets
    group by party_id
),

leads as (
    select party_id, count(*) as lead_count
    from main.leads
    group by party_id
),

chances as (
    select
        party_id,
        count(*) filter (where status = 'open') as open_count,
        count(*) filter (where status = 'won') as won_count,
        count(*) filter (where status = 'lost') as lost_count
    from main.opportunities
    group by party_id
),

spoken as (
    select party_id, max(started_at) as last_at
    from main.activities
    where coalesce(status, 'done') not in ('planned', 'cancelled')
    group by party_id
)

select
    p.party_id,
    p.name,
    p.kind,
    p.status,
    p.level,
    p.country,
    p.region,
    p.city,
    k.systems,
    coalesce(k.record_count, 0) as record_count,
    coalesce(o.order_count, 0) as order_count,
    coalesce(o.cancelled_order_count, 0) as cancelled_order_count,
    o.first_order_at,
    o.last_order_at,
    o.by_currency[1].currency as currency,
    o.by_currency[1].revenue as revenue,
    o.by_currency[1].refunded_amount as refunded_amount,
    o.by_currency[1].lifetime_value as lifetime_value,
    o.by_currency[1].open_amount as open_amount,
    (o.by_currency[1].revenue / o.by_currency[1].order_count)::decimal(18, 4) as average_order,
    o.by_currency,
    coalesce(r.return_count, 0) as return_count,
    coalesce(t.ticket_count, 0) as ticket_count,
    coalesce(t.open_ticket_count, 0) as open_ticket_count,
    coalesce(l.lead_count, 0) as lead_count,
    coalesce(c.open_count, 0) as open_opportunity_count,
    coalesce(c.won_count, 0) as won_opportunity_count,
    coalesce(c.lost_count, 0) as lost_opportunity_count,
    greatest(s.last_at, t.last_at) as last_contact_at
from parties as p
left join known as k on p.party_id = k.party_id
left join placed as o on p.party_id = o.party_id
left join returned as r on p.party_id = r.party_id
left join asked as t on p.party_id = t.party_id
left join leads as l on p.party_id = l.party_id
left join chances as c on p.party_id = c.party_id
left join spoken as s on p.party_id = s.party_id
