-- grain: one row a day and currency on which the value of the stock is known
-- key: period, currency
-- en: Days of inventory on hand: what the stock cost at the end of the day ÷ the cost of the goods that
--   left a day, averaged over the 90 days up to it (`mart.inventory_days`; fewer days where shipments are
--   not known so long). Over a span: numerators ÷ denominators. Needs stock counts, shipments with lines
--   and costs.
-- zh: 库存可用天数：当日末库存金额 ÷ 截至当日 90 天的日均发货成本（见 `mart.inventory_days`）。跨日时分子、分母分别汇总后相除。需要库存、带明细的发货与成本数据。
-- column: period | Day | 日期 | In the company's time zone
-- column: currency | Currency | 币种 | Of the costs
-- column: numerator | Stock value | 库存金额 | At the end of the day, at cost
-- column: denominator | Shipped a day | 日均发货成本 | At cost
-- column: value | Days on hand | 可用天数 | Null where nothing left
select
    day as period,
    currency,
    stock_value as numerator,
    (shipped_cost / shipped_days)::decimal(38, 4) as denominator,
    stock_value::double / nullif((shipped_cost / shipped_days)::decimal(38, 4), 0)::double as value
from mart.inventory_days
