-- grain: one row a day since shops' stock can be compared
-- key: period
-- en: Oversell rate: SKUs of which a shop offered more than was sellable at the end of the day ÷ SKUs
--   that a shop offers and a system counts. Sellable is on hand less reserved, unavailable and
--   safety stock, or what the source says, of the OMS or WMS that has least, else of the other system
--   (`mart.sku_stock_days`). A shop that offers none oversells none. Over a span: numerators ÷ denominators. Needs stock counts, and a shop's own.
-- zh: 超卖率：日末店铺在售量超过可售量的 SKU ÷ 店铺在售且有系统计数的 SKU。可售量＝现存−占用−不可用−安全库存，源系统自有可售量时以其为准，取 OMS、WMS 中最少者，均未计数时取其他系统（见 `mart.sku_stock_days`）。店铺在售为零不算超卖。跨日时分别汇总后相除。需要库存与店铺在售数据。
-- column: period | Day | 日期 | At its end, in the company's time zone
-- column: numerator | Oversold | 超卖 SKU 数 | SKUs of which a shop offers more than is sellable
-- column: denominator | Offered | 在售 SKU 数 | SKUs that a shop offers and a system counts
-- column: value | Oversell rate | 超卖率 | Numerator by denominator, 1 is all
select
    day as period,
    oversold as numerator,
    offered as denominator,
    oversold / offered as value
from mart.stock_days
where offered > 0
