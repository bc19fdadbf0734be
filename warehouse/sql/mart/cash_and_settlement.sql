-- grain: one row a day, connection and currency on which money moved there
-- key: day, connection, currency
-- en: What a gateway or bank took in, gave back, kept and paid out, and what of it is still under way
--   to the bank. Movements that succeeded, by the record of the connection that leads; each currency
--   by itself. Days are those of the company's time zone; a bank's value date where no moment is told.
-- zh: 每个支付渠道或银行每日的收款、退款、手续费与结算，以及尚未到账的在途金额。
--   只计成功的资金流水，以主记录所在连接为准，币种分列；日期按公司时区，无时刻时取入账日。
-- column: day | Day | 日期 | Of the movement
-- of payment: connection, currency
-- column: received | Received | 收款 | Payments, gross
-- column: refunded | Given back | 退款 | Refunds
-- column: charged_back | Charged back | 拒付 | Chargebacks
-- column: fee | Fees | 手续费 | Fees that stand as movements, and those told with payments in their currency
-- column: other | Other | 其他 | Transfers and adjustments; their direction is not told, they are in no sum
-- column: net | Net | 净额 | Received less given back, charged back and fees
-- column: paid_out | Paid out | 已结算 | Payouts to the bank
-- column: in_transit | In transit | 在途金额 | Net less paid out, summed up to the end of the day; null for a connection that tells of no payouts, or pays out in another currency than it takes in
-- column: movement_count | Movements | 笔数
with zone as (
    select coalesce(any_value(value), 'UTC') as name from ops.meta where name = 'timezone'
),

moves as (
    select
        p.connection,
        p.currency,
        coalesce(p.kind, 'payment') as kind,
        p.amount,
        coalesce(p.fee, 0) as fee,
        coalesce(
            (coalesce(p.paid_at, p.source_created_at) at time zone z.name)::date, p.value_date
        ) as day
    from main.payments as p
    cross join zone as z
    where p.status = 'succeeded' and p.amount is not null
),

-- The ledger of a connection that takes in one currency and pays out another cannot be closed here.
ledgers as (
    select connection
    from moves
    group by connection
    having count(distinct currency) = 1 and bool_or(kind = 'payout')
),

days as (
    select
        day,
        connection,
        currency,
        coalesce(sum(amount) filter (where kind = 'payment'), 0) as received,
        coalesce(sum(amount) filter (where kind = 'refund'), 0) as refunded,
        coalesce(sum(amount) filter (where kind = 'chargeback'), 0) as charged_back,
        coalesce(sum(amount) filter (where kind = 'fee'), 0) + sum(fee) as fee,
        coalesce(sum(amount) filter (where kind in ('transfer', 'adjustment', 'unknown')), 0) as other,
        coalesce(sum(amount) filter (where kind = 'payout'), 0) as paid_out,
        count(*) as movement_count
    from moves
    where day is not null
    group by day, connection, currency
)

select
    d.day,
    d.connection,
    d.currency,
    d.received,
    d.refunded,
    d.charged_back,
    d.fee,
    d.other,
    d.received - d.refunded - d.charged_back - d.fee as net,
    d.paid_out,
    case
        when l.connection is not null then sum(
            d.received - d.refunded - d.charged_back - d.fee - d.paid_out
        ) over (partition by d.connection, d.currency order by d.day)
    end as in_transit,
    d.movement_count
from days as d
left join ledgers as l on d.connection = l.connection
