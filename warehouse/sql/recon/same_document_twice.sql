-- grain: one row a set of records of one system that say the same document twice
-- kind: duplicate
-- severity: error
-- among: order of_order, invoice of_invoice
-- needs: erp|oms|shop order
-- transit: 0d
-- en: The same document was entered twice in one system.
-- zh: 同一单据在同一系统中被重复录入。
-- do-en: Cancel one of them before it is sent, invoiced or paid a second time.
-- do-zh: 作废其中一张，避免重复发货、开票或付款。
-- Two documents of an OMS or ERP that each carry out the whole of one order; two orders of one
-- customer with one number or one purchase number, sum, day and lines; two invoices with one number
-- and the same lines.
with copies as (
    select h.order_id, h.connection
    from step.handed as h
    inner join main.orders as o on h.order_id = o.order_id
    where not h.is_merged and o.total > 0 and h.total = o.total
        and h.currency is not distinct from o.currency
    group by h.order_id, h.connection
    having count(*) > 1
),

twice as (
    select
        h.connection || '/order/' || o.connection || '/' || o.stream || '/' || o.source_key as subject,
        o.order_id, o.order_id as of_order, any_value(o.party_id) as party_id,
        any_value(o.connection) as left_connection, any_value(o.source_key) as left_key,
        any_value(o.number) as left_number,
        h.connection as right_connection, min(h.source_key) as right_key,
        string_agg(h.number, ', ' order by h.number) as right_number,
        any_value(o.currency) as currency, any_value(o.total) as expected, sum(h.total) as actual,
        max(h.changed_at) as happened_at
    from step.handed as h
    inner join copies as c on h.order_id = c.order_id and h.connection = c.connection
    inner join main.orders as o on h.order_id = o.order_id
    where h.total = o.total
    group by all
)

select *, null::uuid as of_invoice from twice
union all by name
select * exclude (is_sure) from step.said_twice where is_sure
