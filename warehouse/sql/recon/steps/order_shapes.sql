-- grain: one row an order and a shape of its numbers: their signs without digits, and a length
-- kept: order order_id
with orders as (
    select
        o.order_id, o.number, o.platform_order_no, o.merchant_order_no, r.connection is not null as is_of_shop
    from main.orders as o
    left join (select distinct connection, stream from recon.roles where role = 'shop') as r
        on o.connection = r.connection and o.stream = r.stream
),

-- A shop's platform number is its own; on other documents it is what they claim.
numbers as (
    select order_id, number as said, is_of_shop from orders
    union all
    select order_id, merchant_order_no, is_of_shop from orders where merchant_order_no is distinct from number
    union all
    select order_id, platform_order_no, true from orders where is_of_shop
)

select
    order_id, translate(lower(trim(said)), '0123456789', '') as bare, length(trim(said)) as long,
    is_of_shop
from numbers
where said is not null
group by all
