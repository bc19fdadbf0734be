-- grain: one row an invoice, or an order with its invoices, a day on which it changed, and currency
-- en: What was billed on the day, and by how much what is owed changed; `mart.receivable_days` says how.
-- zh: 每张发票（或订单及其发票）当日开票额与应收余额变动，口径见 `mart.receivable_days`。
-- column: order_id | Order id | 订单统一编号 | Whose invoices they are; null where an invoice has no order
-- column: invoice_id | Invoice id | 发票统一编号 | Of an invoice without an order
-- column: day | Day | 日期
-- of invoice: currency
-- column: billed | Billed | 开票额 | On that day; credit notes take away
-- column: step | Step | 应收变动 | What is owed at the end of the day less that of the day before
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
        account,
        currency,
        day,
        billed,
        owed - coalesce(lag(owed) over (partition by account, currency order by day), 0) as step
    from balances
)

select
    if(v.invoice_id is null, s.account, null) as order_id,
    v.invoice_id,
    s.day,
    s.currency,
    s.billed,
    s.step
from steps as s
left join main.invoices as v on s.account = v.invoice_id
