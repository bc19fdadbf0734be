-- grain: one row a sale and step of its delivery that has ended
-- key: order_id, step
-- en: How long each step took: placed to shipped (first parcel), shipped to delivered (first parcel
--   left to last parcel arrived), placed to delivered. A step that ends before it begins is left out.
-- zh: 每张销售订单各履约环节耗时：下单至发货（首包裹）、发货至签收（首包裹发出至末包裹签收）、下单至签收；结束早于开始的不计。
-- of order: order_id
-- column: step | Step | 环节 | placed_to_shipped, shipped_to_delivered or placed_to_delivered
-- column: ended_on | Ended on | 结束日期 | Day on which the step ended, in the company's time zone
-- column: hours | Hours | 小时数 | By the clock, nights and holidays among them
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

sales as (
    select order_id, placed_at, shipped_at, delivered_at from mart.order_service
),

steps as (
    select order_id, 'placed_to_shipped' as step, placed_at as begun_at, shipped_at as ended_at from sales
    union all
    select order_id, 'shipped_to_delivered', shipped_at, delivered_at from sales
    union all
    select order_id, 'placed_to_delivered', placed_at, delivered_at from sales
)

select
    s.order_id,
    s.step,
    (s.ended_at at time zone z.name)::date as ended_on,
    epoch(s.ended_at - s.begun_at) / 3600 as hours
from steps as s
cross join zone as z
where s.ended_at >= s.begun_at
