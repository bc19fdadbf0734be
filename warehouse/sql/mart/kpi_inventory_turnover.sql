-- grain: one row a day and currency on which the value of the stock is known
-- key: period, currency
-- en: Inventory turnover, by the year: cost of the goods shipped in the 90 days up to the day, × 365 ÷ 90,
--   ÷ what the stock cost at its end (`mart.inventory_days`; fewer days where shipments are not known so
--   long). Over a span: numerators ÷ denominators, which is the yearly flow ÷ the average stock. Needs
--   stock counts, shipments with lines and costs.
-- zh: 库存周转率（年化）：截至当日 90 天的发货成本 × 365 ÷ 90 ÷ 当日末库存金额（见 `mart.inventory_days`）。跨日时分子、分母分别汇总后相除，即年化发货成本 ÷ 平均库存。需要库存、带明细的发货与成本数据。
-- column: period | Day | 日期 | In the company's time zone
-- column: currency | Currency | 币种 | Of the costs
-- column: numerator | Shipped a year | 年化发货成本 | At cost
-- column: denominator | Stock value | 库存金额 | At the end of the day, at cost
-- column: value | Turnover | 周转率 | Times a year; null where there is no stock
select
    day as period,
    currency,
    (shipped_cost * 365 / shipped_days)::decimal(38, 4) as numerator,
    stock_value as denominator,
    (shipped_cost * 365 / shipped_days)::decimal(38, 4)::double / nullif(stock_value, 0)::double as value
from mart.inventory_days
