-- grain: one row a day on which sales left and class of reasons
-- key: period, part
-- en: Return rate by reason: sales of which something was returned ÷ sales that left. A sale counts for
--   the day on which its first parcel left, whenever it came back, so the newest days still rise. Of the
--   sales only those count that are of, or carried out by, a connection that tells of returns. Returns
--   that were rejected or cancelled are left out. A sale with two reasons counts for both, and once for
--   `all`. Needs orders, shipments and returns.
-- zh: 分原因退货率：发生退货的销售订单 ÷ 已发货的销售订单。按首包裹发货日计（与退货时间无关，故最近日期仍会上升）。
--   只计由提供退货数据的连接下单或履约的订单；已拒绝或取消的退货不计。一单多原因分别计入，`all` 只计一次。
--   需要订单、发货与退货数据。
-- column: period | Day | 日期 | On which the first parcel left, in the company's time zone
-- column: part | Reason | 退货原因 | Class of the reason (`reason_code` of returns); all is any reason, unknown where none is told
-- column: numerator | Returned | 退货订单数 | Sales of which something came back for the reason
-- column: denominator | Left | 已发货订单数 | Sales that left and whose returns would be told; the same for each reason
-- column: value | Return rate | 退货率 | Numerator by denominator, 1 is all
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

tellers as (
    select distinct connection from source.returns where is_deleted is not true
),

told as (
    select distinct d.order_id
    from main.order_documents as d
    inner join tellers as t on d.connection = t.connection
),

sales as (
    select s.order_id, s.return_reasons, (s.shipped_at at time zone z.name)::date as period
    from mart.order_service as s
    inner join told as t on s.order_id = t.order_id
    cross join zone as z
    where s.shipped_at is not null
),

returns as (
    select order_id, unnest(string_split(return_reasons, ', ')) as part
    from mart.order_service
    where return_reasons is not null
),

reasons as (
    select order_id, part from returns
    union
    select order_id, 'all' from returns
),

parts as (
    select 'all' as part
    union
    select part from reasons
),

days as (
    select period, count(*) as denominator
    from sales
    group by period
),

came_back as (
    select s.period, r.part, count(*) as numerator
    from sales as s
    inner join reasons as r on s.order_id = r.order_id
    group by s.period, r.part
)

select
    d.period,
    p.part,
    coalesce(c.numerator, 0) as numerator,
    d.denominator,
    coalesce(c.numerator, 0) / d.denominator as value
from days as d
cross join parts as p
left join came_back as c on d.period = c.period and p.part = c.part
