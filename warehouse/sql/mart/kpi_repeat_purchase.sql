-- grain: one row a month in which customers bought
-- key: period
-- en: Repeat purchase rate: customers who bought in the month and had bought before ÷ customers who
--   bought in the month. Bought is a sale of `mart.order_service` placed in the month; before is any
--   earlier sale, one of the same month too. Sales of nobody known are left out. Needs orders with
--   their customers.
-- zh: 复购率：当月下单且此前（含当月更早）下过单的客户 ÷ 当月下单的客户。以 `mart.order_service` 的销售订单计，客户未知的不计。需要带客户的订单。
-- column: period | Month | 月份 | First day, in the company's time zone
-- column: numerator | Bought again | 复购客户数 | Customers of the month with a sale before their last one of the month
-- column: denominator | Bought | 下单客户数 | Customers with a sale in the month
-- column: value | Repeat purchase rate | 复购率 | Numerator by denominator, 1 is all
-- A customer bought again in a month who bought before it, or twice in it.
with months as (
    select party_id, date_trunc('month', placed_on)::date as period, count(*) as many
    from mart.order_service
    where party_id is not null and placed_on is not null
    group by all
),

firsts as (
    select party_id, min(period) as period
    from months
    group by party_id
),

customers as (
    select m.period, m.many > 1 or m.period > f.period as is_repeat
    from months as m
    inner join firsts as f on m.party_id = f.party_id
)

select
    period,
    count(*) filter (where is_repeat) as numerator,
    count(*) as denominator,
    count(*) filter (where is_repeat) / count(*) as value
from customers
group by period
