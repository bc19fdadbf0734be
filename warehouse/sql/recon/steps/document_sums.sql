-- grain: one row an order, or several that were merged, and a system whose documents carry it out
-- kept: order of_order
-- `off` is what they differ by at the least, over `many` documents or orders. Split orders are added
-- up, merged ones compared together. Right is what the order was placed with, what it is after
-- changes, or what is left after refunds. Documents in another currency, without a sum, and cancelled
-- orders are not compared. Nearly all agree to the cent: only the rest is looked at closely.
with sums as (
    select
        h.order_id, h.connection, sum(h.total) as total, any_value(o.total) as placed_total,
        arg_min(o.connection, o.order_id) as placed_connection,
        bool_and(h.currency is not distinct from o.currency) as is_one_currency
    from step.handed as h
    inner join mart.order_to_cash as o on h.order_id = o.order_id
    where not h.is_merged
    group by h.order_id, h.connection
),

exact as (
    select order_id, connection, placed_connection
    from sums
    where total = placed_total and is_one_currency
),

rest as (
    select h.*
    from step.handed as h
    left join exact as e on h.order_id = e.order_id and h.connection = e.connection
    where e.order_id is null
),

documents as (
    select
        group_id, connection,
        count(*) as documents,
        sum(total) as total,
        bool_and(total is not null) as is_known,
        count(distinct currency) as currencies,
        any_value(currency) as currency,
        string_agg(number, ', ' order by number) as numbers,
        min(source_key) as source_key,
        max(changed_at) as changed_at
    from (
        select distinct group_id, connection, stream, source_key, total, currency, number, changed_at
        from rest
    )
    group by group_id, connection
),

copies as (
    select h.order_id, h.connection
    from rest as h
    inner join main.orders as o on h.order_id = o.order_id
    where not h.is_merged and h.total = o.total and o.total > 0
    group by h.order_id, h.connection
    having count(*) > 1
),

orders as (
    select
        h.group_id, h.connection,
        count(*) as orders,
        sum(o.total) as total,
        sum(coalesce(o.current_total, o.total)) as current_total,
        sum(o.total - coalesce(g.refunded_total, 0)) as kept_total,
        sum(o.total - o.refunded_amount) as moved_total,
        bool_and(o.order_id is not null and o.total is not null and o.status is distinct from 'cancelled'
            and o.payment_status is distinct from 'voided') as is_known,
        count(distinct o.currency) as currencies,
        any_value(o.currency) as currency,
        min(o.connection || '/' || o.stream || '/' || o.source_key) as subject,
        any_value(o.order_id) as order_id,
        arg_min(o.party_id, o.order_id) as party_id,
        arg_min(o.connection, o.order_id) as placed_connection,
        min(o.source_key) as source_key,
        string_agg(o.number, ', ' order by o.number) as numbers,
        max(greatest(o.placed_at, coalesce(o.changed_at, o.placed_at))) as changed_at
    from (select distinct group_id, connection, order_id from rest) as h
    left join mart.order_to_cash as o on h.order_id = o.order_id
    left join main.orders as g on h.order_id = g.order_id
    group by h.group_id, h.connection
),

compared as (
    select
        d.connection || ':' || o.subject as subject,
        case when o.orders = 1 then o.order_id end as order_id,
        o.party_id,
        o.placed_connection as left_connection,
        o.source_key as left_key,
        o.numbers as left_number,
        d.connection as right_connection,
        d.source_key as right_key,
        d.numbers as right_number,
        o.currency,
        o.total as expected,
        d.total as actual,
        greatest(o.changed_at, coalesce(d.changed_at, o.changed_at)) as happened_at,
        least(
            abs(d.total - o.total), abs(d.total - o.current_total), abs(d.total - o.kept_total),
            abs(d.total - o.moved_total)
        ) as off,
        greatest(d.documents, o.orders) as many,
        d.group_id as of_order
    from documents as d
    inner join orders as o on d.group_id = o.group_id and d.connection = o.connection
    where o.is_known and d.is_known
        and o.currencies = 1 and d.currencies = 1 and o.currency = d.currency
        and (d.group_id, d.connection) not in (select (order_id, connection) from copies)
)

select placed_connection as left_connection, connection as right_connection, 0 as off, 1 as many,
    order_id as of_order
from exact
union all by name
select * from compared
