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
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

references_of as (
    select number, order_id from mart.order_references
),

invoices as (
    select
        i.invoice_id,
        coalesce(i.order_id, r.order_id, i.invoice_id) as account,
        i.currency,
        i.issue_date as day,
        if(i.kind = 'credit', -abs(i.gross), i.gross) as amount,
        i.paid_date,
        coalesce(i.status = 'paid' or i.balance = 0, false) as is_said_paid
    from main.invoices as i
    -- Written as one equation: with a condition on one side alone DuckDB compares every pair.
    left join references_of as r
        on case when i.order_id is null then lower(trim(i.order_number)) end = r.number
    where
        i.direction is distinct from 'payable'
        and coalesce(i.status, 'issued') not in ('draft', 'void')
        and coalesce(i.kind, 'standard') <> 'proforma'
        and i.issue_date is not null and i.gross is not null
),

own as (
    select payment_id, invoice_id, amount, currency
    from main.payments
    where invoice_id is not null
    union all
    select l.payment_id, l.invoice_id, l.amount, coalesce(l.currency, p.currency)
    from main.payment_allocations as l
    inner join main.payments as p on l.payment_id = p.payment_id
    where l.invoice_id is not null and p.invoice_id is null
),

moved as (
    select
        p.payment_id,
        coalesce((p.paid_at at time zone z.name)::date, p.value_date) as day,
        case
            when coalesce(p.kind, 'payment') = 'payment' then 1
            when p.kind in ('refund', 'chargeback') then -1
        end as sign
    from main.payments as p
    cross join zone as z
    where p.status = 'succeeded'
),

settled as (
    select account, currency, paid_date as day, amount
    from invoices
    where paid_date is not null
    union all
    select i.account, o.currency, m.day, m.sign * o.amount
    from own as o
    inner join invoices as i on o.invoice_id = i.invoice_id and i.paid_date is null
    inner join moved as m on o.payment_id = m.payment_id
    union all
    select o.order_id, o.currency, m.day, m.sign * o.amount
    from mart.order_payments as o
    inner join moved as m on o.payment_id = m.payment_id
    where
        o.order_id in (select account from invoices where paid_date is null)
        and o.payment_id not in (select payment_id from own)
),

accounts as (
    select
        account,
        currency,
        sum(amount) as billed,
        bool_or(is_said_paid and paid_date is null) as is_said_paid
    from invoices
    group by account, currency
),

sums as (
    select account, currency, sum(amount) as paid
    from settled
    where day is not null and amount is not null
    group by account, currency
),

known as (
    select a.account, a.currency
    from accounts as a
    left join sums as s on a.account = s.account and a.currency is not distinct from s.currency
    where not (a.is_said_paid and coalesce(s.paid, 0) < a.billed - 0.01)
),

moves as (
    select i.account, i.currency, i.day, i.amount as billed, 0 as paid
    from invoices as i
    inner join known as k on i.account = k.account and i.currency is not distinct from k.currency
    union all
    select s.account, s.currency, s.day, 0, s.amount
    from settled as s
    inner join known as k on s.account = k.account and s.currency is not distinct from k.currency
    where s.day is not null and s.amount is not null
),

changes as (
    select account, currency, day, sum(billed) as billed, sum(paid) as paid
    from moves
    group by all
),

balances as (
    select
        account,
        currency,
        day,
        billed,
        greatest(
            sum(billed) over (partition by account, currency order by day)
            - sum(paid) over (partition by account, currency order by day), 0
        ) as owed
    from changes
),

steps as (
    select
        currency,
        day,
        billed,
        owed - coalesce(lag(owed) over (partition by account, currency order by day), 0) as step
    from balances
),

days as (
    select currency, day, sum(billed) as billed, sum(step) as step
    from steps
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
