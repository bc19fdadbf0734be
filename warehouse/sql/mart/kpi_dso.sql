-- grain: one row a day and currency since the first invoice
-- key: period, currency
-- en: Days sales outstanding. Over any span of days: what was owed at the end of each day, summed, ÷ what
--   was billed on them, summed; that is the average receivables of the span ÷ its billing × its days.
--   Billing is all sales on credit: what is paid at once and not invoiced is in neither. Owed and billed
--   as `mart.receivable_days` says, tax included. Needs invoices, and payments or paid dates. Of one day
--   alone the value says little: add numerators and denominators over a month or more, then divide.
-- zh: 应收账款周转天数（DSO）。任意区间内：各日末应收余额之和 ÷ 各日开票额之和，即平均应收 ÷ 开票额 × 天数。
--   只计开票赊销，即付且未开票的不计；口径见 `mart.receivable_days`，含税。需要发票及收款或付清日期。单日数值意义不大，应按月及以上区间分别汇总分子、分母后相除。
-- column: period | Day | 日期 | In the company's time zone
-- column: currency | Currency | 币种 | ISO 4217 code of the amounts
-- column: numerator | Owed | 应收余额 | At the end of the day
-- column: denominator | Billed | 开票额 | On the day
-- column: value | Days sales outstanding | 应收周转天数 | Numerator by denominator; null where nothing was billed
select
    day as period,
    currency,
    owed as numerator,
    billed as denominator,
    (owed / nullif(billed, 0))::double as value
from mart.receivable_days
