-- grain: one row a SKU and span of days in which nothing about its stock changed
-- key: sku, from_on
-- en: What there was of a SKU and what shops offered of it, over time. Several systems may count the
--   same goods: over all places of each, the one with least is believed.
-- zh: SKU 库存与店铺在售量的时间段。多个系统计数时，各自汇总全部仓库后取最少者。
-- of stock_level: sku
-- column: from_on | From | 起始日 | First day at whose end it was so, in the company's time zone
-- column: until_on | Until | 截止日 | First day at whose end it was so no longer; null while it is
-- column: available | Available | 可用量 | Of the system that counts least; null where none counts it
-- column: sellable | Sellable | 可售量 | Of the system that has least to sell; null where none counts it
-- column: offered | Offered | 店铺在售量 | Of the shop that offers most; null where none offers it
-- column: is_out | Out of stock | 缺货 | Nothing is available; null where no system counts it
-- column: is_oversold | Oversold | 超卖 | A shop offers more than is sellable; null where no shop offers it or no system counts it
with versions as (
    select connection, sku, is_offer, from_on, until_on, available, sellable
    from mart.stock_versions
),

-- Each version adds what it says when it begins and takes it away when it ends.
moves as (
    select connection, sku, is_offer, from_on as day, available, sellable, 1 as rows_of from versions
    union all
    select connection, sku, is_offer, until_on, -available, -sellable, -1
    from versions
    where until_on is not null
),

changes as (
    select
        connection, sku, is_offer, day,
        sum(available) as available, sum(sellable) as sellable, sum(rows_of) as rows_of
    from moves
    group by all
),

levels as (
    select
        connection, sku, is_offer, day,
        sum(coalesce(available, 0)) over so_far as available,
        sum(coalesce(sellable, 0)) over so_far as sellable,
        sum(rows_of) over so_far > 0 as is_there
    from changes
    window so_far as (partition by connection, sku, is_offer order by day)
),

counters as (
    select distinct connection, sku, is_offer from levels
),

points as (
    select distinct sku, day from levels
),

asked as (
    select p.sku, p.day, c.connection, c.is_offer
    from points as p
    inner join counters as c on p.sku = c.sku
),

told as (
    select
        a.sku,
        a.day,
        min(l.available) filter (where l.is_there and not a.is_offer) as available,
        min(l.sellable) filter (where l.is_there and not a.is_offer) as sellable,
        max(l.available) filter (where l.is_there and a.is_offer) as offered
    from asked as a
    asof left join levels as l
        on a.connection = l.connection and a.sku = l.sku and a.is_offer = l.is_offer and a.day >= l.day
    group by a.sku, a.day
)

select
    sku,
    day as from_on,
    lead(day) over (partition by sku order by day) as until_on,
    available,
    sellable,
    offered,
    available <= 0 as is_out,
    offered > sellable as is_oversold
from told
