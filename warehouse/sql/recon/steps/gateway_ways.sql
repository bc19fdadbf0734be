-- grain: one row a way in which a system's orders are paid that goes through a gateway we read
-- A way is a gateway's where it has its name, or where the gateway has money of at least half of the
-- orders that were paid so: cash, a bank or an account that is not connected is no gateway's. `since`
-- is the first movement that the gateway tells of; what was paid before, it cannot know.
with gateways as (
    select
        connection, lower(trim(provider)) as provider, lower(method) as method,
        min(paid_at) as since
    from mart.order_payments
    where is_gateway
    group by all
),

begun as (
    select connection, min(since) as since from gateways group by connection
),

names as (
    select connection, provider as name from gateways where provider is not null
    union
    select connection, method from gateways where method in ('alipay', 'wechat_pay', 'paypal', 'unionpay')
),

seen as (
    select distinct p.connection, p.way, m.connection as gateway
    from step.paid_orders as p
    inner join step.gateway_orders as m on p.order_id = m.order_id
    where p.is_at_gateway
),

named as (
    select distinct p.connection, p.way, n.connection as gateway
    from (select distinct connection, way, method from step.paid_orders) as p
    inner join names as n on p.way = n.name or p.method = n.name
),

ways as (
    select u.connection, u.way, bool_or(u.is_named) as is_named, max(b.since) as since
    from (
        select *, false as is_named from seen
        union all
        select *, true from named
    ) as u
    inner join begun as b on u.gateway = b.connection
    group by u.connection, u.way
),

counted as (
    select
        w.connection, w.way, any_value(w.is_named) as is_named, any_value(w.since) as since,
        count(*) as many, count(*) filter (where p.is_at_gateway) as found
    from ways as w
    inner join step.paid_orders as p on w.connection = p.connection and w.way = p.way
    where p.paid_at >= w.since
    group by w.connection, w.way
)

select connection, way, since
from counted
where found * 2 >= many or (is_named and many < 20)
