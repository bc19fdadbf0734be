-- grain: one row a cohort (month of the first purchase) and month after it
-- key: period, months_after
-- en: Retention by cohort: of the customers whose first sale is of the month `period`, the share that
--   bought again in the n-th month after it. Sales as in `mart.order_service`; months up to the newest
--   in which anybody bought, those without a purchase as 0. Needs orders with their customers.
-- zh: 同期群留存率：首单在 `period` 月的客户中，其后第 n 个月再次下单的比例。以 `mart.order_service` 的销售订单计，列至最近有订单的月份，无下单为 0。需要带客户的订单。
-- column: period | Cohort | 首单月份 | First day of the month of the first sale, in the company's time zone
-- column: months_after | Months after | 其后月数 | 1 is the month after the cohort's
-- column: numerator | Bought again | 再次下单客户数 | Of the cohort, with a sale in that month
-- column: denominator | Cohort size | 首单客户数 | Customers whose first sale is of the month
-- column: value | Retention | 留存率 | Numerator by denominator, 1 is all
with months as (
    select distinct party_id, date_trunc('month', placed_on)::date as month
    from mart.order_service
    where party_id is not null and placed_on is not null
),

firsts as (
    select party_id, min(month) as period
    from months
    group by party_id
),

cohorts as (
    select period, count(*) as denominator
    from firsts
    group by period
),

active as (
    select f.period, m.month, count(*) as numerator
    from months as m
    inner join firsts as f on m.party_id = f.party_id
    group by f.period, m.month
),

-- Every month from the first to the newest, whether or not anybody bought in it.
calendar as (
    select unnest(
        generate_series(min(month)::timestamp, max(month)::timestamp, interval 1 month)
    )::date as month
    from months
)

select
    c.period,
    date_diff('month', c.period, d.month) as months_after,
    coalesce(a.numerator, 0) as numerator,
    c.denominator,
    coalesce(a.numerator, 0) / c.denominator as value
from cohorts as c
inner join calendar as d on c.period < d.month
left join active as a on c.period = a.period and d.month = a.month
