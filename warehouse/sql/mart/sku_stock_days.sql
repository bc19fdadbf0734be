-- grain: one row a SKU and span of days in which nothing about its stock changed
-- key: sku, from_on
-- en: What there was of a SKU and what shops offered of it, over time. Several systems may count the
--   same goods: over all places of each, the one with least is believed; of what can be sold OMS and WMS
--   have the first word, the ERP and others count where these do not. What a system does not tell is unknown.
-- zh: SKU 库存与店铺在售量的时间段。多个系统计数时，各自汇总全部仓库后取最少者；可售量以 OMS、WMS 优先，均未计数时取 ERP 等；未提供的数量视为未知。
-- of stock_level: sku
-- column: from_on | From | 起始日 | First day at whose end it was so, in the company's time zone
-- column: until_on | Until | 截止日 | First day at whose end it was so no longer; null while it is
-- column: available | Available | 可用量 | Of the system that counts least; null where none counts it
-- column: sellable | Sellable | 可售量 | Of the OMS or WMS that has least to sell, else of the other system; null where none counts it
-- column: offered | Offered | 店铺在售量 | Of the shop that offers most; null where none tells of it
-- column: is_out | Out of stock | 缺货 | Nothing is available; null where no system counts it
-- column: is_oversold | Oversold | 超卖 | A shop offers more than is sellable; null where no shop offers it or no system counts it
with versions as (
    select
        connection, sku, is_offer, is_warehouse, from_on, until_on, available, sellable, offered,
        (available is null)::int as untold, (sellable is null)::int as unknown
    from mart.stock_versions
),

-- Each version adds what it says when it begins and takes it away when it ends.
moves as (
    select * exclude (from_on, until_on), from_on as day, 1 as rows_of from versions
    union all by name
    select
        connection, sku, is_offer, is_warehouse, until_on as day, -available as available,
        -sellable as sellable, -offered as offered, -untold as untold, -unknown as unknown, -1 as rows_of
    from versions
    where until_on is not null
),

changes as (
    select
        connection, sku, is_offer, is_warehouse, day,
        sum(available) as available, sum(sellable) as sellable, sum(offered) as offered,
        sum(untold) as untold, sum(unknown) as unknown, sum(rows_of) as rows_of
    from moves
    group by all
),

levels as (
    select
        connection, sku, is_offer, is_warehouse, day,
        case when sum(untold) over so_far = 0 then sum(coalesce(available, 0)) over so_far end as available,
        case when sum(unknown) over so_far = 0 then sum(coalesce(sellable, 0)) over so_far end as sellable,
        sum(coalesce(offered, 0)) over so_far as offered,
        sum(rows_of) over so_far > 0 as is_there
    from changes
    window so_far as (partition by connection, sku, is_offer, is_warehouse order by day)
),

counters as (
    select distinct connection, sku, is_offer, is_warehouse from levels
),

points as (
    select distinct sku, day from levels
),

asked as (
    select
        p.sku, p.day, c.connection, c.is_offer, c.is_warehouse,
        max(l.day) over (
            partition by c.connection, p.sku, c.is_offer, c.is_warehouse order by p.day
        ) as told_on
    from points as p
    inner join counters as c on p.sku = c.sku
    left join levels as l
        on c.connection = l.connection and p.sku = l.sku and c.is_offer = l.is_offer
        and c.is_warehouse = l.is_warehouse and p.day = l.day
),

told as (
    select
        a.sku,
        a.day,
        min(l.available) filter (where l.is_there and not a.is_offer) as available,
        coalesce(
            min(l.sellable) filter (where l.is_there and a.is_warehouse),
            min(l.sellable) filter (where l.is_there and not a.is_offer)
        ) as sellable,
        max(l.offered) filter (where l.is_there and a.is_offer) as offered
    from asked as a
    left join levels as l
        on a.connection = l.connection and a.sku = l.sku and a.is_offer = l.is_offer
        and a.is_warehouse = l.is_warehouse and a.told_on = l.day
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
    case when sellable is not null then offered > 0 and offered > sellable end as is_oversold
from told
