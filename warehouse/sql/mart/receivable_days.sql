-- grain: one row a day and currency, from the first invoice to the newest invoice or payment of one
-- key: day, currency
-- en: What customers owed on invoices at the end of each day, and what was billed on it. Invoices are
--   receivable, given (no draft, no proforma, not void); a credit note takes away. An invoice is paid on
--   the day that it says; else as payments of it, or of its order, came in (refunds taken off), in its
--   currency. What its system calls paid without anybody telling when is left out of both. What one
--   order paid too much does not pay for another.
-- zh: 每日末的应收余额与当日开票额。计入已开具的应收发票（不含草稿、形式发票、作废），红字发票冲减；按发票付清日期，未提供时按该发票或其订单的到账（扣除退款）冲销，仅限同币种。系统标记已付但无任何收款日期的发票不计。多付不冲抵其他订单。
-- column: day | Day | 日期 | In the company's time zone
-- of invoice: currency
-- column: owed | Owed | 应收余额 | At the end of the day, tax included
-- column: billed | Billed | 开票额 | On the day, tax included
with days as (
    select currency, day, sum(billed) as billed, sum(step) as step
    from mart.receivable_moves
    group by currency, day
),

-- A payment before its invoice owes nothing: the first day is that of the first invoice.
calendar as (
    select
        c.currency,
        unnest(generate_series(c.first_day::timestamp, l.last_day::timestamp, interval 1 day))::date as day
    from (select currency, min(day) as first_day from days where billed <> 0 group by currency) as c
    cross join (select max(day) as last_day from days) as l
)

select
    c.day,
    c.currency,
    sum(coalesce(d.step, 0)) over (partition by c.currency order by c.day) as owed,
    coalesce(d.billed, 0) as billed
from calendar as c
left join days as d on c.day = d.day and c.currency is not distinct from d.currency
