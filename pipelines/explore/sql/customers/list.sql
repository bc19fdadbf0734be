-- grain: one row a customer, those with most revenue in the currency first
-- takes: q text, currency text
select
    c.name, c.kind, c.city, c.systems, m.order_count, m.revenue, m.refunded_amount, m.open_amount, m.currency, c.last_order_at,
    c.return_count, c.open_ticket_count, c.party_id
from mart.customer_360 as c
left join (
    select party_id, unnest(by_currency, recursive := true) from mart.customer_360
) as m on c.party_id = m.party_id and m.currency = $currency
where ($q = '' and m.order_count > 0)
    or ($q <> '' and contains(lower(c.name), lower($q)))
    or ($q <> '' and c.party_id in (
        select x.golden_id from unified.xref as x where x.entity = 'party' and lower(x.source_key) = lower($q)
    ))
order by m.revenue desc nulls last, c.name, c.party_id
limit $most
