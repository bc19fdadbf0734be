-- grain: one row a SKU at a place, as one connection counts it
-- en: How many of a SKU lie where, by each system that counts them; never add over connections.
-- zh: 各系统统计的 SKU 分仓库存；不同连接的数量不可相加。
-- of stock_level: connection, sku
-- of product: name as product_name
-- of location: name as location_name
-- of stock_level: on_hand, reserved
-- column: available | Available | 可用量 | On hand less reserved and unavailable where not told; defective goods left out
-- of stock_level: incoming, as_of, product_id, location_id
with records as (
    select
        s.* exclude (location_key, location_name),
        coalesce(s.location_name, s.location_key) as location_said,
        g.location_id,
        g.product_id
    from source.stock_levels as s
    inner join main.xref as x
        on x.entity = 'stock_level' and s.connection = x.connection and s.stream = x.stream
        and s.source_key = x.source_key
    inner join main.stock_levels as g on x.golden_id = g.stock_level_id
),

stock as (
    select
        connection,
        sku,
        location_said,
        any_value(location_id) as location_id,
        any_value(product_id) as product_id,
        any_value(name) as name,
        sum(on_hand) as on_hand,
        sum(reserved) as reserved,
        sum(coalesce(available, on_hand - coalesce(reserved, 0) - coalesce(unavailable, 0)))
            filter (where coalesce(quality, 'good') <> 'defective') as available,
        sum(incoming) as incoming,
        max(coalesce(as_of, source_updated_at, synced_at)) as as_of
    from records
    group by all
),

products as (
    select product_id, name from main.products
),

locations as (
    select location_id, name from main.locations
)

select
    s.connection,
    s.sku,
    coalesce(p.name, s.name) as product_name,
    coalesce(l.name, s.location_said) as location_name,
    s.on_hand,
    s.reserved,
    s.available,
    s.incoming,
    s.as_of,
    s.product_id,
    s.location_id
from stock as s
left join products as p on s.product_id = p.product_id
left join locations as l on s.location_id = l.location_id
