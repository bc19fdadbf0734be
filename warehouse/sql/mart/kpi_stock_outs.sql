-- grain: one row a day since stock is counted
-- key: period
-- en: Stock-out rate: SKUs of which nothing was available at the end of the day ÷ SKUs that a system counts.
--   Of several systems the one that counts least is believed, over all its places
--   (`mart.sku_stock_days`); what only a shop offers is no count. Over a span: numerators ÷ denominators,
--   the share of SKU-days. Needs stock counts.
-- zh: 缺货率：日末可用量为零或负的 SKU ÷ 有系统计数的 SKU。多个系统计数时取汇总全部仓库后最少者（见 `mart.sku_stock_days`），仅店铺在售的不算计数。跨日时分别汇总后相除，即 SKU·日占比。需要库存数据。
-- column: period | Day | 日期 | At its end, in the company's time zone
-- column: numerator | Out of stock | 缺货 SKU 数 | SKUs of which nothing is available
-- column: denominator | Counted | 有库存计数的 SKU 数 | SKUs that a system counts
-- column: value | Stock-out rate | 缺货率 | Numerator by denominator, 1 is all
select
    day as period,
    out_of_stock as numerator,
    counted as denominator,
    out_of_stock / counted as value
from mart.stock_days
where counted > 0
