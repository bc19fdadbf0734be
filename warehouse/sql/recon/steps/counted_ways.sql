-- grain: one row a way in which a system's orders are paid
-- `found` are the orders of which a gateway has money, `many` those paid since the first movement that
-- the gateways tell of: those that go by the way's name or have its money, else any. `is_named` is a
-- way that has the name of such a gateway.
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
    select distinct connection, way, gateway
    from step.paid_orders
    where is_at_gateway and gateway is not null
),

said as (
    select connection, way, method from step.paid_orders group by all
),

named as (
    select distinct p.connection, p.way, n.connection as gateway
    from said as p
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

known as (
    select
        s.connection, s.way, coalesce(any_value(w.is_named), false) as is_named,
        coalesce(any_value(w.since), (select min(since) from begun)) as since
    from said as s
    left join ways as w on s.connection = w.connection and s.way = w.way
    group by s.connection, s.way
)

select
    w.connection, w.way, any_value(w.is_named) as is_named, any_value(w.since) as since,
    count(*) as many, count(*) filter (where p.is_at_gateway) as found
from known as w
inner join step.paid_orders as p on w.connection = p.connection and w.way = p.way
where p.paid_at >= w.since
group by w.connection, w.way
