-- grain: one row a day since stock is counted
-- en: How many SKUs were counted and offered at the end of each day, and how many were out of stock or oversold.
-- zh: 每日日末有库存计数与店铺在售的 SKU 数，及其中缺货、超卖的 SKU 数。
-- column: day | Day | 日期 | At its end, in the company's time zone
-- column: counted | Counted | 有库存计数的 SKU 数 | SKUs that a system counts
-- column: out_of_stock | Out of stock | 缺货 SKU 数 | SKUs of which nothing is available
-- column: offered | Offered | 在售 SKU 数 | SKUs that a shop offers and a system counts
-- column: oversold | Oversold | 超卖 SKU 数 | SKUs of which a shop offers more than is sellable
with spans as (
    select
        from_on, until_on,
        (is_out is not null)::int as counted, coalesce(is_out, false)::int as out_of_stock,
        (is_oversold is not null)::int as offered, coalesce(is_oversold, false)::int as oversold
    from mart.sku_stock_days
),

-- Each span adds what it says on the day it begins and takes it away on the day it ends.
moves as (
    select from_on as day, counted, out_of_stock, offered, oversold from spans
    union all
    select until_on, -counted, -out_of_stock, -offered, -oversold from spans where until_on is not null
),

changes as (
    select
        day, sum(counted) as counted, sum(out_of_stock) as out_of_stock, sum(offered) as offered,
        sum(oversold) as oversold
    from moves
    group by day
),

-- The newest day on which anything was counted or left: later ones are not known yet.
last_day as (
    select greatest((select max(from_on) from mart.sku_stock_days), (select max(day) from mart.sku_shipped)) as day
),

calendar as (
    select unnest(
        generate_series((select min(day) from changes)::timestamp, (select day from last_day)::timestamp, interval 1 day)
    )::date as day
)

select
    c.day,
    (sum(coalesce(m.counted, 0)) over so_far)::bigint as counted,
    (sum(coalesce(m.out_of_stock, 0)) over so_far)::bigint as out_of_stock,
    (sum(coalesce(m.offered, 0)) over so_far)::bigint as offered,
    (sum(coalesce(m.oversold, 0)) over so_far)::bigint as oversold
from calendar as c
left join changes as m on c.day = m.day
window so_far as (order by c.day)
