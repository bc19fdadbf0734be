-- grain: one row a payout of a payment provider
-- key: payout_id
-- en: What a provider sent to the bank against what it says that it settled: the lines of the payout,
--   or the payments that name it.
-- zh: 结算单与其结算明细（或注明该结算单的收付款）的核对。
-- of payout: payout_id, connection, number, provider, status, arrival_date, currency
-- column: amount | Amount | 结算金额 | What is sent; negative where it is taken back from the bank
-- column: line_count | Lines | 明细数 | What it settles; 0 where the provider does not say
-- column: gross | Gross | 总额 | Of what it settles, in the currency of the payout; null where it is not said
-- column: fee | Fees | 手续费 | Of what it settles
-- column: net | Net | 净额 | Gross less fees
-- column: difference | Difference | 差额 | Amount less net: not zero where something is missing
with payouts as (
    select *, if(kind = 'collection', -amount, amount) as signed_amount from main.payouts
),

lines as (
    select
        l.payout_id,
        coalesce(l.currency, p.currency) as currency,
        l.amount,
        coalesce(l.fee, 0) as fee,
        coalesce(l.net, l.amount - coalesce(l.fee, 0)) as net
    from main.payout_lines as l
    inner join payouts as p on l.payout_id = p.payout_id
),

named as (
    select
        payout_id,
        currency,
        if(coalesce(kind, 'payment') = 'payment', amount, -amount) as amount,
        coalesce(fee, 0) as fee,
        if(coalesce(kind, 'payment') = 'payment', amount, -amount) - coalesce(fee, 0) as net
    from main.payments
    where
        payout_id is not null and status = 'succeeded'
        and coalesce(kind, 'payment') in ('payment', 'refund', 'chargeback', 'fee')
        and payout_id not in (select payout_id from lines)
),

sums as (
    select
        payout_id, currency, count(*) as line_count, sum(amount) as gross, sum(fee) as fee, sum(net) as net
    from (select * from lines union all select * from named)
    group by payout_id, currency
)

select
    p.payout_id,
    p.connection,
    p.number,
    p.provider,
    p.status,
    p.arrival_date,
    p.currency,
    p.signed_amount as amount,
    coalesce(s.line_count, 0) as line_count,
    s.gross,
    s.fee,
    s.net,
    p.signed_amount - s.net as difference
from payouts as p
left join sums as s on p.payout_id = s.payout_id and p.currency is not distinct from s.currency
