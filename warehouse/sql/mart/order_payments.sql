-- grain: one row a movement of money that succeeded and an order that it is for
-- key: order_id, payment_id
-- kept: order order_id
-- en: Money that moved for an order: what was paid and given back, whoever knows of it, once.
-- zh: 订单的资金流动：收款与退款，无论哪个系统知晓，只计一次。
-- of payment: order_id, payment_id, connection, stream
-- column: is_gateway | Gateway's | 网关流水 | A gateway tells of it
-- column: is_bank | Bank's | 银行流水 | A bank tells of it
-- of payment: provider, method, kind
-- column: amount | Amount | 金额 | The part of the movement that is for the order
-- of payment: currency
-- column: paid_at | Paid at | 收付时间 | When it moved; where no moment is told, when the value date began in the company's time zone
-- of payment: number
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

roles as (
    select
        connection, stream,
        bool_or(role = 'gateway') as is_gateway,
        bool_or(role = 'bank') as is_bank
    from recon.roles
    group by connection, stream
),

-- A movement that another leads and a gateway or bank tells of too is as these tell it.
told as (
    select
        e.payment_id, s.connection, s.stream, s.provider, s.method, s.amount, s.currency, s.paid_at,
        s.value_date, s.number, s.merchant_order_no
    from main.payment_evidence as e
    inner join roles as r
        on e.connection = r.connection and e.stream = r.stream and (r.is_gateway or r.is_bank)
    inner join main.payments as p
        on e.payment_id = p.payment_id and (e.connection <> p.connection or e.stream <> p.stream)
    inner join source.payments as s
        on e.connection = s.connection and e.stream = s.stream and e.source_key = s.source_key
    left join roles as l on p.connection = l.connection and p.stream = l.stream
    where coalesce(l.is_gateway or l.is_bank, false) = false and s.is_deleted is not true
        and s.status = 'succeeded'
    qualify row_number() over (
        partition by e.payment_id order by r.is_gateway desc, s.connection, s.stream, s.source_key
    ) = 1
),

merged as (
    select distinct order_id from mart.merged_orders
),

moved as (
    select
        payment_id, order_id, connection, stream, provider, method, coalesce(kind, 'payment') as kind,
        amount, currency, paid_at, value_date, number, lower(trim(merchant_order_no)) as said
    from main.payments
    where status = 'succeeded' and payment_id not in (select payment_id from told)
    union all
    select
        p.payment_id, p.order_id, t.connection, t.stream, t.provider, t.method,
        coalesce(p.kind, 'payment'), t.amount, t.currency, t.paid_at, t.value_date, t.number,
        lower(trim(coalesce(t.merchant_order_no, p.merchant_order_no)))
    from told as t
    inner join main.payments as p on t.payment_id = p.payment_id
),

allocated as (
    select
        payment_id, order_id, any_value(currency) as currency,
        sum(amount)::decimal(18, 4) as amount
    from main.payment_allocations
    where order_id is not null and amount is not null
    group by payment_id, order_id
),

bound as (
    select
        m.*,
        case when g.order_id is null then coalesce(m.order_id, r.order_id)
            else coalesce(r.order_id, m.order_id) end as of_order
    from moved as m
    left join mart.order_references as r on m.said = r.number
    left join merged as g on m.order_id = g.order_id
),

-- A payment of several orders is shared among them by their totals, if each is an order's number.
listed as (
    select m.payment_id, m.amount, r.order_id, o.total, o.currency
    from (
        select payment_id, amount, unnest(list_distinct(
            regexp_split_to_array(said, '[,;，；、|+\s]+')
        )) as part
        from moved
        where order_id is null and regexp_matches(said, '[,;，；、|+\s]')
            and said not in (select number from mart.order_references)
    ) as m
    left join mart.order_references as r on m.part = r.number
    left join main.orders as o on r.order_id = o.order_id
),

shared as (
    select
        payment_id, order_id,
        (amount * total / sum(total) over (partition by payment_id))::decimal(18, 4) as amount
    from listed
    qualify bool_and(order_id is not null and total > 0) over (partition by payment_id)
        and min(currency) over (partition by payment_id) = max(currency) over (partition by payment_id)
),

split as (
    select b.* exclude (of_order), b.of_order as for_order, b.amount as for_amount
    from bound as b
    where b.of_order is not null and b.payment_id not in (select payment_id from allocated)
    union all
    select b.* exclude (of_order), a.order_id, a.amount
    from bound as b
    inner join allocated as a on b.payment_id = a.payment_id
    union all
    select b.* exclude (of_order), a.order_id, a.amount
    from bound as b
    inner join shared as a on b.payment_id = a.payment_id
    where b.payment_id not in (select payment_id from allocated)
)

select
    s.for_order as order_id,
    s.payment_id,
    s.connection,
    s.stream,
    coalesce(r.is_gateway, false) as is_gateway,
    coalesce(r.is_bank, false) as is_bank,
    s.provider,
    s.method,
    s.kind,
    s.for_amount as amount,
    s.currency,
    coalesce(s.paid_at, timezone(z.name, s.value_date::timestamp)) as paid_at,
    s.number
from split as s
cross join zone as z
left join roles as r on s.connection = r.connection and s.stream = r.stream
