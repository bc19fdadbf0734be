-- grain: one row a SKU that a shop offers more of than can be sent
-- kind: quantity
-- severity: error
-- needs: shop stock_level, oms|wms|erp stock_level
-- transit: 0d
-- en: The shop offers more pieces than can be sold: on hand less reserved, safety stock and quota.
-- zh: 网店可售数量超过实际可售量（现存 − 占用 − 安全库存 − 渠道配额），存在超卖风险。
-- do-en: Lower what the shop offers, or fill the stock up; look at the orders that wait for it.
-- do-zh: 下调网店可售数量或补货，并检查等待发货的订单。
-- Sellable is what the counting system says, else worked out; of several warehouses' systems the one
-- that has least is believed, the ERP only where there is no other. What nobody counts is unknown, and
-- what the shop does not sell any more, or sells without counting, is no risk. Each shop by itself:
-- shops that share a stock offer all of it each.
with roles as (
    select
        connection, stream,
        bool_or(role = 'shop') as is_shop,
        bool_or(role in ('oms', 'wms')) as is_warehouse,
        bool_or(role = 'erp') as is_erp
    from recon.roles
    group by connection, stream
),

things as (
    select x.connection, x.stream, x.source_key, g.product_id
    from main.xref as x
    inner join main.stock_levels as g on x.entity = 'stock_level' and x.golden_id = g.stock_level_id
),

counted as (
    select
        s.connection, r.is_shop, r.is_warehouse, r.is_erp, s.sku,
        t.product_id, s.source_key, coalesce(s.as_of, s.source_updated_at, s.synced_at) as as_of,
        case
            when s.sellable is not null then s.sellable
            when s.on_hand is null then s.available
            else least(
                coalesce(s.available, s.on_hand - coalesce(s.reserved, 0) - coalesce(s.unavailable, 0)),
                s.on_hand - coalesce(s.reserved, 0) - coalesce(s.safety_stock, 0)
            )
        end as sellable
    from source.stock_levels as s
    inner join roles as r on s.connection = r.connection and s.stream = r.stream
    left join things as t
        on s.connection = t.connection and s.stream = t.stream and s.source_key = t.source_key
    where s.is_deleted is not true and s.sku is not null
        and coalesce(s.quality, 'good') <> 'defective'
        and (r.is_shop or r.is_warehouse or r.is_erp)
),

summed as (
    select
        connection, coalesce(product_id::varchar, lower(trim(sku))) as thing,
        bool_or(is_shop) as is_shop, bool_or(is_warehouse) as is_warehouse,
        any_value(product_id) as product_id, min(sku) as sku, min(source_key) as source_key,
        sum(sellable) as sellable, bool_or(sellable is null) as is_unknown, max(as_of) as as_of
    from counted
    group by connection, thing
),

there as (
    select thing, bool_or(is_warehouse) as has_warehouse
    from summed
    where not is_shop and not is_unknown
    group by thing
),

least_of as (
    select
        s.thing, min(s.sellable) as sellable, arg_min(s.connection, s.sellable) as connection,
        arg_min(s.source_key, s.sellable) as source_key, arg_min(s.sku, s.sellable) as sku
    from summed as s
    inner join there as t on s.thing = t.thing and s.is_warehouse = t.has_warehouse
    where not s.is_shop and not s.is_unknown
    group by s.thing
),

unsold as (
    select connection, sku from source.products
    where is_deleted is not true and sku is not null
        and (status in ('draft', 'inactive', 'archived') or is_tracked = false)
)

select
    o.connection || '/' || o.sku as subject,
    o.product_id,
    o.connection as left_connection,
    o.source_key as left_key,
    o.sku as left_number,
    l.connection as right_connection,
    l.source_key as right_key,
    l.sku as right_number,
    o.sku,
    l.sellable as expected,
    o.sellable as actual,
    o.as_of as happened_at
from summed as o
inner join least_of as l on o.thing = l.thing
where o.is_shop and o.sellable > 0 and o.sellable - l.sellable > getvariable('recon_tolerance')
    and (o.connection, o.sku) not in (select (connection, sku) from unsold)
