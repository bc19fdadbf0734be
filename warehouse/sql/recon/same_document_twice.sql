-- grain: one row a set of records of one system that say the same document twice
-- kind: duplicate
-- severity: error
-- needs: erp|oms|shop order
-- transit: 0d
-- en: The same document was entered twice in one system.
-- zh: 同一单据在同一系统中被重复录入。
-- do-en: Cancel one of them before it is sent, invoiced or paid a second time.
-- do-zh: 作废其中一张，避免重复发货、开票或付款。
-- Two documents of an OMS or ERP that each carry out the whole of one order; two orders of one
-- customer with one number or one purchase number, sum and day; two invoices with one number.
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
        o.order_id, any_value(o.party_id) as party_id,
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
),

orders as (
    select
        s.connection, s.stream, s.source_key, s.number, s.po_number, s.customer_key, s.currency, s.total,
        coalesce(s.order_date, s.placed_at::date) as day, s.shop_name, s.organization_key,
        coalesce(s.source_created_at, s.placed_at) as made_at
    from source.orders as s
    inner join (
        select distinct connection, stream from recon.roles where role in ('shop', 'oms', 'erp')
    ) as r on s.connection = r.connection and s.stream = r.stream
    where s.is_deleted is not true and s.is_test is not true and s.total > 0
        and coalesce(s.status, 'confirmed') not in ('cancelled', 'draft', 'closed')
        and coalesce(s.kind, 'sale') = 'sale' and s.parent_order_key is null
),

ordered as (
    select
        connection || '/number/' || min(source_key) as subject,
        connection, min(source_key) as first_key, max(source_key) as last_key,
        any_value(number) as number, any_value(number) as other_number, currency, total,
        count(*) as many, max(made_at) as made_at
    from orders
    where (connection, number) in (
        select (connection, number) from orders where number is not null
        group by connection, number having count(*) > 1
    )
    group by connection, stream, number, customer_key, currency, total, day, shop_name, organization_key
    having count(*) > 1
    union all
    select
        connection || '/po/' || min(source_key), connection, min(source_key), max(source_key),
        arg_min(number, source_key), arg_max(number, source_key), currency, total,
        count(*), max(made_at)
    from orders
    where po_number is not null and trim(po_number) <> '' and customer_key is not null
    group by connection, stream, po_number, customer_key, currency, total, day, shop_name, organization_key
    having count(*) > 1 and count(distinct number) > 1
),

invoiced as (
    select
        connection || '/invoice/' || min(source_key) as subject,
        connection, min(source_key) as first_key, max(source_key) as last_key,
        any_value(number) as number, any_value(coalesce(e_invoice_no, number)) as other_number,
        currency, gross as total, count(*) as many, max(source_created_at) as made_at
    from source.invoices
    where is_deleted is not true and coalesce(status, 'issued') not in ('void', 'red_offset', 'draft')
        and coalesce(e_invoice_no, number) is not null and gross > 0
    group by
        connection, stream, coalesce(e_invoice_no, number), invoice_code, direction, kind, currency, gross,
        customer_key, issue_date
    having count(*) > 1
)

select * from twice
union all by name
select
    subject, connection as left_connection, first_key as left_key, number as left_number,
    connection as right_connection, last_key as right_key, other_number as right_number,
    currency, total as expected, (total::decimal(28, 4) * many)::decimal(28, 4) as actual, made_at as happened_at
from (select * from ordered union all select * from invoiced)
