-- grain: one row a version of a stock record that stood at the end of a day
-- en: How a system's count of a SKU changed, day by day; never add over connections. A version holds
--   from the day for which its source told it (else: on which it was loaded) until the day of the
--   next one. What changed twice in a day stands as it was in the evening.
-- zh: 各系统 SKU 计数的逐日版本；不同连接的数量不可相加。自源系统所述日期（未提供时为入库日）起，至下一版本之日止；一日多变取当日末值。
-- of stock_level: connection, stream, source_key
-- column: sku | SKU | SKU 编码 | One for all systems that count the same thing
-- column: own_sku | Own SKU | 原始 SKU | As the source writes it
-- column: is_offer | Offered | 店铺在售 | Told by a shop: what it offers, no count of goods
-- column: is_warehouse | Warehouse's | 仓储系统 | Counted by an OMS or WMS, which is believed before an ERP
-- column: from_on | From | 起始日 | First day at whose end it stood, in the company's time zone
-- column: until_on | Until | 截止日 | First day at whose end it stood no longer; null while it stands
-- of stock_level: on_hand
-- column: available | Available | 可用量 | On hand less reserved and unavailable where not told; 0 for defective and frozen goods
-- column: sellable | Sellable | 可售量 | As the source says, else the lesser of available and on hand less reserved, unavailable and safety stock; 0 for defective and frozen goods
-- column: offered | On offer | 在售量 | Of a shop: what it says can be sold, else what is available
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

days as (
    select
        v.*,
        (coalesce(
            case when v.is_deleted then v.deleted_at end, v.as_of, v.source_updated_at, v.told_at
        ) at time zone z.name)::date as from_on
    from mart.stock_records as v
    cross join zone as z
),

-- Told later of an earlier day: what was loaded last has the last word on a day.
standing as (
    select
        *,
        lead(from_on) over (
            partition by connection, stream, source_key order by from_on, told_at
        ) as until_on
    from days
)

select
    connection,
    stream,
    source_key,
    sku,
    own_sku,
    is_offer,
    is_warehouse,
    from_on,
    until_on,
    on_hand,
    available,
    sellable,
    offered
from standing
where is_deleted is not true and own_sku is not null and from_on is distinct from until_on
