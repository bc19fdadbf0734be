-- grain: one row a day since shops' stock can be compared
-- key: period
-- en: Oversell rate: SKUs of which a shop offered more than was sellable at the end of the day ÷ SKUs
--   that a shop offers and a system counts. Sellable is that of the system that has least to sell
--   (`mart.sku_stock_days`). Over a span: numerators ÷ denominators. Needs stock counts, and a shop's own.
-- zh: 超卖率：日末店铺在售量超过可售量的 SKU ÷ 店铺在售且有系统计数的 SKU。可售量取最少的系统（见 `mart.sku_stock_days`）。跨日时分别汇总后相除。需要库存与店铺在售数据。
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
