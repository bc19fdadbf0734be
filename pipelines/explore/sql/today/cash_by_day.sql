-- grain: one row a day of the window and currency in which money moved
-- takes: day date, days number
-- A movement is counted once, whichever systems tell of it.
with moved as (
    select day, currency, sum(received) as received, sum(refunded + charged_back) as refunded
    from mart.cash_and_settlement
    where day > $day::date - $days::bigint::integer and day <= $day::date and currency is not null
    group by day, currency
),

currencies as (
    select currency, sum(received + refunded) as turnover
    from moved
    group by currency
    having sum(received + refunded) > 0
),

window_days as (
    select unnest(generate_series(
        ($day::date - ($days::bigint - 1)::integer)::timestamp, $day::date::timestamp, interval 1 day
    ))::date as day
)

select
    w.day, c.currency, coalesce(m.received, 0) as received, coalesce(m.refunded, 0) as refunded
from window_days as w
cross join currencies as c
left join moved as m on w.day = m.day and c.currency = m.currency
order by w.day, c.turnover desc, c.currency
