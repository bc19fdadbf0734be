-- grain: one row a SKU that a system counts or a shop offers
-- key: sku
-- en: What there is of a SKU, what of it can be sold, what shops offer, and how long it will last. Of
--   several systems that count it the ERP's figures stand, then the WMS's, the OMS's, any other's; never
--   a shop's. What can be sold is that of the OMS or WMS that has least to sell, else of another system.
-- zh: 每个 SKU 的库存、可售量、店铺在售量与可售天数。多个系统计数时依次取 ERP、WMS、OMS、其他系统，不取店铺；可售量取 OMS、WMS 中最少者，均未计数时取其他系统。
-- column: sku | SKU | SKU 编码 | One for all systems that count the same thing
-- of product: product_id, name as product_name
-- column: stock_source | Counted by | 库存来源 | Connection whose count the next six columns are; null where only shops tell of it
-- column: on_hand | On hand | 现存量 | Over all places
-- column: reserved | Reserved | 占用量 | Promised to open orders; null where not told
-- column: unavailable | Unavailable | 不可用量 | Damaged, in quality control, frozen; null where not told
-- column: safety_stock | Safety stock | 安全库存 | Kept back from sale; null where not told
-- column: incoming | Incoming | 在订量 | Ordered from suppliers; null where not told
-- of stock_level: as_of
-- column: sellable | Sellable | 可售量 | Over all places of the OMS or WMS that has least to sell, else of the other system
-- column: sellable_source | Least by | 可售量来源 | That system
-- column: offered | Offered | 店铺在售量 | Of the shop that offers most
-- column: is_oversold | Oversold | 超卖 | A shop offers more than is sellable
-- column: shipped_90d | Shipped in 90 days | 近 90 天发货量 | Pieces that left in the 90 days up to the newest day on which anything left
-- column: shipped_per_day | Shipped a day | 日均发货量 | That by 90, or by the days since anything left for the first time where these are fewer
-- column: days_on_hand | Days on hand | 可用天数 | On hand by shipped a day; null where nothing was shipped
with roles as (
    select
        connection,
        stream,
        bool_or(role = 'shop') as is_shop,
        min(case role when 'erp' then 1 when 'wms' then 2 when 'oms' then 3 else 4 end) as place
    from recon.roles
    group by connection, stream
),

records as (
    select
        s.* replace (k.sku as sku),
        coalesce(r.is_shop, false) as is_shop,
        coalesce(r.place, 4) as place,
        coalesce(s.as_of, s.source_updated_at, s.synced_at) as told_at
    from source.stock_levels as s
    inner join mart.stock_records as k
        on k.is_current and s.connection = k.connection and s.stream = k.stream
        and s.source_key = k.source_key
    left join roles as r on s.connection = r.connection and s.stream = r.stream
    where s.is_deleted is not true and s.sku is not null
),

counts as (
    select
        sku,
        connection,
        min(place) as place,
        any_value(name) as name,
        sum(on_hand) as on_hand,
        sum(reserved) as reserved,
        sum(unavailable) as unavailable,
        sum(safety_stock) as safety_stock,
        sum(incoming) as incoming,
        max(told_at) as as_of
    from records
    where not is_shop
    group by sku, connection
),

chief as (
    select *
    from counts
    qualify row_number() over (partition by sku order by on_hand is null, place, connection) = 1
),

levels as (
    select
        sku, connection, is_offer, is_warehouse, sum(offered) as offered,
        case when bool_and(sellable is not null) then sum(sellable) end as sellable
    from mart.stock_versions
    where until_on is null
    group by sku, connection, is_offer, is_warehouse
),

least as (
    select sku, sellable, connection as sellable_source
    from levels
    where not is_offer and sellable is not null
    qualify row_number() over (
        partition by sku order by is_warehouse desc, sellable, connection
    ) = 1
),

offers as (
    select sku, max(offered) as offered
    from levels
    where is_offer
    group by sku
),

span as (
    select max(day) as last_day, least(90, date_diff('day', min(day), max(day)) + 1) as days
    from mart.sku_shipped
),

shipped as (
    select lower(trim(s.sku)) as code, sum(s.quantity) as quantity
    from mart.sku_shipped as s
    cross join span as n
    where s.day > n.last_day - 90
    group by lower(trim(s.sku))
),

products as (
    select
        lower(trim(sku)) as code, min(product_id) as product_id,
        any_value(name order by product_id) as name
    from main.products
    where sku is not null
    group by lower(trim(sku))
),

skus as (
    select sku from chief
    union
    select sku from offers
)

select
    k.sku,
    p.product_id,
    coalesce(p.name, c.name) as product_name,
    c.connection as stock_source,
    c.on_hand,
    c.reserved,
    c.unavailable,
    c.safety_stock,
    c.incoming,
    c.as_of,
    l.sellable,
    l.sellable_source,
    o.offered,
    case when l.sellable is not null then o.offered > 0 and o.offered > l.sellable end as is_oversold,
    case when n.days is not null then coalesce(s.quantity, 0) end as shipped_90d,
    (coalesce(s.quantity, 0) / n.days)::decimal(18, 6) as shipped_per_day,
    (c.on_hand / nullif(s.quantity / n.days, 0))::decimal(18, 2) as days_on_hand
from skus as k
cross join span as n
left join chief as c on k.sku = c.sku
left join least as l on k.sku = l.sku
left join offers as o on k.sku = o.sku
left join shipped as s on lower(trim(k.sku)) = s.code
left join products as p on lower(trim(k.sku)) = p.code
