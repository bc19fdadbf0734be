-- grain: one row a number by which payments, parcels, invoices or returns name exactly one order
-- key: number
-- among: order
-- en: Numbers that stand on documents which name no order by its key, and the order that has each.
-- zh: 未按主键引用订单的单据所写的号码，以及唯一对应的订单。
-- column: number | Number | 单号 | In lower case, as documents write it
-- of shipment: order_id
-- What was placed has the first word; the number of a document that carries it out counts where no
-- order has it. A number that two orders have is nobody's.
with asked as (
    select lower(trim(merchant_order_no)) as number from main.payments where order_id is null
    union
    -- One payment of several orders names them all.
    select unnest(regexp_split_to_array(lower(trim(merchant_order_no)), '[,;，；、|+\s]+'))
    from main.payments
    where order_id is null and regexp_matches(trim(merchant_order_no), '[,;，；、|+\s]')
    union
    -- A document that carries out several orders leads to one of them: the number says which.
    select lower(trim(p.merchant_order_no))
    from main.payments as p
    inner join mart.merged_orders as m on p.order_id = m.order_id
    union
    select lower(trim(order_number)) from main.shipments where order_id is null
    union
    select lower(trim(order_number)) from main.invoices where order_id is null
    union
    select lower(trim(order_number)) from main.returns where order_id is null
    union
    select lower(trim(merchant_order_no)) from main.refunds where order_id is null
),

documents as (
    select d.number, d.merchant_order_no, x.golden_id as order_id
    from source.orders as d
    inner join main.xref as x
        on x.entity = 'order' and d.connection = x.connection and d.stream = x.stream
        and d.source_key = x.source_key
    where d.is_deleted is not true and x.rule is distinct from 'merged document'
        and (
            lower(trim(d.number)) in (select number from asked)
            or lower(trim(d.merchant_order_no)) in (select number from asked)
        )
),

named as (
    select lower(trim(number)) as number, order_id, true as is_placed from main.orders
    union all
    select lower(trim(merchant_order_no)), order_id, true from main.orders
    union all
    select lower(trim(number)), order_id, false from documents
    union all
    select lower(trim(merchant_order_no)), order_id, false from documents
),

known as (
    select n.number, n.order_id, n.is_placed
    from named as n
    where n.number in (select number from asked)
)

select
    number,
    coalesce(any_value(order_id) filter (where is_placed), any_value(order_id)) as order_id
from known
group by number
having
    count(distinct order_id) filter (where is_placed) = 1
    or (count(*) filter (where is_placed) = 0 and count(distinct order_id) = 1)
