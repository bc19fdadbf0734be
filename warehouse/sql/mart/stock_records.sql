-- grain: one row a version of a stock record
-- en: What each system told of a SKU, now and before, and what of it can be sold: what oversells are
--   judged by, here and in reconciliation. One thing has one SKU here, however systems write it: the
--   same product, or the same code but for upper and lower case.
-- zh: 各系统对 SKU 库存的现在与历史说法，以及其中可售的数量：超卖指标与对账规则共用此口径。同一商品，或仅大小写不同的编码，视为同一 SKU。
-- of stock_level: connection, stream, source_key
-- column: sku | SKU | SKU 编码 | One for all systems that count the same thing
-- column: item | Item | 统一标识 | What is counted: the golden product where one is known, else the code
-- column: own_sku | Own SKU | 原始 SKU | As the source writes it
-- of product: product_id
-- column: is_current | Current | 当前 | The source tells it so now; else it is a version of before
-- column: is_deleted | Deleted | 已删除 | The source has it no longer
-- column: deleted_at | Deleted at | 删除时间
-- column: as_of | As of | 截止时间 | When the quantity was true, as the source says
-- column: source_updated_at | Updated at | 源更新时间
-- column: told_at | Told at | 入库时间 | When it was loaded
-- column: is_offer | Offered | 店铺在售 | Told by a shop: what it offers, no count of goods
-- column: is_warehouse | Warehouse's | 仓储系统 | Counted by an OMS or WMS, which is believed before an ERP
-- column: is_erp | ERP's | ERP 计数 | Counted by an ERP
-- of stock_level: on_hand
-- column: available | Available | 可用量 | On hand less reserved and unavailable where not told; 0 for defective and frozen goods
-- column: sellable | Sellable | 可售量 | As the source says, else the lesser of available and on hand less reserved, unavailable and safety stock; 0 for defective and frozen goods
-- column: offered | On offer | 在售量 | Of a shop: what it says can be sold, else what is available
with roles as (
    select
        connection, stream,
        bool_or(role = 'shop') as is_shop,
        bool_or(role in ('oms', 'wms')) as is_warehouse,
        bool_or(role = 'erp') as is_erp
    from recon.roles
    group by connection, stream
),

codes as (
    select s.connection, lower(trim(s.sku)) as code, min(s.sku) as sku, min(g.product_id) as product_id
    from source.stock_levels as s
    left join main.xref as x
        on x.entity = 'stock_level' and s.connection = x.connection and s.stream = x.stream
        and s.source_key = x.source_key
    left join main.stock_levels as g on x.golden_id = g.stock_level_id
    where s.sku is not null
    group by s.connection, lower(trim(s.sku))
),

-- A code that only one product has is that product's, also where a system names no product.
known as (
    select code, min(product_id) as product_id
    from codes
    group by code
    having min(product_id) = max(product_id)
),

items as (
    select
        c.connection, c.code, c.sku, coalesce(c.product_id, k.product_id) as product_id,
        coalesce(c.product_id::varchar, k.product_id::varchar, c.code) as item
    from codes as c
    left join known as k on c.code = k.code
),

named as (
    select connection, code, product_id, item, min(sku) over (partition by item) as sku from items
),

versions as (
    select
        connection, stream, source_key, sku, quality, on_hand, available, reserved, unavailable,
        safety_stock, sellable, as_of, source_updated_at, is_deleted, deleted_at,
        synced_at as told_at, true as is_current
    from source.stock_levels
    union all
    select
        connection, stream, source_key, sku, quality, on_hand, available, reserved, unavailable,
        safety_stock, sellable, as_of, source_updated_at, is_deleted, deleted_at,
        valid_from as told_at, false as is_current
    from history.stock_levels
)

select
    v.connection,
    v.stream,
    v.source_key,
    coalesce(n.sku, v.sku) as sku,
    coalesce(n.item, lower(trim(v.sku))) as item,
    v.sku as own_sku,
    n.product_id,
    v.is_current,
    v.is_deleted,
    v.deleted_at,
    v.as_of,
    v.source_updated_at,
    v.told_at,
    coalesce(r.is_shop, false) as is_offer,
    coalesce(r.is_warehouse and not r.is_shop, false) as is_warehouse,
    coalesce(r.is_erp and not r.is_shop, false) as is_erp,
    v.on_hand,
    case
        when v.quality in ('defective', 'frozen') then 0
        else coalesce(v.available, v.on_hand - coalesce(v.reserved, 0) - coalesce(v.unavailable, 0))
    end::decimal(18, 6) as available,
    case
        when v.quality in ('defective', 'frozen') then 0
        else coalesce(
            v.sellable,
            least(
                v.available,
                v.on_hand - coalesce(v.reserved, 0) - coalesce(v.unavailable, 0)
                - coalesce(v.safety_stock, 0)
            )
        )
    end::decimal(18, 6) as sellable,
    case
        when not coalesce(r.is_shop, false) then null
        when v.quality in ('defective', 'frozen') then 0
        else coalesce(
            v.sellable, v.available, v.on_hand - coalesce(v.reserved, 0) - coalesce(v.unavailable, 0)
        )
    end::decimal(18, 6) as offered
from versions as v
left join roles as r on v.connection = r.connection and v.stream = r.stream
left join named as n on v.connection = n.connection and lower(trim(v.sku)) = n.code
