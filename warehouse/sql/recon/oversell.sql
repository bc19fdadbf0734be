-- grain: one row a SKU that a shop offers more of than can be sent
-- kind: quantity
-- severity: error
-- needs: shop stock_level, oms|wms|erp stock_level
-- transit: 0d
-- en: The shop offers more pieces than can be sold: on hand less reserved, unavailable and safety stock.
-- zh: 网店可售数量超过实际可售量（现存 − 占用 − 不可用 − 安全库存），存在超卖风险。
-- do-en: Lower what the shop offers, or fill the stock up; look at the orders that wait for it.
-- do-zh: 下调网店可售数量或补货，并检查等待发货的订单。
-- Sellable is what the counting system says, else worked out (`mart.stock_records`); of several warehouses' systems the one
-- that has least is believed, the ERP only where there is no other. What nobody counts is unknown, and
-- what the shop does not sell any more, or sells without counting, is no risk. Each shop by itself:
-- shops that share a stock offer all of it each.
with summed as (
    select
        connection, item, is_offer, is_warehouse, any_value(product_id) as product_id,
        min(own_sku) as sku, min(source_key) as source_key, sum(sellable) as sellable,
        bool_or(sellable is null) as is_unknown, sum(offered) as offered,
        max(coalesce(as_of, source_updated_at, told_at)) as as_of
    from mart.stock_records
    where is_current and is_deleted is not true and own_sku is not null
        and (is_offer or is_warehouse or is_erp)
    group by connection, item, is_offer, is_warehouse
),

there as (
    select item, bool_or(is_warehouse) as has_warehouse
    from summed
    where not is_offer and not is_unknown
    group by item
),

least_of as (
    select
        s.item, min(s.sellable) as sellable, arg_min(s.connection, s.sellable) as connection,
        arg_min(s.source_key, s.sellable) as source_key, arg_min(s.sku, s.sellable) as sku
    from summed as s
    inner join there as t on s.item = t.item and s.is_warehouse = t.has_warehouse
    where not s.is_offer and not s.is_unknown
    group by s.item
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
    o.offered as actual,
    o.as_of as happened_at
from summed as o
inner join least_of as l on o.item = l.item
where o.is_offer and o.offered > 0 and o.offered - l.sellable > getvariable('recon_tolerance')
    and (o.connection, o.sku) not in (select (connection, sku) from unsold)
